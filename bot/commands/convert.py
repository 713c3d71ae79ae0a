"""/convert: one currency for another, at a quoted rate."""

import re

from bot.cards import Card, Line, Role, Tone
from bot.commands.amounts import amount_in
from bot.commands.command import Command, prefix_of, split_word
from bot.conversation.conversion_words import converted_card, quote_card
from bot.conversation.dispatch import tap_on
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.commerce.conversion_checkout import ConvertingCheckout
from wallet_core.commerce.exchange import Exchange
from wallet_core.errors import MoneyError, Refusal, Refused
from wallet_core.money import Money, known_currencies

_WISH = re.compile(r"(.+?)\s+(?:to|into|in)\s+([A-Za-z][A-Za-z0-9]{2,9})", re.IGNORECASE)
_ALWAYS = re.compile(r"always(?:\s+up\s+to)?\s+(.+)", re.IGNORECASE)
_NONE_HERE = "Nothing is converted on this instance. No money moved."


async def convert(desk: Desk, turn: Turn, args: str) -> None:
    """`10 USD to CNY` asks for a quote; `always up to 50 USD` and `never USD` set the consent."""
    if desk.exchange is None:
        await desk.answer(turn, sentence(_NONE_HERE))
        return
    always = _ALWAYS.fullmatch(args)
    word, rest = split_word(args)
    if always is not None:
        await _consent(desk, desk.exchange, turn, always[1])
    elif word == "never":
        await _take_back(desk, desk.exchange, turn, rest.upper())
    elif args:
        await _quote(desk, desk.exchange, turn, args)
    else:
        await _explain(desk, desk.exchange, turn)


async def _explain(desk: Desk, exchange: Exchange, turn: Turn) -> None:
    prefix = prefix_of(turn)
    consents = [
        Line(f"One tap may convert up to {Money(one.cap_minor, one.currency).format()}.")
        for one in await exchange.reader.funds(turn.person.wallet_id)
        if one.cap_minor
    ]
    lines = (
        *(consents or [Line("No tap converts anything without asking you.")]),
        Line(f"{prefix}convert 10 USD to CNY asks for a quote.", Role.HINT),
        Line(f"{prefix}convert always up to 50 USD lets a tap convert unasked.", Role.HINT),
        Line(f"{prefix}convert never USD takes that back.", Role.HINT),
    )
    await desk.answer(turn, Card(title="Converting money", lines=lines))


async def _quote(desk: Desk, exchange: Exchange, turn: Turn, args: str) -> None:
    try:
        sold, bought = _wished(args, desk.currency)
    except MoneyError as error:
        example = f"{prefix_of(turn)}convert 10 USD to CNY"
        text = f"{error} Write it like this: {example}. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    offer = await exchange.quote(turn.event.id, turn.person.wallet_id, sold, bought, turn.now_us)
    if offer is None:
        text = f"{sold.format()} cannot be converted to {bought} here. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    await desk.answer(turn, quote_card(offer), rows=(offer.offering,))


async def _consent(desk: Desk, exchange: Exchange, turn: Turn, typed: str) -> None:
    try:
        cap = amount_in(typed, desk.currency)
    except MoneyError as error:
        text = (
            f"{error} Write it like this: {prefix_of(turn)}convert always up to 50 USD. "
            "Nothing was changed."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    rows = await exchange.consenting(turn.person.wallet_id, cap)
    text = (
        f"From now on one tap may convert up to {cap.format()} to pay a price, without asking. "
        f"{prefix_of(turn)}convert never {cap.currency} takes that back."
    )
    await desk.answer(turn, sentence(text, Tone.GOOD), rows=rows)


async def _take_back(desk: Desk, exchange: Exchange, turn: Turn, code: str) -> None:
    if code not in known_currencies():
        text = f"Say which currency: {prefix_of(turn)}convert never USD. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    rows = await exchange.consenting(turn.person.wallet_id, Money(0, code))
    text = f"No tap converts {code} without asking you."
    await desk.answer(turn, sentence(text, Tone.GOOD), rows=rows)


def _wished(args: str, currency: str) -> tuple[Money, str]:
    """What is to be converted, and into what; raises `MoneyError` with one sentence."""
    wish = _WISH.fullmatch(args.strip())
    if wish is None:
        raise MoneyError("Say how much of what, and into what.")
    return amount_in(wish[1], currency), _code(wish[2])


def _code(typed: str) -> str:
    code = typed.upper()
    if code not in known_currencies():
        raise MoneyError(f"“{typed[:20]}” is not the code of a currency.")
    return code


async def press_convert(desk: Desk, turn: Turn, conversion_id: str) -> None:
    """A tap on a quote that was asked for."""
    if desk.exchange is None:
        await desk.answer(turn, sentence(_NONE_HERE))
        return
    try:
        taken = await desk.exchange.taken(conversion_id, turn.person.wallet_id, turn.now_us)
        card = converted_card(taken)
        await desk.answer(turn, card, transfers=(taken.post,), rows=(taken.taking,))
    except Refused as refused:
        card = sentence(_refused_words(refused.code, prefix_of(turn)), Tone.BAD)
        await desk.answer(turn, card, refusal=refused.code)


def _refused_words(code: Refusal, prefix: str) -> str:
    match code:
        case Refusal.RATE_EXPIRED:
            return f"That rate is over. No money moved. Ask again with {prefix}convert."
        case Refusal.TAKEN:
            return "That was converted already. No more money moved."
        case Refusal.NO_FUNDS:
            return "You have less than that to convert. No money moved."
        case Refusal.WALLET_FROZEN:
            return "Your wallet is frozen. No money moved. Ask an admin to thaw it."
        case Refusal.NOT_ALLOWED:
            return "That quote is not yours. No money moved."
        case _:
            return "No money moved. Please try again in a moment."


async def press_pay_by(desk: Desk, turn: Turn, conversion_id: str) -> None:
    """A tap on an offer to pay with another currency."""
    if not isinstance(desk.checkout, ConvertingCheckout):
        await desk.answer(turn, sentence(_NONE_HERE))
        return
    await desk.checkout.pay_by(tap_on(turn, ""), conversion_id)


COMMANDS = (
    Command(
        "convert",
        "convert [AMOUNT to CURRENCY|always up to AMOUNT|never CURRENCY]",
        "One currency for another.",
        convert,
        aliases=("exchange",),
    ),
)

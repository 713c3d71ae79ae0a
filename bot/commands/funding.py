"""/topup and /withdraw: money in and out, and the admins who hand the cash over."""

from collections.abc import Awaitable, Callable

import msgspec

from bot.cards import Tone
from bot.commands.amounts import amount_in
from bot.commands.command import Command, prefix_of, split_word
from bot.conversation.funding_words import not_yours_card
from bot.conversation.speech import till_notice
from bot.conversation.turn import Desk, Turn, sentence
from bot.conversation.views import funding_card
from wallet_core.commerce.numbers import as_typed
from wallet_core.commerce.records import FundingRequest, Speech
from wallet_core.errors import MoneyError
from wallet_core.funding.requests import Ask
from wallet_core.money import AMOUNT_MINOR_MAX, Money

Begin = Callable[[Ask], Awaitable[None]]


async def top_up(desk: Desk, turn: Turn, args: str) -> None:
    """Ask to bring money in."""
    money = await asked_amount(desk, turn, args, f"{prefix_of(turn)}topup 500")
    if money is not None:
        await begin(desk, turn, desk.funding.ask_top_up, f"wallet:{turn.person.wallet_id}", money)


async def withdraw(desk: Desk, turn: Turn, args: str) -> None:
    """Ask for one's money, which is held until somebody hands it over; or take that back."""
    if await cancelled(desk, turn, args, f"{prefix_of(turn)}withdraw"):
        return
    money = await asked_amount(desk, turn, args, f"{prefix_of(turn)}withdraw 500")
    if money is not None:
        await begin(desk, turn, desk.funding.ask_payout, f"wallet:{turn.person.wallet_id}", money)


async def cancelled(desk: Desk, turn: Turn, args: str, command: str) -> bool:
    """Answer `cancel CODE` behind `command`: a withdrawal is taken back. False for other words."""
    word, typed = split_word(args)
    if word != "cancel":
        return False
    code = as_typed(typed)
    if not code:
        text = f"Say which, by its code: {command} cancel 4F7K9Q. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return True
    await _take_back(desk, turn, code, typed=True)
    return True


async def press_take_back(desk: Desk, turn: Turn, code: str) -> None:
    """The button of a withdrawal's card: its owner wants it no more."""
    await _take_back(desk, turn, as_typed(code), typed=False)


async def _take_back(desk: Desk, turn: Turn, code: str, *, typed: bool) -> None:
    request = await desk.reader.funding_request(code)
    if request is None:
        await desk.answer(turn, not_yours_card())
        return
    also: Speech = ()
    if typed:
        # What was typed is answered where it was typed: the request's own card may be far up.
        card = funding_card(msgspec.structs.replace(request, state="cancelled"))
        also = (turn.notice(card, echoes=request.network),)
    await desk.funding.take_back(turn.event.id, request, turn.person.id, turn.place, also)


async def press_top_up(desk: Desk, turn: Turn, ref: str) -> None:
    """A button that asks for a top-up of its own amount: `topup:CNY:19900`.

    What it is for may stand behind that: `topup:CNY:19900:QUOTE`.
    """
    amount, quote_id = _amount_and_quote(ref)
    money = _money_of(amount)
    if money is None:
        await desk.answer(turn, sentence("That button is too old to work. No money moved."))
        return
    owner = f"wallet:{turn.person.wallet_id}"
    quote = await desk.reader.quote(quote_id) if quote_id else None
    bought = quote.id if quote is not None else None
    await begin(desk, turn, desk.funding.ask_top_up, owner, money, bought)


def _amount_and_quote(ref: str) -> tuple[str, str]:
    currency, _, rest = ref.partition(":")
    digits, _, quote_id = rest.partition(":")
    return f"{currency}:{digits}", quote_id


def _money_of(ref: str) -> Money | None:
    currency, _, digits = ref.partition(":")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(AMOUNT_MINOR_MAX))):
        return None
    try:
        money = Money(int(digits), currency)
    except MoneyError:
        return None
    return money if money.amount_minor else None


async def asked_amount(
    desk: Desk, turn: Turn, args: str, example: str, currency: str | None = None
) -> Money | None:
    """The amount in `args`; None when it is none and the asker was told so."""
    try:
        return amount_in(args, currency or desk.currency)
    except MoneyError as error:
        text = f"{error} Write it like this: {example}. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return None


async def begin(
    desk: Desk, turn: Turn, ask: Begin, owner: str, money: Money, quote_id: str | None = None
) -> None:
    """Ask for money in or out of `owner`'s account, and tell the admins who confirm it.

    `quote_id`: the purchase that it is for.
    """
    tills = await _tills(desk)
    await ask(msgspec.structs.replace(turn.ask(owner, money), also=tills, quote_id=quote_id))


async def _tills(desk: Desk) -> Callable[[FundingRequest], Speech]:
    contacts = await desk.people.admins()

    def also(request: FundingRequest) -> Speech:
        return tuple(till_notice(contact, request) for contact in contacts)

    return also


COMMANDS = (
    Command("topup", "topup AMOUNT [CURRENCY]", "Bring money in.", top_up, aliases=("top-up",)),
    Command(
        "withdraw",
        "withdraw [AMOUNT [CURRENCY]|cancel CODE]",
        "Leave with your money, or take that back.",
        withdraw,
    ),
)

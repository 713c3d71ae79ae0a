"""/limits: what a wallet may spend, and stricter limits that its owner sets for himself."""

import msgspec

from bot.cards import Card, Line, Role, Tone
from bot.commands.command import Command, prefix_of, split_word
from bot.commands.funding import asked_amount
from bot.conversation.limit_words import LIMIT_FIELDS, limit_lines, span
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import Refused
from wallet_core.ledger.allowance import Allowance
from wallet_core.ledger.commits import Update
from wallet_core.limits import LOOSENING_DELAY_S, Limits, WalletLimits
from wallet_core.money import Money, known_currencies

OFF = "off"


async def limits(desk: Desk, turn: Turn, args: str) -> None:
    """What holds, or a limit that the asker sets for himself."""
    word, rest = split_word(args)
    prefix = prefix_of(turn)
    if not word or word.upper() in known_currencies():
        await _show(desk, turn, word.upper())
        return
    if word not in LIMIT_FIELDS:
        text = (
            f"There is no limit called “{word[:30]}”. Write {prefix}limits, or for example "
            f"{prefix}limits day 200 or {prefix}limits day off. Nothing was changed."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    await _set(desk, turn, word, rest)


async def _show(desk: Desk, turn: Turn, currency: str) -> None:
    wallet_id = turn.person.wallet_id
    currencies = [currency] if currency else await currencies_of(desk, wallet_id)
    lines: list[Line] = []
    for code in currencies:
        known = await desk.reader.allowance(wallet_id, code)
        lines += limit_lines(known)
    hint = f"Set your own, stricter ones: {prefix_of(turn)}limits day 200."
    lines.append(Line(hint, Role.HINT))
    await desk.answer(turn, Card(title="What your wallet may spend", lines=tuple(lines)))


async def currencies_of(desk: Desk, wallet_id: str) -> list[str]:
    """The currencies that a wallet's limits are about, the usual one first."""
    set_for = WalletLimits.of_text(await desk.reader.limits_text(wallet_id))
    balances = await desk.reader.balances(f"wallet:{wallet_id}")
    others = {*set_for.currencies, *(balance.currency for balance in balances)}
    return [desk.currency, *sorted(others - {desk.currency})]


async def _set(desk: Desk, turn: Turn, word: str, rest: str) -> None:
    example = f"{prefix_of(turn)}limits {word} 200"
    money = await asked_limit(desk, turn, rest, example)
    if money is None:
        return
    wallet_id, currency = turn.person.wallet_id, money.currency
    before = await desk.reader.limits_text(wallet_id)
    known = await desk.reader.allowance(wallet_id, currency)
    most_minor = getattr(known.set_for.allowed(currency, known.default), LIMIT_FIELDS[word])
    if most_minor is not None and (money.amount_minor or 0) > most_minor:
        most = Money(most_minor, currency).format()
        text = f"An admin allows at most {most} here; that stays. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    own = known.set_for.own.get(currency, Limits())
    if money.amount_minor is None and getattr(own, LIMIT_FIELDS[word]) is None:
        title = "You have set no such limit with this wallet. Nothing was changed."
        await desk.answer(turn, Card(title=title, lines=limit_lines(known)))
        return
    wanted = msgspec.structs.replace(own, **{LIMIT_FIELDS[word]: money.amount_minor or None})
    changed = WalletLimits.of_text(before).with_own(currency, wanted, known.now_us)
    await _write(desk, turn, known, before, changed)


async def _write(
    desk: Desk, turn: Turn, known: Allowance, before: str | None, changed: WalletLimits
) -> None:
    row = Update(
        table="wallets",
        where={"id": turn.person.wallet_id, "limits": before},
        values={"limits": changed.text()},
    )
    looser = changed.loosening.get(known.currency)
    title = "Your limit is set; it holds from now on."
    if looser is not None:
        title = f"Your limit will be looser in {span(LOOSENING_DELAY_S)}."
    shown = msgspec.structs.replace(known, set_for=changed)
    if looser is None:
        own = changed.effective(known.currency, known.default, known.now_us)
        shown = msgspec.structs.replace(shown, limits=known.limits.stricter(own))
    card = Card(title=title, lines=limit_lines(shown), tone=Tone.GOOD)
    try:
        await desk.answer(turn, card, rows=(row,))
    except Refused as refused:
        text = "Your limits have just been changed elsewhere. Nothing was changed; try again."
        await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)


class AskedLimit(msgspec.Struct, frozen=True):
    """An amount that is to be a limit; no amount for none."""

    amount_minor: int | None
    currency: str


async def asked_limit(desk: Desk, turn: Turn, rest: str, example: str) -> AskedLimit | None:
    """The limit in `rest`: an amount, or `off`; None when it is none and the asker was told so."""
    word, code = split_word(rest)
    if word == OFF and (not code or code.upper() in known_currencies()):
        return AskedLimit(None, code.upper() or desk.currency)
    money = await asked_amount(desk, turn, rest, example)
    return None if money is None else AskedLimit(money.amount_minor, money.currency)


COMMANDS = (
    Command(
        "limits",
        "limits [payment|day|month|payee AMOUNT|off]",
        "What you may spend, and stricter limits of your own.",
        limits,
        aliases=("limit",),
    ),
)

"""/admin limit: what somebody's wallet may spend, instead of what the config says for all."""

from collections.abc import Mapping, Sequence

import msgspec

from bot.cards import Card, Line, Role, Tone
from bot.commands.command import prefix_of, split_word
from bot.commands.limits import asked_limit, currencies_of
from bot.commands.who import wallets_meant
from bot.conversation.limit_words import LIMIT_FIELDS, limit_lines
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Update
from wallet_core.limits import NEW_PAYEE_DELAY_S_MAX, Limits, WalletLimits
from wallet_core.money import known_currencies
from wallet_core.storage.lookups import FoundWallet

_FIELDS: Mapping[str, str] = {**LIMIT_FIELDS, "new": "new_payee_max_minor"}
_HOUR_S = 3600
_DEFAULT = "default"
_DELAY = "delay"


async def limit(desk: Desk, turn: Turn, rest: str) -> None:
    """`limit WHO [day AMOUNT|off]`: show or set limits of all of somebody's wallets."""
    who, _, wish = rest.partition(" ")
    found = await wallets_meant(desk, turn, who, "limit")
    if not found:
        return
    word, value = split_word(wish)
    if not word:
        await _show(desk, turn, found)
    elif word == _DEFAULT:
        await _change(desk, turn, found, value.upper() or desk.currency, None)
    elif word == _DELAY:
        await _set_delay(desk, turn, found, value)
    elif word in _FIELDS:
        example = f"{prefix_of(turn)}admin limit {who[:40]} {word} 500"
        asked = await asked_limit(desk, turn, value, example)
        if asked is not None:
            fields = {_FIELDS[word]: asked.amount_minor}
            await _change(desk, turn, found, asked.currency, fields)
    else:
        await _explain(desk, turn)


async def _explain(desk: Desk, turn: Turn) -> None:
    words = ", ".join(_FIELDS)
    text = (
        f"A limit is one of {words}, with an amount or off; delay with hours, during which a payee "
        f"is new; or default. For example {prefix_of(turn)}admin limit p_… day 500. "
        "Nothing was changed."
    )
    await desk.answer(turn, sentence(text, Tone.BAD))


async def _show(desk: Desk, turn: Turn, found: Sequence[FoundWallet]) -> None:
    lines: list[Line] = []
    for wallet in found:
        lines.append(Line(f"{wallet.id} · {wallet.mode}", Role.STATUS))
        for currency in await currencies_of(desk, wallet.id):
            lines += limit_lines(await desk.reader.allowance(wallet.id, currency))
    await desk.answer(turn, Card(title=found[0].person_id, lines=tuple(lines)))


async def _set_delay(desk: Desk, turn: Turn, found: Sequence[FoundWallet], value: str) -> None:
    hours, code = split_word(value)
    most = NEW_PAYEE_DELAY_S_MAX // _HOUR_S
    known = hours.isascii() and hours.isdigit() and len(hours) < len(str(most)) + 1
    if not known or int(hours) > most:
        text = f"Say how many hours a payee is new, from 0 to {most}. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    fields = {"new_payee_delay_s": int(hours) * _HOUR_S}
    await _change(desk, turn, found, code.upper() or desk.currency, fields)


async def _change(
    desk: Desk,
    turn: Turn,
    found: Sequence[FoundWallet],
    currency: str,
    fields: Mapping[str, int | None] | None,
) -> None:
    """Set `fields` of what an admin allows; None goes back to what the config says."""
    if currency not in known_currencies():
        text = f"“{currency[:20]}” is not the code of a currency. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    rows, lines = [], []
    for wallet in found:
        before = await desk.reader.limits_text(wallet.id)
        known = await desk.reader.allowance(wallet.id, currency)
        stood = WalletLimits.of_text(before)
        allowed: Limits | None = None
        if fields is not None:
            allowed = msgspec.structs.replace(stood.allowed(currency, known.default), **fields)
        changed = stood.with_admin(currency, allowed)
        row = Update(
            table="wallets",
            where={"id": wallet.id, "limits": before},
            values={"limits": changed.text()},
        )
        rows.append(row)
        now = changed.effective(currency, known.default, known.now_us)
        shown = msgspec.structs.replace(known, set_for=changed, limits=now)
        lines += [Line(wallet.id, Role.STATUS), *limit_lines(shown)]
    card = Card(title=f"Limits of {found[0].person_id}", lines=tuple(lines), tone=Tone.GOOD)
    try:
        await desk.answer(turn, card, rows=tuple(rows))
    except Refused as refused:
        text = "These limits have just been changed elsewhere. Nothing was changed; try again."
        await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)

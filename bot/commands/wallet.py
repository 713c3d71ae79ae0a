"""/balance, /history, /whoami: what somebody has, how it came, and who he is."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.cards import Button, Card, Line, Role, Tone
from bot.commands.command import Command, prefix_of
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.commerce.records import OrderState
from wallet_core.ledger.accounts import Purpose
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import HoldState
from wallet_core.ledger.wallets import WalletMode
from wallet_core.money import Money, amount_text
from wallet_core.storage.book_lines import Balance
from wallet_core.storage.lookups import HistoryEntry

HISTORY_LINES = 10
HISTORY_LINES_MAX = 30
_TITLE_LENGTH_MAX = 60

_ORDER_ENDINGS: dict[str, str] = {
    OrderState.UNDONE: "undone",
    OrderState.DECLINED: "declined by the seller",
    OrderState.EXPIRED: "not accepted in time",
}


_MODE_WORDS = {
    WalletMode.FROZEN: "Your wallet is frozen: money can come in, none can go out. Ask an admin to "
    "thaw it.",
    WalletMode.WITHDRAW_ONLY: "Your wallet is set to withdraw only: it can pay nobody, and you can "
    "take your money out. Ask an admin to open it.",
}


async def balance(desk: Desk, turn: Turn, _args: str) -> None:
    """What the asker can spend, what is held, and whether the wallet is frozen."""
    wallet_id = turn.person.wallet_id
    balances = await desk.reader.balances(f"wallet:{wallet_id}")
    mode = await desk.people.mode_of(wallet_id)
    lines = _balance_lines(balances, desk.currency)
    if mode in _MODE_WORDS:
        lines.append(Line(_MODE_WORDS[mode], Role.WARNING))
    buttons: tuple[Button, ...] = ()
    if not balances:
        hint = f"{prefix_of(turn)}topup 100 brings money in."
        lines.append(Line(hint, Role.HINT))
        hundred = Money.parse("100", desk.currency)
        action = f"topup:{hundred.currency}:{hundred.amount_minor}"
        buttons = (Button(label=f"Top up {hundred.format()}", action=action),)
    tone = Tone.BAD if mode in _MODE_WORDS else Tone.NEUTRAL
    await desk.answer(
        turn, Card(title="Your wallet", lines=tuple(lines), buttons=buttons, tone=tone)
    )


def _balance_lines(balances: Sequence[Balance], currency: str) -> list[Line]:
    if not balances:
        return [Line(Money(0, currency).format(), Role.PRICE)]
    amounts = {(b.currency, b.purpose): b.balance_minor for b in balances}
    lines = []
    for code in sorted({b.currency for b in balances}):
        free_minor = amounts.get((code, Purpose.AVAILABLE), 0)
        held_minor = amounts.get((code, Purpose.HELD), 0)
        lines.append(Line(amount_text(free_minor, code), Role.PRICE))
        if held_minor:
            held = amount_text(held_minor, code)
            lines.append(Line(f"{held} more is held for what is not settled yet."))
    return lines


async def whoami(desk: Desk, turn: Turn, _args: str) -> None:
    """The ids under which an admin finds the asker."""
    person, event = turn.person, turn.event
    text = f"{event.network}:{event.person_id} · person {person.id} · wallet {person.wallet_id}"
    await desk.answer(turn, sentence(f"{text} · admin" if person.admin else text))


async def history(desk: Desk, turn: Turn, args: str) -> None:
    """The newest entries of the asker's wallet in words."""
    count = _count(args)
    if count is None:
        text = f"Say how many, from 1 to {HISTORY_LINES_MAX}: {prefix_of(turn)}history 20."
        await desk.answer(turn, sentence(text))
        return
    entries = await desk.lookups.history(f"wallet:{turn.person.wallet_id}", count)
    if not entries:
        text = f"Nothing has happened yet. {prefix_of(turn)}topup 100 brings money in."
        await desk.answer(turn, sentence(text))
        return
    lines = tuple(Line(history_line(entry)) for entry in entries)
    await desk.answer(turn, Card(title="Your latest entries", lines=lines))


def _count(args: str) -> int | None:
    if not args:
        return HISTORY_LINES
    counts = (n for n in range(1, HISTORY_LINES_MAX + 1) if str(n) == args)
    return next(counts, None)


def history_line(entry: HistoryEntry) -> str:
    """An entry in words: amount, what for, the balance after it, and when."""
    amount = amount_text(abs(entry.amount_minor), entry.currency)
    sign = "+" if entry.amount_minor > 0 else "−"
    after = amount_text(entry.balance_after_minor, entry.currency)
    at = datetime.fromtimestamp(entry.at_us // MICROSECONDS, UTC)
    return f"{sign}{amount} {_what(entry)} · balance {after} · {at:%Y-%m-%d %H:%M} UTC"


def _what(entry: HistoryEntry) -> str:
    what = _subject(entry)
    if entry.kind == "authorise" and entry.hold_state == HoldState.OPEN:
        return f"{what}, held"
    if entry.kind == "void":
        return f"{what}, {_ORDER_ENDINGS.get(entry.order_state or '', 'given back')}"
    return what


def _subject(entry: HistoryEntry) -> str:
    if entry.order_number is not None:
        title = entry.order_title or ""
        if len(title) > _TITLE_LENGTH_MAX:
            title = title[: _TITLE_LENGTH_MAX - 1] + "…"
        order = f"{title} (order {entry.order_number})"
        return f"Refund of {order}" if entry.kind == "post" and entry.amount_minor > 0 else order
    kind = entry.subject.partition(":")[0]
    if kind == "topup":
        return "Top-up"
    if kind == "payout":
        return f"Withdrawal (code {entry.code})" if entry.code else "Withdrawal"
    if kind == "conversion":
        return "Converted"
    if kind == "points":
        return "Issued" if entry.amount_minor > 0 else "Taken back"
    return "Transfer"


COMMANDS = (
    Command("balance", "balance", "What you have.", balance),
    Command("history", "history [N]", "Where every cent went.", history),
    Command("whoami", "whoami", "Your ids, for when an admin asks.", whoami),
)

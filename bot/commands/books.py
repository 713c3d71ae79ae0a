"""/admin books and parked: whether the money adds up, and what could not be answered."""

from datetime import UTC, datetime

from bot.cards import Card, Line, Role, Tone
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.audit.findings import amount_words
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.storage.book_lines import Balance
from wallet_core.storage.lookups import EntrySum

PARKED_SHOWN = 10


async def books(desk: Desk, turn: Turn, _rest: str) -> None:
    """The sums of the books, and two checks that count every entry anew."""
    sums = await desk.reader.sums()
    entries = await desk.lookups.entry_sums()
    wrong = await desk.lookups.wrong_balance_count()
    if not entries and not wrong:
        await desk.answer(turn, sentence("The books are empty."))
        return
    balanced = not wrong and all(each.total_minor == 0 for each in entries)
    lines = [Line(_sum_line(each)) for each in sums]
    lines += [Line(_check_line(each), Role.STATUS) for each in entries]
    if wrong:
        are = "balance is" if wrong == 1 else "balances are"
        lines.append(Line(f"{wrong} {are} not the sum of its entries.", Role.WARNING))
    else:
        lines.append(Line("Every balance is the sum of its entries.", Role.STATUS))
    title = "The books balance" if balanced else "The books do not balance"
    tone = Tone.GOOD if balanced else Tone.BAD
    await desk.answer(turn, Card(title=title, lines=tuple(lines), tone=tone))


def _sum_line(each: Balance) -> str:
    return f"{each.owner} · {each.purpose} · {amount_words(each.balance_minor, each.currency)}"


def _check_line(each: EntrySum) -> str:
    if each.total_minor == 0:
        return f"{each.currency}: {each.entry_count} entries sum to zero"
    total = amount_words(each.total_minor, each.currency)
    return f"{each.currency}: {each.entry_count} entries sum to {total} instead of zero"


async def parked(desk: Desk, turn: Turn, _rest: str) -> None:
    """Events that failed so often that they were put aside."""
    events = await desk.lookups.parked(PARKED_SHOWN)
    if not events:
        await desk.answer(turn, sentence("No event is parked: everything heard was answered."))
        return
    lines = []
    for event in events:
        at = datetime.fromtimestamp(event.received_at_us // MICROSECONDS, UTC)
        lines.append(Line(f"{at:%Y-%m-%d %H:%M} UTC · {event.event_id[:100]}"))
        lines.append(Line((event.error or "")[:300], Role.HINT))
    await desk.answer(turn, Card(title="Parked events, newest first", lines=tuple(lines)))

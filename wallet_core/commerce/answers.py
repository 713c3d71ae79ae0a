"""The answer to an event: one commit under the event's key, written once for ever."""

from wallet_core.commerce.records import Speech
from wallet_core.errors import KeyConflict, Refusal
from wallet_core.ledger.commits import Commit, RowChange, WriterPort
from wallet_core.ledger.transfers import named_digits


def event_key(event_id: str) -> str:
    """The commit key under which the answer to an event stands."""
    return f"event:{named_digits(event_id)}"


async def say_once(
    writer: WriterPort,
    event_id: str,
    speech: Speech,
    refusal: Refusal | None = None,
    rows: tuple[RowChange, ...] = (),
) -> None:
    """Answer an event with words alone; `refusal` records that the answer was no.

    `rows` keep what the words offer.

    An answer that stands already, from this process or another, stays as it is. Raises
    `StorageUnavailable` when nothing could be written; the event then stays open.
    """
    try:
        await writer.commit(
            Commit(
                key=event_key(event_id),
                rows=rows,
                outbox=speech,
                event_id=event_id,
                refusal=refusal,
            )
        )
    except KeyConflict:
        return

"""What stands under a commit's key."""

from wallet_core.errors import Refusal
from wallet_core.ledger.commits import Written
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.requests import fetch

_COMMIT = fetch(t.commits, ("key", "refusal", "result", "created_at_us"), ("key",))


async def read_written(database: Database, key: str) -> Written | None:
    """What stands under a commit's key, or None."""
    rows = await database.ask(_COMMIT, ([key],))
    return written_before(*rows[0]) if rows else None


def written_before(key: str, refusal: str | None, result: str, at_us: int) -> Written:
    """A commit's row as the answer to whoever hands it in again."""
    return Written(
        key=key,
        created=False,
        refusal=Refusal(refusal) if refusal else None,
        result=result,
        at_us=at_us,
    )

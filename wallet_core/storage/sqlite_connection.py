"""Connections to SQLite by the driver itself, and how values lie in its files."""

import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wallet_core.storage.requests import Row

#: How every connection is set up.
PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
    # Else the row that a REPLACE takes the place of goes without any trigger seeing it.
    "recursive_triggers=ON",
)
#: What the writers are told beyond that: to keep 16 MB of the file in memory, and to let 40 MB of
#: log gather before it goes into the file. By default a batch of a thousand transfers, which
#: touches pages all over, would read each of them anew, and wait until each is in the file too.
WRITING = ("cache_size=-16000", "wal_autocheckpoint=10000")
#: How long a writer waits for another process's transaction.
BUSY_TIMEOUT_S = 30

_STATEMENTS_MAX = 500


def connect(
    path: str,
    *,
    timeout_s: float = BUSY_TIMEOUT_S,
    read_only: bool = False,
    lasting: bool = True,
) -> sqlite3.Connection:
    """A new connection, for one thread at a time. Raises `sqlite3.OperationalError`.

    What is written on one that is not `lasting` reaches the disk with the next commit on one that
    is; a power cut before that has it forgotten.
    """
    connection = sqlite3.connect(
        path,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_MAX,
    )
    pragmas = list(PRAGMAS)
    if read_only:
        pragmas.append("query_only=ON")
    else:
        pragmas += WRITING
    if not lasting:
        pragmas.append("synchronous=NORMAL")
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def stored(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values as the file keeps them: a UUID as its digits."""
    return tuple([value.hex if isinstance(value, UUID) else value for value in values])


def with_uuids(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    """Rows of the file with UUIDs at these places."""
    if not places:
        return rows
    read = [list(row) for row in rows]
    for row in read:
        for place in places:
            if row[place] is not None:
                row[place] = UUID(row[place])
    return read

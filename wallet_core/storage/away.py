"""Which errors say that the database is why something failed, and which that what it was given is.

PostgreSQL may have no room, start or stop, or let nobody into the database for now; waiting mends
it. SQLAlchemy and the driver itself say it in words of their own. No waiting mends a text that no
database takes.
"""

import sqlite3
import struct

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

#: What the driver raises.
AWAY_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # A connection that was put out while the driver was about to speak: it no longer knows where
    # it stands on it.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    TimeoutError,
    OSError,
)
#: What is said of what can never be written or looked up, whoever asks and however often: by the
#: databases, and by what puts it into words for them.
LASTING_ERRORS = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    sqlite3.DataError,
    LookupError,
    OverflowError,
    TypeError,
    # Text that is not Unicode is one of these.
    ValueError,
    struct.error,
)
#: `AWAY_ERRORS` as beginnings of the standard's codes.
_AWAY = ("08", "53", "55000", "57")


def is_away(error: DBAPIError) -> bool:
    """The same of an error of SQLAlchemy's, on both databases."""
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return True
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_AWAY)


#: The database itself can no longer be read; SQLite's codes, and PostgreSQL's as the standard's.
_DAMAGED_SQLITE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_DAMAGED = ("XX001", "XX002")


def is_damaged(error: DBAPIError) -> bool:
    """Whether waiting mends nothing: what is on the disk is no whole database."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        # What is above the first byte says more about where it was found.
        return code & 0xFF in _DAMAGED_SQLITE
    return str(getattr(error.orig, "sqlstate", None) or "") in _DAMAGED

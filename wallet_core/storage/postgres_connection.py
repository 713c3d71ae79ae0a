"""Connections to PostgreSQL by the driver itself, for rows that are found by their keys."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

import asyncpg

from wallet_core.storage.requests import Row

#: With keys in arrays the planner cannot know how few rows they are; a plan that reads whole tables
#: was three times slower in the median and came and went by itself.
_PLAN_BY_KEYS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET jit = off; SET plan_cache_mode = force_generic_plan"
)
_READ_ONLY = "SET default_transaction_read_only = on"
_NOT_LASTING = "SET synchronous_commit = off"
_ANSWER_WITHIN_S = 60.0
_STATEMENTS_MAX = 500


class Connection(Protocol):
    """What is used of the driver's connection; it ships no types."""

    async def fetch(self, query: str, *arguments: object) -> list[Row]:
        """All rows."""

    async def fetchrow(self, query: str, *arguments: object) -> Row:
        """The first row."""

    async def fetchval(self, query: str, *arguments: object) -> object:
        """The first value of the first row."""

    async def execute(self, query: str, *arguments: object) -> str:
        """No rows."""

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - the driver's name
        """Say good-bye and close."""

    def terminate(self) -> None:
        """Close at once."""

    def is_closed(self) -> bool:
        """Whether it is closed."""


async def connect(
    options: Mapping[str, Any], *, read_only: bool = False, lasting: bool = True
) -> Connection:
    """A new connection; `options` are the driver's. Raises what the driver raises.

    What is written on one that is not `lasting` reaches the disk with the next commit that is, or
    within a second; a server that crashes before has forgotten it.
    """
    settings = [_PLAN_BY_KEYS]
    if read_only:
        settings.append(_READ_ONLY)
    if not lasting:
        settings.append(_NOT_LASTING)
    async with asyncio.timeout(_ANSWER_WITHIN_S):
        made = await asyncpg.connect(
            **options, command_timeout=_ANSWER_WITHIN_S, statement_cache_size=_STATEMENTS_MAX
        )
    connection = cast("Connection", made)
    try:
        await connection.execute("; ".join(settings))
    except BaseException:
        connection.terminate()
        raise
    return connection

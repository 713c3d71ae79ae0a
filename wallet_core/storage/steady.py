"""Connections that finish what they began, although whoever waits for them is cancelled.

A task may be cancelled at any moment: the process stops, a lease is lost, a time limit is over.
SQLAlchemy then drops the connection with whatever the driver is doing on it; with SQLite the
abandoned statement can keep the database's only write lock. A statement takes milliseconds, so here
a cancelled task waits for the end of its statement, and is cancelled then.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


async def to_its_end(work: Awaitable[T]) -> T:
    """The result of `work`, which is never cancelled half-way; cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):  # more of the same, while it ends
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what counts now
        raise


class SteadyConnection(AsyncConnection):
    """An `AsyncConnection` whose every step runs to its end."""

    __slots__ = ()

    async def start(self, is_ctxmanager: bool = False) -> "SteadyConnection":  # noqa: FBT001, FBT002 - SQLAlchemy's signature
        """Connect; a connection that nobody waits for any more is given back at once."""
        try:
            await to_its_end(super().start(is_ctxmanager=is_ctxmanager))
        except asyncio.CancelledError:
            if self.sync_connection is not None:
                await self.close()
            raise
        return self

    async def execute(self, *args: Any, **options: Any) -> CursorResult[Any]:
        """Run a statement."""
        return await to_its_end(super().execute(*args, **options))

    async def exec_driver_sql(self, *args: Any, **options: Any) -> CursorResult[Any]:
        """Run a statement in the database's own words."""
        return await to_its_end(super().exec_driver_sql(*args, **options))

    async def commit(self) -> None:
        """Commit."""
        await to_its_end(super().commit())

    async def rollback(self) -> None:
        """Roll back."""
        await to_its_end(super().rollback())

    async def close(self) -> None:
        """Give the connection back."""
        await to_its_end(super().close())


class SteadyEngine(AsyncEngine):
    """An `AsyncEngine` that gives steady connections."""

    _connection_cls = SteadyConnection

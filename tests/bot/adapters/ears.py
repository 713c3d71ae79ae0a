"""The bot's side of an adapter that asks for news: what it heard, and where its reading stands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.adapters.base import Adapter, Cursor
from bot.events import Event

WITHIN_S = 30.0


class Ears:
    """Keeps events once each, and the cursor, as the inbox does; `refuse` times it does not."""

    adapter: Adapter

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.cursor: str | None = None
        self.refuse = 0

    async def load_cursor(self, network: str) -> str | None:
        assert network == self.adapter.network
        return self.cursor

    async def hear(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        if self.refuse:
            self.refuse -= 1
            raise ConnectionError("the database is away")
        for event in events:
            if event.id not in {known.id for known in self.heard}:
                self.heard.append(event)
        if cursor is not None:
            self.cursor = cursor.value

    async def until(self, holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - it may hold for many reasons
                await asyncio.sleep(0.01)


_Ears = TypeVar("_Ears", bound=Ears)


@asynccontextmanager
async def at_work(bot: _Ears) -> AsyncIterator[_Ears]:
    """Its adapter reads, and has caught up, unless it ended before."""
    running = asyncio.create_task(bot.adapter.run(bot.hear))
    caught_up = asyncio.create_task(bot.adapter.caught_up())
    try:
        await asyncio.wait([running, caught_up], return_when=asyncio.FIRST_COMPLETED)
        yield bot
    finally:
        caught_up.cancel()
        running.cancel()
        await asyncio.gather(running, caught_up, return_exceptions=True)

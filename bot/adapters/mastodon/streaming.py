"""The stream as a bell: whatever it brings, the bot looks at once.

What is read, and how far, is one way only, whether the server streams or not; so a broken stream
loses nothing.
"""

import asyncio
import threading
import time
from typing import Any

import structlog
from mastodon.streaming import StreamHandle, StreamListener

from bot.adapters.base import AdapterError
from bot.adapters.mastodon.client import Client

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: How long until a server that offers no stream is asked for one again.
ASK_AGAIN_S = 900.0
#: How often is looked all the same while the stream works.
SELDOM_S = 60.0


class Bell:
    """Rings when something happens, at the latest after `poll_s`."""

    def __init__(self, client: Client, poll_s: float) -> None:
        self._client = client
        self._poll_s = poll_s
        self._rung = asyncio.Event()
        self._handle: StreamHandle | None = None
        self._ask_at_s = 0.0
        self._streamed = False

    async def wait(self) -> None:
        """Return when it is time to look."""
        await self._listen()
        streams = self._handle is not None and self._handle.is_receiving()  # type: ignore[no-untyped-call]
        # What happened while a stream was being opened rang nobody: one look more comes soon.
        seldom = streams and self._streamed
        self._streamed = streams
        try:
            async with asyncio.timeout(max(SELDOM_S, self._poll_s) if seldom else self._poll_s):
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()

    def close(self) -> None:
        """End the stream."""
        handle, self._handle = self._handle, None
        if handle is not None:
            # Closing waits for the stream's thread to read its next sign of life.
            threading.Thread(target=handle.close, daemon=True).start()

    async def _listen(self) -> None:
        if self._handle is not None and self._handle.is_alive():  # type: ignore[no-untyped-call]
            return
        if time.monotonic() < self._ask_at_s:
            return
        self._ask_at_s = time.monotonic() + ASK_AGAIN_S
        try:
            self._handle = await self._client.stream(_Ears(self._rung))
        except AdapterError as error:
            log.info("mastodon_does_not_stream", reason=str(error)[:200])


class _Ears(StreamListener):
    """Runs in the stream's own thread."""

    def __init__(self, rung: asyncio.Event) -> None:
        self._rung = rung
        self._loop = asyncio.get_running_loop()

    def on_abort(self, err: Exception) -> None:
        """A broken stream is looked into at once: until there is a new one, nobody rings."""
        self.on_any_event(type(err).__name__)

    def on_any_event(self, name: str, data: Any = None, for_stream: str | None = None) -> None:  # noqa: ANN401 - as the library gives it
        del name, data, for_stream
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._rung.set)

"""Hears from the store whose turn it is."""

import asyncio
import contextlib
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

_PAUSE_S_MIN = 0.05
_PAUSE_S_MAX = 0.5


class WakeListener:
    """A subscription to one channel that comes back by itself after the store went away.

    Messages sent while it was away are lost, so `on_ready` is called each time it is there again
    and everybody who waits has to ask anew.
    """

    def __init__(
        self,
        client: Redis,
        channel: str,
        *,
        on_wake: Callable[[str], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._client = client
        self._channel = channel
        self._on_wake = on_wake
        self._on_ready = on_ready
        self._subscribed = self._unknown()
        self._task = asyncio.create_task(self._listen())

    def is_ready(self) -> bool:
        """Whether the channel is subscribed, as far as is known."""
        return self._subscribed.done() and self._subscribed.exception() is None

    async def ready(self) -> None:
        """Returns once the channel is subscribed.

        Raises RedisError when the attempt to connect that is under way, or the next, fails.
        """
        await asyncio.shield(self._subscribed)

    async def close(self) -> None:
        """Ends the subscription."""
        # Once is not enough: the library connects through asyncio.wait_for, which up to Python 3.11
        # swallows a cancellation that comes in the moment in which it is done.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.1)
        closed = RedisConnectionError("the leases are closed")
        self._ended(closed)
        self._subscribed.set_exception(closed)
        await self._client.aclose()

    async def _listen(self) -> None:
        pause_s = _PAUSE_S_MIN
        while True:
            try:
                await self._hear_until_it_breaks()
            except (RedisError, OSError) as error:
                pause_s = _PAUSE_S_MIN if self._heard() else min(pause_s * 2, _PAUSE_S_MAX)
                self._ended(error)
            await asyncio.sleep(pause_s)

    async def _hear_until_it_breaks(self) -> None:
        pubsub = self._client.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._begun()
                elif message["type"] == "message":
                    self._on_wake(message["data"])
        finally:
            with contextlib.suppress(RedisError, OSError):  # it broke before; nothing is lost
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py has no types here

    def _heard(self) -> bool:
        return self._subscribed.done()

    def _begun(self) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(None)
        self._on_ready()

    def _ended(self, error: Exception) -> None:
        """Tells those who wait for this attempt, and lets later ones wait for the next."""
        if not self._subscribed.done():
            self._subscribed.set_exception(error)
        self._subscribed = self._unknown()

    @staticmethod
    def _unknown() -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody may be waiting when an attempt fails.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

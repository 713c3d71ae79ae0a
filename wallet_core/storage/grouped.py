"""Many small questions asked at once become one.

While one group is being looked up the next one gathers by itself; nobody waits for a window. With
one caller it costs nothing, with hundreds each pays a hundredth of a round trip.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from wallet_core.storage.away import LASTING_ERRORS

K = TypeVar("K")
V = TypeVar("V")

#: Keys in one look-up.
GROUP_MAX = 500


class Grouped(Generic[K, V]):
    """Looks keys up through `load`, which gives what it finds for a group of distinct keys."""

    def __init__(
        self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, gather_s: float = 0.0
    ) -> None:
        """`gather_s`: how long the first of a group waits for others, where that may be."""
        self._load = load
        self._gather_s = gather_s
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """What is found for `key`; raises what the look-up raised, of `key` alone where it can.

        The look-up begins after the call, so whatever was committed before it is seen.
        """
        return await self.asked(key)

    def asked(self, key: K) -> "asyncio.Future[V | None]":
        """The same as a future, for whoever waits in a way of his own."""
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="grouped look-ups")
        return future

    async def _run(self) -> None:
        while self._waiting:
            if self._gather_s:
                await asyncio.sleep(self._gather_s)
            keys = list(self._waiting)[:GROUP_MAX]
            waiting = {key: self._waiting.pop(key) for key in keys}
            try:
                await self._look_up(waiting)
            except BaseException as error:
                _tell_all(waiting, error)
                raise

    async def _look_up(self, waiting: "Mapping[K, Sequence[asyncio.Future[V | None]]]") -> None:
        try:
            found = await self._load(list(waiting))
        except Exception as error:  # noqa: BLE001 - each of those who wait must hear of it
            if len(waiting) > 1 and isinstance(error, LASTING_ERRORS):
                # One of them can never be asked for; alone it harms no other.
                for key, futures in waiting.items():
                    await self._look_up({key: futures})
                return
            _tell_all(waiting, error)
            return
        for key, futures in waiting.items():
            value = found.get(key)
            for future in futures:
                if not future.done():
                    future.set_result(value)


def _tell_all(
    waiting: Mapping[K, Sequence["asyncio.Future[V | None]"]], error: BaseException
) -> None:
    for futures in waiting.values():
        for future in futures:
            if not future.done():
                future.set_exception(_told(error))


def _told(error: BaseException) -> BaseException:
    """What those who wait are told; a cancelled look-up cancels them."""
    return error if isinstance(error, Exception) else asyncio.CancelledError()

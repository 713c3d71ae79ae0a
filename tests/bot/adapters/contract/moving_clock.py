"""A clock that runs ahead: a minute of the bot's life in a second of a test.

All of Python's clocks are moved together, so that event loops, pauses, claims and due times agree.
It never runs back while something waits by it: what is started under it is stopped under it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

#: By how much it is moved at once, so that pauses are felt one after the other.
STEP_S = 0.5
_BREATH_S = 0.012
#: The same where money moves: a lease is waited for five seconds, which are half a second then.
UNHURRIED_S = 0.05
_NANO = 1_000_000_000


class MovingClock:
    """The clocks of this process, ahead of the real ones by as much as it was moved."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        for name in ("time", "monotonic"):
            patch.setattr(time, name, self._seconds(getattr(time, name)))
        for name in ("time_ns", "monotonic_ns"):
            patch.setattr(time, name, self._nanoseconds(getattr(time, name)))

    def _seconds(self, real: Callable[[], float]) -> Callable[[], float]:
        return lambda: real() + self._ahead_s

    def _nanoseconds(self, real: Callable[[], int]) -> Callable[[], int]:
        return lambda: real() + round(self._ahead_s * _NANO)

    async def pass_by(
        self, passing_s: float, *, step_s: float = STEP_S, breath_s: float = _BREATH_S
    ) -> None:
        """Let time pass, in small steps, each of which everybody can use for `breath_s`."""
        for _ in range(round(passing_s / step_s)):
            self._ahead_s += step_s
            await asyncio.sleep(breath_s)

    @asynccontextmanager
    async def hurrying(
        self, *, step_s: float = STEP_S, breath_s: float = _BREATH_S
    ) -> AsyncIterator[None]:
        """Time flies until the end of the block."""
        flying = asyncio.create_task(self._fly(step_s, breath_s))
        try:
            yield
        finally:
            flying.cancel()
            await asyncio.gather(flying, return_exceptions=True)

    async def _fly(self, step_s: float, breath_s: float) -> None:
        while True:
            await self.pass_by(step_s, step_s=step_s, breath_s=breath_s)

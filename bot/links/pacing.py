"""Manners towards other people's servers: about one request a second to each host."""

import asyncio
from collections.abc import Callable
from typing import Protocol

_HOSTS_REMEMBERED_MAX = 4096


class Turns(Protocol):
    """Whose turn it is, among all who keep to the same turns."""

    async def take(
        self, host: str, *, interval_s: float, slack_s: float, wait_s_max: float
    ) -> float | None:
        """Take `host`'s next turn: the seconds until it comes.

        Turns are `interval_s` apart; what was not used of the last `slack_s` may be caught up on.
        None, and no turn is taken, when it is more than `wait_s_max` away.
        """


class MemoryTurns:
    """The turns of one process; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    async def take(
        self, host: str, *, interval_s: float, slack_s: float, wait_s_max: float
    ) -> float | None:
        """See `Turns`."""
        now = self._clock()
        due = max(self._due.get(host, 0.0), now - slack_s)
        if due - now > wait_s_max:
            return None
        self._forget_idle(now - slack_s)
        self._due[host] = due + interval_s
        return max(0.0, due - now)

    def _forget_idle(self, idle_until: float) -> None:
        if len(self._due) < _HOSTS_REMEMBERED_MAX:
            return
        idle = [host for host, due in self._due.items() if due <= idle_until]
        for host in idle or list(self._due)[: _HOSTS_REMEMBERED_MAX // 2]:
            del self._due[host]


class HostPace:
    """Spreads requests to one host: a few at once, then one every `interval_s` seconds."""

    def __init__(self, turns: Turns, *, interval_s: float, burst: int, wait_s_max: float) -> None:
        self._turns = turns
        self._interval_s = interval_s
        self._slack_s = interval_s * (burst - 1)
        self._wait_s_max = wait_s_max

    async def turn(self, host: str) -> bool:
        """Wait for `host`'s next turn; False at once when that would take too long."""
        wait_s = await self._turns.take(
            host,
            interval_s=self._interval_s,
            slack_s=self._slack_s,
            wait_s_max=self._wait_s_max,
        )
        if wait_s is None:
            return False
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        return True

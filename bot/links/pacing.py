"""Manners towards other people's servers: about one request a second to each host."""

import asyncio
from collections.abc import Callable

_HOSTS_REMEMBERED_MAX = 4096


class HostPace:
    """Spreads requests to one host: a few at once, then one every `interval_s` seconds."""

    def __init__(
        self,
        *,
        interval_s: float,
        burst: int,
        wait_s_max: float,
        clock: Callable[[], float],
    ) -> None:
        self._interval_s = interval_s
        self._slack_s = interval_s * (burst - 1)
        self._wait_s_max = wait_s_max
        self._clock = clock
        self._due: dict[str, float] = {}

    async def turn(self, host: str) -> bool:
        """Wait for `host`'s next turn; False at once when that would take too long."""
        now = self._clock()
        due = max(self._due.get(host, 0.0), now - self._slack_s)
        wait_s = due - now
        if wait_s > self._wait_s_max:
            return False
        self._forget_idle(now)
        self._due[host] = due + self._interval_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        return True

    def _forget_idle(self, now: float) -> None:
        if len(self._due) < _HOSTS_REMEMBERED_MAX:
            return
        idle = [host for host, due in self._due.items() if due <= now - self._slack_s]
        for host in idle or list(self._due)[: _HOSTS_REMEMBERED_MAX // 2]:
            del self._due[host]

"""How much may be written: a server counts points, by the hour and by the day."""

import time
from collections import deque

from bot.adapters.base import RateLimited

#: What the creation of a record costs.
CREATE_POINTS = 3
HOUR_POINTS_MAX = 5_000
DAY_POINTS_MAX = 35_000
_HOUR_S = 3_600.0
_DAY_S = 86_400.0


class Budget:
    """Points that were spent lately. It starts full: what a restart forgets, the server knows."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, int]] = deque()

    def spend(self, points: int) -> None:
        """Spend points. Raises `RateLimited` until when they will be there again."""
        now_s = time.monotonic()
        while self._spent and now_s - self._spent[0][0] >= _DAY_S:
            self._spent.popleft()
        for window_s, points_max in ((_HOUR_S, HOUR_POINTS_MAX), (_DAY_S, DAY_POINTS_MAX)):
            wait_s = self._wait_s(now_s, points, window_s, points_max)
            if wait_s > 0:
                raise RateLimited(wait_s)
        self._spent.append((now_s, points))

    def _wait_s(self, now_s: float, points: int, window_s: float, points_max: int) -> float:
        within = [(at_s, cost) for at_s, cost in self._spent if now_s - at_s < window_s]
        over = sum(cost for _, cost in within) + points - points_max
        wait_s = 0.0
        for at_s, cost in within:
            if over <= 0:
                break
            over -= cost
            wait_s = at_s + window_s - now_s
        return wait_s

"""Time-ordered ids for transfers, as a caller makes them."""

import random
import time
from uuid import UUID

_COUNT_MAX = 0xFFF
_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62


class TimeOrderedIds:
    """UUIDs of version 7 (RFC 9562): milliseconds, a count within each, and 62 random bits."""

    def __init__(self) -> None:
        self._ms = 0
        self._count = 0
        self._bits = random.Random().getrandbits  # noqa: S311 - unique, not secret

    def __call__(self) -> UUID:
        """The next one, greater than all before it."""
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._ms:
            self._ms, self._count = now_ms, 0
        elif self._count < _COUNT_MAX:
            self._count += 1
        else:
            self._ms, self._count = self._ms + 1, 0
        return UUID(int=self._ms << 80 | _VERSION_7 | self._count << 64 | _VARIANT | self._bits(62))

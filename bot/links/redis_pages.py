"""Pages and turns kept in Redis, where several processes read the same shops."""

import asyncio
import heapq
import time
import zlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.links.pacing import MemoryTurns
from wallet_core.storage.grouped import Grouped

_log = structlog.get_logger(__name__)

_PREFIX = "payontap:pages:"
#: A store that answers more slowly than a shop is no help.
_TIMEOUT_S = 1.0
_PAUSE_S = 5.0
#: How long a claim waits for others to go with it; nobody sees that a card comes so much later.
_GATHER_S = 0.01
#: Larger values are not kept: what would be saved is less than what it costs everybody else.
_VALUE_BYTES_MAX = 1_000_000
#: All that one process keeps there at a time: the leases of wallets live in the same memory.
_BYTES_MAX = 64_000_000
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

#: KEYS: what is claimed. ARGV: owner and life in ms of each. Answers the holders, "" for nobody.
_CLAIM = """
local holders = {}
for n, key in ipairs(KEYS) do
  holders[n] = redis.call('SET', key, ARGV[2 * n - 1], 'NX', 'GET', 'PX', ARGV[2 * n]) or ''
end
return holders
"""

#: KEYS: the host's. ARGV: interval, slack and longest wait in ms. Answers the wait in ms, or -1.
_TAKE_TURN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - ARGV[2])
if due - now > tonumber(ARGV[3]) then return -1 end
local after = due + ARGV[1]
local life = math.max(1, after - now) + ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', life))
return math.max(0, math.floor(due - now))
"""

#: Key, owner, and for how many milliseconds.
_Claim = tuple[str, str, int]


class RedisPages:
    """A `PageStore` and `Turns` in Redis, used as an async context manager.

    Values are compressed. A Redis that is away, full or slow is as good as an empty one: pages
    are then fetched, and every claim is granted.
    """

    def __init__(self, url: str, *, pause_s: float = _PAUSE_S) -> None:
        self._pause_s = pause_s
        self._away_until = 0.0
        self._redis = Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        self._take_all = self._redis.register_script(_CLAIM)
        self._claims: Grouped[_Claim, str] = Grouped(self._claim_all, gather_s=_GATHER_S)
        self._written: list[tuple[float, int]] = []
        self._written_bytes = 0
        self._own_turns = MemoryTurns(time.monotonic)
        self._take_turn = self._redis.register_script(_TAKE_TURN)
        self._release = self._redis.register_script(_RELEASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._redis.aclose()

    async def get(self, key: str) -> bytes | None:
        """See `PageStore`."""
        if self._is_away():
            return None
        try:
            packed = await self._redis.get(_PREFIX + key)
            if not isinstance(packed, bytes):
                return None
            # In a thread: a large page takes tens of milliseconds.
            return await asyncio.to_thread(zlib.decompress, packed)
        except (RedisError, OSError, zlib.error) as error:
            self._note("pages_not_read", error)
            return None

    async def put(self, key: str, value: bytes, *, for_s: float) -> None:
        """See `PageStore`; a value of more than 1 MB when compressed is not kept."""
        if self._is_away():
            return
        packed = await asyncio.to_thread(zlib.compress, value, 1)
        if len(packed) > _VALUE_BYTES_MAX or for_s <= 0 or not self._has_room(len(packed), for_s):
            return
        try:
            await self._redis.set(_PREFIX + key, packed, px=max(1, round(for_s * 1000)))
        except (RedisError, OSError) as error:
            self._note("pages_not_kept", error)

    async def claim(self, key: str, owner: str, *, for_s: float) -> str:
        """See `PageStore`."""
        if self._is_away():
            return owner
        try:
            holder = await self._claims.get((_PREFIX + key, owner, max(1, round(for_s * 1000))))
        except (RedisError, OSError) as error:
            self._note("pages_not_claimed", error)
            return owner
        return holder or owner

    async def _claim_all(self, claims: Sequence[_Claim]) -> Mapping[_Claim, str]:
        """Who holds what is held by somebody already."""
        holders = await self._take_all(
            keys=[key for key, _, _ in claims],
            args=[word for _, owner, for_ms in claims for word in (owner, for_ms)],
        )
        return {
            claim: holder.decode() for claim, holder in zip(claims, holders, strict=True) if holder
        }

    async def release(self, key: str, owner: str) -> None:
        """See `PageStore`."""
        if self._is_away():
            return
        try:
            await self._release(keys=[_PREFIX + key], args=[owner])
        except (RedisError, OSError) as error:
            self._note("pages_not_released", error)

    async def take(
        self, host: str, *, interval_s: float, slack_s: float, wait_s_max: float
    ) -> float | None:
        """See `Turns`; without Redis each process keeps the pace for itself."""
        arguments = [round(seconds * 1000) for seconds in (interval_s, slack_s, wait_s_max)]
        if not self._is_away():
            try:
                wait_ms = await self._take_turn(keys=[f"{_PREFIX}turn:{host}"], args=arguments)
            except (RedisError, OSError) as error:
                self._note("turn_not_taken", error)
            else:
                return None if wait_ms < 0 else wait_ms / 1000
        return await self._own_turns.take(
            host, interval_s=interval_s, slack_s=slack_s, wait_s_max=wait_s_max
        )

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _note(self, what: str, error: Exception) -> None:
        self._away_until = time.monotonic() + self._pause_s
        _log.warning(what, error=str(error)[:200])

    def _has_room(self, size_bytes: int, for_s: float) -> bool:
        """Count a value in, if all that this process wrote and that may still live leaves room."""
        now = time.monotonic()
        while self._written and self._written[0][0] <= now:
            self._written_bytes -= heapq.heappop(self._written)[1]
        if self._written_bytes + size_bytes > _BYTES_MAX:
            return False
        heapq.heappush(self._written, (now + for_s, size_bytes))
        self._written_bytes += size_bytes
        return True

"""A small cache in memory for pages, pictures and failures."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")

#: What an entry costs beside its body, roughly.
_ENTRY_OVERHEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class _Kept(Generic[_T]):
    value: _T
    size_bytes: int
    until: float


class PageCache(Generic[_T]):
    """Keeps values for a time, and no more than `bytes_max` of them: the oldest used go first."""

    def __init__(self, *, bytes_max: int, clock: Callable[[], float]) -> None:
        self._bytes_max = bytes_max
        self._clock = clock
        self._kept: OrderedDict[Hashable, _Kept[_T]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> _T | None:
        """The value kept under `key`, None when there is none or its time is over."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.value

    def keep(self, key: Hashable, value: _T, *, size_bytes: int, for_s: float) -> None:
        """Keep `value` for `for_s` seconds; not at all when it is larger than the whole cache."""
        self._drop(key)
        cost = size_bytes + _ENTRY_OVERHEAD_BYTES
        if cost > self._bytes_max or for_s <= 0:
            return
        self._kept[key] = _Kept(value, cost, self._clock() + for_s)
        self._bytes += cost
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size_bytes

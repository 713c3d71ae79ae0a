"""What is kept of pages, how long it counts, and the port to where it lies.

An entry is fresh, then stale (answered while it is asked for again), then old (only good for the
question whether it has changed), then gone. Times are seconds since the epoch, so that several
processes can share a store.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import msgspec

from bot.links.fetch_types import FetchCode, Fetched, FetchError, FetchLimits

#: What an entry costs beside its body, roughly.
_ENTRY_OVERHEAD_BYTES = 1024
_NEAR_S = 10.0
_NEAR_MAX = 32
_MAX_AGE = re.compile(r"(?:\A|[\s,])max-age\s{0,9}=\s{0,9}\"?([0-9]{1,9})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:\A|[\s,])no-store(?:\Z|[\s,])", re.IGNORECASE)


class PageStore(Protocol):
    """Keeps bytes under names for a time. What is lost costs a request, never more."""

    async def get(self, key: str) -> bytes | None:
        """What is kept under `key`."""

    async def put(self, key: str, value: bytes, *, for_s: float) -> None:
        """Keep `value` for `for_s` seconds, in the place of what was there."""

    async def claim(self, key: str, owner: str, *, for_s: float) -> str:
        """Whose `key` is: `owner`'s, for `for_s` seconds, if it was nobody's. Answers the owner."""

    async def release(self, key: str, owner: str) -> None:
        """Give `key` up, if it is still `owner`'s."""


class MemoryPages:
    """A `PageStore` of one process with at most `bytes_max`: what was not used longest goes."""

    def __init__(self, *, bytes_max: int, clock: Callable[[], float]) -> None:
        self._bytes_max = bytes_max
        self._clock = clock
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        """See `PageStore`."""
        return self._live(key)

    async def put(self, key: str, value: bytes, *, for_s: float) -> None:
        """See `PageStore`; a value larger than the whole store is not kept."""
        self._keep(key, value, for_s)

    async def claim(self, key: str, owner: str, *, for_s: float) -> str:
        """See `PageStore`."""
        holder = self._live(key)
        if holder is not None:
            return holder.decode()
        self._keep(key, owner.encode(), for_s)
        return owner

    async def release(self, key: str, owner: str) -> None:
        """See `PageStore`."""
        if self._live(key) == owner.encode():
            self._drop(key)

    def _live(self, key: str) -> bytes | None:
        value, until = self._kept.get(key, (b"", 0.0))
        if key not in self._kept:
            return None
        if until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return value

    def _keep(self, key: str, value: bytes, for_s: float) -> None:
        self._drop(key)
        cost = len(value) + _ENTRY_OVERHEAD_BYTES
        if cost > self._bytes_max or for_s <= 0:
            return
        self._kept[key] = (value, self._clock() + for_s)
        self._bytes += cost
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept[0]) + _ENTRY_OVERHEAD_BYTES


class Failure(msgspec.Struct, frozen=True):
    """A `FetchError` as it is kept: an exception itself would gather tracebacks."""

    code: FetchCode
    message: str
    status: int | None = None

    @classmethod
    def of(cls, error: FetchError) -> "Failure":
        """What is kept of `error`."""
        return cls(error.code, error.message, error.status)

    def error(self) -> FetchError:
        """The error again, a new one each time."""
        return FetchError(self.code, self.message, status=self.status)


class Entry(msgspec.Struct, frozen=True):
    """A page or a failure; exactly one of both is there."""

    asked_at: float
    fresh_until: float
    stale_until: float
    page: Fetched | None = None
    failure: Failure | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validators(self) -> dict[str, str]:
        """Headers that ask the server only for what has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


class NearPages:
    """Fresh pages at hand for some seconds, as the very objects that were read from a store.

    A crowd shares one link at once; it is unpacked, and looked at, once. What another process asks
    for again meanwhile is seen a moment later.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[Entry, float]] = OrderedDict()

    def get(self, key: str, now: float) -> Entry | None:
        """The entry, while it is near and fresh."""
        entry, until = self._entries.get(key, (None, 0.0))
        return entry if now < until else None

    def put(self, key: str, entry: Entry, now: float) -> None:
        """Keep a page at hand."""
        self._entries[key] = (entry, min(now + _NEAR_S, entry.fresh_until))
        self._entries.move_to_end(key)
        if len(self._entries) > _NEAR_MAX:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        """It was asked for again."""
        self._entries.pop(key, None)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    """The entry for a store."""
    return _encoder.encode(entry)


def decode_entry(kept: bytes) -> Entry | None:
    """The entry from a store; None for one that another version wrote."""
    try:
        return _decoder.decode(kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def entry_key(kind: str, url: str) -> str:
    """The name that the answer for `url` is kept under."""
    return f"page:{kind}:{hashlib.sha256(url.encode()).hexdigest()}"


def page_entry(
    page: Fetched,
    limits: FetchLimits,
    *,
    now: float,
    cache_control: str = "",
    etag: str | None = None,
    last_modified: str | None = None,
) -> Entry:
    """The entry for a page. `no-store` is obeyed: such an entry is old at once."""
    said = _MAX_AGE.search(cache_control)
    if _NO_STORE.search(cache_control):
        return Entry(now, now, now, page=page)
    fresh_s = max(limits.fresh_s, min(float(said[1]) if said else 0.0, limits.fresh_s_max))
    fresh_until = now + fresh_s
    return Entry(
        now,
        fresh_until,
        fresh_until + limits.stale_s,
        page=page,
        etag=etag,
        last_modified=last_modified,
    )


def failure_entry(error: FetchError, limits: FetchLimits, *, now: float) -> Entry:
    """The entry for a failure."""
    for_s = limits.fresh_s if error.is_gone else limits.negative_s
    return Entry(now, now + for_s, now + for_s, failure=Failure.of(error))

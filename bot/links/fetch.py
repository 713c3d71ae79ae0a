"""Fetch a page or a picture that a stranger named, without being led anywhere else.

Every connection is judged by its final socket address (`bot.links.addresses`), every redirect
by its URL. Sizes, times, types and hops are limited; no cookies, no proxies, no credentials.
robots.txt is obeyed. What was read is kept for a while (`bot.links.page_cache`).
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import lru_cache, partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp.abc import AbstractResolver

from bot.links.canonical import host_of, usable_url
from bot.links.charsets import page_text
from bot.links.downloads import opened
from bot.links.exchange import Answer, Exchange, Opened
from bot.links.fetch_types import (
    DEFAULT_LIMITS,
    FetchCode,
    Fetched,
    FetchError,
    FetchLimits,
    Kind,
)
from bot.links.meta_refresh import refresh_target
from bot.links.pacing import MemoryTurns, Turns
from bot.links.page_cache import (
    Entry,
    MemoryPages,
    NearPages,
    PageStore,
    decode_entry,
    encode_entry,
    entry_key,
    failure_entry,
    page_entry,
)
from bot.links.robots import RobotsFile, RobotsKeeper

__all__ = ["FetchCode", "FetchError", "FetchLimits", "Fetched", "Fetcher", "Kind"]

_log = structlog.get_logger(__name__)

#: The name that robots.txt files call this reader by.
PRODUCT = "Payontap"
_VERSION = "0.1"
_POLL_S = 0.05
_Flight = tuple[str, bool, bool]


class Fetcher:
    """Fetches by URL; one for the whole process, used as an async context manager.

    `contact` (an address of the instance's owner) goes into the user agent. `allowed_origins`
    are exact (host, port) pairs exempt from the rules on addresses, ports and pace. `store` keeps
    pages and `turns` the pace, by default in this process. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        allowed_origins: frozenset[tuple[str, int]] = frozenset(),
        limits: FetchLimits = DEFAULT_LIMITS,
        resolver: AbstractResolver | None = None,
        store: PageStore | None = None,
        turns: Turns | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._me = secrets.token_hex(8)
        self._stack = AsyncExitStack()
        self._store = store or MemoryPages(bytes_max=limits.cache_bytes_max, clock=clock)
        self._near = NearPages()
        self._flights: dict[_Flight, asyncio.Task[Entry]] = {}
        self._exchange = Exchange(
            limits,
            agent=f"{PRODUCT}/{_VERSION} (+{contact})" if contact else f"{PRODUCT}/{_VERSION}",
            allowed_origins=allowed_origins,
            resolver=resolver,
            turns=turns or MemoryTurns(time.monotonic),
        )
        self._robots = RobotsKeeper(self._robots_file, product=PRODUCT, clock=clock)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._exchange)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._robots.close()
        await self._stack.aclose()

    async def get(
        self,
        url: str,
        *,
        accept: Kind = "html",
        fresh: bool = False,
        invited: bool = False,
        age_s_max: float | None = None,
    ) -> Fetched:
        """What stands at `url`: kept, when it is young enough, or else asked for.

        `fresh=True` asks the server again and keeps the answer. `invited=True` says that the
        host's owner asks for it, so that robots.txt has no say; with both, the server is not even
        told what is kept. `age_s_max`: a page that was asked for longer ago is asked for again.
        Concurrent calls for one URL share one request. Raises `FetchError`.
        """
        target = _usable(url)
        if target is None:
            raise FetchError("bad_url", "This is no web address that can be opened.")
        entry = None if fresh else await self._near_or_kept(accept, target)
        if entry is not None and age_s_max is not None:
            entry = entry if entry.asked_at >= self._clock() - age_s_max else None
        fresh = fresh or (entry is None and age_s_max is not None)
        if entry is None or entry.stale_until <= self._clock():
            entry = await asyncio.shield(self._flight(accept, target, fresh=fresh, invited=invited))
        elif entry.fresh_until <= self._clock():
            self._flight(accept, target, fresh=False, invited=invited)
        if entry.page is None:
            raise _error_of(entry)
        return _dated(entry.page, entry)

    def open(
        self, url: str, *, hosts: frozenset[str], validators: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Opened]:
        """The answer for a large file that the owner of all `hosts` asks to have read.

        It is read piece by piece, whatever its status and type; nothing of it is kept. `hosts` are
        the only ones that it may be redirected to. It waits for its turn. Raises `FetchError`.
        """
        return opened(self._exchange, url, hosts, validators or {}, self._limits)

    async def _near_or_kept(self, accept: Kind, target: str) -> Entry | None:
        """What is kept; what was asked for a moment ago is the same object again."""
        key, now = entry_key(accept, target), self._clock()
        near = self._near.get(key, now)
        if near is not None:
            return near
        entry = await self._kept(accept, target)
        if entry is not None and entry.page is not None:
            entry = msgspec.structs.replace(entry, page=_dated(entry.page, entry))
            self._near.put(key, entry, now)
        return entry

    async def _kept(self, accept: Kind, target: str) -> Entry | None:
        kept = await self._store.get(entry_key(accept, target))
        return decode_entry(kept) if kept is not None else None

    def _flight(
        self, accept: Kind, target: str, *, fresh: bool, invited: bool
    ) -> asyncio.Task[Entry]:
        key = (entry_key(accept, target), fresh, invited)
        flight = self._flights.get(key)
        if flight is None or flight.done():
            # One that is done has nothing to say of what the server would answer now.
            flight = asyncio.create_task(
                self._fetch_and_keep(accept, target, fresh=fresh, invited=invited)
            )
            self._flights[key] = flight
            flight.add_done_callback(partial(self._land, key))
        return flight

    def _land(self, key: _Flight, flight: asyncio.Task[Entry]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _fetch_and_keep(
        self, accept: Kind, target: str, *, fresh: bool, invited: bool
    ) -> Entry:
        flight = f"flight:{entry_key(accept, target)}"
        others = None if fresh else await self._from_other_process(accept, target, flight)
        if others is not None:
            return others
        try:
            anew = fresh and invited
            return await self._fetched_entry(accept, target, invited=invited, anew=anew)
        finally:
            await self._store.release(flight, self._me)

    async def _from_other_process(self, accept: Kind, target: str, flight: str) -> Entry | None:
        """What another process that is asking right now gets; None when it is our turn to ask."""
        began, waited_s = self._clock(), 0.0
        while waited_s < self._limits.total_s:
            holder = await self._store.claim(flight, self._me, for_s=self._limits.total_s + 1)
            if holder == self._me:
                return None
            await asyncio.sleep(_POLL_S)
            waited_s += _POLL_S
            entry = await self._kept(accept, target)
            if entry is not None and (entry.asked_at >= began or entry.fresh_until > began):
                return entry
        return None

    async def _fetched_entry(
        self, accept: Kind, target: str, *, invited: bool, anew: bool
    ) -> Entry:
        # What proves something must be shown now: a "not modified" would repeat what others saw.
        before = None if anew else await self._kept(accept, target)
        try:
            async with asyncio.timeout(self._limits.total_s):
                entry = await self._follow(accept, target, before, invited=invited)
        except FetchError as error:
            entry = failure_entry(error, self._limits, now=self._clock())
        except TimeoutError:
            late = FetchError("timeout", "The shop's server took too long to answer.")
            entry = failure_entry(late, self._limits, now=self._clock())
        await self._keep(accept, target, entry, before)
        return entry

    async def _keep(self, accept: Kind, target: str, entry: Entry, before: Entry | None) -> None:
        now = self._clock()
        key = entry_key(accept, target)
        self._near.drop(key)
        if entry.failure is None:
            kept_s = max(entry.stale_until - now, self._limits.kept_s if entry.validators else 0)
            await self._store.put(key, encode_entry(entry), for_s=kept_s)
            return
        if entry.failure.code == "busy":
            return
        stumbles = not entry.failure.error().is_final
        if stumbles and before is not None and before.page and before.stale_until > now:
            # The shop stumbles: what it said before stands a little longer.
            pause = min(entry.fresh_until, before.stale_until)
            entry = msgspec.structs.replace(before, fresh_until=pause)
        await self._store.put(key, encode_entry(entry), for_s=entry.stale_until - now)

    async def _follow(
        self, accept: Kind, target: str, before: Entry | None, *, invited: bool
    ) -> Entry:
        """Ask for `target` and for what it leads on to."""
        hops: list[str] = []
        validators: dict[str, str] = {}
        owned = urlsplit(target).netloc if invited else ""
        if before is not None and before.page is not None:
            validators = before.validators
        while True:
            # The validators belong to the page at the end, wherever the way there led before.
            known = before.page if before is not None else None
            is_end = known is not None and known.url_final == target
            # Whoever owns the first host says nothing about another's robots.txt.
            at_home = urlsplit(target).netloc == owned
            answer = await self._ask(accept, target, validators if is_end else {}, invited=at_home)
            if not answer.changed and known is not None:
                page = msgspec.structs.replace(known, hops=tuple(hops))
                return self._entry(page, answer, validators)
            if answer.location is None:
                page = await _page(accept, target, answer, tuple(hops))
                following = _refreshed(page) if accept == "html" else None
                if following is None:
                    return self._entry(page, answer, {})
            else:
                following = _redirected(answer.location, target)
            if len(hops) >= self._limits.redirects_max:
                raise FetchError("too_many_redirects", "The link leads on and on to other links.")
            hops.append(target)
            target = following

    def _entry(self, page: Fetched, answer: Answer, validators: dict[str, str]) -> Entry:
        return page_entry(
            page,
            self._limits,
            now=self._clock(),
            cache_control=answer.freshness.cache_control,
            etag=answer.freshness.etag or validators.get("If-None-Match"),
            last_modified=answer.freshness.last_modified or validators.get("If-Modified-Since"),
        )

    async def _ask(
        self, accept: Kind, target: str, validators: dict[str, str], *, invited: bool
    ) -> Answer:
        await self._exchange.admit(target)
        if not invited:
            scheme, _, rest = target.partition("://")
            authority, _, path = rest.partition("/")
            if not await self._robots.allow(f"{scheme}://{authority}", f"/{path}"):
                raise FetchError("robots", "The shop does not want this page to be read by bots.")
        return await self._exchange.ask(accept, target, validators)

    async def _robots_file(self, origin: str) -> RobotsFile:
        target = f"{origin}/robots.txt"
        try:
            async with asyncio.timeout(self._limits.total_s):
                for _ in range(self._limits.redirects_max + 1):
                    answer = await self._exchange.robots(target)
                    if isinstance(answer, RobotsFile):
                        return answer
                    following = usable_url(answer, base=target) if answer else None
                    if following is None:
                        break
                    target = following
        except TimeoutError:
            raise FetchError("timeout", "The shop's server took too long to answer.") from None
        return RobotsFile(found=False)


def _dated(page: Fetched, entry: Entry) -> Fetched:
    """The page with the time at which it was asked for; the same object where it has that."""
    if page.read_at_s == entry.asked_at:
        return page
    return msgspec.structs.replace(page, read_at_s=entry.asked_at)


@lru_cache(maxsize=512)
def _usable(url: str) -> str | None:
    # A crowd asks for the same few links.
    return usable_url(url)


def _refreshed(page: Fetched) -> str | None:
    """Where a page sends its reader on to, if that is another web page."""
    onward = refresh_target(page.body)
    following = usable_url(onward, base=page.url_final) if onward else None
    return following if following != page.url_final else None


def _redirected(location: str, target: str) -> str:
    following = usable_url(location, base=target) if location else None
    if following is None:
        raise FetchError("bad_response", "The link leads to something that is no web page.")
    return following


async def _page(accept: Kind, target: str, answer: Answer, hops: tuple[str, ...]) -> Fetched:
    body, charset = answer.body, answer.charset
    # Seven-bit charsets shift by escapes; UTF-16 is full of zeros.
    is_plain = body.isascii() and b"\x1b" not in body and b"\x00" not in body
    if accept == "html" and not is_plain:
        country = (host_of(target) or "").rpartition(".")[2]
        # In a thread: the charset of a large page is not told at once.
        text, _ = await asyncio.to_thread(page_text, body, charset, country=country)
        body, charset = text.encode("utf-8", "replace"), "utf-8"
    return Fetched(target, answer.status, answer.content_type, charset, body, hops)


def _error_of(entry: Entry) -> FetchError:
    if entry.failure is None:
        return FetchError("bad_response", "The shop's server answered with garbage.")
    return entry.failure.error()

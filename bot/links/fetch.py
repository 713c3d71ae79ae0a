"""Fetch a page or a picture that a stranger named, without being led anywhere else.

Every connection is judged by its final socket address (`bot.links.addresses`), every redirect
by its URL. Sizes, times, types and hops are limited; no cookies, no proxies, no credentials.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Literal, Self

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.links.addresses import WEB_PORTS, AddressRefusedError, guarded_sockets
from bot.links.canonical import host_and_port, usable_url
from bot.links.pacing import HostPace
from bot.links.page_cache import PageCache
from wallet_core.errors import PayontapError

Kind = Literal["html", "image", "text", "json"]
FetchCode = Literal[
    "bad_url", "forbidden_port", "forbidden_address", "too_many_redirects", "too_large", "timeout",
    "unreachable", "tls", "status", "content_type", "busy", "bad_response",
]  # fmt: skip

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUS_OK = range(200, 300)
_ACCEPT: dict[Kind, str] = {
    "html": "text/html,application/xhtml+xml;q=0.9",
    "image": "image/webp,image/png,image/jpeg,image/*;q=0.5",
    "text": "text/plain",
    "json": "application/json",
}
_TYPES: dict[Kind, frozenset[str]] = {
    "html": frozenset({"text/html", "application/xhtml+xml"}),
    "image": frozenset(
        {"image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/webp", "image/gif",
         "image/avif", "image/bmp", "image/x-ms-bmp"}
    ),
    "text": frozenset({"text/plain"}),
    "json": frozenset({"application/json", "application/ld+json", "text/json"}),
}  # fmt: skip


class FetchError(PayontapError):
    """A page that was not fetched. `code` is for machines, the text one sentence for people."""

    def __init__(self, code: FetchCode, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code: FetchCode = code
        self.message = message
        self.status = status


class Fetched(msgspec.Struct, frozen=True):
    """What a server sent. `hops` are the addresses that redirected to `url_final`, in order."""

    url_final: str
    status: int
    content_type: str
    charset: str | None
    body: bytes
    hops: tuple[str, ...] = ()


class FetchLimits(msgspec.Struct, frozen=True):
    """What one request and the fetcher as a whole may take; times in seconds."""

    total_s: float = 5.0
    redirects_max: int = 5
    page_bytes_max: int = 2_000_000
    image_bytes_max: int = 8_000_000
    fresh_s: float = 300.0
    negative_s: float = 30.0
    cache_bytes_max: int = 32_000_000
    host_interval_s: float = 1.0
    host_burst: int = 3
    host_wait_s_max: float = 3.0
    ports: frozenset[int] = WEB_PORTS


_DEFAULT_LIMITS = FetchLimits()
_Flight = tuple[Kind, str, bool]


class Fetcher:
    """Fetches by URL; one for the whole process, used as an async context manager.

    `contact` (an address of the instance's owner) goes into the user agent. `allowed_origins`
    are exact (host, port) pairs exempt from the rules on addresses, ports and pace.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        allowed_origins: frozenset[tuple[str, int]] = frozenset(),
        limits: FetchLimits = _DEFAULT_LIMITS,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._agent = f"Payontap/0.1 (+{contact})" if contact else "Payontap/0.1"
        self._allowed_origins = allowed_origins
        self._limits = limits
        self._resolver = resolver
        self._stack = AsyncExitStack()
        self._guarded: aiohttp.ClientSession | None = None
        self._exempt: aiohttp.ClientSession | None = None
        self._flights: dict[_Flight, asyncio.Task[Fetched | FetchError]] = {}
        self._cache: PageCache[Fetched | FetchError] = PageCache(
            bytes_max=limits.cache_bytes_max, clock=clock
        )
        self._pace = HostPace(
            interval_s=limits.host_interval_s,
            burst=limits.host_burst,
            wait_s_max=limits.host_wait_s_max,
            clock=clock,
        )

    async def __aenter__(self) -> Self:
        guarded = aiohttp.TCPConnector(
            limit=64,
            socket_factory=guarded_sockets(self._limits.ports),
            resolver=self._resolver,
            ttl_dns_cache=30,
        )
        exempt = aiohttp.TCPConnector(limit=64, resolver=self._resolver)
        self._guarded = await self._stack.enter_async_context(self._session(guarded))
        self._exempt = await self._stack.enter_async_context(self._session(exempt))
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
        await self._stack.aclose()
        self._guarded = self._exempt = None

    async def get(self, url: str, *, accept: Kind = "html", fresh: bool = False) -> Fetched:
        """What stands at `url`, from the cache when it is younger than the limits say.

        `fresh=True` asks the server again and keeps the answer. Concurrent calls for one URL
        share one request. Raises `FetchError`.
        """
        target = usable_url(url)
        if target is None:
            raise FetchError("bad_url", "This is no web address that can be opened.")
        outcome = None if fresh else self._cache.get((accept, target))
        if outcome is None:
            outcome = await asyncio.shield(self._flight(accept, target, fresh=fresh))
        if isinstance(outcome, FetchError):
            # A new one each time: a kept exception would gather tracebacks.
            raise FetchError(outcome.code, outcome.message, status=outcome.status)
        return outcome

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate"},
            max_line_size=16_384,
            max_field_size=32_768,
        )

    def _flight(
        self, accept: Kind, target: str, *, fresh: bool
    ) -> asyncio.Task[Fetched | FetchError]:
        key = (accept, target, fresh)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fetch_and_keep(accept, target))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    async def _fetch_and_keep(self, accept: Kind, target: str) -> Fetched | FetchError:
        outcome: Fetched | FetchError
        try:
            async with asyncio.timeout(self._limits.total_s):
                outcome = await self._follow(accept, target)
        except FetchError as error:
            outcome = error
        except TimeoutError:
            outcome = FetchError("timeout", "The shop's server took too long to answer.")
        if isinstance(outcome, Fetched):
            self._cache.keep(
                (accept, target),
                outcome,
                size_bytes=len(outcome.body),
                for_s=self._limits.fresh_s,
            )
        elif outcome.code != "busy":
            self._cache.keep((accept, target), outcome, size_bytes=0, for_s=self._limits.negative_s)
        return outcome

    async def _follow(self, accept: Kind, target: str) -> Fetched:
        hops: list[str] = []
        while True:
            async with self._response(accept, target) as response:
                if response.status not in _REDIRECTS:
                    return await self._received(accept, target, response, tuple(hops))
                location = response.headers.get("Location", "")
            if len(hops) >= self._limits.redirects_max:
                raise FetchError("too_many_redirects", "The link leads on and on to other links.")
            following = usable_url(location, base=target) if location else None
            if following is None:
                raise FetchError("bad_response", "The link leads to something that is no web page.")
            hops.append(target)
            target = following

    @asynccontextmanager
    async def _response(self, accept: Kind, target: str) -> AsyncIterator[aiohttp.ClientResponse]:
        session = await self._admitted(target)
        try:
            async with session.get(
                URL(target, encoded=True),
                allow_redirects=False,
                headers={"Accept": _ACCEPT[accept]},
            ) as response:
                yield response
        except aiohttp.ClientSSLError as error:
            raise FetchError("tls", "The shop's certificate cannot be trusted.") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefusedError):
                raise FetchError(
                    "forbidden_address", "The link leads into a private network."
                ) from error
            raise FetchError("unreachable", "The shop's server cannot be reached.") from error
        except aiohttp.ClientConnectionError as error:
            raise FetchError("unreachable", "The shop's server broke off.") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise FetchError("bad_response", "The shop's server answered with garbage.") from error

    async def _admitted(self, target: str) -> aiohttp.ClientSession:
        """The session that may open `target`, when it is `target`'s turn."""
        origin = host_and_port(target)
        if self._guarded is None or self._exempt is None:
            raise RuntimeError("The fetcher is used outside its `async with`.")
        if origin is None:
            raise FetchError("bad_url", "This is no web address that can be opened.")
        if origin in self._allowed_origins:
            return self._exempt
        host, port = origin
        if port not in self._limits.ports:
            raise FetchError("forbidden_port", "The link names a port that is not the web's.")
        if not await self._pace.turn(host):
            raise FetchError("busy", "Too many links to this shop at once; try again in a moment.")
        return self._guarded

    async def _received(
        self, accept: Kind, target: str, response: aiohttp.ClientResponse, hops: tuple[str, ...]
    ) -> Fetched:
        if response.status not in _STATUS_OK:
            raise FetchError(
                "status",
                f"The shop's server answered with status {response.status}.",
                status=response.status,
            )
        named = response.headers.get("Content-Type", "")
        # Without a name the body is read as what was asked for; its reader judges it.
        content_type = response.content_type.lower() if named else ""
        if content_type and content_type not in _TYPES[accept]:
            raise FetchError("content_type", "The link leads to a file of another kind.")
        return Fetched(
            url_final=target,
            status=response.status,
            content_type=content_type,
            charset=response.charset,
            body=await self._body(accept, response),
            hops=hops,
        )

    async def _body(self, accept: Kind, response: aiohttp.ClientResponse) -> bytes:
        limit = self._limits.image_bytes_max if accept == "image" else self._limits.page_bytes_max
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > limit:
                response.close()
                raise FetchError("too_large", "The page is too large.")
            parts.append(part)
        return b"".join(parts)

"""One request and its answer: to a public address only, within its limits, without redirects."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.links.addresses import AddressRefusedError, guarded_sockets
from bot.links.canonical import host_and_port
from bot.links.fetch_types import ACCEPT, TYPES, FetchError, FetchLimits, Kind
from bot.links.names import PublicNames
from bot.links.pacing import HostPace, Turns
from bot.links.robots import BYTES_MAX as ROBOTS_BYTES_MAX
from bot.links.robots import RobotsFile

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_STATUS_OK = range(200, 300)
_STATUS_REFUSED = range(400, 500)
_TOO_MANY_REQUESTS = 429
#: What the library has unpacked by the time a body is read; anything else is still packed.
_UNPACKED = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"})
_CONNECTIONS_MAX = 512
_DNS_KEPT_S = 30
#: How long a server may be silent in the middle of a long answer.
_STALL_S = 30.0


class Freshness(msgspec.Struct, frozen=True):
    """The headers by which a server says how long a page counts, and which one it is."""

    etag: str | None = None
    last_modified: str | None = None
    cache_control: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a server answered to one request. `location` is set where it names another address.

    `changed` is False where the server says that what was read before still holds.
    """

    status: int
    content_type: str = ""
    charset: str | None = None
    body: bytes = b""
    location: str | None = None
    changed: bool = True
    freshness: Freshness = Freshness()


class Opened(msgspec.Struct, frozen=True):
    """An answer that is read piece by piece while the connection is open; see `Answer`."""

    status: int
    content_type: str
    charset: str | None
    location: str | None
    freshness: Freshness
    retry_after_s: float | None
    parts: AsyncIterator[bytes]


class Exchange:
    """Asks servers, used as an async context manager.

    `allowed_origins` are exact (host, port) pairs exempt from the rules on addresses, ports and
    pace. `turns` are shared by all who keep one pace.
    """

    def __init__(
        self,
        limits: FetchLimits,
        *,
        agent: str,
        allowed_origins: frozenset[tuple[str, int]],
        resolver: AbstractResolver | None,
        turns: Turns,
    ) -> None:
        self._limits = limits
        self._agent = agent
        self._allowed_origins = allowed_origins
        self._resolver = resolver
        self._stack = AsyncExitStack()
        self._guarded: aiohttp.ClientSession | None = None
        self._exempt: aiohttp.ClientSession | None = None
        self._pace = HostPace(
            turns,
            interval_s=limits.host_interval_s,
            burst=limits.host_burst,
            wait_s_max=limits.host_wait_s_max,
        )

    async def __aenter__(self) -> Self:
        guarded = aiohttp.TCPConnector(
            limit=_CONNECTIONS_MAX,
            limit_per_host=self._limits.connections_per_host,
            socket_factory=guarded_sockets(self._limits.ports),
            resolver=self._resolver or PublicNames(),
            ttl_dns_cache=_DNS_KEPT_S,
        )
        exempt = aiohttp.TCPConnector(limit=_CONNECTIONS_MAX, resolver=self._resolver)
        self._guarded = await self._stack.enter_async_context(self._session(guarded))
        self._exempt = await self._stack.enter_async_context(self._session(exempt))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._guarded = self._exempt = None

    async def admit(self, target: str) -> None:
        """Wait for the turn of `target`'s host. Raises `FetchError` when it has none."""
        origin = self._origin(target)
        if origin in self._allowed_origins:
            return
        host, port = origin
        if port not in self._limits.ports:
            raise FetchError("forbidden_port", "The link names a port that is not the web's.")
        if not await self._pace.turn(host):
            raise FetchError("busy", "Too many links to this shop at once; try again in a moment.")

    async def ask(self, accept: Kind, target: str, validators: dict[str, str]) -> Answer:
        """What the server says to a request for `target`. Raises `FetchError`.

        With `validators` (`If-None-Match` …) the answer may be that nothing has changed.
        """
        async with self._response(target, {"Accept": ACCEPT[accept], **validators}) as response:
            if response.status in REDIRECTS:
                location = response.headers.get("Location", "")
                return Answer(response.status, location=location)
            if response.status == _NOT_MODIFIED and validators:
                return Answer(response.status, changed=False, freshness=_freshness(response))
            return await self._received(accept, response)

    @asynccontextmanager
    async def open(
        self, target: str, validators: dict[str, str], *, bytes_max: int, total_s: float
    ) -> AsyncIterator[Opened]:
        """The answer for `target` whatever its status, at most `bytes_max` unpacked bytes of it.

        It may take `total_s` altogether. Raises `FetchError`, also while the parts are read.
        """
        wait = aiohttp.ClientTimeout(total=total_s, sock_connect=_STALL_S, sock_read=_STALL_S)
        headers = {"Accept": "*/*", **validators}
        async with self._response(target, headers, wait) as response:
            moved = response.status in REDIRECTS
            yield Opened(
                status=response.status,
                content_type=response.content_type.lower(),
                charset=response.charset,
                location=response.headers.get("Location", "") if moved else None,
                freshness=_freshness(response),
                retry_after_s=_seconds(response.headers.get("Retry-After", "")),
                parts=_parts(response, bytes_max),
            )

    async def robots(self, target: str) -> RobotsFile | str:
        """The robots.txt at `target`, or the address that it is redirected to.

        Raises `FetchError`; a server that refuses the file has none, by RFC 9309, and one that
        fails has one that forbids.
        """
        async with self._response(target, {"Accept": "text/plain, */*;q=0.1"}) as response:
            if response.status in REDIRECTS:
                return response.headers.get("Location", "")
            if response.status in _STATUS_REFUSED and response.status != _TOO_MANY_REQUESTS:
                return RobotsFile(found=False)
            if response.status not in _STATUS_OK:
                raise FetchError(
                    "robots",
                    "The shop's server does not say whether its pages may be read.",
                    status=response.status,
                )
            body = await _read(response, ROBOTS_BYTES_MAX, cut=True)
            return RobotsFile(found=True, body=body)

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate"},
            max_line_size=16_384,
            max_field_size=32_768,
        )

    def _origin(self, target: str) -> tuple[str, int]:
        origin = host_and_port(target)
        if origin is None:
            raise FetchError("bad_url", "This is no web address that can be opened.")
        return origin

    @asynccontextmanager
    async def _response(
        self,
        target: str,
        headers: dict[str, str],
        wait: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        exempt = self._origin(target) in self._allowed_origins
        session = self._exempt if exempt else self._guarded
        if session is None:
            raise RuntimeError("The fetcher is used outside its `async with`.")
        try:
            async with session.get(
                URL(target, encoded=True),
                allow_redirects=False,
                headers=headers,
                timeout=wait or session.timeout,
            ) as response:
                yield response
        except TimeoutError as error:
            raise FetchError("timeout", "The shop's server took too long to answer.") from error
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

    async def _received(self, accept: Kind, response: aiohttp.ClientResponse) -> Answer:
        if response.status not in _STATUS_OK:
            raise FetchError(
                "status",
                f"The shop's server answered with status {response.status}.",
                status=response.status,
            )
        named = response.headers.get("Content-Type", "")
        # Without a name the body is read as what was asked for; its reader judges it.
        content_type = response.content_type.lower() if named else ""
        if content_type and content_type not in TYPES[accept]:
            raise FetchError("content_type", "The link leads to a file of another kind.")
        limits = self._limits
        limit = limits.image_bytes_max if accept == "image" else limits.page_bytes_max
        return Answer(
            response.status,
            content_type=content_type,
            charset=response.charset,
            body=await _read(response, limit),
            freshness=_freshness(response),
        )


def _freshness(response: aiohttp.ClientResponse) -> Freshness:
    def said(name: str) -> str | None:
        text = response.headers.get(name, "")
        # It is sent back later, so only what is a header's text in the first place.
        return text if text and text.isascii() and text.isprintable() else None

    return Freshness(said("ETag"), said("Last-Modified"), said("Cache-Control") or "")


def _seconds(text: str) -> float | None:
    """A header's number of seconds; None for a date or anything else."""
    plain = text.strip()
    return float(plain) if plain.isascii() and plain.isdigit() and len(plain) < 9 else None  # noqa: PLR2004 - years


async def _read(response: aiohttp.ClientResponse, limit: int, *, cut: bool = False) -> bytes:
    """The unpacked body; more than `limit` bytes are an error, or are left unread with `cut`."""
    parts: list[bytes] = []
    try:
        async for part in _parts(response, limit):
            parts.append(part)  # noqa: PERF401 - what came before an error is kept
    except FetchError as error:
        if not (cut and error.code == "too_large"):
            raise
    return b"".join(parts)[:limit]


async def _parts(response: aiohttp.ClientResponse, limit: int) -> AsyncIterator[bytes]:
    """The unpacked body as it comes. Raises `FetchError` behind more than `limit` bytes."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in _UNPACKED:
        raise FetchError("bad_response", "The shop's server packed the page in an unknown way.")
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        yield part
        if size > limit:
            response.close()
            raise FetchError("too_large", "The page is too large.")

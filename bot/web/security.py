"""The guards at the web server's door.

`Host` must be one of ours, else a foreign name that was made to point here (DNS rebinding) could
read what only people at this address should. `Origin` must be one of ours on everything that
changes something and on WebSockets, else any page in the world could act for whoever has it open.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        # The page builds itself from text nodes only; a browser that knows this holds it to that.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Door:
    """Knows by which names and from which pages this server may be asked.

    `open_paths` are prefixes for other programs (providers' notices, an API): they have no
    Origin, and what they send proves itself.
    """

    def __init__(
        self, *, host: str, port: int, public_url: str = "", open_paths: Iterable[str] = ()
    ) -> None:
        origins = {
            f"http://{_bracketed(name)}:{port}" for name in (host, "localhost", "127.0.0.1", "::1")
        }
        if public_url:
            origins.add(public_url)
        self._hosts = frozenset(name for origin in origins for name in _hosts_of(origin))
        self._origins = frozenset(name for origin in origins for name in _origins_of(origin))
        self._open_paths = tuple(open_paths)
        self._over_https = public_url.startswith("https:")

    def knows_host(self, host: str | None) -> bool:
        """Whether the Host header is a name of ours."""
        return host is not None and host.lower() in self._hosts

    def knows_origin(self, request: web.Request) -> bool:
        """Whether the request was made by a page of ours.

        Where the browser hides the origin of a form's page, it says itself whether that page
        is of the same origin, in a header that no script can set.
        """
        origin = request.headers.get("Origin", "null").lower()
        if origin == "null":
            return request.headers.get("Sec-Fetch-Site") == "same-origin"
        return origin in self._origins

    def middleware(self) -> Middleware:
        """The guard itself: answers 421 to a foreign Host, 403 to a foreign Origin."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            # Whoever watches the machine asks by its bare address. A health probe learns nothing
            # else, and no page of another site knows the token of the metrics.
            watched = request.path in {"/healthz", "/metrics"}
            if not watched and not self.knows_host(request.headers.get("Host")):
                raise web.HTTPMisdirectedRequest(
                    text="This server does not go by the name in the address. If it should, "
                    "its owner sets the public address in the config."
                )
            if self._changes_something(request) and not self.knows_origin(request):
                raise web.HTTPForbidden(text="That was asked by a page of another site.")
            return await handler(request)

        return guard

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put the security headers on every answer to a browser that has not set its own."""
        if request.path.startswith(self._open_paths):
            # A program asked, and shows nothing to anybody.
            return
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/static/") and response.status in {200, 304}:
            response.headers["Cache-Control"] = "no-cache"
        if self._over_https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    def _changes_something(self, request: web.Request) -> bool:
        if is_websocket(request):
            return True
        return request.method not in _SAFE_METHODS and not request.path.startswith(self._open_paths)


def is_websocket(request: web.Request) -> bool:
    """Whether the request asks for a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _hosts_of(origin: str) -> set[str]:
    parts = urlsplit(origin.lower())
    names = {parts.netloc}
    if parts.port is None:
        names.add(f"{parts.netloc}:{_DEFAULT_PORTS[parts.scheme]}")
    elif parts.port == _DEFAULT_PORTS[parts.scheme]:
        names.add(parts.netloc.rpartition(":")[0])
    return names


def _origins_of(origin: str) -> set[str]:
    return {f"{urlsplit(origin.lower()).scheme}://{host}" for host in _hosts_of(origin)}

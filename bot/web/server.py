"""The web server: one door for the chat, pictures, health and the one-time admin link."""

import errno
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.adapters.base import PictureSource
from bot.web import pages
from bot.web.security import Door, is_websocket
from wallet_core.errors import PayontapError, StorageUnavailable

log = logging.getLogger(__name__)

#: How long open requests may take to end when the server stops.
SHUTDOWN_TIMEOUT_S = 5.0

_PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_CLAIM_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,200}")


class CannotListen(PayontapError):
    """The server cannot have its address. The message is one sentence for whoever started it."""


class PortTaken(CannotListen):
    """Another program listens there already."""


class Claims(Protocol):
    """Who may become admin by a one-time link."""

    async def claim(self, token: str, network: str, person_id: str) -> str | None:
        """Use the link for this person; None when it was used before, or ran out, or never was."""


class Visitors(Protocol):
    """Who is asking; the web chat knows."""

    def keep_cookie(self, request: web.Request, response: web.StreamResponse) -> None:
        """Make sure that the browser is somebody, from its next request on."""

    async def person_of(self, request: web.Request) -> str | None:
        """The public id of who sent the request; None without a cookie."""


class WebServer:
    """One listening address.

    `routes` are functions that put addresses into the application, such as the chat's
    `add_routes`. `ready` says whether the rest of the process works. `open_paths` are prefixes
    that other programs call. Port 0 takes any free one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        pictures: PictureSource,
        visitors: Visitors,
        claims: Claims,
        ready: Callable[[], Awaitable[bool]],
        routes: Sequence[Callable[[web.Application], None]] = (),
        public_url: str = "",
        open_paths: Sequence[str] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._public_url = public_url.rstrip("/")
        self._pictures = pictures
        self._visitors = visitors
        self._claims = claims
        self._ready = ready
        self._routes = tuple(routes)
        self._open_paths = tuple(open_paths)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where people find it, without a slash at the end; the port is known once started."""
        return self._public_url or f"http://{_host_in_url(self._host)}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises `PortTaken` or `CannotListen` with one clear sentence."""
        listening = listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        # The access log would keep the token of a one-time link.
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Stop listening, let what is open end, and come back when all is closed."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        door = Door(
            host=self._host,
            port=self._port,
            public_url=self._public_url,
            open_paths=self._open_paths,
        )
        app = web.Application(middlewares=[say_it_plainly, door.middleware()])
        app.on_response_prepare.append(door.add_headers)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/pictures/{digest:[0-9a-f]{64}}", self._picture)
        app.router.add_get("/claim", self._show_claim)
        app.router.add_post("/claim", self._claim)
        app.router.add_static("/static", pages.STATIC_FOLDER)
        for add_routes in self._routes:
            add_routes(app)
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        ready = await self._ready()
        return web.json_response({"ok": ready}, status=200 if ready else 503)

    async def _picture(self, request: web.Request) -> web.Response:
        found = await self._pictures.load_picture(request.match_info["digest"])
        if found is None or found[0] not in _PICTURE_TYPES:
            raise web.HTTPNotFound(text="This picture is no longer kept.")
        mime, body = found
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return web.Response(body=body, content_type=mime, headers=headers)

    async def _show_claim(self, request: web.Request) -> web.Response:
        token = request.query.get("token", "")
        if not _CLAIM_TOKEN.fullmatch(token):
            raise web.HTTPNotFound(text="This link is not complete. Copy all of it, and try again.")
        response = web.Response(text=pages.claim_page(token), content_type="text/html")
        # A form on a page without any referrer would be sent with the origin "null".
        response.headers["Referrer-Policy"] = "same-origin"
        self._visitors.keep_cookie(request, response)
        return response

    async def _claim(self, request: web.Request) -> web.Response:
        token = (await request.post()).get("token")
        person_id = await self._visitors.person_of(request)
        if person_id is None:
            raise web.HTTPForbidden(
                text="Your browser kept no cookie, so nobody could become admin. Allow cookies "
                "for this site, then open the link again."
            )
        if (
            not isinstance(token, str)
            or not _CLAIM_TOKEN.fullmatch(token)
            or await self._claims.claim(token, "web", person_id) is None
        ):
            raise web.HTTPGone(
                text="This link was used before, or its time ran out. On the server, "
                f"“payontap admin grant web:{person_id}” makes you admin too."
            )
        raise web.HTTPSeeOther("/")


@web.middleware
async def say_it_plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what goes wrong into a page in plain words; what broke goes into the log."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirect, not an error
            raise
        # Without words of our own the library says "404: Not Found".
        ours = "" if error.text == f"{error.status}: {error.reason}" else error.text
        return _error(request, error.status, ours or "")
    except StorageUnavailable:
        log.exception("The database did not answer.")
        if is_websocket(request):
            raise
        return _error(request, 503)
    except Exception:
        if is_websocket(request):
            raise
        log.exception("A page failed.")
        return _error(request, 500)


def _error(request: web.Request, status: int, words: str = "") -> web.Response:
    if "text/html" in request.headers.get("Accept", ""):
        page = pages.error_page(status, words)
        return web.Response(text=page, status=status, content_type="text/html")
    return web.Response(text=words or pages.error_words(status)[1], status=status)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortTaken` or `CannotListen` with one clear sentence."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address, family=family, backlog=1024)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Port {port} is taken by another program; choose another port.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return CannotListen(f"This user may not listen on port {port}; choose one above 1023.")
    return CannotListen(f"This machine cannot listen on {host} port {port}: {error.strerror}.")


def _host_in_url(host: str) -> str:
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - listening everywhere is the owner's choice
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host

"""The door to a server: Mastodon.py, which blocks, behind a small asynchronous seam.

Every request runs in one of a few threads of its own pool, so that a slow server can never take
up the threads of others, and at most so many requests are under way at once.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from mastodon import Mastodon
from mastodon.errors import MastodonError
from mastodon.return_types import Account, Notification, Status
from mastodon.streaming import StreamHandle, StreamListener

from bot.adapters.base import NetworkDown
from bot.adapters.mastodon.faults import fault, wait_of

R = TypeVar("R")

THREADS_MAX = 4
REQUEST_S = 20.0
#: How long a stream may be silent; servers send a sign of life every 15 to 30 seconds.
_STREAM_SILENT_S = 90
_RECONNECT_S = 15
_PAGE = 40
_UPLOAD_PAUSES_S = (0.2, 1.0)


class Client:
    """One account on one server.

    Every method raises `NetworkDown` (no answer), `RateLimited`, `LoggedOut` (the token is dead),
    `Unreachable` (closed to the bot, or gone) or `SendRejected` (refused for what it is).
    """

    def __init__(self, server: str, access_token: str) -> None:
        self._api = Mastodon(
            access_token=access_token,
            api_base_url=server,
            # Waiting is for the event loop: in a thread it would hold up every other request.
            ratelimit_method="throw",
            request_timeout=REQUEST_S,
            user_agent="payontap",
            # Otherwise the library asks for the version first, and on a server that tells none it
            # asks itself for ever. All that is used here is older than this.
            mastodon_version="4.2.0",
        )
        self._api.session.hooks["response"].append(self._note_wait)
        # Small servers end kept connections without a word, and a post that is lost in that moment
        # may have been taken. A few requests a minute can each have a connection of their own.
        self._api.session.headers["Connection"] = "close"
        self._asked = threading.local()
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="mastodon")
        self._closed = False

    def close(self) -> None:
        """Start no more requests; those under way end by themselves."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def me(self) -> Account:
        """The bot's own account, and so whether the token works."""
        return await self._call(self._api.account_verify_credentials)

    async def notifications(
        self, after: str | None, *, before: str | None = None, limit: int = _PAGE
    ) -> list[Notification]:
        """Those right after `after`, or the newest ones, or the newest before; oldest first."""
        ask = self._api.notifications
        found = await self._call(ask, min_id=after, max_id=before, limit=limit)
        return _ascending(found if isinstance(found, list) else [found])

    async def home(
        self, after: str | None, *, before: str | None = None, limit: int = _PAGE
    ) -> list[Status]:
        """The posts of those whom the bot follows, in the same way."""
        ask = self._api.timeline_home
        return _ascending(await self._call(ask, min_id=after, max_id=before, limit=limit))

    async def own_posts(self, account_id: str) -> Sequence[Status]:
        """What the bot posted last, newest first."""
        return list(await self._call(self._api.account_statuses, account_id, limit=_PAGE))

    async def account(self, account_id: str) -> Account:
        """Somebody by the id that this server gave the account."""
        return await self._call(self._api.account, account_id)

    async def status(self, status_id: str) -> Status:
        """One post."""
        return await self._call(self._api.status, status_id)

    async def follows_me(self, account_id: str) -> bool:
        """Whether somebody follows the bot."""
        found = await self._call(self._api.account_relationships, account_id)
        return any(relation.followed_by for relation in found)

    async def follow(self, account_id: str) -> None:
        """Follow somebody, so that the posts come into the home timeline."""
        await self._call(self._api.account_follow, account_id, reblogs=False)

    async def describe(self, *, bot: bool, fields: list[tuple[str, str]] | None) -> None:
        """Say in the profile that this is a bot, and its table of links where it is given."""
        await self._call(self._api.account_update_credentials, bot=bot, fields=fields)

    async def upload(self, mime: str, body: bytes, description: str) -> str:
        """Put a picture on the server; gives its id."""
        for pause_s in _UPLOAD_PAUSES_S:
            try:
                return await self._upload(mime, body, description)
            except NetworkDown:
                # Uploading it twice shows nothing twice.
                await asyncio.sleep(pause_s)
        return await self._upload(mime, body, description)

    async def _upload(self, mime: str, body: bytes, description: str) -> str:
        media = await self._call(
            self._api.media_post, body, mime_type=mime, description=description
        )
        return str(media.id)

    async def post(
        self,
        text: str,
        *,
        visibility: str,
        key: str,
        in_reply_to: str | None,
        media: Sequence[str] = (),
    ) -> Status:
        """Post; a server that knows idempotency keys posts only once under one."""
        posted = await self._call(
            self._api.status_post,
            text,
            in_reply_to_id=in_reply_to,
            media_ids=list(media) or None,
            visibility=visibility,
            idempotency_key=key,
        )
        if not isinstance(posted, Status):
            raise NetworkDown("The server did not answer a post with the post.")
        return posted

    async def stream(self, listener: StreamListener) -> StreamHandle:
        """Listen to what happens, in a thread that connects again by itself until it is closed."""
        handle: StreamHandle = await self._call(
            self._api.stream_user,
            listener,
            run_async=True,
            timeout=_STREAM_SILENT_S,
            reconnect_async=True,
            reconnect_async_wait_sec=_RECONNECT_S,
        )
        return handle

    async def _call(self, method: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if self._closed:
            raise NetworkDown("The connection to the server was closed.")
        work = partial(self._blocking, partial(method, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _blocking(self, request: Callable[[], R]) -> R:
        self._asked.wait_s = None
        try:
            return request()
        except MastodonError as error:
            raise fault(error, self._asked.wait_s) from error

    def _note_wait(self, response: Any, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - requests ships no types
        """The library's error does not say how long to wait; it was raised in this thread."""
        if response.status_code == 429:  # noqa: PLR2004 - HTTP's
            headers = response.headers
            self._asked.wait_s = wait_of(
                headers.get("Retry-After"), headers.get("X-RateLimit-Reset")
            )


T = TypeVar("T", Notification, Status)


def _ascending(found: Sequence[T]) -> list[T]:
    """Oldest first; servers give the newest first."""
    return list(reversed(found))

"""The door to the account's server: atproto's client, refusals as the port's errors.

The session is refreshed by the library shortly before it ends, and kept in a file each time. Where
the server ended it before that, by its clock or its will, it is refreshed here, and replaced by
logging in only if that is refused too: servers allow few log-ins. They use the same words for what
an app password may not do, so the session itself is asked about first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx
import structlog
from atproto import AsyncClient, AsyncRequest, Session, SessionEvent, models  # type: ignore[import-untyped]
from atproto_client.exceptions import AtProtocolError  # type: ignore[import-untyped]

from bot.adapters.base import NetworkDown
from bot.adapters.bluesky.budget import CREATE_POINTS, Budget
from bot.adapters.bluesky.faults import barred, fault, is_expired
from bot.adapters.bluesky.refs import RecordRef
from bot.adapters.bluesky.session import SessionFile

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

R = TypeVar("R")

REQUEST_S = 20.0
_PAGE = 100
_POST = "app.bsky.feed.post"


class Client:
    """One account.

    Every method raises `NetworkDown` (no answer), `RateLimited`, `LoggedOut` (the password is
    refused), `Unreachable` (closed to the bot, or gone) or `SendRejected`.
    """

    def __init__(
        self,
        service: str,
        handle: str,
        app_password: str,
        kept: SessionFile,
        budget: Budget,
    ) -> None:
        self._handle = handle
        self._app_password = app_password
        self._kept = kept
        self._budget = budget
        self._api = AsyncClient(service, request=AsyncRequest(timeout=REQUEST_S))
        self._api.on_session_change(self._keep)
        self._chat = self._api.with_bsky_chat_proxy()
        self._logging_in = asyncio.Lock()
        self._logged_in = False
        self._closed = False
        self.did = ""

    async def close(self) -> None:
        """Close the connections, for good."""
        self._closed = True
        await self._api.request.close()
        await self._chat.request.close()

    async def log_in(self) -> None:
        """Be logged in, with the kept session where there is one."""
        async with self._logging_in:
            if not self._logged_in:
                await self._begin_session()

    async def notifications(
        self, cursor: str | None
    ) -> models.AppBskyNotificationListNotifications.Response:
        """A page of notifications, newest first."""
        params = models.AppBskyNotificationListNotifications.Params(cursor=cursor, limit=_PAGE)
        return await self._call(lambda: self._api.app.bsky.notification.list_notifications(params))

    async def post(self, uri: str) -> models.AppBskyFeedDefs.PostView | None:
        """One post as it stands now, or None."""
        params = models.AppBskyFeedGetPosts.Params(uris=[uri])
        found = await self._call(lambda: self._api.app.bsky.feed.get_posts(params))
        return found.posts[0] if found.posts else None

    async def create_post(self, key: str, record: models.AppBskyFeedPost.Record) -> RecordRef:
        """Post under a key, which makes it once however often this is called."""
        self._budget.spend(CREATE_POINTS)
        create = models.ComAtprotoRepoCreateRecord.Data(
            repo=self.did, collection=_POST, rkey=key, record=record
        )
        made = await self._call(lambda: self._api.com.atproto.repo.create_record(create))
        return RecordRef(made.uri, made.cid)

    async def own_post(self, key: str) -> RecordRef:
        """The bot's own post under a key. Raises `Unreachable` where there is none."""
        params = models.ComAtprotoRepoGetRecord.Params(collection=_POST, repo=self.did, rkey=key)
        found = await self._call(lambda: self._api.com.atproto.repo.get_record(params))
        return RecordRef(found.uri, found.cid or "")

    async def upload(self, body: bytes) -> models.ComAtprotoRepoUploadBlob.Response:
        """Put a picture on the server."""
        return await self._call(lambda: self._api.com.atproto.repo.upload_blob(body))

    async def chat_log(self, cursor: str | None) -> models.ChatBskyConvoGetLog.Response:
        """What happened in direct conversations after a cursor."""
        params = models.ChatBskyConvoGetLog.Params(cursor=cursor)
        return await self._call(lambda: self._chat.chat.bsky.convo.get_log(params))

    async def conversation_with(self, did: str) -> str:
        """The id of the direct conversation with somebody."""
        params = models.ChatBskyConvoGetConvoForMembers.Params(members=[did])
        found = await self._call(lambda: self._chat.chat.bsky.convo.get_convo_for_members(params))
        return str(found.convo.id)

    async def messages(self, convo_id: str) -> Sequence[object]:
        """The newest messages of a direct conversation."""
        params = models.ChatBskyConvoGetMessages.Params(convo_id=convo_id, limit=_PAGE)
        found = await self._call(lambda: self._chat.chat.bsky.convo.get_messages(params))
        messages: Sequence[object] = found.messages
        return messages

    async def send_message(
        self, convo_id: str, message: models.ChatBskyConvoDefs.MessageInput
    ) -> str:
        """Write into a direct conversation; gives the message's id."""
        data = models.ChatBskyConvoSendMessage.Data(convo_id=convo_id, message=message)
        sent = await self._call(lambda: self._chat.chat.bsky.convo.send_message(data))
        return str(sent.id)

    async def _begin_session(self) -> None:
        kept = self._kept.load()
        try:
            if kept is None or not await self._resume(kept):
                await self._api.login(self._handle, self._app_password, fetch_bsky_profile=False)
        except (AtProtocolError, httpx.HTTPError) as error:
            raise fault(error) from error
        self._logged_in = True

    async def _resume(self, kept: str) -> bool:
        """Go on with a session of before; False when the server no longer takes it."""
        try:
            await self._api.login(session_string=kept, fetch_bsky_profile=False)
            stands = await self._session_stands()
        except ValueError:
            stands = False
        if not stands:
            log.warning("bluesky_session_ended", handle=self._handle)
            self._kept.forget()
        return stands

    async def _session_stands(self) -> bool:
        """Whether the server takes the session, or has taken it back and refreshes it."""
        try:
            await self._api.com.atproto.server.get_session()
        except AtProtocolError as error:
            if not is_expired(error):
                raise
            return await self._refreshed()
        return True

    async def _refreshed(self) -> bool:
        """Refresh the session; False when the server does not do that any more."""
        kept = self._kept.load()
        if kept is None:
            return False
        session = Session.decode(kept)
        headers = {"Authorization": f"Bearer {session.refresh_jwt}"}
        try:
            fresh = await self._api.com.atproto.server.refresh_session(
                headers=headers, ignore_session_check=True
            )
        except AtProtocolError as error:
            if not is_expired(error):
                raise
            return False
        session.access_jwt, session.refresh_jwt = fresh.access_jwt, fresh.refresh_jwt
        self._kept.save(session.export())
        await self._api.login(session_string=session.export(), fetch_bsky_profile=False)
        return True

    async def _mend_session(self) -> None:
        """Begin it anew, unless the session stands: then the request was refused, not it."""
        async with self._logging_in:
            try:
                if self._logged_in and await self._session_stands():
                    return
            except (AtProtocolError, httpx.HTTPError) as error:
                raise fault(error) from error
            self._logged_in = False
            self._kept.forget()
            await self._begin_session()

    async def _call(self, request: Callable[[], Awaitable[R]]) -> R:
        if self._closed:
            raise NetworkDown("The connection to the server was closed.")
        await self.log_in()
        try:
            return await request()
        except (AtProtocolError, httpx.HTTPError) as error:
            if not is_expired(error):
                raise fault(error) from error
        await self._mend_session()
        try:
            return await request()
        except (AtProtocolError, httpx.HTTPError) as error:
            raise (barred(error) if is_expired(error) else fault(error)) from error

    def _keep(self, event: SessionEvent, session: Session) -> None:
        self.did = session.did
        if event is not SessionEvent.IMPORT:
            self._kept.save(session.export())

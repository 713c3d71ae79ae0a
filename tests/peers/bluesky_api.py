"""A server of the AT Protocol in memory: PDS, AppView and chat behind one address.

Every request is checked by the lexicon models, and every answer is made of them, so that neither
side can drift from the protocol. It knows only what it was asked for; all else is a test's fault.
"""

import base64
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from atproto import models  # type: ignore[import-untyped]
from atproto_client.models.utils import get_or_create  # type: ignore[import-untyped]

from tests.peers.bluesky_chat import CHAT_DID, ChatService, Refusal, claims_of, now
from tests.peers.local_server import serve

HANDLE, PASSWORD = "bot.test", "abcd-efgh-ijkl-mnop"
BOT = "did:plc:botbotbotbotbotbotbotbot"
ANNA = "did:plc:annaannaannaannaannaanna"
BOB = "did:plc:bobbobbobbobbobbobbobbob"
_HANDLES = {BOT: HANDLE, ANNA: "anna.test", BOB: "bob.test"}
_POST, _LIKE = "app.bsky.feed.post", "app.bsky.feed.like"
_FACET = "app.bsky.richtext.facet"
_TID = re.compile("[2-7a-j][2-7a-z]{12}")
#: A reply is told to the authors of so many posts above it.
_TOLD_ABOVE = 4
_TOLD_PAGE = 3
#: What a session may do that an app password began, with access to direct messages and without.
_SCOPES = {True: "com.atproto.appPassPrivileged", False: "com.atproto.appPass"}


@dataclass
class FakeBluesky:
    """`records` are posts by URI, `chats` messages by conversation; `faults` break one call each.

    `faults["com.atproto…"]` is a list of refusals; "lost" does the work and then breaks the
    connection. `calls` counts what was asked. `down`: nothing answers. `handles` are the people
    by DID; `blockers` those of them who blocked the bot. `privileged`: the app password has access
    to direct messages.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    chat: ChatService = field(default_factory=ChatService)
    faults: dict[str, list[Refusal | str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    blobs: list[int] = field(default_factory=list)
    session_s: float = 7_200.0
    handles: dict[str, str] = field(default_factory=lambda: dict(_HANDLES))
    privileged: bool = True
    down: bool = False
    base_url: str = ""
    _tokens: set[str] = field(default_factory=set)
    _rev: int = 0

    @property
    def blockers(self) -> set[str]:
        """One set for posts and messages, as a block is for both."""
        return self.chat.blockers

    async def __aenter__(self) -> "FakeBluesky":
        app = web.Application(client_max_size=2**21)
        app.router.add_route("*", "/xrpc/{method}", self._call)
        self._runner, self.base_url = await serve(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    # What people do

    def post(
        self,
        did: str,
        text: str,
        *,
        to: str | None = None,
        facets: list[dict[str, Any]] | None = None,
        embed: dict[str, Any] | None = None,
        created_at: str = "",
    ) -> str:
        """Somebody posts, and the bot is told if it is called or replied to; gives "uri cid".

        `to` is the "uri cid" that is answered. Without `facets` the bot's handle becomes a mention,
        as apps have it. `created_at` is what the author's clock said, or now.
        """
        record: dict[str, Any] = {"$type": _POST, "text": text, "createdAt": created_at or now()}
        facets = facets or _mentions(text)
        if facets:
            record["facets"] = facets
        if embed:
            record["embed"] = embed
        if to is not None:
            uri, cid = to.split(" ")
            strong = {"uri": uri, "cid": cid}
            above = self.records[uri]["value"].get("reply")
            record["reply"] = {"parent": strong, "root": above["root"] if above else strong}
        uri, cid = self._keep(did, self._key(), record)
        features = [feature for facet in facets for feature in facet["features"]]
        if any(feature.get("did") == BOT for feature in features):
            self._tell(did, uri, cid, record, "mention")
        elif own := self._own_above(record):
            self._tell(did, uri, cid, record, "reply", subject=own)
        return f"{uri} {cid}"

    def like(self, did: str, ref: str) -> None:
        """Somebody likes the post that "uri cid" names, rightly or not: one like for each URI."""
        uri, cid = ref.split(" ")
        record = {"$type": _LIKE, "subject": {"uri": uri, "cid": cid}, "createdAt": now()}
        self.told = [
            one
            for one in self.told
            if (one["reason"], one["author"]["did"], one.get("reasonSubject")) != ("like", did, uri)
        ]
        own_uri = f"at://{did}/{_LIKE}/{self._key()}"
        self._tell(did, own_uri, cid_of(record), record, "like", subject=uri)

    def delete(self, ref: str) -> None:
        """A post is gone, and what was told of it."""
        uri, _ = ref.split(" ")
        del self.records[uri]
        self.told = [one for one in self.told if uri not in (one["uri"], one.get("reasonSubject"))]

    def write(self, did: str, text: str, *, to: str | None = None) -> str:
        """Somebody writes to the bot directly; `to` is the id of a message. Gives the new id."""
        return self.chat.write(did, BOT, text, to=to)

    def written(self, did: str) -> list[dict[str, Any]]:
        """The direct messages of somebody and the bot, oldest first."""
        return self.chat.between(did, BOT)

    def said(self) -> list[dict[str, Any]]:
        """The bot's posts, oldest first."""
        return [r["value"] for uri, r in self.records.items() if uri.startswith(f"at://{BOT}/")]

    def end_sessions(self, *, for_good: bool = True) -> None:
        """No access token is good any more, and if for good no refresh token."""
        left = () if for_good else self._tokens
        self._tokens = {one for one in left if claims_of(one)["scope"] == "com.atproto.refresh"}

    # The server

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        fault = self.faults[method].pop(0) if self.faults.get(method) else None
        try:
            if isinstance(fault, Refusal):
                raise fault
            if method != "com.atproto.server.createSession":
                self._authorise(request, method)
            answer = await self._answer(request, method)
        except Refusal as refusal:
            return refusal.response()
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer)

    async def _answer(self, request: web.Request, method: str) -> Any:  # noqa: ANN401 - each its own
        if method.startswith("chat."):
            assert request.headers["atproto-proxy"] == f"{CHAT_DID}#bsky_chat"
            return await self.chat.answer(method, request, BOT)
        handler = getattr(self, method.replace(".", "_"), None)
        assert handler is not None, f"nobody should ask for {method}"
        return await handler(request)

    def _authorise(self, request: web.Request, method: str) -> None:
        if "Authorization" not in request.headers:
            raise Refusal(401, "AuthMissing", "Authentication Required")
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token not in self._tokens:
            raise Refusal(400, "ExpiredToken", "Token has expired")
        refresh = method == "com.atproto.server.refreshSession"
        scope = claims_of(token)["scope"]
        if (scope == "com.atproto.refresh") != refresh:
            raise Refusal(400, "InvalidToken", "Token could not be verified")
        if method.startswith("chat.") and scope != _SCOPES[True]:
            # The words of an ended session, for one that stands.
            raise Refusal(400, "InvalidToken", "Bad token method")

    async def com_atproto_server_createSession(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - the protocol's name
        data = await checked(request, models.ComAtprotoServerCreateSession.Data)
        if (data.identifier, data.password) != (HANDLE, PASSWORD):
            raise Refusal(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    async def com_atproto_server_refreshSession(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        if await request.read():
            raise Refusal(
                400, "InvalidRequest", "A request body was provided when none was expected"
            )
        return self._session()

    async def com_atproto_server_getSession(self, _request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        return {"did": BOT, "handle": HANDLE}

    async def app_bsky_notification_listNotifications(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        params = models.AppBskyNotificationListNotifications.Params(
            cursor=request.query.get("cursor"), limit=int(request.query["limit"])
        )
        start = int(params.cursor or 0)
        newest = sorted(self.told, key=lambda one: str(one["indexedAt"]), reverse=True)
        page = newest[start : start + _TOLD_PAGE]
        # What is hidden is taken out of a page that was cut before, which may leave it empty.
        seen = [one for one in page if one["author"]["did"] not in self.blockers]
        answer: dict[str, Any] = {"notifications": seen, "priority": False}
        if start + _TOLD_PAGE < len(newest):
            answer["cursor"] = str(start + _TOLD_PAGE)
        get_or_create(answer, models.AppBskyNotificationListNotifications.Response)
        return answer

    async def app_bsky_feed_getPosts(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        posts = []
        for uri in request.query.getall("uris"):
            kept = self.records.get(uri)
            did = uri.split("/")[2]
            if kept is not None and did not in self.blockers:
                posts.append(
                    {
                        "uri": uri,
                        "cid": kept["cid"],
                        "author": self.author(did),
                        "record": kept["value"],
                        "indexedAt": now(),
                    }
                )
        answer = {"posts": posts}
        get_or_create(answer, models.AppBskyFeedGetPosts.Response)
        return answer

    async def com_atproto_repo_createRecord(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        body = await request.json()
        data = get_or_create(body, models.ComAtprotoRepoCreateRecord.Data)
        assert (data.repo, data.collection) == (BOT, _POST)
        assert _TID.fullmatch(data.rkey)
        record = get_or_create(body["record"], models.AppBskyFeedPost.Record)
        self._check_post(record)
        if f"at://{BOT}/{_POST}/{data.rkey}" in self.records:
            raise Refusal(500, "InternalServerError", "Internal Server Error")
        uri, cid = self._keep(BOT, data.rkey, body["record"])
        return {"uri": uri, "cid": cid, "validationStatus": "valid"}

    def _check_post(self, record: Any) -> None:  # noqa: ANN401 - the library ships no types
        assert 0 < len(record.text) <= 300
        parent = record.reply.parent
        assert self.records[parent.uri]["cid"] == parent.cid
        body = record.text.encode()
        for facet in record.facets or ():
            # A slice that cuts a character in two raises here.
            assert body[facet.index.byte_start : facet.index.byte_end].decode()

    async def com_atproto_repo_getRecord(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        params = models.ComAtprotoRepoGetRecord.Params(**request.query)
        uri = f"at://{params.repo}/{params.collection}/{params.rkey}"
        if uri not in self.records:
            raise Refusal(400, "RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, **self.records[uri]}

    async def com_atproto_repo_uploadBlob(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        body = await request.read()
        assert 0 < len(body) <= 1_000_000
        self.blobs.append(len(body))
        cid = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
        return {
            "blob": {
                "$type": "blob",
                "ref": {"$link": cid},
                "mimeType": "image/jpeg",
                "size": len(body),
            }
        }

    # What it keeps

    def author(self, did: str) -> dict[str, Any]:
        """Somebody by the handle of now."""
        return {"did": did, "handle": self.handles[did]}

    def _session(self) -> dict[str, Any]:
        scopes = (_SCOPES[self.privileged], "com.atproto.refresh")
        tokens = [_jwt(scope, self.session_s) for scope in scopes]
        self._tokens.update(tokens)
        return {
            "accessJwt": tokens[0],
            "refreshJwt": tokens[1],
            "handle": HANDLE,
            "did": BOT,
            "active": True,
        }

    def _key(self) -> str:
        self._rev += 1
        return f"3k{self._rev:0>11}".translate(str.maketrans("0189", "wxyz"))

    def _keep(self, did: str, key: str, record: dict[str, Any]) -> tuple[str, str]:
        get_or_create(record, models.AppBskyFeedPost.Record)
        uri, cid = f"at://{did}/{_POST}/{key}", cid_of(record)
        self.records[uri] = {"cid": cid, "value": record}
        return uri, cid

    def _own_above(self, record: dict[str, Any]) -> str | None:
        """The nearest post of the bot above a reply, as far up as is told."""
        for _ in range(_TOLD_ABOVE):
            reply = record.get("reply")
            if reply is None:
                return None
            uri: str = reply["parent"]["uri"]
            if uri.startswith(f"at://{BOT}/"):
                return uri
            if uri not in self.records:
                return None
            record = self.records[uri]["value"]
        return None

    def _tell(
        self,
        did: str,
        uri: str,
        cid: str,
        record: dict[str, Any],
        reason: str,
        *,
        subject: str | None = None,
    ) -> None:
        told = {
            "uri": uri,
            "cid": cid,
            "author": self.author(did),
            "reason": reason,
            "record": record,
            "isRead": False,
            # By this they are ordered: a record from before now is put among those of before.
            "indexedAt": min(record["createdAt"], now()),
            "labels": [],
        }
        if subject is not None:
            told["reasonSubject"] = subject
        self.told.append(told)


def _mentions(text: str) -> list[dict[str, Any]]:
    """The first mention of the bot, as apps mark it: by its place in the UTF-8 bytes."""
    before, mention, _ = text.partition(f"@{HANDLE}")
    if not mention:
        return []
    start = len(before.encode())
    index = {"byteStart": start, "byteEnd": start + len(mention)}
    return [{"index": index, "features": [{"$type": f"{_FACET}#mention", "did": BOT}]}]


def cid_of(record: dict[str, Any]) -> str:
    """A CID in form: what it stands for is another, so is it."""
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()
    raw = bytes([1, 0x71, 0x12, 0x20]) + digest
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


async def checked(request: web.Request, kind: Any) -> Any:  # noqa: ANN401 - the library ships no types
    return get_or_create(await request.json(), kind)


def _jwt(scope: str, for_s: float) -> str:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    ends_at = time.time() + for_s
    claims = {
        "scope": scope,
        "sub": BOT,
        "iat": int(time.time()),
        "exp": int(ends_at),
        "aud": "did:web:test",
        "jti": f"{ends_at}",
    }
    return f"{part({'alg': 'HS256', 'typ': 'at+jwt'})}.{part(claims)}.c2ln"

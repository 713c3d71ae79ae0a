"""A server of the AT Protocol in memory: PDS, AppView and chat behind one address.

Every request is checked by the lexicon models, and every answer is made of them, so that neither
side can drift from the protocol. It knows only what it was asked for; all else is a test's fault.
"""

import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from atproto import models  # type: ignore[import-untyped]
from atproto_client.models.utils import get_or_create  # type: ignore[import-untyped]

from tests.peers.local_server import serve

HANDLE, PASSWORD = "bot.test", "abcd-efgh-ijkl-mnop"
BOT = "did:plc:botbotbotbotbotbotbotbot"
ANNA = "did:plc:annaannaannaannaannaanna"
BOB = "did:plc:bobbobbobbobbobbobbobbob"
_HANDLES = {BOT: HANDLE, ANNA: "anna.test", BOB: "bob.test"}
_POST = "app.bsky.feed.post"
_TID = set("234567abcdefghijklmnopqrstuvwxyz")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """An XRPC error."""

    def __init__(self, status: int, name: str, message: str = "", **headers: str) -> None:
        super().__init__(name)
        self.status, self.name, self.message, self.headers = status, name, message, headers


@dataclass
class FakeBluesky:
    """`records` are posts by URI, `chats` messages by conversation; `faults` break one call each.

    `faults["com.atproto…"]` is a list of refusals; "lost" does the work and then breaks the
    connection. `calls` counts what was asked. `down`: nothing answers. `handles` are the people
    by DID; `blockers` those of them who blocked the bot.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    chats: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    faults: dict[str, list[Refusal | str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    blobs: list[int] = field(default_factory=list)
    session_s: float = 7_200.0
    handles: dict[str, str] = field(default_factory=lambda: dict(_HANDLES))
    blockers: set[str] = field(default_factory=set)
    down: bool = False
    base_url: str = ""
    _tokens: set[str] = field(default_factory=set)
    _rev: int = 0

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
        reason: str = "mention",
    ) -> str:
        """Somebody posts, and the bot is told; `to` is "uri cid". Gives "uri cid"."""
        record: dict[str, Any] = {"$type": _POST, "text": text, "createdAt": now()}
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
        self._tell(did, uri, cid, record, reason)
        return f"{uri} {cid}"

    def like(self, did: str, ref: str) -> None:
        """Somebody likes the post that "uri cid" names, rightly or not."""
        uri, cid = ref.split(" ")
        subject = {"uri": uri, "cid": cid}
        record = {"$type": "app.bsky.feed.like", "subject": subject, "createdAt": now()}
        key = self._key()
        self._tell(did, f"at://{did}/app.bsky.feed.like/{key}", cid_of(record), record, "like")

    def write(self, did: str, text: str, *, to: str | None = None) -> str:
        """Somebody writes to the bot directly; `to` is the id of a message. Gives the new id."""
        message = self._message(did, {"text": text})
        if to is not None:
            answered = next(m for m in self.chats[convo_of(did)] if m["id"] == to)
            message["replyTo"] = answered
        self.chats.setdefault(convo_of(did), []).append(message)
        self.log.append(
            {
                "$type": "chat.bsky.convo.defs#logCreateMessage",
                "rev": message["rev"],
                "convoId": convo_of(did),
                "message": message,
            }
        )
        return str(message["id"])

    def said(self) -> list[dict[str, Any]]:
        """The bot's posts, oldest first."""
        return [r["value"] for uri, r in self.records.items() if uri.startswith(f"at://{BOT}/")]

    def end_sessions(self) -> None:
        """No token is good any more."""
        self._tokens.clear()

    # The server

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        handler = getattr(self, method.replace(".", "_"), None)
        assert handler is not None, f"nobody should ask for {method}"
        fault = self.faults[method].pop(0) if self.faults.get(method) else None
        try:
            if isinstance(fault, Refusal):
                raise fault
            if method != "com.atproto.server.createSession":
                self._authorise(request, refresh=method.endswith("refreshSession"))
            if method.startswith("chat."):
                assert request.headers["atproto-proxy"] == "did:web:api.bsky.chat#bsky_chat"
            answer = await handler(request)
        except Refusal as refusal:
            body = {"error": refusal.name, "message": refusal.message}
            headers = {name.replace("_", "-"): value for name, value in refusal.headers.items()}
            return web.json_response(body, status=refusal.status, headers=headers)
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer)

    def _authorise(self, request: web.Request, *, refresh: bool) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self._tokens:
            raise Refusal(400, "ExpiredToken", "Token has expired")
        scope = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["scope"]
        assert scope == ("com.atproto.refresh" if refresh else "com.atproto.access")

    async def com_atproto_server_createSession(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - the protocol's name
        data = await checked(request, models.ComAtprotoServerCreateSession.Data)
        if (data.identifier, data.password) != (HANDLE, PASSWORD):
            raise Refusal(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    async def com_atproto_server_refreshSession(self, _request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        return self._session()

    async def com_atproto_server_getSession(self, _request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        return {"did": BOT, "handle": HANDLE}

    async def app_bsky_notification_listNotifications(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        params = models.AppBskyNotificationListNotifications.Params(
            cursor=request.query.get("cursor"), limit=int(request.query["limit"])
        )
        start = int(params.cursor or 0)
        newest = sorted(self.told, key=lambda one: str(one["indexedAt"]), reverse=True)
        page = newest[start : start + 3]
        answer: dict[str, Any] = {"notifications": page}
        if start + 3 < len(newest):
            answer["cursor"] = str(start + 3)
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
        assert len(data.rkey) == 13
        assert set(data.rkey) <= _TID
        record = get_or_create(body["record"], models.AppBskyFeedPost.Record)
        self._check_post(record)
        if f"at://{BOT}/{_POST}/{data.rkey}" in self.records:
            raise Refusal(500, "InternalServerError", "Internal Server Error")
        uri, cid = self._keep(BOT, data.rkey, body["record"])
        return {"uri": uri, "cid": cid}

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

    async def chat_bsky_convo_getConvoForMembers(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        [did] = request.query.getall("members")
        if did in self.closed:
            raise Refusal(400, "MessagesDisabled", "recipient has disabled incoming messages")
        if did in self.blockers:
            raise Refusal(400, "BlockedActor", "recipient has blocked the sender")
        convo = {
            "id": convo_of(did),
            "rev": "1",
            "members": [self.author(BOT), self.author(did)],
            "muted": False,
            "unreadCount": 0,
        }
        get_or_create({"convo": convo}, models.ChatBskyConvoGetConvoForMembers.Response)
        return {"convo": convo}

    async def chat_bsky_convo_sendMessage(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        data = await checked(request, models.ChatBskyConvoSendMessage.Data)
        body = (await request.json())["message"]
        assert 0 < len(data.message.text) <= 1_000
        message = self._message(BOT, {k: v for k, v in body.items() if k in ("text", "facets")})
        self.chats.setdefault(data.convo_id, []).append(message)
        return message

    async def chat_bsky_convo_getMessages(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        messages = self.chats.get(request.query["convoId"], [])
        return {"messages": [{**m, "$type": f"{_DEFS}#messageView"} for m in messages[::-1]]}

    async def chat_bsky_convo_getLog(self, request: web.Request) -> dict[str, Any]:  # noqa: N802 - same
        after = int(request.query.get("cursor") or 0)
        logs = [entry for entry in self.log if int(entry["rev"]) > after]
        answer = {"logs": logs, "cursor": str(max((int(e["rev"]) for e in logs), default=after))}
        get_or_create(answer, models.ChatBskyConvoGetLog.Response)
        return answer

    # What it keeps

    def author(self, did: str) -> dict[str, Any]:
        """Somebody by the handle of now."""
        return {"did": did, "handle": self.handles[did]}

    def _session(self) -> dict[str, Any]:
        tokens = [_jwt(scope, self.session_s) for scope in ("access", "refresh")]
        self._tokens.update(tokens)
        return {"accessJwt": tokens[0], "refreshJwt": tokens[1], "handle": HANDLE, "did": BOT}

    def _key(self) -> str:
        self._rev += 1
        return f"3k{self._rev:0>11}".translate(str.maketrans("0189", "wxyz"))

    def _keep(self, did: str, key: str, record: dict[str, Any]) -> tuple[str, str]:
        get_or_create(record, models.AppBskyFeedPost.Record)
        uri, cid = f"at://{did}/{_POST}/{key}", cid_of(record)
        self.records[uri] = {"cid": cid, "value": record}
        return uri, cid

    def _tell(self, did: str, uri: str, cid: str, record: dict[str, Any], reason: str) -> None:
        if did in self.blockers:
            return
        self.told.append(
            {
                "uri": uri,
                "cid": cid,
                "author": self.author(did),
                "reason": reason,
                "record": record,
                "isRead": False,
                "indexedAt": now(),
            }
        )

    def _message(self, did: str, content: dict[str, Any]) -> dict[str, Any]:
        self._rev += 1
        message = {
            "$type": "chat.bsky.convo.defs#messageView",
            "id": f"m{self._rev}",
            "rev": f"{self._rev:0>6}",
            "sender": {"did": did},
            "sentAt": now(),
            **content,
        }
        get_or_create(message, models.ChatBskyConvoDefs.MessageView)
        return message


_DEFS = "chat.bsky.convo.defs"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def convo_of(did: str) -> str:
    return f"convo-{did[-6:]}"


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
        "scope": f"com.atproto.{scope}",
        "sub": BOT,
        "iat": int(time.time()),
        "exp": int(ends_at),
        "aud": "did:web:test",
        "jti": f"{ends_at}",
    }
    return f"{part({'alg': 'HS256', 'typ': 'at+jwt'})}.{part(claims)}.c2ln"

"""Bluesky's chat service in memory, as there is no local server of it: direct messages of two.

`FakeBluesky` has one inside. Behind a real PDS it is a server of its own, `ChatServer`, which that
PDS asks in the name of whoever is logged in there.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from atproto import models  # type: ignore[import-untyped]
from atproto_client.models.utils import get_or_create  # type: ignore[import-untyped]

from tests.peers.local_server import serve

#: Where apps say that their requests are to go, and the audience that a PDS then signs for.
CHAT_DID = "did:web:api.bsky.chat"
_DEFS = "chat.bsky.convo.defs"


class Refusal(Exception):
    """An XRPC error."""

    def __init__(self, status: int, name: str, message: str = "", **headers: str) -> None:
        super().__init__(name)
        self.status, self.name, self.message, self.headers = status, name, message, headers

    def response(self) -> web.Response:
        body = {"error": self.name, "message": self.message}
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return web.json_response(body, status=self.status, headers=headers)


@dataclass
class ChatService:
    """`closed` are those who take no direct messages, `blockers` those who blocked all others."""

    closed: set[str] = field(default_factory=set)
    blockers: set[str] = field(default_factory=set)
    _chats: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _log: list[dict[str, Any]] = field(default_factory=list)
    _rev: int = 0

    def between(self, *dids: str) -> list[dict[str, Any]]:
        """The messages of two people, oldest first."""
        return self._chats.get(convo_of(*dids), [])

    def write(self, did: str, to_did: str, text: str, *, to: str | None = None) -> str:
        """Somebody writes to somebody; `to` is the id of a message. Gives the new id."""
        content: dict[str, Any] = {"text": text}
        if to is not None:
            answered = next(m for m in self.between(did, to_did) if m["id"] == to)
            content["replyTo"] = {**answered, "$type": f"{_DEFS}#messageView"}
        return str(self._keep(did, convo_of(did, to_did), content)["id"])

    async def answer(self, method: str, request: web.Request, did: str) -> Mapping[str, Any]:
        """Answer a request that somebody made. Raises `Refusal`."""
        match method.removeprefix("chat.bsky.convo."):
            case "getConvoForMembers":
                return self._convo(request, did)
            case "sendMessage":
                return self._sent(await request.json(), did)
            case "getMessages":
                return self._messages(request, did)
            case "getLog":
                return self._news(request, did)
            case _:
                raise AssertionError(f"nobody should ask for {method}")

    def _convo(self, request: web.Request, did: str) -> dict[str, Any]:
        [other] = request.query.getall("members")
        if other in self.closed:
            raise Refusal(400, "MessagesDisabled", "recipient has disabled incoming messages")
        if other in self.blockers:
            raise Refusal(400, "BlockedActor", "recipient has blocked the sender")
        convo = {
            "id": convo_of(did, other),
            "rev": "1",
            "members": [{"did": one, "handle": "handle.invalid"} for one in (did, other)],
            "muted": False,
            "unreadCount": 0,
        }
        get_or_create({"convo": convo}, models.ChatBskyConvoGetConvoForMembers.Response)
        return {"convo": convo}

    def _sent(self, body: dict[str, Any], did: str) -> dict[str, Any]:
        data = get_or_create(body, models.ChatBskyConvoSendMessage.Data)
        assert did in data.convo_id
        assert 0 < len(data.message.text) <= 1_000
        written = body["message"]
        return self._keep(
            did, data.convo_id, {k: v for k, v in written.items() if k in ("text", "facets")}
        )

    def _messages(self, request: web.Request, did: str) -> dict[str, Any]:
        convo_id = request.query["convoId"]
        assert did in convo_id
        messages = self._chats.get(convo_id, [])
        return {"messages": [{**m, "$type": f"{_DEFS}#messageView"} for m in messages[::-1]]}

    def _news(self, request: web.Request, did: str) -> dict[str, Any]:
        after = int(request.query.get("cursor") or 0)
        logs = [one for one in self._log if int(one["rev"]) > after and did in one["convoId"]]
        answer = {"logs": logs, "cursor": str(max((int(e["rev"]) for e in logs), default=after))}
        get_or_create(answer, models.ChatBskyConvoGetLog.Response)
        return answer

    def _keep(self, did: str, convo_id: str, content: dict[str, Any]) -> dict[str, Any]:
        self._rev += 1
        message = {
            "$type": f"{_DEFS}#messageView",
            "id": f"m{self._rev}",
            "rev": f"{self._rev:0>6}",
            "sender": {"did": did},
            "sentAt": now(),
            **content,
        }
        get_or_create(message, models.ChatBskyConvoDefs.MessageView)
        self._chats.setdefault(convo_id, []).append(message)
        self._log.append(
            {
                "$type": f"{_DEFS}#logCreateMessage",
                "rev": message["rev"],
                "convoId": convo_id,
                "message": message,
            }
        )
        return message


class ChatServer:
    """The service at an address of its own, for a PDS that passes requests on to it."""

    def __init__(self) -> None:
        self.service = ChatService()
        self.base_url = ""

    async def __aenter__(self) -> "ChatServer":
        app = web.Application()
        app.router.add_route("*", "/xrpc/{method}", self._call)
        self._runner, self.base_url = await serve(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        claims = claims_of(request.headers["Authorization"].removeprefix("Bearer "))
        assert (claims["aud"], claims["lxm"]) == (CHAT_DID, method)
        try:
            return web.json_response(await self.service.answer(method, request, claims["iss"]))
        except Refusal as refusal:
            return refusal.response()


def claims_of(token: str) -> dict[str, Any]:
    """What a JSON web token says, believed."""
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


def convo_of(*dids: str) -> str:
    """The conversation of two, whichever of them is named first."""
    return " ".join(sorted(dids)).replace(" ", "_")


def written(instant: datetime) -> str:
    """An instant of UTC as the protocol writes it."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The present instant."""
    return written(datetime.now(UTC))

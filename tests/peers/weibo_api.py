"""Weibo as its documents describe it: pushes to the bot, and takes answers, strictly."""

import json
import secrets
from dataclasses import dataclass, field

# By name: it stays what it is when a test moves the bot's clock, as the one in the adapter does.
from time import gmtime, strftime, time
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from bot.adapters.weibo.push import sign
from tests.peers.local_server import serve

SECRET = "app-secret"
TOKEN = "token-of-the-account"
BOT = "1902538057"
ANNA = "2489518277"
_TYPES = {"text", "articles"}
_ARTICLE = {"display_name", "summary", "image", "url"}


@dataclass
class FakeWeibo:
    """`messages` is what people got: receiver, type and content. `faults` are the next answers.

    `down`: nothing answers. `closed_to` are people who take nothing from the account.
    """

    base_url: str = ""
    messages: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    faults: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: int = 0
    down: bool = False
    closed_to: set[str] = field(default_factory=set)

    async def __aenter__(self) -> "FakeWeibo":
        app = web.Application()
        app.router.add_post("/2/messages/reply.json", self._reply)
        self._runner, self.base_url = await serve(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _reply(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.faults:
            status, body = self.faults.pop(0)
            return web.json_response(body, status=status)
        assert request.content_type == "application/x-www-form-urlencoded"
        form = await request.post()
        assert set(form) == {"access_token", "type", "data", "receiver_id"}
        if form["access_token"] != TOKEN:
            return web.json_response(
                {"error": "invalid_access_token", "error_code": 21332}, status=403
            )
        if form["receiver_id"] in self.closed_to:
            return web.json_response(
                {"error": "Insufficient app permissions!", "error_code": 10014}, status=403
            )
        self.take(str(form["receiver_id"]), str(form["type"]), json.loads(str(form["data"])))
        return web.json_response(
            {"result": True, "sender_id": BOT, "receiver_id": form["receiver_id"]}
        )

    def take(self, receiver_id: str, kind: str, content: dict[str, Any]) -> None:
        """A message that somebody gets, if it is as the documents want it."""
        assert receiver_id.isdecimal()
        assert kind in _TYPES
        if kind == "text":
            assert set(content) == {"text"}
            assert 0 < len(content["text"]) <= 300
        else:
            assert 0 < len(content["articles"]) <= 8
            for article in content["articles"]:
                assert set(article) == _ARTICLE
                assert article["display_name"]
                assert article["url"].startswith("http")
        self.messages.append((receiver_id, kind, content))

    def push(self, text: str, **changed: object) -> bytes:
        """A message that somebody wrote to the account."""
        body: dict[str, object] = {
            "type": "text",
            "receiver_id": int(BOT),
            "sender_id": int(ANNA),
            "created_at": strftime("%a %b %d %H:%M:%S +0000 %Y", gmtime()),
            "text": text,
            "data": {},
        }
        return json.dumps(body | changed).encode()

    def query(self, secret: str = SECRET) -> dict[str, str]:
        """What Weibo puts behind the address."""
        stamp, nonce = str(int(time() * 1000)), str(secrets.randbelow(10**8))
        return {"timestamp": stamp, "nonce": nonce, "signature": sign(secret, stamp, nonce)}

    async def deliver(
        self, url: str, body: bytes, query: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """One push; an answer in its response reaches the person at once."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.post(url, params=query or self.query(), data=body) as response,
        ):
            said = await response.text()
            if response.status == 200 and said:
                answer = json.loads(said)
                assert set(answer) == {"result", "sender_id", "receiver_id", "type", "data"}
                assert answer["result"] is True
                assert answer["sender_id"] == BOT
                content = json.loads(unquote(answer["data"]))
                self.take(answer["receiver_id"], answer["type"], content)
            return response.status, said

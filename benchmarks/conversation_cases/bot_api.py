"""A Bot API server that answers at once and counts, so cheap that it is not what is measured.

It believes every request; whether the bot's requests are right is what the tests' server tells
(`tests/peers/telegram_api/`).
"""

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl

import msgspec

from benchmarks.conversation_cases.http_answers import Answered, Server

TOKEN = "424242:AAE-of_the_benchmark"  # noqa: S105 - nobody's
BOT = {
    "id": 424242,
    "is_bot": True,
    "first_name": "Payontap",
    "username": "payontap_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": True,
    "supports_inline_queries": True,
}
_CHAT_ID = re.compile(rb'name="chat_id"\r\n(?:[^\r\n]+\r\n)*\r\n(-?\d+)\r\n')
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode

Parameters = Mapping[str, Any]


class BotApi:
    """One server with one bot. Start it with `async with`.

    `calls` counts by method. `toasts` are the taps that wait for their answer, by the query's id.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.toasts: dict[str, asyncio.Future[str]] = {}
        self.secret = ""
        self.url = ""
        self._webhook = ""
        self._agreed = asyncio.Event()
        self._numbers = itertools.count(1_000_000)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Server(self._answer), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def agreed(self) -> None:
        """Until a bot has said where updates are to be brought."""
        await self._agreed.wait()
        self._agreed.clear()

    @property
    def messages(self) -> int:
        """How many were sent so far, pictures among them."""
        return self.calls["sendMessage"] + self.calls["sendPhoto"]

    async def said(self, count: int) -> None:
        """Until so many messages were sent."""
        while self.messages < count:
            self._changed.clear()
            await self._changed.wait()

    def _answer(self, path: str, kind: str, body: bytes) -> Answered:
        method = path.rpartition("/")[2]
        self.calls[method] += 1
        self._changed.set()
        status, result = self._result(method, _parameters(kind, body))
        if status == 200:  # noqa: PLR2004 - HTTP's
            return status, _encode({"ok": True, "result": result})
        return status, _encode({"ok": False, "error_code": status, "description": result})

    def _result(self, method: str, given: Parameters) -> tuple[int, Any]:
        match method:
            case "sendMessage" | "sendPhoto" | "editMessageText" | "editMessageCaption":
                return 200, self._message(method, given)
            case "answerCallbackQuery":
                waiting = self.toasts.pop(str(given["callback_query_id"]), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(str(given.get("text", "")))
                return 200, True
            case "getMe":
                return 200, BOT
            case "setWebhook":
                self._webhook, self.secret = given["url"], given.get("secret_token", "")
                self._agreed.set()
                return 200, True
            case "getWebhookInfo":
                return 200, {"url": self._webhook, "pending_update_count": 0}
            case "deleteEphemeralMessage":
                # The method is known; what it names is not there.
                return 400, "Bad Request: message to delete not found"
            case _:
                return 200, True

    def _message(self, method: str, given: Parameters) -> Mapping[str, Any]:
        chat_id = int(given.get("chat_id", 0))
        number = int(given.get("message_id", 0)) or next(self._numbers)
        kind = "private" if chat_id > 0 else "supergroup"
        shown: dict[str, Any] = {
            "message_id": number,
            "from": BOT,
            "chat": {"id": chat_id, "type": kind, "title": "Tea"},
            "date": int(time.time()),
        }
        if "ephemeral_message_parameters" in given:
            receiver = given["ephemeral_message_parameters"]["receiver_user_id"]
            shown |= {"message_id": 0, "ephemeral_message_id": number}
            shown["receiver_user"] = {"id": receiver, "is_bot": False, "first_name": "Anna"}
        if "Photo" in method or "Caption" in method:
            size = {"file_id": "photo-1", "file_unique_id": "1", "width": 640, "height": 640}
            return shown | {"photo": [size], "caption": given.get("caption", "")}
        return shown | {"text": given.get("text", "")}


def _parameters(kind: str, body: bytes) -> Parameters:
    if kind.startswith("application/json"):
        return _decode(body)
    if kind.startswith("multipart/"):
        found = _CHAT_ID.search(body)
        return {"chat_id": found[1].decode()} if found else {}
    return dict(parse_qsl(body.decode()))

"""The server itself: requests in, weather over it, and what people do at their apps."""

import asyncio
import re
from collections import Counter, deque
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.peers.telegram_api.answers import Answers
from tests.peers.telegram_api.delivery import Delivery
from tests.peers.telegram_api.json_value import Json
from tests.peers.telegram_api.limits import utf16
from tests.peers.telegram_api.parsing import parameters_of, parsed
from tests.peers.telegram_api.refusals import Refused, too_many
from tests.peers.telegram_api.state import Chat, Message, Query, State, User

TOKEN = "424242:AAE-of_the_tests"
BOT = {
    "id": 424242,
    "is_bot": True,
    "first_name": "Payontap",
    "username": "payontap_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": True,
    "supports_inline_queries": True,
}
_URL = re.compile(r"https?://[^\s。，！？、）)]+")
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]+(?:@\w+)?")


class TelegramApi:
    """One server with one bot. Start it with `async with`.

    `down`: it does not answer. `answers_lost`: so many answers are lost after the work is done.
    `told_to_wait`: methods whose next calls are refused with 429, and for how long.
    """

    def __init__(self) -> None:
        self.state = State()
        self.delivery = Delivery()
        self.bot = dict(BOT)
        self.answers = Answers(self.state, self.delivery, self.bot)
        self.calls: Counter[str] = Counter()
        self.order: deque[tuple[str, dict[str, Any]]] = deque(maxlen=2_000)
        self.refused: list[tuple[str, str]] = []
        self.token = TOKEN
        self.down = False
        self.answers_lost: Counter[str] = Counter()
        self.told_to_wait: dict[str, list[int]] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=20 * 2**20)
        app.router.add_post("/bot{token}/{method}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.delivery.close()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=502)
        try:
            result = await self._answered(request, method)
        except Refused as refused:
            self.refused.append((method, refused.description))
            return web.json_response(refused.body, status=refused.code)
        if self.answers_lost[method] > 0:
            self.answers_lost[method] -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True, "result": result})

    async def _answered(self, request: web.Request, method: str) -> Json:
        if request.match_info["token"] != self.token:
            raise Refused(401, "Unauthorized")
        given, files = await parameters_of(request)
        understood = parsed(method, given)
        self.calls[method] += 1
        self.order.append((method, given))
        waits = self.told_to_wait.get(method)
        if waits:
            raise too_many(waits.pop(0))
        return await self.answers.answer(understood, files)

    # --- people and chats ----------------------------------------------------------------------

    def person(self, name: str, *, started: bool = True) -> User:
        """Somebody new; `started`: has a chat with the bot."""
        user = User(self.state.number("users", 5_000_001), name, started)
        self.state.users[user.id] = user
        self.state.chats[user.id] = Chat(user.id, "private", name, {user.id}, "member")
        return user

    def group(self, *users: User, kind: str = "supergroup", title: str = "Tea") -> Chat:
        """A group of these people, without the bot."""
        first = -4_000_000 if kind == "group" else -1_002_000_000_000
        number = first - self.state.number("groups")
        chat = Chat(number, kind, title, {user.id for user in users})
        self.state.chats[chat.id] = chat
        return chat

    def set_bot(self, chat: Chat, by: User, status: str) -> None:
        """Somebody adds the bot, makes it an admin, or throws it out."""
        old, chat.bot = chat.bot, status
        change = {
            "chat": chat.json,
            "from": by.json,
            "date": int(self.state.now_s()),
            "old_chat_member": {"status": old, "user": self.bot},
            "new_chat_member": {"status": status, "user": self.bot},
        }
        self.delivery.put("my_chat_member", change, f"chat-{chat.id}")

    def migrate(self, chat: Chat, by: User) -> Chat:
        """The group becomes a supergroup."""
        fresh = self.group(kind="supergroup", title=chat.title)
        fresh.members, fresh.bot = set(chat.members), chat.bot
        chat.moved_to = fresh.id
        said = self._said(chat, by, migrate_to_chat_id=fresh.id)
        self.delivery.put("message", said, f"chat-{chat.id}")
        said = self._said(fresh, by, migrate_from_chat_id=chat.id)
        self.delivery.put("message", said, f"chat-{fresh.id}")
        return fresh

    # --- what people do ------------------------------------------------------------------------

    def write(self, chat: Chat, user: User | None, text: str, **more: Json) -> int:
        """Somebody writes; gives the message's id. `more` are fields of the API's message."""
        kind = str(more.pop("as_kind", "channel_post" if chat.type == "channel" else "message"))
        message_id = more.pop("message_id", None) or self.state.number(f"messages-{chat.id}")
        if chat.type == "private" and user is not None and "business" not in kind:
            user.started = True
            chat.bot = "member"
        body = self._said(chat, user, message_id=message_id)
        where = "caption" if more.pop("as_caption", False) else "text"
        body |= {where: text}
        marks = [*self._marked(text), *more.pop("entities", ())]
        if marks:
            body["entities" if where == "text" else "caption_entities"] = marks
        body |= more
        if self._bot_sees(chat, text) or "business" in kind:
            self.delivery.put(kind, body, f"chat-{chat.id}")
        self.state.messages.append(
            Message(message_id, chat, user.id if user else chat.id, text, entities=marks)
        )
        return message_id

    def _bot_sees(self, chat: Chat, text: str) -> bool:
        """Privacy mode hides what is no command, unless the bot is an admin."""
        if chat.bot in ("left", "kicked"):
            return False
        open_chat = chat.type in ("private", "channel") or chat.bot == "administrator"
        return open_chat or bool(self.bot["can_read_all_group_messages"]) or text.startswith("/")

    def _said(self, chat: Chat, user: User | None, **more: Json) -> dict[str, Any]:
        body: dict[str, Any] = {
            "message_id": self.state.number(f"messages-{chat.id}") if not more else 0,
            "chat": chat.json,
            "date": int(self.state.now_s()),
        }
        if user is not None:
            body["from"] = user.json
        else:
            body["sender_chat"] = chat.json
        return {**body, **more}

    @staticmethod
    def _marked(text: str) -> list[dict[str, Any]]:
        marks = [("url", found) for found in _URL.finditer(text)]
        marks += [("bot_command", found) for found in _COMMAND.finditer(text)]
        return [
            {
                "type": kind,
                "offset": utf16(text[: found.start()]),
                "length": utf16(found[0]),
            }
            for kind, found in sorted(marks, key=lambda mark: mark[1].start())
        ]

    def ask(self, kind: str, user: User, about: Json, lane: str, **fields: Json) -> Query:
        """Put a question to the bot that has to be answered in time."""
        query = Query(str(self.state.number("queries", 88_001)), user.id, self.state.now_s(), about)
        self.state.queries[query.id] = query
        self.delivery.put(kind, {"id": query.id, "from": user.json, **fields}, lane)
        return query

    def tap(self, user: User, message: Message, label: str) -> Query:
        """Press a button; the query's answer is the toast."""
        button = message.button(label)
        if message.inline_id is not None:
            where: dict[str, Any] = {"inline_message_id": message.inline_id}
        else:
            where = {"message": self.answers.shown(message)}
        return self.ask(
            "callback_query",
            user,
            message,
            f"user-{user.id}",
            data=button["callback_data"],
            chat_instance="1",
            **where,
        )

    async def inline(self, user: User, text: str) -> list[Any]:
        """Write behind the bot's name in some chat; gives what is offered."""
        query = self.ask("inline_query", user, text, f"user-{user.id}", query=text, offset="")
        found: list[Any] = await asyncio.wait_for(query.answer, 20)
        return found

    def choose(self, user: User, result: Json, chat: Chat) -> Message:
        """Send what was offered into a chat that the bot may know nothing of."""
        result_id, _, text, entities, keyboard = result
        inline_id = f"AAA{self.state.number('inline', 7_001)}"
        message = Message(
            self.state.number(f"messages-{chat.id}"),
            chat,
            user.id,
            text,
            entities=entities,
            keyboard=keyboard,
            inline_id=inline_id,
        )
        self.state.messages.append(message)
        chosen = {
            "result_id": result_id,
            "from": user.json,
            "query": text,
            "inline_message_id": inline_id,
        }
        self.delivery.put("chosen_inline_result", chosen, f"user-{user.id}")
        return message

    async def pay(self, user: User, message: Message) -> str:
        """Pay an invoice; gives why not, or an empty text. The bot hears that it was paid."""
        bill = {k: message.invoice[k] for k in ("currency", "total_amount", "invoice_payload")}
        query = self.ask("pre_checkout_query", user, message, f"user-{user.id}", **bill)
        why_not: str = await asyncio.wait_for(query.answer, 20)
        if why_not:
            return why_not
        charge_id = f"stxCharge{self.state.number('charges')}"
        self.state.charges[charge_id] = {**bill, "user_id": user.id, "refunded": False}
        if bill["currency"] == "XTR":
            user.stars -= bill["total_amount"]
        paid = {
            **bill,
            "telegram_payment_charge_id": charge_id,
            "provider_payment_charge_id": charge_id,
        }
        chat = self.state.chats[user.id]
        number = self.state.number(f"messages-{chat.id}")
        body = self._said(chat, user, message_id=number, successful_payment=paid)
        self.delivery.put("message", body, f"chat-{chat.id}")
        return ""

    async def reachable(self, session: aiohttp.ClientSession) -> bool:
        """Whether it answers at all."""
        async with session.post(f"{self.url}/bot{self.token}/getMe", json={}) as answer:
            return answer.status == 200

"""Weibo as the port sees it: pushes in by the web server, answers out.

A push must be answered within five seconds. It is acknowledged once the message stands in the
inbox; if the bot's answer is there by then it travels in that very response, which costs none of
the few requests that an account has. Later answers go by `messages/reply.json`.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog
from aiohttp import web

from bot.adapters.base import Capabilities, Edits, Hear, NetworkDown, SendRejected, Unreachable
from bot.adapters.weibo.articles import Words, words_of
from bot.adapters.weibo.push import NETWORK, Gate, NotFromWeibo, read_push
from bot.adapters.weibo.replying import LoggedOut, Replying
from bot.cards import Outgoing

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

V = TypeVar("V")

PUSH_PATH = "/weibo/push"
#: Weibo waits five seconds; the rest is for the way there.
ANSWER_WITHIN_S = 3.5
#: How long after somebody's last message the account may answer.
REPLY_WITHIN_S = 48 * 3600.0
_REMEMBERED_MAX = 20_000
_BODY_MAX = 64 * 1024

_CAPABILITIES = Capabilities(
    buttons=False,
    reactions=False,
    edits=Edits.NONE,
    private_in_room=False,
    pictures=True,
    pay_links=True,
    # The body of a push is not signed.
    proves_people=False,
    text_length_max=300,
)


class _Waiting:
    """A push whose response is held open for an answer."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.words: asyncio.Future[Words] = loop.create_future()
        self.written: asyncio.Future[bool] = loop.create_future()


class Weibo:
    """One verified account, bound to one app.

    A room and a person are a uid. `picture_root` is the public address below which the pictures
    of cards are shown, empty where there is none. `answer_within_s` is how long a push is held
    open for its answer.
    """

    network = NETWORK
    capabilities = _CAPABILITIES

    def __init__(
        self,
        app_secret: str,
        access_token: str,
        account_id: str,
        *,
        service: str = "https://m.api.weibo.com",
        picture_root: str = "",
        answer_within_s: float = ANSWER_WITHIN_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gate = Gate(app_secret, clock)
        self._replying = Replying(service, access_token)
        self._account_id = account_id
        self._picture_root = picture_root
        self._answer_within_s = answer_within_s
        self._clock = clock
        self._hear: Hear | None = None
        self._waiting: dict[str, list[_Waiting]] = {}
        self._heard_at_s: OrderedDict[str, float] = OrderedDict()
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._dead: asyncio.Future[None] | None = None

    # The port

    async def run(self, hear: Hear) -> None:
        """Take pushes until cancelled. Raises `LoggedOut` when the access token is dead."""
        self._dead = asyncio.get_running_loop().create_future()
        self._hear = hear
        try:
            await self._dead
        finally:
            self._hear = None
            await self._replying.close()

    async def caught_up(self) -> None:
        """Return at once: Weibo pushes three times, and keeps nothing for a bot that was away."""

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card to whoever wrote within 48 hours; gives the send id, as Weibo gives none.

        Raises the `AdapterError` that fits. A dead token is a `NetworkDown`: the card stays
        sendable, and `run` tells what is wrong.
        """
        if outgoing.edits_ref is not None:
            raise SendRejected("Weibo has no edits.")
        if outgoing.send_id in self._sent:
            return outgoing.send_id
        receiver_id = outgoing.person_id or outgoing.room_id
        words = words_of(outgoing.card, self._picture_root)
        if not await self._answer_push(receiver_id, words):
            await self._reply(receiver_id, words)
        _remember(self._sent, outgoing.send_id, None)
        return outgoing.send_id

    async def _answer_push(self, receiver_id: str, words: Words) -> bool:
        """Put the words into the response of a push that waits; False when there is none."""
        for waiting in self._waiting.get(receiver_id, ()):
            if not waiting.words.done():
                waiting.words.set_result(words)
                return await waiting.written
        return False

    async def _reply(self, receiver_id: str, words: Words) -> None:
        heard_at_s = self._heard_at_s.get(receiver_id)
        if heard_at_s is not None and self._clock() - heard_at_s > REPLY_WITHIN_S:
            raise Unreachable("More than 48 hours ago was the last message; Weibo takes no answer.")
        try:
            await self._replying.send(receiver_id, words)
        except LoggedOut as error:
            if self._dead is not None and not self._dead.done():
                self._dead.set_exception(error)
            raise NetworkDown(str(error)) from error

    # The web

    def add_routes(self, app: web.Application) -> None:
        """Put the address that Weibo pushes to into the web application."""
        app.router.add_get(PUSH_PATH, self._verify)
        app.router.add_post(PUSH_PATH, self._take)

    async def _verify(self, request: web.Request) -> web.Response:
        """Weibo's check of the address: what it sent is sent back, if it was signed."""
        echo = request.query.get("echostr", "")
        self._admit(request, echo.encode())
        return web.Response(text=echo, content_type="text/plain")

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if (request.content_length or 0) > _BODY_MAX:
            raise web.HTTPRequestEntityTooLarge(_BODY_MAX, request.content_length or 0)
        body = await request.read()
        self._admit(request, body)
        if self._hear is None:
            # Not acknowledged: Weibo pushes it again.
            raise web.HTTPServiceUnavailable(text="The bot is not ready.")
        try:
            message = read_push(body, self._account_id)
        except msgspec.DecodeError as error:
            log.warning("weibo_push_malformed", reason=str(error))
            raise web.HTTPBadRequest(text="That is not the documented JSON.") from error
        if message is None:
            return web.Response()
        _remember(self._heard_at_s, message.person_id, self._clock())
        waiting = _Waiting()
        queue = self._waiting.setdefault(message.person_id, [])
        queue.append(waiting)
        try:
            await self._hear([message])
            return await self._respond(request, waiting, message.person_id)
        finally:
            queue.remove(waiting)
            if not queue:
                self._waiting.pop(message.person_id, None)
            if not waiting.written.done():
                waiting.written.set_result(False)

    def _admit(self, request: web.Request, body: bytes) -> None:
        given = request.query
        try:
            self._gate.admit(
                given.get("signature", ""), given.get("timestamp", ""), given.get("nonce", ""), body
            )
        except NotFromWeibo as error:
            log.warning("weibo_push_refused", reason=str(error))
            raise web.HTTPForbidden(text=str(error)) from error

    async def _respond(
        self, request: web.Request, waiting: _Waiting, receiver_id: str
    ) -> web.StreamResponse:
        """The response to a push: the answer, if it comes in time, or nothing."""
        done, _ = await asyncio.wait([waiting.words], timeout=self._answer_within_s)
        if not done:
            waiting.words.cancel()
            return web.Response()
        words = waiting.words.result()
        response = web.json_response(
            {
                "result": True,
                "sender_id": self._account_id,
                "receiver_id": receiver_id,
                "type": words.type,
                "data": words.encoded,
            }
        )
        await response.prepare(request)
        await response.write_eof()
        waiting.written.set_result(True)
        return response


def _remember(known: OrderedDict[str, V], key: str, value: V) -> None:
    """Note a key as the newest, and forget the oldest where there are too many."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED_MAX:
        known.popitem(last=False)

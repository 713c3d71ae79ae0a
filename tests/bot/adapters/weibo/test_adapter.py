import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bot.adapters.base import Cursor, NetworkDown, RateLimited, SendRejected, Unreachable
from bot.adapters.weibo import PUSH_PATH, Weibo
from bot.adapters.weibo.adapter import REPLY_WITHIN_S
from bot.cards import Button, Card, Line, Outgoing
from bot.events import Event, Message
from tests.peers.weibo_api import ANNA, BOT, SECRET, TOKEN, FakeWeibo

OFFER = Card(
    title='青花瓷茶杯 "<b>"',
    lines=(Line("¥199.00"), Line("12 in stock")),
    buttons=(Button(label="Pay ¥199.00", url="https://pay.example/pay/q_1"),),
)


class Bot:
    """The adapter behind a web server, and what it heard."""

    def __init__(self, weibo: Weibo) -> None:
        self.weibo = weibo
        self.heard: list[Event] = []
        self.url = ""
        self.answer: Card | None = None
        self.after_s = 0.0
        self.sending: list[asyncio.Task[str]] = []

    async def hear(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        assert cursor is None
        self.heard.extend(events)
        if self.answer is not None:
            self.sending.append(asyncio.create_task(self.say(self.answer, self.after_s)))

    async def say(self, card: Card, after_s: float = 0.0, send_id: str = "s1") -> str:
        await asyncio.sleep(after_s)
        return await self.weibo.send(
            Outgoing(send_id=send_id, network="weibo", room_id=ANNA, card=card)
        )


@asynccontextmanager
async def at_work(fake: FakeWeibo, **more: object) -> AsyncIterator[Bot]:
    weibo = Weibo(
        SECRET,
        str(more.pop("token", TOKEN)),
        BOT,
        service=fake.base_url,
        answer_within_s=0.3,
        **more,  # type: ignore[arg-type]
    )
    bot = Bot(weibo)
    app = web.Application()
    weibo.add_routes(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    bot.url = f"http://127.0.0.1:{port}{PUSH_PATH}"
    running = asyncio.create_task(weibo.run(bot.hear))
    await asyncio.sleep(0)
    yield bot
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.gather(*bot.sending, return_exceptions=True)
    await runner.cleanup()


@pytest.fixture
async def fake() -> AsyncIterator[FakeWeibo]:
    async with FakeWeibo() as weibo:
        yield weibo


async def test_the_address_is_verified_by_an_echo_that_was_signed(fake: FakeWeibo) -> None:
    async with at_work(fake) as bot, aiohttp.ClientSession() as session:
        query = fake.query() | {"echostr": "1234567"}
        async with session.get(bot.url, params=query) as response:
            assert (response.status, await response.text()) == (200, "1234567")
        async with session.get(
            bot.url, params=fake.query("other") | {"echostr": "<b>"}
        ) as response:
            assert response.status == 403


async def test_an_answer_that_comes_in_time_travels_in_the_response(fake: FakeWeibo) -> None:
    async with at_work(fake) as bot:
        bot.answer = OFFER
        status, _ = await fake.deliver(bot.url, fake.push("http://t.cn/A6abcd"))
        assert status == 200
        [message] = bot.heard
        assert isinstance(message, Message)
        [(receiver, kind, content)] = fake.messages
        assert (receiver, kind) == (ANNA, "articles")
        assert content["articles"] == [
            {
                "display_name": '青花瓷茶杯 "<b>"',
                "summary": "¥199.00\n12 in stock",
                "image": "",
                "url": "https://pay.example/pay/q_1",
            }
        ]
        assert await bot.sending[0] == "s1"
        assert fake.asked == 0
        # Sent again after a crash: not shown twice.
        assert await bot.say(OFFER) == "s1"
        assert len(fake.messages) == 1


async def test_an_answer_that_comes_late_is_sent_by_a_request_of_its_own(fake: FakeWeibo) -> None:
    async with at_work(fake) as bot:
        bot.answer, bot.after_s = Card(lines=(Line("Later"),)), 0.5
        assert await fake.deliver(bot.url, fake.push("http://t.cn/A6abcd")) == (200, "")
        await bot.sending[0]
        assert fake.messages == [(ANNA, "text", {"text": "Later"})]
        assert fake.asked == 1


async def test_an_answer_whose_response_breaks_is_sent_by_a_request_of_its_own(
    fake: FakeWeibo,
) -> None:
    async with at_work(fake) as bot:
        bot.answer, bot.after_s = OFFER, 0.2
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fake.deliver(bot.url, fake.push("http://t.cn/A6abcd")), 0.1)
        assert await bot.sending[0] == "s1"
        assert [kind for _, kind, _ in fake.messages] == ["articles"]


async def test_a_push_that_is_not_signed_is_not_heard(fake: FakeWeibo) -> None:
    async with at_work(fake) as bot:
        status, _ = await fake.deliver(bot.url, fake.push("buy"), fake.query("other"))
        assert status == 403
        known = fake.query()
        await fake.deliver(bot.url, fake.push("one"), known)
        # Somebody who saw a push uses its signature for words of his own.
        assert (await fake.deliver(bot.url, fake.push("two"), known))[0] == 403
        # Weibo's own retry is the same event.
        assert (await fake.deliver(bot.url, fake.push("one"), known))[0] in (200, 403)
        assert {event.text for event in bot.heard if isinstance(event, Message)} == {"one"}
        assert (await fake.deliver(bot.url, b"[]"))[0] == 400


async def test_while_the_bot_is_away_a_push_is_not_acknowledged(fake: FakeWeibo) -> None:
    async with at_work(fake) as bot:
        bot.weibo._hear = None
        assert (await fake.deliver(bot.url, fake.push("hello")))[0] == 503


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"error": "User requests out of rate limit!", "error_code": 10023}, RateLimited),
        (503, {"error": "Service unavailable", "error_code": 10009}, NetworkDown),
        (400, {"error": "Param is error", "error_code": 10017}, SendRejected),
        (403, {"error": "Insufficient app permissions!", "error_code": 10014}, Unreachable),
        (200, {"result": False}, SendRejected),
    ],
)
async def test_refusals_become_the_errors_of_the_port(
    fake: FakeWeibo, status: int, body: dict[str, object], error: type[Exception]
) -> None:
    async with at_work(fake) as bot:
        fake.faults.append((status, body))
        with pytest.raises(error):
            await bot.say(OFFER)
        # The next try is sent: a refusal is not remembered as sent.
        await bot.say(OFFER)
        assert len(fake.messages) == 1


async def test_after_48_hours_nothing_is_sent(fake: FakeWeibo) -> None:
    ahead_s = 0.0
    async with at_work(fake, clock=lambda: time.time() + ahead_s) as bot:
        await fake.deliver(bot.url, fake.push("hello"))
        ahead_s = REPLY_WITHIN_S + 1
        with pytest.raises(Unreachable, match="48 hours"):
            await bot.say(OFFER)
        assert fake.asked == 0


async def test_a_dead_token_ends_the_network_and_keeps_the_card(fake: FakeWeibo) -> None:
    weibo = Weibo(SECRET, "dead", BOT, service=fake.base_url)

    async def hear(events: Sequence[Event], cursor: Cursor | None = None) -> None:
        raise AssertionError((events, cursor))

    running = asyncio.create_task(weibo.run(hear))
    await asyncio.sleep(0)
    outgoing = Outgoing(send_id="s", network="weibo", room_id=ANNA, card=OFFER)
    with pytest.raises(NetworkDown, match="invalid_access_token"):
        await weibo.send(outgoing)
    with pytest.raises(Exception, match="new access token"):
        await running


async def test_nobody_answers() -> None:
    weibo = Weibo(SECRET, TOKEN, BOT, service="http://127.0.0.1:9")
    with pytest.raises(NetworkDown):
        await weibo.send(Outgoing(send_id="s", network="weibo", room_id=ANNA, card=OFFER))
    with pytest.raises(SendRejected):
        await weibo.send(
            Outgoing(send_id="s", network="weibo", room_id=ANNA, card=OFFER, edits_ref="x")
        )
    await weibo._replying.close()

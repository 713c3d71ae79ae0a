import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from bot.adapters.base import Adapter, Cursor, SendRejected, Unreachable
from bot.adapters.web_chat import CommandHint, WebChat, Welcome
from bot.adapters.web_chat.people import Allowance, clean_name, clean_text
from bot.cards import Button, Card, Line, Outgoing, Style
from bot.events import Event, Message, Tap
from wallet_core.storage.database import Database
from wallet_core.storage.web_chat import (
    WebChatTables,
    web_edits,
    web_messages,
    web_people,
    web_rooms,
)

Frame = dict[str, Any]
PAY = Button(label="Pay ¥199.00", action="pay:q1", style=Style.PAY)
OFFER = Card(title="青花瓷茶杯", lines=(Line("¥199.00"),), buttons=(PAY,))


class House:
    """A web chat on a real server, whose inbox is a list that drops what it knows."""

    def __init__(self, chat: WebChat, server: BaseTestServer) -> None:
        self.chat = chat
        self.server = server
        self.heard: dict[str, Event] = {}
        self.deliveries = 0
        self.delivered = asyncio.Event()
        self.acknowledge = asyncio.Event()
        self.acknowledge.set()

    async def hear(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        assert cursor is None
        for event in events:
            self.heard.setdefault(event.id, event)
            self.deliveries += 1
        self.delivered.set()
        await self.acknowledge.wait()

    async def post(
        self, card: Card = OFFER, person_id: str | None = None, edits_ref: str | None = None
    ) -> str:
        return await self.chat.send(
            Outgoing(
                send_id=f"send:{uuid4()}",
                network="web",
                room_id="lobby",
                card=card,
                person_id=person_id,
                edits_ref=edits_ref,
            )
        )


class Page:
    """A browser's page: one cookie jar, one socket."""

    def __init__(self, session: aiohttp.ClientSession, house: House, room: str) -> None:
        self.session = session
        self.house = house
        self.room = room
        self.hello: Frame = {}
        self.frames: list[Frame] = []

    async def connect(self, after: int | None = None) -> Frame:
        place = f"/ws?room={self.room}" + ("" if after is None else f"&after={after}")
        self.socket = await self.session.ws_connect(self.house.server.make_url(place))
        self.hello = await self.until("hello")
        return self.hello

    async def until(self, kind: str, **wanted: object) -> Frame:
        while True:
            body = await asyncio.wait_for(self.socket.receive_str(), 30)
            frame: Frame = json.loads(body)
            self.frames.append(frame)
            if frame["type"] == kind and all(frame.get(k) == v for k, v in wanted.items()):
                return frame

    async def message(self, ref: str) -> Frame:
        while True:
            message: Frame = (await self.until("message"))["message"]
            if message["id"] == ref:
                return message

    async def write(self, kind: str, **fields: object) -> str:
        frame = {"type": kind, "id": str(uuid4()), **fields}
        await self.socket.send_str(json.dumps(frame))
        return str(frame["id"])

    async def say(self, text: str) -> str:
        frame_id = await self.write("say", text=text)
        await self.until("ack", id=frame_id)
        return f"web:{self.hello['me']['id']}:{frame_id}"


@asynccontextmanager
async def house_on(
    database: Database,
    *,
    public_url: str = "",
    burst: int = 500,
    per_s: float = 3.0,
    welcome: Welcome | None = None,
    commands: Sequence[CommandHint] = (),
) -> AsyncIterator[House]:
    chat = WebChat(
        WebChatTables(database),
        page=b"<!doctype html>",
        public_url=public_url,
        burst=burst,
        per_s=per_s,
        welcome=welcome,
        commands=commands,
    )
    app = web.Application()
    chat.add_routes(app)
    async with TestServer(app) as server:
        house = House(chat, server)
        running = asyncio.create_task(chat.run(house.hear))
        await asyncio.sleep(0)
        yield house
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def page_of(house: House, room: str = "lobby") -> AsyncIterator[Page]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(house.server.make_url(f"/r/{room}")) as response:
            assert response.status == 200
        page = Page(session, house, room)
        await page.connect()
        yield page


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    database = Database(empty_database_url)
    async with database.write() as connection:
        for table in (web_people, web_rooms, web_messages, web_edits):
            await connection.run_sync(table.create)
    yield database
    await database.close()


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with house_on(database) as house:
        yield house


async def test_the_web_chat_is_a_network(house: House) -> None:
    adapter: Adapter = house.chat
    assert adapter.network == "web"
    await adapter.caught_up()


async def test_what_one_says_everybody_in_the_room_sees_and_the_bot_hears(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob, page_of(house, "other") as eve:
        ref = await ann.say("look: http://127.0.0.1/p/cup 不错")
        seen = await bob.message(ref)
        assert seen["text"] == "look: http://127.0.0.1/p/cup 不错"
        assert seen["person"] == ann.hello["me"]["id"]
        event = house.heard[ref]
        assert isinstance(event, Message)
        assert (event.network, event.room_id, event.message_ref) == ("web", "lobby", ref)
        assert event.person_id == ann.hello["me"]["id"]
        await eve.say("quiet here")
        assert all(f["type"] != "message" or f["message"]["id"] != ref for f in eve.frames)


async def test_the_cookie_is_a_secret_that_no_event_and_no_row_holds(
    house: House, database: Database
) -> None:
    async with page_of(house) as ann:
        cookie = next(iter(ann.session.cookie_jar))
        assert cookie.key == "payontap"
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["secure"]
        await ann.say("hello")
        assert cookie.value not in json.dumps(ann.frames)
        assert cookie.value not in str(house.heard)
        async with database.read() as connection:
            rows = (await connection.execute(web_people.select())).all()
        assert cookie.value not in str(rows)


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(database: Database) -> None:
    async with house_on(database, public_url="https://pay.example") as house:
        async with (
            aiohttp.ClientSession() as session,
            session.get(house.server.make_url("/r/lobby")) as response,
        ):
            cookie = response.cookies["__Host-payontap"]
        assert cookie["secure"]


async def test_without_a_cookie_nobody_is_let_in(house: House) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(house.server.make_url("/ws?room=lobby"))
        frame = await socket.receive_json()
        assert frame["type"] == "reconnect"
        assert frame["after_s"] is None


async def test_the_same_browser_is_the_same_person_after_a_restart(database: Database) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    seen = []
    for _ in range(2):
        async with house_on(database) as house, aiohttp.ClientSession(cookie_jar=jar) as session:
            await session.get(house.server.make_url("/r/lobby"))
            page = Page(session, house, "lobby")
            seen.append((await page.connect())["me"]["id"])
    assert seen[0] == seen[1]


async def test_a_page_that_was_away_gets_new_messages_and_edits_once(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob:
        offer = await house.post()
        await bob.message(offer)
        await bob.socket.close()
        revision = max(f["message"]["revision"] for f in bob.frames if f["type"] == "message")
        ref = await ann.say("are you there?")
        await house.post(Card(title="Sold"), edits_ref=offer)
        hello = await bob.connect(after=revision)
        assert not hello["fresh"]
        assert {m["id"] for m in hello["messages"]} == {ref, offer}
        assert [m["card"]["title"] for m in hello["messages"] if m["card"]] == ["Sold"]


async def test_a_page_that_missed_very_much_starts_afresh_and_can_go_back(house: House) -> None:
    async with page_of(house) as ann:
        for number in range(210):
            await house.post(Card(title=str(number)))
        hello = await ann.connect(after=0)
        assert hello["fresh"]
        assert hello["more"]
        assert hello["messages"][-1]["card"]["title"] == "209"
        await ann.write("earlier", before=hello["messages"][0]["seq"])
        earlier = await ann.until("page")
        assert earlier["messages"][-1]["seq"] == hello["messages"][0]["seq"] - 1


async def test_a_frame_sent_again_is_one_message_and_one_event(house: House) -> None:
    async with page_of(house) as ann:
        frame = json.dumps({"type": "say", "id": str(uuid4()), "text": "once"})
        for _ in range(3):
            await ann.socket.send_str(frame)
            await ann.until("ack")
        hello = await ann.connect()
        assert [m["text"] for m in hello["messages"]] == ["once"]
        assert len(house.heard) == 1
        assert house.deliveries == 3


async def test_a_frame_is_acknowledged_only_once_it_is_kept(house: House) -> None:
    async with page_of(house) as ann:
        house.acknowledge.clear()
        frame_id = await ann.write("say", text="keep me")
        await house.delivered.wait()
        sending = asyncio.create_task(house.post())
        await ann.write("earlier", before=1000)
        await asyncio.sleep(0.05)
        assert not any(f["type"] in {"ack", "message"} for f in ann.frames)
        house.acknowledge.set()
        await ann.until("ack", id=frame_id)
        answer = await sending
        said, answered = (await ann.connect())["messages"]
        assert said["text"] == "keep me"
        assert answered["id"] == answer


async def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(
    database: Database,
) -> None:
    async with house_on(database) as house:
        kept = house.hear
        broken = True

        async def hear(events: Sequence[Event], cursor: Cursor | None = None) -> None:
            if broken:
                raise RuntimeError("the inbox is away")
            await kept(events, cursor)

        house.chat._listener.hear = hear
        async with page_of(house) as ann:
            frame = json.dumps({"type": "say", "id": str(uuid4()), "text": "again"})
            await ann.socket.send_str(frame)
            with pytest.raises(TypeError):
                await ann.until("ack")
            broken = False
            await ann.connect()
            await ann.socket.send_str(frame)
            await ann.until("ack")
        assert len(house.heard) == 1


async def test_a_private_card_never_reaches_another_page(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob:
        ref = await house.post(Card(title="Balance ¥500"), person_id=ann.hello["me"]["id"])
        assert (await ann.message(ref))["private"]
        edited = await house.post(Card(title="Balance ¥400"), edits_ref=ref)
        assert edited == ref
        marker = await house.post(Card(title="for all"))
        await bob.message(marker)
        assert "Balance" not in json.dumps(bob.frames)
        for after in (None, 0):
            assert "Balance" not in json.dumps(await bob.connect(after=after))
        await bob.write("earlier", before=10**9)
        assert "Balance" not in json.dumps(await bob.until("page"))
        assert "Balance ¥400" in json.dumps(await ann.connect(), ensure_ascii=False)


async def test_a_command_is_seen_by_nobody_but_its_writer(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob:
        await ann.write("say", text="/topup 500")
        assert (await ann.until("message"))["message"]["private"]
        marker = await house.post(Card(title="for all"))
        await bob.message(marker)
        assert "topup" not in json.dumps(bob.frames)
        assert "topup" not in json.dumps(await bob.connect())


async def test_the_same_send_id_shows_one_card(house: House) -> None:
    outgoing = Outgoing(send_id="s1", network="web", room_id="lobby", card=OFFER)
    for _ in range(3):
        assert await house.chat.send(outgoing) == "s1"
    async with page_of(house) as ann:
        assert len(ann.hello["messages"]) == 1


async def test_sending_where_nothing_can_be_is_refused(house: House) -> None:
    with pytest.raises(SendRejected):
        await house.post(edits_ref="nothing")
    with pytest.raises(Unreachable):
        await house.chat.send(Outgoing(send_id="s", network="web", room_id="No Room", card=OFFER))


async def test_a_tap_on_a_button_is_heard(house: House) -> None:
    async with page_of(house) as ann:
        offer = await house.post()
        frame_id = await ann.write("tap", message=offer, action="pay:q1")
        await ann.until("ack", id=frame_id)
        tap = house.heard[f"web:{ann.hello['me']['id']}:{frame_id}"]
        assert isinstance(tap, Tap)
        assert (tap.message_ref, tap.action, tap.room_id) == (offer, "pay:q1", "lobby")


async def test_a_tap_on_a_button_that_is_not_there_is_refused(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob, page_of(house, "other") as eve:
        offer = await house.post()
        link = Button(label="Open", action="open", url="https://example.org")
        linked = await house.post(Card(title="x", buttons=(link,)))
        private = await house.post(person_id=ann.hello["me"]["id"])
        said = await ann.say("no card at all")
        sold = await house.post()
        await house.post(Card(title="Sold out"), edits_ref=sold)
        for page, message, action in (
            (bob, offer, "pay:q2"),
            (bob, linked, "open"),
            (bob, private, "pay:q1"),
            (bob, said, "pay:q1"),
            (bob, sold, "pay:q1"),
            (bob, "nothing", "pay:q1"),
            (eve, offer, "pay:q1"),
        ):
            frame_id = await page.write("tap", message=message, action=action)
            refused = await page.until("refused", id=frame_id)
            assert refused["words"] == "That button is no longer there."
            assert refused["retry_after_s"] is None
        assert not any(isinstance(event, Tap) for event in house.heard.values())


async def test_a_line_to_the_bot_is_shown_to_nobody_else_and_heard_as_such(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob:
        for line in ("/topup 500", "／topup 500", "/ 余额"):
            ref = await ann.say(line)
            event = house.heard[ref]
            assert isinstance(event, Message)
            assert event.aside
        ref = await ann.say("all see this")
        event = house.heard[ref]
        assert isinstance(event, Message)
        assert not event.aside
        assert (await bob.until("message"))["message"]["text"] == "all see this"


async def test_a_chosen_name_is_cleaned_and_never_the_bots(house: House) -> None:
    async with page_of(house) as ann, page_of(house) as bob:
        frame_id = await ann.write("name", name="  <img src=x>\u202e\x00  Ann\n\u200b ")
        await ann.until("ack", id=frame_id)
        ref = await ann.say("hi")
        assert (await bob.message(ref))["name"] == "<img src=x> Ann"
        event = house.heard[ref]
        assert isinstance(event, Message)
        assert event.name == "<img src=x> Ann"
        for stolen in (
            "PAYONTAP",
            "Ｐａｙontap",
            "pay\u200bontap",
            "✅ Payontap ✓",
            "Payontap Bot",
        ):
            frame_id = await ann.write("name", name=stolen)
            await ann.until("refused", id=frame_id)


async def test_a_flood_is_slowed_down_and_the_rest_asked_for_again(database: Database) -> None:
    async with house_on(database, burst=3, per_s=1.0) as house, page_of(house) as ann:
        for number in range(6):
            await ann.write("say", text=str(number))
        refused = await ann.until("refused")
        assert 0 < refused["retry_after_s"] <= 1.0
        await asyncio.sleep(0.1)
        # The allowance is the person's: another page of theirs has no other.
        twin = Page(ann.session, house, "lobby")
        await twin.connect()
        for number in range(6):
            await twin.write("say", text=str(number))
        await twin.until("refused")


async def test_texts_that_cannot_be_are_refused_with_a_reason(house: House) -> None:
    async with page_of(house) as ann:
        for text, words in (("x" * 4001, "longer"), (" \n\x00 ", "nothing")):
            frame_id = await ann.write("say", text=text)
            assert words in (await ann.until("refused", id=frame_id))["words"]
        assert not house.heard


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        '{"type":"say","id":"not-a-uuid","text":"x"}',
        '{"type":"boss","id":"00000000-0000-4000-8000-000000000000"}',
        '{"type":"tap","id":"00000000-0000-4000-8000-000000000000","message":"a\\u0000","action":"b"}',
        '{"type":"earlier","before":99999999999999999999}',
        '{"type":"say","id":"00000000-0000-4000-8000-000000000000","text":"' + "x" * 40_000 + '"}',
    ],
)
async def test_frames_that_are_none_end_the_line(house: House, body: str) -> None:
    async with page_of(house) as ann:
        await ann.socket.send_str(body)
        with pytest.raises(TypeError):
            await ann.until("ack")
        assert ann.socket.closed
        assert not house.heard


async def test_a_half_sign_and_a_null_sign_do_no_harm(house: House) -> None:
    async with page_of(house) as ann:
        ref = await ann.say("a\x00b")
        assert (await ann.message(ref))["text"] == "ab"
        await ann.socket.send_str(
            '{"type":"say","id":"00000000-0000-4000-8000-000000000000","text":"\\ud800"}'
        )
        with pytest.raises(TypeError):
            await ann.until("ack")


async def test_people_are_counted_not_pages(house: House) -> None:
    async with page_of(house) as ann:
        twin = Page(ann.session, house, "lobby")
        assert (await twin.connect())["people"] == 1
        async with page_of(house):
            await ann.until("people", count=2)
        await ann.until("people", count=1)


async def test_rooms_have_plain_names(house: House) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/r/Lobby", "/r/a%2Fb", "/r/" + "x" * 65, "/ws?room=../x", "/ws"):
            async with session.get(house.server.make_url(path)) as response:
                assert response.status == 404
        async with session.get(house.server.make_url("/"), allow_redirects=False) as response:
            assert response.headers["Location"] == "/r/lobby"


async def test_a_change_by_another_process_shows_once_the_room_is_told(database: Database) -> None:
    async with house_on(database) as here, house_on(database) as there, page_of(here) as ann:
        ref = await there.post()
        here.chat.on_change("lobby")
        assert (await ann.message(ref))["card"]["title"] == OFFER.title


async def test_pages_are_told_to_come_back_when_the_bot_stops(database: Database) -> None:
    async with house_on(database) as house, page_of(house) as ann:
        task = next(t for t in asyncio.all_tasks() if "WebChat.run" in repr(t))
        task.cancel()
        assert (await ann.until("reconnect"))["after_s"] == 1


async def test_a_page_that_does_not_read_is_dropped_and_delays_nobody(house: House) -> None:
    heavy = Card(title="x" * 60_000)
    async with page_of(house) as ann, page_of(house):
        await ann.until("people", count=2)
        ann.frames.clear()
        for _ in range(600):
            await ann.message(await house.post(heavy))
        if not any(frame["type"] == "people" for frame in ann.frames):
            await ann.until("people", count=1)


async def test_the_greeting_carries_what_a_newcomer_needs(database: Database) -> None:
    welcome = Welcome(shop_url="http://127.0.0.1:1/", suggestions=("/help",))
    commands = [CommandHint("/help", "What I can do")]
    async with (
        house_on(database, welcome=welcome, commands=commands) as house,
        page_of(house) as ann,
    ):
        assert ann.hello["commands"] == [{"name": "/help", "help": "What I can do"}]
        assert ann.hello["welcome"]["shop_url"] == "http://127.0.0.1:1/"
        assert ann.hello["me"]["name"]


def test_an_allowance_comes_back_with_time() -> None:
    now_s = 0.0
    allowance = Allowance(burst=2, per_s=2.0, clock=lambda: now_s)
    assert allowance.full
    assert [allowance.take(), allowance.take(), allowance.take()] == [0.0, 0.0, 0.5]
    now_s = 0.5
    assert allowance.take() == 0.0
    assert not allowance.full


def test_names_and_texts_lose_what_could_disturb_the_page() -> None:
    assert clean_name("\u202eevil\u2066") == "evil"
    assert clean_name("李  雷\t🙂") == "李 雷 🙂"
    assert len(clean_name("ﷺ" * 500)) <= 32
    assert clean_text(" a\x00\x1b[31m\tb\n ") == "a[31m\tb"

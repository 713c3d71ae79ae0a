"""The adapter that docs/adding-a-network.md builds works exactly as it stands there."""

import asyncio
import html
import re
import textwrap
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import bot.app
from bot.adapters.base import Adapter, Cursor, NetworkDown, RateLimited, SendRejected, Unreachable
from bot.cards import Button, Card, Line, Outgoing
from bot.events import Event, Message, Tap
from bot.networks import Ground, networks_of
from config.settings import Settings
from tests.bot.adapters.contract.driver import Network, Person, Shown
from tests.bot.adapters.contract.goods import HOSTILE as HOSTILE_TITLE
from tests.bot.adapters.contract.goods import PRICE, PRICE_MINOR
from tests.bot.adapters.contract.house import FUNDS_MINOR, House, house_of
from wallet_core.commerce.records import OrderState

PAGE = Path(__file__).parent.parent / "docs" / "adding-a-network.md"
HOSTILE = '<img src=x> & "tea"'
TEXT_LENGTH_MAX = 2000


def shown_code() -> dict[str, Any]:
    """The page's code: methods that stand alone in a block belong to the class before it."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    classes = [block for block in blocks if "\nclass " in block]
    [whole] = classes
    beside = ""
    for block in blocks:
        if block is not whole:
            methods, _, functions = (
                block.partition("\n\n\n") if block[0] == " " else ("", "", block)
            )
            whole += "\n" + methods
            beside += "\n\n" + textwrap.dedent(functions)
    names: dict[str, Any] = {}
    exec(whole + beside, names)  # noqa: S102 - our own page
    return names


def as_seen(text: str) -> str:
    """A note's text as people see it."""
    return html.unescape(re.sub(r"<[^>]*>", "", text.replace("<br>", "\n")))


class Server:
    """A Corkboard server: strict about what it takes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.faults: list[web.Response] = []
        self._keys: dict[str, str] = {}
        self.url = ""

    def happen(self, **event: object) -> None:
        self.events.append({"n": len(self.events) + 1, "at_s": 1.5, **event})

    async def _read(self, request: web.Request) -> web.Response:
        if self.faults:
            return self.faults.pop(0)
        after = int(request.query["after"])
        if after >= len(self.events):
            await asyncio.sleep(0.02)
        return web.json_response({"events": self.events[after:], "last": len(self.events)})

    async def _pin(self, request: web.Request) -> web.Response:
        if self.faults:
            return self.faults.pop(0)
        if request.match_info["board"] != "b1":
            return web.Response(status=404)
        body = await request.json()
        assert set(body) == {"key", "text", "buttons", "only_for"}
        if len(as_seen(body["text"])) > TEXT_LENGTH_MAX:
            return web.Response(status=413)
        note = self._keys.setdefault(body["key"], f"n{len(self._keys)}")
        self.notes.setdefault(note, body)
        return web.json_response({"note": note})

    async def _change(self, request: web.Request) -> web.Response:
        note = self.notes.get(request.match_info["note"])
        if note is None:
            return web.Response(status=404)
        note |= await request.json()
        return web.json_response({})

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Server"]:
        app = web.Application()
        app.router.add_get("/events", self._read)
        app.router.add_post("/boards/{board}/notes", self._pin)
        app.router.add_put("/notes/{note}", self._change)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0])
        try:
            yield self
        finally:
            await runner.cleanup()


class Pinner(Person):
    """Somebody at the board."""

    def __init__(self, server: Server, user: str) -> None:
        self.id, self.room_id = user, "b1"
        self._server = server

    async def say(self, text: str) -> None:
        note = f"p{len(self._server.events)}"
        self._server.happen(kind="note", board="b1", user=self.id, note=note, text=text)

    async def tap(self, offer: Shown) -> None:
        self._press(offer, "Pay")

    async def undo(self, offer: Shown) -> None:
        del offer
        self._press(await self.see(lambda shown: "Undo" in str(shown.source)), "Undo")

    async def rename(self, name: str) -> None:
        # A person has this one name there; nothing that is tried in this file asks for another.
        raise NotImplementedError(name)

    async def read(self) -> Sequence[Shown]:
        return [
            Shown(
                id=note,
                text=as_seen(body["text"]),
                links=tuple(re.findall(r'href="([^"]*)"', body["text"])),
                private=body["only_for"] is not None,
                source=body["buttons"],
            )
            for note, body in self._server.notes.items()
            if body["only_for"] in (None, self.id)
        ]

    def _press(self, shown: Shown, label: str) -> None:
        [button] = [button for button in shown.source if button["label"].startswith(label)]
        self._server.happen(
            kind="press", board="b1", user=self.id, note=shown.id, action=button["action"]
        )


class Board(Network):
    """The network of the page, as the contract suite uses one."""

    name = "corkboard"
    text_length_max = TEXT_LENGTH_MAX
    said_length_max = 10_000

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder)
        self._server = server

    def settings(self) -> Mapping[str, str]:
        return {}

    async def gather(self, *names: str) -> Sequence[Person]:
        return [Pinner(self._server, name) for name in names]

    async def redeliver(self, house: House) -> None:
        await house.restart_at("0")


class Inbox:
    """Keeps what was heard, and fails once for each of `faults`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.cursor: str | None = None
        self.faults: list[Exception] = []

    async def __call__(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        if self.faults:
            raise self.faults.pop()
        self.events += events
        assert cursor is not None
        self.cursor = cursor.value

    async def load_cursor(self, network: str) -> str | None:
        assert network == "corkboard"
        return self.cursor


@asynccontextmanager
async def running(adapter: Adapter, inbox: Inbox) -> AsyncIterator[None]:
    task = asyncio.create_task(adapter.run(inbox))
    await asyncio.wait_for(adapter.caught_up(), 30)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def adapter_at(server: Server, inbox: Inbox) -> Adapter:
    adapter: Adapter = shown_code()["Corkboard"](server.url, cursors=inbox, pause_s=0.05)
    return adapter


def outgoing(card: Card, **more: Any) -> Outgoing:
    values = {"send_id": "s1", "network": "corkboard", "room_id": "b1", "card": card, **more}
    return Outgoing(**values)


async def test_notes_and_presses_are_heard_once_each_through_faults_and_a_restart() -> None:
    inbox = Inbox()
    async with Server().open() as server:
        server.happen(kind="note", board="b1", user="u1", note="n9", text="hello")
        server.happen(kind="note", board="b1", user="u1")
        server.happen(kind="weather", board="b1", user="u1")
        server.happen(kind="press", board="b1", user="u2", note="n10", action="pay:q")
        server.faults += [
            web.Response(status=429, headers={"Retry-After": "0.05"}),
            web.Response(status=502),
        ]
        inbox.faults.append(RuntimeError("the database is away"))
        async with running(adapter_at(server, inbox), inbox):
            pass
        async with running(adapter_at(server, inbox), inbox):
            pass
    note, press = inbox.events
    assert isinstance(note, Message)
    assert (note.id, note.text, note.person_id) == ("corkboard:1", "hello", "u1")
    assert isinstance(press, Tap)
    assert (press.id, press.action, press.person_id) == ("corkboard:4", "pay:q", "u2")
    assert inbox.cursor == "4"


async def test_a_card_is_pinned_once_changed_and_never_becomes_markup() -> None:
    async with Server().open() as server:
        adapter = adapter_at(server, Inbox())
        buttons = (
            Button(label="Pay", action="pay:q"),
            Button(label="See", url="https://a.example"),
        )
        card = Card(
            title=HOSTILE, lines=(Line("¥1"),), buttons=buttons, link_url="https://b.example"
        )
        note = await adapter.send(outgoing(card, person_id="u1"))
        assert await adapter.send(outgoing(card, person_id="u1")) == note
        assert len(server.notes) == 1
        assert server.notes[note]["only_for"] == "u1"
        assert server.notes[note]["text"] == (
            '<a href="https://b.example">&lt;img src=x&gt; &amp; &quot;tea&quot;</a><br>¥1'
        )
        assert server.notes[note]["buttons"] == [
            {"label": "Pay", "action": "pay:q"},
            {"label": "See", "url": "https://a.example"},
        ]
        changed = Card(title="Sold out")
        assert await adapter.send(outgoing(changed, send_id="s2", edits_ref=note)) == note
        assert server.notes[note]["text"] == "Sold out"
        assert server.notes[note]["buttons"] == []


async def test_each_refusal_is_the_fault_that_it_stands_for() -> None:
    async with Server().open() as server:
        adapter = adapter_at(server, Inbox())
        server.faults.append(web.Response(status=429, headers={"Retry-After": "7"}))
        with pytest.raises(RateLimited) as limited:
            await adapter.send(outgoing(Card(title="x")))
        assert limited.value.retry_after_s == 7
        server.faults.append(web.Response(status=500))
        with pytest.raises(NetworkDown):
            await adapter.send(outgoing(Card(title="x")))
        with pytest.raises(Unreachable):
            await adapter.send(outgoing(Card(title="x"), room_id="b2"))
        with pytest.raises(SendRejected):
            await adapter.send(outgoing(Card(title="x" * 5000)))
    with pytest.raises(NetworkDown):
        await adapter.send(outgoing(Card(title="x")))


@asynccontextmanager
async def whole_bot(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """The bot with the page's network beside its own ones."""

    def with_corkboard(settings: Settings, ground: Ground) -> list[Adapter]:
        corkboard = shown_code()["Corkboard"](server.url, cursors=ground.cursors, pause_s=0.05)
        return [*networks_of(settings, ground), corkboard]

    patch.setattr(bot.app, "networks_of", with_corkboard)
    async with Server().open() as server, house_of(Board(folder, server), folder) as house:
        yield house


async def test_with_the_whole_bot_its_card_pays_once_and_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with whole_bot(tmp_path, monkeypatch) as house:
        anna, bob = await house.network.gather("anna", "bob")
        await house.fund(anna)
        offer = await house.offer_to(anna, "hostile")
        assert offer.text.splitlines()[:2] == [HOSTILE_TITLE, PRICE]
        for _ in range(2):
            await anna.tap(offer)
            receipt = await anna.see(lambda shown: shown.text.startswith(f"Paid {PRICE}"))
        await house.settled(anna)
        assert receipt.private
        assert not any("Paid" in shown.text for shown in await bob.read())
        assert await house.balance_minor(anna) == FUNDS_MINOR - PRICE_MINOR
        await house.network.redeliver(house)
        await house.settled(anna)
        await anna.undo(offer)
        await anna.see("Undone.")
        assert [order.state for order in await house.orders_of(anna)] == [OrderState.UNDONE]
        assert await house.balance_minor(anna) == FUNDS_MINOR


async def test_with_the_whole_bot_no_card_is_too_long_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with whole_bot(tmp_path, monkeypatch) as house:
        [anna] = await house.network.gather("anna")
        text = "&茶" * TEXT_LENGTH_MAX
        await house.say(anna, Card(title="Longer", lines=(Line(text),)), private=True)
        shown = await anna.see("Longer")
        assert shown.text.endswith("…")
        assert len(shown.text) <= TEXT_LENGTH_MAX

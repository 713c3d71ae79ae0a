"""Weibo in the contract suite: a service that speaks the documented protocol, and its people.

They write to the account in the app; the card's link opens the pay page in their browser, where
they are visitors of the web chat, and there they pay and read what became of it.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from bot.adapters.weibo import PUSH_PATH
from bot.demo.visitor import Seen, Visitor, browser, visit
from bot.web.pay import room_of
from tests.bot.adapters.contract.driver import Ability, Network, Person, Shown
from tests.bot.adapters.contract.house import House
from tests.peers.weibo_api import BOT, SECRET, TOKEN, FakeWeibo

_LOBBY = "lobby"
_TRIES = 3
_ONCE = re.compile(r'name="once" value="([^"]+)"')


class Browser:
    """One person's browser, with a page open in each room that they came to."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._rooms: dict[str, Visitor | None] = {_LOBBY: None}
        self._open = AsyncExitStack()
        self._url = ""
        self._forms: list[tuple[str, str]] = []

    async def arrive(self, url: str) -> str:
        """Open all pages (again); gives the public id of the visitor."""
        self._url = url
        for room in list(self._rooms):
            await self._enter(room)
        return await self.page(_LOBBY).greeted()

    async def _enter(self, room: str) -> None:
        visiting = visit(self._session, self._url, room)
        self._rooms[room] = await self._open.enter_async_context(visiting)

    async def go_away(self) -> None:
        """Close all pages."""
        self._rooms = dict.fromkeys(self._rooms)
        await self._open.aclose()

    def page(self, room: str) -> Visitor:
        visitor = self._rooms[room]
        assert visitor is not None
        return visitor

    async def pay(self, pay_url: str) -> None:
        """Open a pay link, press its button, and stay in the room to which that leads."""
        quote_id = pay_url.rpartition("/")[2]
        # Before the button is pressed: whatever becomes of the answer, the room will be looked at.
        self._rooms.setdefault(room_of(quote_id), None)
        async with self._session.get(pay_url) as response:
            once = _ONCE.search(await response.text())
        assert once is not None
        self._forms.append((pay_url, once[1]))
        room = await self._post(pay_url, once[1])
        if self._rooms[room] is None:
            await self._enter(room)

    async def press_all_again(self) -> None:
        """Every form is sent a second time, as by a browser that is reloaded."""
        for pay_url, once in self._forms:
            await self._post(pay_url, once)

    async def _post(self, pay_url: str, once: str) -> str:
        headers = {"Origin": self._url}
        async with self._session.post(
            pay_url, data={"once": once}, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 303, await response.text()
            return response.headers["Location"].removeprefix("/r/")

    def cards(self) -> list[tuple[str, Seen]]:
        """All that is shown to this person alone, with the room in which it stands."""
        return [
            (room, seen)
            for room, visitor in self._rooms.items()
            if visitor is not None
            for seen in visitor.cards()
            if seen.private
        ]


class WeiboPerson(Person):
    """Somebody with the app, and a browser."""

    def __init__(self, weibo: "Driver", browser: Browser) -> None:
        # A uid; its last digits are never those of the account.
        self.id = self.room_id = str(2_000_000_000 + secrets.randbelow(10**9))
        self.browser = browser
        self.name = ""
        self._weibo = weibo
        self._written: set[asyncio.Task[None]] = set()

    async def arrive(self, url: str) -> None:
        visitor_id = await self.browser.arrive(url)
        self.payer = ("web", visitor_id, _LOBBY)

    async def say(self, text: str) -> None:
        # The push is held open for an answer, and people go on meanwhile.
        self._written.add(asyncio.create_task(self._weibo.push(self.id, text)))

    async def tap(self, offer: Shown) -> None:
        await self.browser.pay(offer.links[0])

    async def undo(self, offer: Shown) -> None:
        del offer
        receipt = await self.see(lambda shown: _can_undo(shown.source))
        room, seen = receipt.source
        await self.browser.page(room).press(seen, "Undo")

    async def rename(self, name: str) -> None:
        # What is pushed carries the uid alone.
        self.name = name

    async def hear_back(self, prefix: str) -> None:
        written, self._written = self._written, set()
        await asyncio.gather(*written)
        before = await self.read()
        await self.browser.page(_LOBBY).say(f"{prefix}whoami")
        await self.see("· wallet", seen=before)

    async def read(self) -> Sequence[Shown]:
        got = [
            _message(n, kind, content)
            for n, (receiver, kind, content) in enumerate(self._weibo.messages)
            if receiver == self.id
        ]
        cards = [_card(room, seen) for room, seen in self.browser.cards()]
        return [*got, *cards]


def _message(n: int, kind: str, content: dict[str, Any]) -> Shown:
    if kind == "text":
        return Shown(id=f"weibo {n}", text=content["text"], private=True)
    [article] = content["articles"]
    text = f"{article['display_name']}\n{article['summary']}"
    return Shown(id=f"weibo {n}", text=text, links=(article["url"],), private=True)


def _card(room: str, seen: Seen) -> Shown:
    links = (seen.card.link_url, *(button.url for button in seen.card.buttons))
    return Shown(
        id=f"{room} {seen.id}",
        text=seen.text,
        links=tuple(link for link in links if link),
        private=seen.private,
        source=(room, seen),
    )


def _can_undo(source: tuple[str, Seen] | None) -> bool:
    return source is not None and source[1].has_button("Undo")


class Driver(Network):
    """Weibo as its documents describe it."""

    name = "weibo"
    text_length_max = 300
    # The documents name no limit; this is what the app takes.
    said_length_max = 10_000
    # It counts by the hour.
    wait_s = 900.0
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.PLACE: "what the account says is read by one person alone",
    }

    def __init__(self, folder: Path, peer: Any = None) -> None:  # noqa: ANN401 - the port's
        super().__init__(folder, peer)
        self._weibo = FakeWeibo()
        self._people: list[WeiboPerson] = []
        self._home = AsyncExitStack()
        self._url = ""
        self._bodies: list[bytes] = []
        self._held: list[bytes] = []

    @property
    def messages(self) -> Sequence[tuple[str, str, dict[str, Any]]]:
        """What people got in the app."""
        return self._weibo.messages

    def settings(self) -> Mapping[str, str]:
        return {
            "weibo__app_secret": SECRET,
            "weibo__access_token": TOKEN,
            "weibo__account_id": BOT,
            "weibo__service": self._weibo.base_url,
        }

    async def open(self) -> None:
        await self._weibo.__aenter__()

    async def close(self) -> None:
        await self._home.aclose()
        self._people.clear()
        await self._weibo.__aexit__(None, None, None)

    async def gather(self, *names: str) -> Sequence[Person]:
        people = []
        for _ in names:
            session = await self._home.enter_async_context(browser())
            people.append(WeiboPerson(self, Browser(session)))
            await people[-1].arrive(self._url)
        self._people += people
        return people

    async def bot_started(self, url: str) -> None:
        self._url = url
        for person in self._people:
            await person.arrive(url)

    async def bot_stopping(self) -> None:
        for person in self._people:
            await person.browser.go_away()

    async def push(self, sender_id: str, text: str) -> None:
        """Somebody writes to the account."""
        if sender_id in self._weibo.closed_to:
            return
        body = self._weibo.push(text, sender_id=int(sender_id))
        self._bodies.append(body)
        if self._weibo.down:
            self._held.append(body)
        else:
            await self._deliver(body)

    async def _deliver(self, body: bytes) -> None:
        query = self._weibo.query()
        for left in reversed(range(_TRIES)):
            try:
                status, said = await self._weibo.deliver(self._url + PUSH_PATH, body, query)
            except (aiohttp.ClientError, TimeoutError):
                # It gives a bot five seconds, and comes again.
                if not left:
                    raise
            else:
                assert status == 200, said
                return

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Neither pushes nor answers get through; what was written is pushed afterwards."""
        self._weibo.down = True
        yield
        self._weibo.down = False
        held, self._held = self._held, []
        await asyncio.gather(*map(self._deliver, held))

    @asynccontextmanager
    async def rate_limited(self) -> AsyncIterator[None]:
        refusal = {"error": "User requests out of rate limit!", "error_code": 10023}
        self._weibo.faults.append((403, refusal))
        yield
        assert not self._weibo.faults

    async def redeliver(self, house: House) -> None:
        del house
        await asyncio.gather(*map(self._deliver, self._bodies))
        for person in self._people:
            await person.browser.press_all_again()

    async def remove_bot(self, by: Person) -> None:
        """The person blocks the account."""
        self._weibo.closed_to.add(by.id)

    async def add_bot(self, by: Person) -> None:
        self._weibo.closed_to.discard(by.id)

"""The web chat in the contract suite: pages without a browser, which come back as pages do."""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

import aiohttp

from bot.adapters.web_chat.frames import TEXT_LENGTH_MAX
from bot.demo.visitor import Seen, Visitor, browser, visit
from tests.bot.adapters.contract.driver import Ability, Network, Person, Shown
from tests.bot.adapters.contract.house import House


@dataclass
class _Frame:
    """Something that the page sent, so that it can send it again as it was."""

    kind: str
    text: str
    on: Seen | None = None
    taken: bool = False


class WebPerson(Person):
    """Somebody at a page; `id` is known once the page was greeted."""

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id
        self.id = ""
        self._home = AsyncExitStack()
        self._open = AsyncExitStack()
        self._session: aiohttp.ClientSession
        self._visitor: Visitor | None = None
        self._frames: dict[str, _Frame] = {}

    async def arrive(self, url: str) -> None:
        """Open the page; what the bot had not taken yet is sent again."""
        if not self.id:
            self._session = await self._home.enter_async_context(browser())
        self._open = AsyncExitStack()
        visitor = await self._open.enter_async_context(visit(self._session, url, self.room_id))
        self.id, self._visitor = await visitor.greeted(), visitor
        for frame_id, frame in self._frames.items():
            if not frame.taken:
                await self._deliver(frame_id, frame)

    async def go_away(self) -> None:
        """Close the page."""
        self._visitor = None
        await self._open.aclose()

    async def go_home(self) -> None:
        """Close the browser."""
        await self.go_away()
        await self._home.aclose()

    async def send_all_again(self) -> None:
        """What a page does whose acknowledgements were lost."""
        for frame_id, frame in self._frames.items():
            await self._deliver(frame_id, frame)

    async def say(self, text: str) -> None:
        await self._send(_Frame("say", text))

    async def tap(self, offer: Shown) -> None:
        await self._send(_Frame("press", "Pay", offer.source))

    async def undo(self, offer: Shown) -> None:
        del offer
        receipt = await self.see(lambda shown: shown.source.has_button("Undo"))
        await self._send(_Frame("press", "Undo", receipt.source))

    async def rename(self, name: str) -> None:
        assert self._visitor is not None
        await self._visitor.rename(name)

    async def read(self) -> Sequence[Shown]:
        cards = self._visitor.cards() if self._visitor is not None else []
        return [_shown(seen) for seen in cards]

    async def _send(self, frame: _Frame) -> None:
        frame_id = str(uuid4())
        self._frames[frame_id] = frame
        if self._visitor is not None:
            await self._deliver(frame_id, frame)

    async def _deliver(self, frame_id: str, frame: _Frame) -> None:
        assert self._visitor is not None
        if frame.on is None:
            await self._visitor.say(frame.text, frame_id=frame_id)
        else:
            await self._visitor.press(frame.on, frame.text, frame_id=frame_id)
        frame.taken = True


class Driver(Network):
    """The web chat, which is part of the bot itself."""

    name = "web"
    text_length_max = TEXT_LENGTH_MAX
    said_length_max = TEXT_LENGTH_MAX
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.RATE_LIMIT: "the web chat is part of the bot, and nobody limits it",
        Ability.REMOVE: "the bot is in every room of its web chat and cannot be put out",
    }
    _rooms = itertools.count()

    def settings(self) -> Mapping[str, str]:
        return {}

    async def gather(self, *names: str) -> Sequence[Person]:
        room_id = f"contract-{next(self._rooms)}"
        people = [WebPerson(room_id) for _ in names]
        for person in people:
            await person.arrive(self._url)
        self._people += people
        return people

    async def open(self) -> None:
        self._people: list[WebPerson] = []
        self._url = ""

    async def close(self) -> None:
        for person in self._people:
            await person.go_home()

    async def bot_started(self, url: str) -> None:
        self._url = url
        for person in self._people:
            await person.arrive(url)

    async def bot_stopping(self) -> None:
        for person in self._people:
            await person.go_away()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """No page reaches the bot, as when a proxy is down; pages keep what they could not say."""
        for person in self._people:
            await person.go_away()
        yield
        for person in self._people:
            await person.arrive(self._url)

    async def redeliver(self, house: House) -> None:
        del house
        for person in self._people:
            await person.send_all_again()


def _shown(seen: Seen) -> Shown:
    links = (seen.card.link_url, *(button.url for button in seen.card.buttons))
    return Shown(
        id=seen.id,
        text=seen.text,
        links=tuple(link for link in links if link),
        private=seen.private,
        source=seen,
    )

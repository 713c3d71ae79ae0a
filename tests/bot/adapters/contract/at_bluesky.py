"""Bluesky in the contract suite: a strict server of the AT Protocol, and people with accounts."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

import msgspec

from bot.adapters.bluesky.listening import Place
from tests.bot.adapters.contract.driver import WITHIN_S, Ability, Network, Person, Shown
from tests.bot.adapters.contract.house import House
from tests.peers.bluesky_api import BOT, HANDLE, PASSWORD, FakeBluesky
from tests.peers.bluesky_chat import Refusal

_FACET = "app.bsky.richtext.facet"
_LINK = re.compile(r"https?://[!-~]+[A-Za-z0-9/]")
#: What the bot asks for last whenever it looks for news.
_LAST_OF_LOOK = "chat.bsky.convo.getLog"
_SHORTLY_S = 0.01
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class BlueskyPerson(Person):
    """Somebody with an account, who reads the threads of their friends and their own chats."""

    def __init__(self, api: FakeBluesky, name: str, friends: set[str]) -> None:
        self._api = api
        self.id = self.room_id = "did:plc:" + "".join(secrets.choice(_LETTERS) for _ in range(24))
        api.handles[self.id] = f"{name}.{self.id[-6:]}.test"
        self._friends = friends
        friends.add(self.id)

    async def say(self, text: str) -> None:
        # As apps do: mentions and links are marked, by their places in the UTF-8 bytes.
        mention = f"@{HANDLE}"
        text = f"{mention} {text}"
        facets = [_facet(text, 0, len(mention), {"$type": f"{_FACET}#mention", "did": BOT})]
        for link in _LINK.finditer(text):
            feature = {"$type": f"{_FACET}#link", "uri": link[0]}
            facets.append(_facet(text, link.start(), link.end(), feature))
        self._api.post(self.id, text, facets=facets)

    async def tap(self, offer: Shown) -> None:
        self._reply(offer, "buy")

    async def undo(self, offer: Shown) -> None:
        del offer
        self._reply(await self.see("Reply “undo”."), "undo")

    def _reply(self, shown: Shown, word: str) -> None:
        if shown.private:
            self._api.write(self.id, word, to=shown.id)
        else:
            self._api.post(self.id, word, to=shown.id)

    async def rename(self, name: str) -> None:
        self._api.handles[self.id] = f"{name.lower().replace(' ', '-')}.test"

    async def read(self) -> Sequence[Shown]:
        found = [
            (kept["value"]["createdAt"], _post(uri, kept))
            for uri, kept in self._api.records.items()
            if uri.startswith(f"at://{BOT}/") and _author_above(kept) in self._friends
        ]
        found += [
            (message["sentAt"], _message(message))
            for message in self._api.written(self.id)
            if message["sender"]["did"] == BOT
        ]
        return [shown for _, shown in sorted(found, key=lambda each: str(each[0]))]


def _facet(text: str, start: int, end: int, feature: dict[str, str]) -> dict[str, Any]:
    at = len(text[:start].encode())
    index = {"byteStart": at, "byteEnd": at + len(text[start:end].encode())}
    return {"index": index, "features": [feature]}


def _author_above(kept: dict[str, Any]) -> str:
    uri: str = kept["value"]["reply"]["parent"]["uri"]
    return uri.split("/")[2]


def _links(content: dict[str, Any]) -> list[str]:
    features = [one for facet in content.get("facets") or () for one in facet["features"]]
    # Whatever is marked and is no link would be a mention or a tag, which the bot never makes.
    return [one.get("uri", f"evil {one}") for one in features]


def _post(uri: str, kept: dict[str, Any]) -> Shown:
    record = kept["value"]
    links = _links(record)
    if record.get("embed"):
        links.append(record["embed"]["external"]["uri"])
    return Shown(f"{uri} {kept['cid']}", record["text"], tuple(links), source=record)


def _message(message: dict[str, Any]) -> Shown:
    links = tuple(_links(message))
    return Shown(message["id"], message["text"], links, private=True, source=message)


class Driver(Network):
    """A PDS, an AppView and a chat service in one."""

    name = "bluesky"
    text_length_max = 250
    # 300 graphemes, less the mention of the bot.
    said_length_max = 300 - len(f"@{HANDLE} ")
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.OVERLONG: "a post of more than 300 graphemes is no valid record, and is nowhere",
        Ability.UNHEARD: "a block hides its mentions while it lasts, and shows them afterwards",
    }

    def __init__(self, folder: Path, peer: Any = None) -> None:  # noqa: ANN401 - the port's
        super().__init__(folder, peer)
        self._api = FakeBluesky()

    def settings(self) -> Mapping[str, str]:
        return {
            "bluesky__service": self._api.base_url,
            "bluesky__handle": HANDLE,
            "bluesky__app_password": PASSWORD,
            "bluesky__poll_s": "0.1",
        }

    async def open(self) -> None:
        await self._api.__aenter__()

    async def close(self) -> None:
        await self._api.__aexit__(None, None, None)

    async def bot_started(self, url: str) -> None:
        """Wait until it has looked once: what was said before it came is not for it."""
        del url
        looks, deadline = self._api.calls.count(_LAST_OF_LOOK), monotonic() + WITHIN_S
        while self._api.calls.count(_LAST_OF_LOOK) == looks and not self._api.down:
            assert monotonic() < deadline, "the bot never looked for what it was told"
            await asyncio.sleep(_SHORTLY_S)

    async def gather(self, *names: str) -> Sequence[Person]:
        friends: set[str] = set()
        people = [BlueskyPerson(self._api, name, friends) for name in names]
        for person in people:
            await self.add_bot(person)
        return people

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        self._api.down = True
        yield
        self._api.down = False

    @asynccontextmanager
    async def rate_limited(self) -> AsyncIterator[None]:
        refusals = self._api.faults["chat.bsky.convo.sendMessage"] = [
            Refusal(429, "RateLimitExceeded", "Rate Limit Exceeded", retry_after="1")
            for _ in range(2)
        ]
        yield
        assert not refusals

    async def redeliver(self, house: House) -> None:
        """The bot is started with the place that it had before anything happened."""
        place = Place(BOT, since_s=0.0, seen_at_s=0.0, chat="0", cids=True)
        await house.restart_at(msgspec.json.encode(place).decode())

    async def remove_bot(self, by: Person) -> None:
        """The person blocks the bot's account."""
        self._api.blockers.add(by.id)

    async def add_bot(self, by: Person) -> None:
        self._api.blockers.discard(by.id)

"""The Mastodon API in the contract suite: a strict server that streams, and people with accounts.

The real server of the tests carries a post in some nine seconds and lacks much; what can be done
on it is done in one conversation, in `tests/test_fediverse_loop.py`.
"""

import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from bot.adapters.mastodon.rendering import LOOKALIKES
from tests.bot.adapters.contract.drawn import Drawn
from tests.bot.adapters.contract.driver import Ability, Network, Person, Shown
from tests.bot.adapters.contract.house import House
from tests.peers.mastodon_api import HOST, TOKEN, FakeMastodon

_LINK = re.compile(r"https?://[!-~]+[A-Za-z0-9/]")
_JOINER = "\u2060"
_OPEN = {"public", "unlisted"}
_STATUSES = "/api/v1/statuses"


class MastodonPerson(Person):
    """Somebody with an account, who reads the threads of their friends and what is sent to them."""

    def __init__(self, api: FakeMastodon, who: str, friends: set[str]) -> None:
        self._api = api
        self.who = who
        self.id = f"https://{HOST}/users/{who}"
        self.room_id = f"id-{who}"
        self._friends = friends
        friends.add(self.room_id)

    async def say(self, text: str) -> None:
        await self._api.mention(self.who, _as_html(text))

    async def tap(self, offer: Shown) -> None:
        visibility = "direct" if offer.private else "public"
        await self._api.mention(self.who, "buy", to=offer.id, visibility=visibility)

    async def undo(self, offer: Shown) -> None:
        del offer
        receipt = await self.see("Reply “undo”.")
        await self._api.mention(self.who, "undo", to=receipt.id, visibility="direct")

    async def rename(self, name: str) -> None:
        self._api.names[self.who] = name

    async def read(self) -> Sequence[Shown]:
        return [_shown(post, self.who) for post in self._api.own() if self._sees(post)]

    def _sees(self, post: dict[str, Any]) -> bool:
        above = self._api.posts.get(post["in_reply_to_id"] or "")
        if post["visibility"] in _OPEN:
            return above is not None and above["account"]["id"] in self._friends
        return self.who in {mention["acct"] for mention in post["mentions"]}


def _as_html(text: str) -> str:
    """What a server makes of the text that somebody typed."""
    made, at = "", 0
    for link in _LINK.finditer(text):
        url = html.escape(link[0])
        shown = url.partition("://")[2][:30]
        made += html.escape(text[at : link.start()]) + f'<a href="{url}">{shown}</a>'
        at = link.end()
    return made + html.escape(text[at:])


def _shown(post: dict[str, Any], reader: str) -> Shown:
    drawn = Drawn(post["content"])
    private = post["visibility"] == "direct"
    text = drawn.text.removeprefix(f"@{reader}") if private else drawn.text.partition(" ")[2]
    return Shown(
        id=post["id"],
        text=_as_seen(text),
        # The first one is the mention by which the post finds its reader.
        links=tuple(drawn.links[1:]),
        private=private,
        source=post,
    )


def _as_seen(text: str) -> str:
    """What somebody sees, to whom signs are the same that look the same."""
    for sign, alike in LOOKALIKES.items():
        if sign.isascii():
            text = text.replace(alike, sign)
    return text.replace(_JOINER, "").strip()


class Driver(Network):
    """A server that streams, with everybody on it."""

    name = "mastodon"
    text_length_max = 350
    # Mastodon's own people write 500 characters; those of other servers ten times as much.
    said_length_max = 5_000
    cannot: ClassVar[Mapping[Ability, str]] = {}

    def __init__(self, folder: Path, peer: Any = None) -> None:  # noqa: ANN401 - the port's
        super().__init__(folder, peer)
        self._api = FakeMastodon()
        self._numbers = itertools.count()
        self._first = ""

    def settings(self) -> Mapping[str, str]:
        return {
            "mastodon__server": self._api.base_url,
            "mastodon__access_token": TOKEN,
            # The stream is what brings news; this is for when it is broken.
            "mastodon__poll_s": "0.5",
        }

    async def open(self) -> None:
        await self._api.__aenter__()
        self._first = await self._api.tell("follow", "somebody")

    async def close(self) -> None:
        await self._api.__aexit__(None, None, None)

    async def gather(self, *names: str) -> Sequence[Person]:
        friends: set[str] = set()
        return [
            MastodonPerson(self._api, f"{name}{next(self._numbers)}", friends) for name in names
        ]

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        self._api.down = True
        await self._api.stop_streams()
        yield
        self._api.down = False

    @asynccontextmanager
    async def rate_limited(self) -> AsyncIterator[None]:
        refusals = self._api.faults[_STATUSES] = [(429, {"Retry-After": "1"}), (429, {})]
        yield
        assert not refusals

    async def redeliver(self, house: House) -> None:
        """The bot is started with the place that it had before anything happened."""
        place = {"account": f"https://{HOST}/users/bot", "notification": self._first, "home": ""}
        await house.restart_at(json.dumps(place))

    async def remove_bot(self, by: Person) -> None:
        """The person blocks the bot's account."""
        assert isinstance(by, MastodonPerson)
        self._api.blockers.add(by.who)

    async def add_bot(self, by: Person) -> None:
        assert isinstance(by, MastodonPerson)
        self._api.blockers.discard(by.who)

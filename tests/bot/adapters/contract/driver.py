"""What a network gives to the contract suite: people at their clients, and what may go wrong.

A network joins the suite with one file beside this one, `at_NAME.py`, which has a class `Driver`
(a `Network`) and its people (`Person`). The suite starts the whole bot with `Driver.settings`, so
that everything between a person's finger and the books is the real thing. What a network cannot
do it says in `cannot`, each with a sentence that is true; those tests are then skipped with it.

    class Driver(Network):
        name = "matrix"
        peer_fixture = "synapse"             # a fixture with the server to speak to, or None
        cannot = {Ability.REDELIVER: "…"}
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# By name: a test may move the clock on, and people wait in real time.
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bot.demo.visitor import NotSeen

if TYPE_CHECKING:
    from tests.bot.adapters.contract.house import House

_LOOK_EVERY_S = 0.03
WITHIN_S = 30.0


class Ability(StrEnum):
    """What not every network can do; a driver names what its own cannot, and why."""

    UNDO = "undo"
    REDELIVER = "redeliver"
    RATE_LIMIT = "rate limit"
    OUTAGE = "outage"
    OVERLONG = "say too much"
    RENAME = "rename"
    REMOVE = "remove the bot"
    UNHEARD = "never tell what was said while the bot was out"
    PLACE = "a place that several people read"


@dataclass(frozen=True)
class Shown:
    """A message of the bot as a client displays it now, edits applied.

    `text` is what stands on the screen: the network's markup is interpreted, tags are gone and
    escapes are characters again. `links` are the addresses to which its markup leads. `private`:
    only this person can read it. `source` is the driver's own.
    """

    id: str
    text: str
    links: tuple[str, ...] = ()
    private: bool = False
    source: Any = None


class Person(ABC):
    """Somebody at a client of the network. `id` and `room_id` are as the bot's events say them.

    `payer`: network, id and room of the one whose wallet this person's taps pay from, where that
    is somebody on another network: a pay link is followed in a browser.
    """

    id: str
    room_id: str
    payer: tuple[str, str, str] | None = None

    @abstractmethod
    async def say(self, text: str) -> None:
        """Write to the place where the bot is."""

    @abstractmethod
    async def tap(self, offer: Shown) -> None:
        """Do what people of this network do to pay the offer."""

    @abstractmethod
    async def undo(self, offer: Shown) -> None:
        """Take the last tap on the offer back."""

    @abstractmethod
    async def rename(self, name: str) -> None:
        """Take another name, as far as the network allows."""

    @abstractmethod
    async def read(self) -> Sequence[Shown]:
        """All that the bot says to this person, in the place and in private, oldest first."""

    async def hear_back(self, prefix: str) -> None:
        """Ask the bot something and wait for its answer; it answers one person in order."""
        before = await self.read()
        await self.say(f"{prefix}whoami")
        await self.see("· wallet", seen=before)

    async def see(
        self,
        wanted: str | Callable[[Shown], bool],
        *,
        seen: Sequence[Shown] = (),
        within_s: float = WITHIN_S,
    ) -> Shown:
        """Wait for a message with these words that is not in `seen`; gives the newest.

        Raises `NotSeen`.
        """
        known = {message.id for message in seen}
        deadline = monotonic() + within_s
        while True:
            shown = await self.read()
            for message in reversed(shown):
                fits = wanted in message.text if isinstance(wanted, str) else wanted(message)
                if fits and message.id not in known:
                    return message
            if monotonic() > deadline:
                texts = "\n".join(repr(message.text) for message in shown)
                raise NotSeen(f"{self.id} waited in vain for {wanted!r}. Read:\n{texts}")
            await asyncio.sleep(_LOOK_EVERY_S)


class Network(ABC):
    """A network with its server, as a test uses it: an async context manager.

    `name`: as in the bot's config. `text_length_max`: the adapter's own promise,
    which holds for the `longest` of characters.
    `said_length_max`: how much a person may write at once, in code points. `prefix`: what commands
    begin with. `peer`: the fixture that is handed in as `peer`. `wait_s`: how long it asks the bot
    to wait that was too fast.
    """

    name: ClassVar[str]
    text_length_max: ClassVar[int]
    longest: ClassVar[str] = "🍵"
    said_length_max: ClassVar[int]
    prefix: ClassVar[str] = "/"
    wait_s: ClassVar[float] = 1.0
    peer_fixture: ClassVar[str | None] = None
    cannot: ClassVar[Mapping[Ability, str]] = {}

    def __init__(self, folder: Path, peer: Any = None) -> None:  # noqa: ANN401 - each its own
        self.folder = folder
        self.peer = peer

    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """The bot's settings for this network, such as `{"matrix__homeserver": "http://…"}`."""

    @abstractmethod
    async def gather(self, *names: str) -> Sequence[Person]:
        """New people in a new place where the bot is, and has said hello if it does so.

        The first of them brought it there.
        """

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Start the server; the bot does not run yet."""
        return

    async def close(self) -> None:
        """Stop it and send everybody home."""
        return

    async def bot_started(self, url: str) -> None:
        """The bot runs (again); its web pages are at `url`."""
        del url

    async def bot_stopping(self) -> None:
        """The bot is about to be stopped, or was killed."""
        return

    # What only some networks can do. One that cannot names the ability in `cannot`, and the tests
    # that need it are skipped; what is not there otherwise fails.

    def outage(self) -> AbstractAsyncContextManager[None]:
        """The network is down for the bot; people can still say and tap."""
        raise NotImplementedError

    def rate_limited(self) -> AbstractAsyncContextManager[None]:
        """The network answers the bot's sending with "too fast" at least once."""
        raise NotImplementedError

    async def redeliver(self, house: "House") -> None:
        """The network hands the bot everything again that it had heard."""
        raise NotImplementedError

    async def remove_bot(self, by: Person) -> None:
        """Put the bot out of the person's place."""
        raise NotImplementedError

    async def add_bot(self, by: Person) -> None:
        """Bring it in again, and wait until it is there."""
        raise NotImplementedError

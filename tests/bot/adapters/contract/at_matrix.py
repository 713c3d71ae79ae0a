"""Matrix in the contract suite: clients at a real homeserver, behind a line that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

import aiohttp

from tests.bot.adapters.contract.drawn import Drawn
from tests.bot.adapters.contract.driver import Ability, Network, Shown
from tests.bot.adapters.contract.driver import Person as ContractPerson
from tests.bot.adapters.contract.house import House
from tests.bot.adapters.matrix.people import Person, Relay
from tests.matrix_people import PAY, Client, Message
from tests.peers.synapse import SynapsePeer


class Resident(ContractPerson):
    """Somebody with an account at the homeserver, whatever the client."""

    def __init__(self, account: Person, bot_id: str) -> None:
        self.account = account
        self.id = account.user_id
        self.room_id = ""
        self._bot_id = bot_id

    async def rename(self, name: str) -> None:
        path = f"/profile/{quote(self.id)}/displayname"
        await self.account.call("PUT", path, {"displayname": name})


class MatrixPerson(Resident):
    """Somebody at a client."""

    def __init__(self, client: Client, bot_id: str) -> None:
        super().__init__(client.person, bot_id)
        self.client = client
        self._taps: dict[str, str] = {}

    async def say(self, text: str) -> None:
        await self.client.say(self.room_id, text)

    async def tap(self, offer: Shown) -> None:
        if offer.id in self._taps:
            # A client's second tap on the same emoji takes the first back: another device, then.
            await self.client.person.react(offer.source.room_id, offer.id, PAY + "\ufe0f")
            return
        self._taps[offer.id] = await self.client.person.react(offer.source.room_id, offer.id, PAY)

    async def undo(self, offer: Shown) -> None:
        await self.client.take_back(offer.source, self._taps.pop(offer.id))

    async def read(self) -> Sequence[Shown]:
        said = self.client.said_by(self._bot_id)
        return [self._shown(message) for message in said if message.kind == "m.notice"]

    def _shown(self, message: Message) -> Shown:
        drawn = Drawn(message.markup)
        return Shown(
            id=message.id,
            text=drawn.text if message.markup else message.body,
            links=tuple(drawn.links),
            private=message.room_id != self.room_id,
            source=message,
        )


class Driver(Network):
    """A homeserver of Synapse."""

    name = "matrix"
    text_length_max = 15_000
    # A message of 65,536 bytes, less what surrounds the text.
    said_length_max = 60_000
    prefix = "!"
    peer_fixture = "synapse"
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.OVERLONG: "the homeserver refuses such a message, and nobody hears of it",
    }

    def __init__(self, folder: Path, peer: SynapsePeer) -> None:
        super().__init__(folder, peer)
        self._synapse = peer
        self._relay = Relay(urlsplit(peer.base_url).port or 0)
        self._people: list[MatrixPerson] = []
        self._reading: list[asyncio.Task[None]] = []

    def settings(self) -> dict[str, str]:
        return {
            "matrix__homeserver": f"http://127.0.0.1:{self._relay.port}",
            "matrix__user": self._bot.user_id,
            "matrix__access_token": self._bot.token,
        }

    async def open(self) -> None:
        self._bot = Person(self._synapse, "payontap")
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        await self._relay.mend()
        # As old as the bot's account: reading goes on from here when all is delivered again.
        self._first = (await self._bot.call("GET", "/sync?timeout=0"))["next_batch"]

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._session.close()
        await self._relay.cut()

    async def gather(self, *names: str) -> Sequence[ContractPerson]:
        people = [
            MatrixPerson(Client(Person(self._synapse, name)), self._bot.user_id) for name in names
        ]
        for person in people:
            reading = person.client.read(self._session, self._synapse.base_url)
            self._reading.append(asyncio.create_task(reading, name=person.id))
        host, *others = (person.client.person for person in people)
        room_id = await host.make_room(*others)
        for person in people:
            person.room_id = room_id
        await self.add_bot(people[0])
        return people

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        await self._relay.cut()
        yield
        await self._relay.mend()

    @asynccontextmanager
    async def rate_limited(self) -> AsyncIterator[None]:
        """The homeserver's own limit, set very low for the bot's account."""
        _, token = self._synapse.register("warden", admin=True)
        path = f"/_synapse/admin/v1/users/{quote(self._bot.user_id)}/override_ratelimit"
        limit = {"messages_per_second": 3, "burst_count": 1}
        await asyncio.to_thread(self._synapse.call, "POST", path, limit, token=token)
        yield
        await asyncio.to_thread(self._synapse.call, "DELETE", path, token=token)

    async def redeliver(self, house: House) -> None:
        """The bot is started with the place in the stream that it had at first."""
        await house.restart_at(f"{self._bot.user_id} {self._first}")

    async def remove_bot(self, by: ContractPerson) -> None:
        assert isinstance(by, Resident)
        await by.account.act(by.room_id, "kick", self._bot.user_id)

    async def add_bot(self, by: ContractPerson) -> None:
        assert isinstance(by, Resident)
        before = await by.read()
        await by.account.act(by.room_id, "invite", self._bot.user_id)
        await by.see("Hello!", seen=before)

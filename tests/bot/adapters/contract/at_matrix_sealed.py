"""Encrypted rooms of Matrix in the contract suite: clients with keys, at a real homeserver.

Reactions are no taps there, since the homeserver could write them; people vote in the bot's polls.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bot.adapters.contract.at_matrix import Driver as OpenDriver
from tests.bot.adapters.contract.at_matrix import Resident
from tests.bot.adapters.contract.drawn import Drawn
from tests.bot.adapters.contract.driver import Person as ContractPerson
from tests.bot.adapters.contract.driver import Shown
from tests.bot.adapters.matrix.sealed_people import SealedPerson, answers, shown
from tests.peers.synapse import SynapsePeer

_NOT_NOW = "-"


class SealedMatrixPerson(Resident):
    """Somebody at a client that encrypts."""

    def __init__(self, client: SealedPerson, bot_id: str) -> None:
        super().__init__(client.person, bot_id)
        self.client = client

    async def say(self, text: str) -> None:
        await self.client.say(self.room_id, text)

    async def tap(self, offer: Shown) -> None:
        poll = await self.client.see_poll(offer.source)
        [pay] = [answer for label, answer in answers(poll).items() if label.startswith("Pay")]
        await self.client.vote(poll, pay)

    async def undo(self, offer: Shown) -> None:
        await self.client.vote(await self.client.see_poll(offer.source), _NOT_NOW)

    async def read(self) -> Sequence[Shown]:
        newest: dict[str, dict[str, Any]] = {}
        for event in self.client.seen:
            relation = event["content"].get("m.relates_to", {})
            if event["sender"] != self._bot_id or shown(event).get("msgtype") != "m.notice":
                continue
            # What the bot says in the clear in such a room would be a fault.
            assert event["sealed"], event
            if relation.get("rel_type") == "m.replace":
                original = newest.get(relation["event_id"])
                if original is not None:
                    newest[relation["event_id"]] = {**original, "content": shown(event)}
            else:
                newest[event["event_id"]] = event
        return [self._shown(event) for event in newest.values()]

    def _shown(self, event: dict[str, Any]) -> Shown:
        content = event["content"]
        drawn = Drawn(content.get("formatted_body", ""))
        return Shown(
            id=event["event_id"],
            text=drawn.text or content["body"],
            links=tuple(drawn.links),
            private=event["room_id"] != self.room_id,
            source=event,
        )


class Driver(OpenDriver):
    """The same homeserver, with rooms whose words it cannot read."""

    text_length_max = 3_300
    # As much as fits into an event once it is encrypted.
    said_length_max = 40_000

    def __init__(self, folder: Path, peer: SynapsePeer) -> None:
        super().__init__(folder, peer)
        self._sealed: list[SealedPerson] = []
        self._clients_made = 0

    def settings(self) -> dict[str, str]:
        return {**super().settings(), "matrix__encryption": "true"}

    async def close(self) -> None:
        await super().close()
        for client in self._sealed:
            await client.client.close()
        self._sealed.clear()

    async def gather(self, *names: str) -> Sequence[ContractPerson]:
        clients = []
        for name in names:
            self._clients_made += 1
            store = self.folder / f"client-{self._clients_made}"
            clients.append(SealedPerson(self._synapse, name, store))
            await clients[-1].log_in()
            self._reading.append(asyncio.create_task(clients[-1].read()))
        self._sealed += clients
        host, *others = clients
        room_id = await host.make_room(*(other.user_id for other in others))
        people = [SealedMatrixPerson(client, self._bot.user_id) for client in clients]
        for person in people:
            person.room_id = room_id
        for other in others:
            await other.person.join(room_id)
        await self.add_bot(people[0])
        return people

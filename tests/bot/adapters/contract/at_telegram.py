"""Telegram in the contract suite: a strict Bot API server, and people at its apps."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from tests.bot.adapters.contract.driver import Ability, Network, Person, Shown
from tests.bot.adapters.contract.house import House
from tests.peers.telegram_api import Chat, Message, TelegramApi
from tests.telegram_people import Client

#: Longer texts are cut into several messages by Telegram's own apps.
SAID_LENGTH_MAX = 4096
_INVISIBLE = "\u2060"


class TelegramPerson(Person):
    """Somebody who is in a group and has a chat with the bot."""

    def __init__(self, client: Client, group: Chat) -> None:
        self.client = client
        self.group = group
        self.id = client.user_id
        self.room_id = str(group.id)

    async def say(self, text: str) -> None:
        for at in range(0, len(text), SAID_LENGTH_MAX):
            self.client.say(self.group, text[at : at + SAID_LENGTH_MAX])

    async def tap(self, offer: Shown) -> None:
        self.client.api.tap(self.client.user, offer.source, "Pay")

    async def undo(self, offer: Shown) -> None:
        del offer
        receipt = await self.see(lambda shown: "Undo" in shown.source.labels)
        self.client.api.tap(self.client.user, receipt.source, "Undo")

    async def rename(self, name: str) -> None:
        self.client.user.name = name

    async def read(self) -> Sequence[Shown]:
        return [self._shown(message) for message in self.client.said_by_bot()]

    @staticmethod
    def _shown(message: Message) -> Shown:
        private = message.receiver_id is not None or message.chat.type == "private"
        return Shown(
            id=f"{message.chat.id}/{message.receiver_id}/{message.id}",
            text=message.text.replace(_INVISIBLE, ""),
            links=tuple(e["url"] for e in message.entities if e["type"] == "text_link"),
            private=private,
            source=message,
        )


class Driver(Network):
    """A Bot API server as strict as the real one."""

    name = "telegram"
    text_length_max = 4096
    # It counts in units of UTF-16, of which an emoji has two; the adapter cuts such texts itself.
    longest = "茶"
    said_length_max = SAID_LENGTH_MAX
    cannot: ClassVar[Mapping[Ability, str]] = {}

    def __init__(self, folder: Path, peer: Any = None) -> None:  # noqa: ANN401 - the port's
        super().__init__(folder, peer)
        self._api = TelegramApi()

    def settings(self) -> Mapping[str, str]:
        return {"telegram__token": self._api.token, "telegram__api_url": self._api.url}

    async def open(self) -> None:
        await self._api.__aenter__()

    async def close(self) -> None:
        await self._api.__aexit__(None, None, None)

    async def gather(self, *names: str) -> Sequence[Person]:
        clients = [Client(self._api, self._api.person(name)) for name in names]
        group = self._api.group(*(client.user for client in clients))
        people = [TelegramPerson(client, group) for client in clients]
        await self.add_bot(people[0])
        return people

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        self._api.down = True
        yield
        self._api.down = False

    @asynccontextmanager
    async def rate_limited(self) -> AsyncIterator[None]:
        self._api.told_to_wait["sendMessage"] = [1, 1]
        yield
        assert not self._api.told_to_wait["sendMessage"]

    async def redeliver(self, house: House) -> None:
        del house
        self._api.delivery.repeat(len(self._api.delivery.delivered))

    async def remove_bot(self, by: Person) -> None:
        assert isinstance(by, TelegramPerson)
        self._api.set_bot(by.group, by.client.user, "kicked")

    async def add_bot(self, by: Person) -> None:
        assert isinstance(by, TelegramPerson)
        before = await by.read()
        self._api.set_bot(by.group, by.client.user, "member")
        await by.see("Hello!", seen=before)

"""People at a Matrix client, and the whole bot beside them.

The client syncs, joins where it is invited, and shows what stands in its rooms.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp

from bot.app import Instance, running
from bot.demo.visitor import NotSeen, visit
from config.settings import load
from tests.bot.adapters.matrix.people import Person
from tests.peers.synapse import SynapsePeer
from tests.people import an_admin, audit_folder, orders_of
from wallet_core.commerce.records import Order

PAY = "💳"
UNDO = "↩"
AGAIN = "🔁"
TOP_UP = "💰"
_SYNC_WAIT_MS = 10_000
_Found = TypeVar("_Found")


@dataclass
class Message:
    """A message as the client shows it now, edits applied."""

    id: str
    room_id: str
    sender: str
    content: dict[str, Any]
    edits: int = 0
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def body(self) -> str:
        return str(self.content.get("body", ""))

    @property
    def markup(self) -> str:
        return str(self.content.get("formatted_body", ""))

    @property
    def kind(self) -> str:
        return str(self.content.get("msgtype", ""))

    @property
    def answers(self) -> str:
        """The message that this one replies to."""
        relation = self.content.get("m.relates_to", {})
        return str(relation.get("m.in_reply_to", {}).get("event_id", ""))

    def keys_of(self, sender: str) -> list[str]:
        """The reactions of somebody that stand there, without variation selectors."""
        return [key.rstrip("\ufe0f") for who, key in self.reactions.values() if who == sender]


class Client:
    """What one person sees, in all rooms together."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.user_id = person.user_id
        self.messages: dict[str, Message] = {}
        self._changed = asyncio.Condition()
        self._since: str | None = None

    async def read(self, session: aiohttp.ClientSession, base_url: str) -> None:
        """Sync until cancelled."""
        url = f"{base_url}/_matrix/client/v3/sync"
        headers = {"Authorization": f"Bearer {self.person.token}"}
        while True:
            query = {"timeout": str(_SYNC_WAIT_MS if self._since else 0)}
            if self._since:
                query["since"] = self._since
            async with session.get(url, params=query, headers=headers) as response:
                response.raise_for_status()
                answer = await response.json()
            for room_id in answer.get("rooms", {}).get("invite", {}):
                await self.person.join(room_id)
            async with self._changed:
                for room_id, update in answer.get("rooms", {}).get("join", {}).items():
                    for event in update["timeline"]["events"]:
                        self._take(room_id, event)
                self._changed.notify_all()
            self._since = answer["next_batch"]

    def _take(self, room_id: str, event: dict[str, Any]) -> None:
        content = event["content"]
        relation = content.get("m.relates_to", {})
        if event["type"] == "m.room.redaction":
            gone = event.get("redacts") or content.get("redacts")
            for message in self.messages.values():
                message.reactions.pop(gone, None)
        elif event["type"] == "m.reaction" and relation:
            target = self.messages.get(relation["event_id"])
            if target is not None:
                target.reactions[event["event_id"]] = (event["sender"], relation["key"])
        elif event["type"] == "m.room.message" and relation.get("rel_type") == "m.replace":
            target = self.messages.get(relation["event_id"])
            # As the specification says: nobody edits what somebody else said.
            if target is not None and target.sender == event["sender"]:
                target.content = content["m.new_content"]
                target.edits += 1
        elif event["type"] == "m.room.message" and content:
            message = Message(event["event_id"], room_id, event["sender"], content)
            self.messages[message.id] = message

    def said_by(self, sender: str, room_id: str | None = None) -> list[Message]:
        """What somebody said, oldest first, in one room or in all of them."""
        return [
            message
            for message in self.messages.values()
            if message.sender == sender and room_id in {None, message.room_id}
        ]

    async def until(
        self, ask: Callable[[], _Found | None], what: str, *, within_s: float = 20
    ) -> _Found:
        """Wait until `ask` gives something. Raises `NotSeen`."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                while (found := ask()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            shown = "\n".join(
                f"{message.room_id} {message.sender}: {message.body!r} {message.reactions}"
                for message in self.messages.values()
            )
            raise NotSeen(f"{self.user_id} waited in vain for {what}. Seen:\n{shown}") from None

    async def see(
        self,
        text: str,
        *,
        room_id: str | None = None,
        not_in: str | None = None,
        seen: Sequence[Message] = (),
        within_s: float = 20,
    ) -> Message:
        """The newest message with `text`, in or outside a room, besides those in `seen`."""
        known = {message.id for message in seen}

        def newest() -> Message | None:
            for message in reversed(self.messages.values()):
                fits = room_id in {None, message.room_id} and message.room_id != not_in
                if fits and text in message.body and message.id not in known:
                    return message
            return None

        return await self.until(newest, f"“{text}”", within_s=within_s)

    async def see_reaction(self, message: Message, key: str, sender: str) -> None:
        """Wait until somebody's reaction stands under a message."""
        await self.until(lambda: key in message.keys_of(sender) or None, f"a {key} of {sender}")

    async def say(
        self, room_id: str, text: str, *, reply_to: Message | None = None, markup: str = ""
    ) -> str:
        more: dict[str, Any] = {}
        if markup:
            more |= {"format": "org.matrix.custom.html", "formatted_body": markup}
        if reply_to is not None:
            more["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to.id}}
        return await self.person.say(room_id, text, more)

    async def react(self, message: Message, key: str = PAY) -> str:
        """React as a click on the emoji does; gives the reaction's id."""
        return await self.person.react(message.room_id, message.id, key)

    async def take_back(self, message: Message, reaction_id: str) -> None:
        await self.person.redact(message.room_id, reaction_id)

    async def members(self, room_id: str) -> set[str]:
        answer = await self.person.call("GET", f"/rooms/{quote(room_id)}/joined_members")
        return set(answer["joined"])


@asynccontextmanager
async def at_clients(peer: SynapsePeer, *names: str) -> AsyncIterator[list[Client]]:
    """New people with their clients open, for the time of the block."""
    clients = [Client(Person(peer, name)) for name in names]
    async with aiohttp.ClientSession() as session:
        reading = [
            asyncio.create_task(client.read(session, peer.base_url), name=client.user_id)
            for client in clients
        ]
        try:
            yield clients
        finally:
            broken = [task for task in reading if task.done()]
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
            for task in broken:
                task.result()


class Bot:
    """The bot's account, and how the bot is started with it."""

    def __init__(self, peer: SynapsePeer, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.base_url = peer.base_url
        self._password = "correct horse"
        self.person = Person(peer, "payontap", password=self._password)
        self.user_id = self.person.user_id

    def environ(self, **more: str) -> dict[str, str]:
        """The settings as environment variables; more of them as `money__undo_window_s="1"`."""
        settings = {
            "data_dir": str(self.data_dir),
            "web__port": "0",
            "log__level": "warning",
            "money__undo_window_s": "1",
            # A machine that is busy with other tests reads a page late, and that is not looked at.
            "fetch__timeout_s": "30",
            "matrix__homeserver": self.base_url,
            "matrix__user": self.user_id,
            "matrix__password": self._password,
            **more,
        }
        return {f"PAYONTAP_{name.upper()}": value for name, value in settings.items()}

    def running(self, **more: str) -> AbstractAsyncContextManager[Instance]:
        """The whole bot in this process."""
        return running(load(None, self.environ(**more)))

    async def into(self, host: Client, *others: Client) -> str:
        """A room of these people, into which the bot was invited; it has said hello."""
        room_id = await host.person.make_room(*(other.person for other in others))
        await host.person.act(room_id, "invite", self.user_id)
        await host.see("Hello!", room_id=room_id)
        return room_id

    async def offer_of(self, client: Client, room_id: str, url: str, words: str = "{}") -> Message:
        """Share a link; gives the bot's answer as soon as it is there."""
        before = client.said_by(self.user_id, room_id)
        await client.say(room_id, words.format(url))
        return await client.see("React with 💳", room_id=room_id, seen=before)

    async def money_for(
        self, client: Client, room_id: str, url: str, admin: aiohttp.ClientSession
    ) -> None:
        """Top up 500, confirmed by an admin at the web chat of the instance at `url`."""
        before = client.said_by(self.user_id)
        await client.say(room_id, "!topup 500")
        asked = await client.see("Code ", not_in=room_id, seen=before)
        code = asked.body.partition("Code ")[2].split()[0]
        async with visit(admin, url, "till") as till:
            await till.say(f"/admin confirm {code}")
            await client.see("¥500.00 is in your wallet", not_in=room_id, seen=before)


@dataclass
class Scene:
    """Anna, Bob and the bot in a group room; Bob sees all that the group may see."""

    peer: SynapsePeer
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.anna, self.bob = await self._stack.enter_async_context(
            at_clients(self.peer, "anna", "bob")
        )
        self.bot = Bot(self.peer, self.folder)
        self.instance: Instance = await self._stack.enter_async_context(
            self.bot.running(**self.settings)
        )
        self.admin: aiohttp.ClientSession = await self._stack.enter_async_context(
            an_admin(self.instance.admin_link)
        )
        self.room = await self.bot.into(self.anna, self.bob)
        assert self.instance.sample_url is not None
        self.url = self.instance.sample_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        if error is None:
            await audit_folder(self.bot.data_dir)

    async def money_for(self, client: Client) -> None:
        await self.bot.money_for(client, self.room, self.instance.url, self.admin)

    async def orders_of(self, client: Client) -> list[Order]:
        """All orders of somebody, oldest first."""
        return await orders_of(self.instance, "matrix", client.user_id)

    async def settled(self, client: Client) -> None:
        """Until all that was heard is answered and this person has the last answer."""
        before = client.said_by(self.bot.user_id)
        await client.say(self.room, "!whoami")
        await client.see("· wallet", not_in=self.room, seen=before)

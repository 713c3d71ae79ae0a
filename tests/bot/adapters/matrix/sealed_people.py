"""Somebody at a client that encrypts: nio with a store of its own, as people have it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nio

from tests.bot.adapters.matrix.people import Person
from tests.peers.synapse import SynapsePeer

_WITHIN_S = 30.0
ALGORITHM = {"algorithm": "m.megolm.v1.aes-sha2"}
POLL = "org.matrix.msc3381.poll.start"
VOTE = "org.matrix.msc3381.poll.response"


class SealedPerson:
    """A person whose client opens and closes encrypted messages. `seen`: all opened events."""

    def __init__(self, peer: SynapsePeer, name: str, folder: Path) -> None:
        self.person = Person(peer, name)
        self.user_id = self.person.user_id
        folder.mkdir(parents=True)
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
        self.client = nio.AsyncClient(
            peer.base_url, self.user_id, store_path=str(folder), config=config
        )
        self.seen: list[dict[str, Any]] = []
        self.unopened: list[str] = []
        self._news = asyncio.Condition()
        self.client.add_event_callback(self._take, (nio.Event,))

    async def _take(self, room: nio.MatrixRoom, event: nio.Event) -> None:
        async with self._news:
            if isinstance(event, nio.MegolmEvent):
                self.unopened.append(event.event_id)
            else:
                self.seen.append(
                    {**event.source, "room_id": room.room_id, "sealed": event.decrypted}
                )
            self._news.notify_all()

    async def log_in(self) -> None:
        owner = await self.person.call("GET", "/account/whoami")
        self.client.restore_login(self.user_id, owner["device_id"], self.person.token)
        answer = await self.client.sync(timeout=0, full_state=True)
        assert isinstance(answer, nio.SyncResponse), answer
        answer = await self.client.keys_upload()
        assert isinstance(answer, nio.KeysUploadResponse), answer

    async def read(self) -> None:
        """Sync until cancelled, and go where one is invited."""
        while True:
            answer = await self.client.sync(timeout=5_000)
            assert isinstance(answer, nio.SyncResponse), answer
            async with self._news:
                self._news.notify_all()
            for room_id in answer.rooms.invite:
                await self.person.join(room_id)
            if self.client.should_upload_keys:
                await self.client.keys_upload()
            if self.client.should_query_keys:
                await self.client.keys_query()
            if self.client.should_claim_keys:
                await self.client.keys_claim(self.client.get_users_for_key_claiming())
            await self.client.send_to_device_messages()

    async def make_room(self, *invited: str) -> str:
        """An encrypted room."""
        body = {
            "preset": "private_chat",
            "invite": list(invited),
            "initial_state": [{"type": "m.room.encryption", "state_key": "", "content": ALGORITHM}],
        }
        room_id: str = (await self.person.call("POST", "/createRoom", body))["room_id"]
        return room_id

    async def post(self, room_id: str, kind: str, content: dict[str, Any]) -> str:
        """Send an encrypted event."""
        async with asyncio.timeout(_WITHIN_S), self._news:
            await self._news.wait_for(lambda: self._knows(room_id))
        answer = await self.client.room_send(
            room_id, kind, content, tx_id=secrets.token_hex(8), ignore_unverified_devices=True
        )
        assert isinstance(answer, nio.RoomSendResponse), answer
        return str(answer.event_id)

    def _knows(self, room_id: str) -> bool:
        return room_id in self.client.rooms and self.client.rooms[room_id].encrypted

    async def say(self, room_id: str, text: str) -> str:
        return await self.post(room_id, "m.room.message", {"msgtype": "m.text", "body": text})

    async def vote(self, poll: dict[str, Any], answer: str) -> str:
        """Vote for an answer of a poll by its id."""
        content = {
            "m.relates_to": {"rel_type": "m.reference", "event_id": poll["event_id"]},
            VOTE: {"answers": [answer]},
        }
        return await self.post(poll["room_id"], VOTE, content)

    async def see(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for an event that was opened; gives the newest that fits."""

        def newest() -> dict[str, Any] | None:
            return next((event for event in reversed(self.seen) if wanted(event)), None)

        async with asyncio.timeout(_WITHIN_S), self._news:
            while (found := newest()) is None:
                await self._news.wait()
        return found

    async def see_text(self, text: str) -> dict[str, Any]:
        """Wait for a message with these words."""
        return await self.see(lambda event: text in str(shown(event).get("body", "")))

    async def see_poll(self, message: dict[str, Any]) -> dict[str, Any]:
        """Wait for the newest poll under a message."""
        return await self.see(
            lambda event: (
                event["type"] == POLL
                and event["content"].get("m.relates_to", {}).get("event_id") == message["event_id"]
            )
        )


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """The content of a message, or what an edit puts in its place."""
    content: dict[str, Any] = event["content"]
    fresh: dict[str, Any] = content.get("m.new_content", content)
    return fresh


def answers(poll: dict[str, Any]) -> dict[str, str]:
    """What can be chosen in a poll: label and id of each answer."""
    return {a["org.matrix.msc1767.text"]: a["id"] for a in poll["content"][POLL]["answers"]}


@asynccontextmanager
async def sealed(peer: SynapsePeer, folder: Path, *names: str) -> AsyncIterator[list[SealedPerson]]:
    """New people with their encrypting clients open, for the time of the block."""
    people = [SealedPerson(peer, name, folder / f"client-{name}") for name in names]
    for person in people:
        await person.log_in()
    reading = [asyncio.create_task(person.read()) for person in people]
    try:
        yield people
    finally:
        broken = [task for task in reading if task.done()]
        for task in reading:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for person in people:
            await person.client.close()
        for task in broken:
            task.result()

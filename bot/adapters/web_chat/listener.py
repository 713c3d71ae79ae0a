"""What pages send: words, taps and names, each checked, heard and then acknowledged."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from bot.adapters.base import Hear
from bot.adapters.web_chat import frames
from bot.adapters.web_chat.people import clean_name, clean_text, friendly_name, is_bots_name
from bot.adapters.web_chat.rooms import Connection
from bot.adapters.web_chat.store import ChatStore, LoggedMessage
from bot.cards import Card
from bot.events import AnyEvent, Message, Tap

NETWORK = "web"
#: What a line to the bot begins with; the second is what Chinese and Japanese keyboards give.
COMMAND_PREFIXES = ("/", "／")
#: So many refusals in a row are no person typing.
REFUSALS_MAX = 100

_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)")
_decode_card = msgspec.json.Decoder(Card).decode

_Answerable = frames.Say | frames.Press | frames.Rename


class Listener:
    """Turns frames into events. `on_change` is told the room in which something was said."""

    def __init__(self, store: ChatStore, on_change: Callable[[str], None]) -> None:
        self.hear: Hear | None = None
        self._store = store
        self._on_change = on_change
        self._being_said: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    async def take(self, connection: Connection, frame: _Answerable) -> None:
        """Take one frame; it is answered by an acknowledgement or a refusal.

        What `hear` or the store raises passes through, and then the page, being cut off
        unanswered, sends the frame again.
        """
        wait_s = connection.visitor.allowance.take()
        if wait_s:
            self._refuse(connection, frame, "A little too fast.", retry_after_s=wait_s)
            connection.refusals += 1
            if connection.refusals > REFUSALS_MAX:
                connection.drop()
            return
        connection.refusals = 0
        match frame:
            case frames.Say():
                await self._take_words(connection, frame)
            case frames.Press():
                await self._take_tap(connection, frame)
            case frames.Rename():
                await self._take_name(connection, frame)

    async def settle(self, room_id: str) -> None:
        """Return once what is being said in the room now stands in its log.

        An answer that was worked out very quickly must not stand above what it answers.
        """
        if being_said := tuple(self._being_said.get(room_id, ())):
            await asyncio.wait(being_said)

    async def _take_words(self, connection: Connection, frame: frames.Say) -> None:
        text = clean_text(frame.text)
        if not text:
            return self._refuse(connection, frame, "There was nothing to read in it.")
        if len(text) > frames.TEXT_LENGTH_MAX:
            words = f"That is longer than {frames.TEXT_LENGTH_MAX} characters. It was not sent."
            return self._refuse(connection, frame, words)
        with self._saying(connection.room_id):
            await self._say(connection, frame, text)
        self._on_change(connection.room_id)
        return connection.push(frames.Ack(id=frame.id))

    async def _say(self, connection: Connection, frame: frames.Say, text: str) -> None:
        visitor = connection.visitor
        ref = f"{NETWORK}:{visitor.person_id}:{frame.id}"
        now_s = time.time()
        aside = text.startswith(COMMAND_PREFIXES)
        language = _LANGUAGE.match(connection.request.headers.get("Accept-Language", ""))
        await self._tell(
            Message(
                id=ref,
                network=NETWORK,
                room_id=connection.room_id,
                person_id=visitor.person_id,
                occurred_at_s=now_s,
                text=text,
                message_ref=ref,
                name=visitor.name,
                language=language[1] if language else "",
                aside=aside,
            )
        )
        await self._store.append(
            message_ref=ref,
            room_id=connection.room_id,
            person_id=visitor.person_id,
            # What is said to the bot is nobody else's business, as its answer is not.
            only_for_id=visitor.person_id if aside else None,
            name=visitor.name,
            text=text,
            said_at_s=now_s,
        )

    async def _take_tap(self, connection: Connection, frame: frames.Press) -> None:
        person_id = connection.visitor.person_id
        stored = await self._store.find_message(connection.room_id, frame.message)
        if stored is None or not _has_button(stored, person_id, frame.action):
            return self._refuse(connection, frame, "That button is no longer there.")
        ref = f"{NETWORK}:{person_id}:{frame.id}"
        await self._tell(
            Tap(
                id=ref,
                network=NETWORK,
                room_id=connection.room_id,
                person_id=person_id,
                occurred_at_s=time.time(),
                message_ref=frame.message,
                action=frame.action,
                tap_ref=ref,
            )
        )
        return connection.push(frames.Ack(id=frame.id))

    async def _take_name(self, connection: Connection, frame: frames.Rename) -> None:
        visitor = connection.visitor
        name = clean_name(frame.name) or friendly_name(visitor.person_id)
        if is_bots_name(name):
            words = "That is the bot's own name. Please choose another."
            return self._refuse(connection, frame, words)
        await self._store.rename(visitor.person_id, name)
        visitor.name = name
        for page in visitor.connections:
            page.push(frames.Renamed(name=name))
        return connection.push(frames.Ack(id=frame.id))

    async def _tell(self, event: AnyEvent) -> None:
        if self.hear is None:
            # Not acknowledged: the page sends it again when it is back.
            raise ConnectionResetError("The bot is being stopped.")
        await self.hear([event])

    @contextmanager
    def _saying(self, room_id: str) -> Iterator[None]:
        said: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._being_said[room_id].add(said)
        try:
            yield
        finally:
            said.set_result(None)
            self._being_said[room_id].discard(said)
            if not self._being_said[room_id]:
                del self._being_said[room_id]

    def _refuse(
        self,
        connection: Connection,
        frame: _Answerable,
        words: str,
        retry_after_s: float | None = None,
    ) -> None:
        connection.push(frames.Turned(id=frame.id, words=words, retry_after_s=retry_after_s))


def _has_button(stored: LoggedMessage, person_id: str, action: str) -> bool:
    if stored.card_json is None or stored.only_for_id not in {None, person_id}:
        return False
    card = _decode_card(stored.card_json)
    return any(b.action == action and b.url is None for b in card.buttons)

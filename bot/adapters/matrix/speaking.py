"""Cards into rooms: the message, its picture in front, the reactions that stand for its buttons."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from bot.adapters.base import NetworkDown, PictureSource, SendRejected, Unreachable
from bot.adapters.matrix import asking, rendering
from bot.adapters.matrix.direct import DirectRooms
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.reading import is_event_id, reaction_key
from bot.adapters.matrix.rooms import Origin, Origins, Rooms
from bot.adapters.matrix.uploads import Uploads
from bot.adapters.matrix.wire import ReactionContent, RelatesTo
from bot.cards import Outgoing, Picture

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MESSAGE = "m.room.message"
_REACTION = "m.reaction"


class Speaker:
    """Sends cards. Every request carries a transaction id made from the send id.

    The homeserver answers a repeated one with the event that it already has, also after a
    restart, as long as the bot is the same device.
    """

    def __init__(self, rooms: Rooms, origins: Origins, pictures: PictureSource) -> None:
        self._rooms = rooms
        self._origins = origins
        self._uploads = Uploads(pictures)
        self.direct = DirectRooms(rooms)

    async def send(self, home: Homeserver, outgoing: Outgoing) -> str:
        """Send or replace a card; gives the id under which the message is edited and tapped.

        That is the id of the first version: reactions and later edits keep naming it. Raises
        the `AdapterError` that fits.
        """
        room_id = await self.place(home, outgoing.room_id, outgoing.person_id)
        transaction = hashlib.sha256(outgoing.send_id.encode()).hexdigest()[:40]
        if outgoing.edits_ref is not None:
            return await self._edit(home, room_id, outgoing, outgoing.edits_ref, transaction)
        return await self._say(home, room_id, outgoing, transaction)

    async def place(self, home: Homeserver, room_id: str, person_id: str | None) -> str:
        """The room in which a card for a room, or for one person in it, is shown."""
        return room_id if person_id is None else await self.direct.find(home, person_id, room_id)

    async def _post(
        self, home: Homeserver, room_id: str, kind: str, content: dict[str, Any], name: str
    ) -> str:
        """Send an event, encrypted where the room is. Raises the `AdapterError` that fits."""
        encrypted = await self._rooms.is_encrypted(home, room_id)
        return await home.send(room_id, kind, content, name, encrypted=encrypted)

    async def _say(
        self, home: Homeserver, room_id: str, outgoing: Outgoing, transaction: str
    ) -> str:
        card = outgoing.card
        # The answered message is in the room where it was written, not in the direct one.
        answered = outgoing.reply_to_ref if room_id == outgoing.room_id else None
        thread_ref = await self._thread_of(home, room_id, answered)
        setting = rendering.Setting(transaction, answered, thread_ref)
        if card.picture is not None:
            await self._show(home, room_id, card.picture, setting)
        content = rendering.notice(card, setting)
        message_ref = await self._post(home, room_id, _MESSAGE, content, transaction)
        origin = Origin(_MESSAGE, home.user_id, thread_ref, mark=transaction)
        self._origins.note(room_id, message_ref, origin)
        if await self._rooms.is_encrypted(home, room_id):
            await asking.ask(home, room_id, message_ref, card, transaction)
        else:
            await self._seed(home, room_id, message_ref, rendering.reaction_keys(card), transaction)
        return message_ref

    async def _thread_of(self, home: Homeserver, room_id: str, answered: str | None) -> str:
        """The thread in which a message stands; empty where it stands in none."""
        if answered is None:
            return ""
        origin = await self._origins.find(home, room_id, answered)
        return "" if origin is None else origin.thread_ref

    async def _edit(
        self,
        home: Homeserver,
        room_id: str,
        outgoing: Outgoing,
        message_ref: str,
        transaction: str,
    ) -> str:
        if not is_event_id(message_ref):
            raise SendRejected(f"{message_ref!r} is no message of a Matrix room.")
        content = rendering.replacement(outgoing.card, message_ref)
        await self._post(home, room_id, _MESSAGE, content, transaction)
        if await self._rooms.is_encrypted(home, room_id):
            await asking.renew(home, room_id, message_ref, outgoing.card, transaction)
            return message_ref
        wanted = {reaction_key(key): key for key in rendering.reaction_keys(outgoing.card)}
        seeds = await self._own_seeds(home, room_id, message_ref)
        for key, reaction_ref in seeds.items():
            if key not in wanted:
                await home.redact(room_id, reaction_ref, f"{transaction}-{_short(reaction_ref)}")
        missing = [shown for key, shown in wanted.items() if key not in seeds]
        await self._seed(home, room_id, message_ref, missing, transaction)
        return message_ref

    async def _show(
        self, home: Homeserver, room_id: str, picture: Picture, setting: rendering.Setting
    ) -> None:
        """Send the picture. The card is good without it: what hinders it is logged only."""
        encrypted = await self._rooms.is_encrypted(home, room_id)
        try:
            uploaded = await self._uploads.find(home, picture, encrypted=encrypted)
            if uploaded is not None:
                content = rendering.image(picture, uploaded, setting)
                await self._post(home, room_id, _MESSAGE, content, f"{setting.mark}-picture")
        except (NetworkDown, Unreachable, SendRejected) as error:
            log.warning("matrix_picture_left_out", digest=picture.digest, reason=str(error))

    async def _seed(
        self,
        home: Homeserver,
        room_id: str,
        message_ref: str,
        keys: Iterable[str],
        transaction: str,
    ) -> None:
        """React to the bot's own message, so that a person needs one tap to do the same."""
        for key in keys:
            content = rendering.reaction(message_ref, key)
            try:
                await home.send(room_id, _REACTION, content, f"{transaction}-{_short(key)}")
            except (Unreachable, SendRejected) as error:
                # It stands there already, or the room allows the bot no reactions. The message
                # was sent, and people can react by themselves.
                log.info("matrix_seed_refused", room_id=room_id, reason=str(error))

    async def _own_seeds(self, home: Homeserver, room_id: str, message_ref: str) -> dict[str, str]:
        """The bot's own reactions to its message: their keys and event ids."""
        seeds: dict[str, str] = {}
        for event in await home.related(room_id, message_ref, "m.annotation"):
            if event.sender == home.user_id and event.type == _REACTION and not event.redacted:
                content = msgspec.json.decode(event.content, type=ReactionContent)
                key = (content.relates_to or RelatesTo()).key
                seeds[reaction_key(key)] = event.event_id
        return seeds


def _short(text: str) -> str:
    """A tail for a transaction id: homeservers compare the id alone, not what it was used on."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]

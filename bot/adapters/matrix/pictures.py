"""Pictures stand in a message of their own before their card; people react to either."""

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.matrix.faults import ServerFault
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.rooms import Origins, origin_of
from bot.adapters.matrix.wire import decoded_events

#: The card comes a moment after its picture; others may say something between the two.
_LOOK_AT = 60


async def card_of_picture(
    home: Homeserver, origins: Origins, room_id: str, message_ref: str
) -> str:
    """The card to which a message of the bot is the picture; any other message itself.

    Both carry the same mark. Raises `NetworkDown` when the homeserver cannot be asked.
    """
    picture = await origins.find(home, room_id, message_ref)
    if picture is None or not (picture.is_picture and picture.mark):
        return message_ref
    if origins.card_of(room_id, picture) is None:
        try:
            raws = await home.events_after(room_id, message_ref, _LOOK_AT)
        except (Unreachable, SendRejected, ServerFault):
            return message_ref
        for event in decoded_events(raws):
            origins.note(room_id, event.event_id, origin_of(event))
    return origins.card_of(room_id, picture) or message_ref

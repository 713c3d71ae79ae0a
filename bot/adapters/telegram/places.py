"""How chats, topics and messages are named in events and addresses.

A room is a chat (`-100123`), a topic of a forum (`-100123/17`) or a chat of a business account
(`business/CONNECTION/42`). A few places are rooms only in name: something said there becomes a
call of its own. All names are made of Telegram's immutable ids.
"""

import msgspec

BUSINESS = "business/"
#: A message that somebody sent through inline mode; nothing is known of its chat.
INLINE = "inline/"
#: An inline query that waits for what it may offer.
LOOKUP = "lookup/"
#: A question whether a payment may be collected.
CHECKOUT = "checkout/"
#: A collected payment that may be given back: `charge/USER/CHARGE`.
CHARGE = "charge/"
#: An answer inside a group that one person sees: `private/CHAT/USER:ID`.
PRIVATE = "private/"
#: A private answer that could be shown for a moment only; there is nothing to edit.
TOAST = "toast/"


class Room(msgspec.Struct, frozen=True):
    """A place that can be written to."""

    chat_id: int
    thread_id: int | None = None
    business: str | None = None

    @property
    def id(self) -> str:
        """The room's name in events."""
        if self.business is not None:
            return f"{BUSINESS}{self.business}/{self.chat_id}"
        return str(self.chat_id) if self.thread_id is None else f"{self.chat_id}/{self.thread_id}"

    @property
    def in_group(self) -> bool:
        """Whether others read along; Telegram gives groups and channels negative ids."""
        return self.chat_id < 0

    @classmethod
    def of_id(cls, room_id: str) -> "Room":
        """The room behind a name. Raises `ValueError` for a name of another make."""
        if room_id.startswith(BUSINESS):
            _, business, chat = room_id.split("/")
            return cls(int(chat), business=business)
        chat, _, thread = room_id.partition("/")
        return cls(int(chat), int(thread) if thread else None)


class Ref(msgspec.Struct, frozen=True):
    """A message of the bot in a chat; `receiver_id` where one person alone sees it."""

    chat_id: int
    message_id: int
    business: str | None = None
    receiver_id: int | None = None

    @property
    def id(self) -> str:
        """The message's name in events."""
        if self.receiver_id is not None:
            return f"{PRIVATE}{self.chat_id}/{self.receiver_id}:{self.message_id}"
        # Message ids count within a chat, whatever the topic.
        return f"{Room(self.chat_id, business=self.business).id}:{self.message_id}"

    @classmethod
    def of_id(cls, message_ref: str) -> "Ref":
        """The message behind a name. Raises `ValueError` for a name of another make."""
        place, _, number = message_ref.rpartition(":")
        if place.startswith(PRIVATE):
            _, chat, receiver = place.split("/")
            return cls(int(chat), int(number), receiver_id=int(receiver))
        room = Room.of_id(place)
        return cls(room.chat_id, int(number), room.business)


def person_chat(person_id: str) -> int | None:
    """The private chat of a person, whose id it shares; None for a group that speaks as itself."""
    chat_id = int(person_id)
    return chat_id if chat_id > 0 else None

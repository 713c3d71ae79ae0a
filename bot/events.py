"""What was heard, in one vocabulary for every network.

Each event carries the network's immutable ids (never names), and an `id` that is the same
when the network delivers it again: the inbox keeps one row for each id.
"""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all events share.

    `id`: stable across redelivery and unique over all networks (`matrix:$abc`).
    `person_id`: the network's immutable id of who acted.
    `private`: only that person and the bot are in the room.
    `occurred_at_s`: when the network says it happened, seconds since the epoch.
    """

    id: str
    network: str
    room_id: str
    person_id: str
    private: bool = False
    occurred_at_s: float = 0.0


class MarkedLink(msgspec.Struct, frozen=True):
    """A link that the network itself marked in the text: where it leads and what is shown."""

    url: str
    text: str


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """Somebody wrote something. `message_ref` is the network's id of the message.

    `unasked`: it was not said to the bot, nor where the bot was called: only its links are looked
    at, and only while its writer has not told the bot to keep quiet.
    `aside`: others are in the room, but what was written was shown to the bot alone.
    """

    text: str
    message_ref: str
    links: tuple[MarkedLink, ...] = ()
    thread_ref: str | None = None
    reply_to_ref: str | None = None
    name: str = ""
    language: str = ""
    unasked: bool = False
    aside: bool = False


class Tap(Event, frozen=True, kw_only=True, tag="tap"):
    """Somebody pressed a button of the bot's message, or reacted to it.

    `message_ref`: the network's id of the bot's message. `action`: the button's token, where
    the network carries one; otherwise `reaction` is the emoji, and the stored card tells which
    button it stands for. `tap_ref`: what an `Untap` of this tap will name.
    """

    message_ref: str
    action: str | None = None
    reaction: str | None = None
    tap_ref: str | None = None


class Untap(Event, frozen=True, kw_only=True, tag="untap"):
    """The person took an earlier tap back (a reaction removed by the one who made it)."""

    tap_ref: str


class Liked(Event, frozen=True, kw_only=True, tag="liked"):
    """Somebody marked the bot's message with the network's one sign of approval.

    It is given lightly and may be forged by the server of whoever gives it, so it asks for the
    offer in private, and pays only for those who said that it may, up to their own limit.
    """

    message_ref: str


class Joined(Event, frozen=True, kw_only=True, tag="joined"):
    """The bot came into a room; `person_id` is who brought it.

    `note`: what that person has to know about this room, in plain words, such as that the network
    does not show the bot what is written there.
    """

    note: str = ""


class Removed(Event, frozen=True, kw_only=True, tag="removed"):
    """The bot was put out of a room, or left it."""


class Migrated(Event, frozen=True, kw_only=True, tag="migrated"):
    """A room goes on under another id: `room_id` is the one before, `to_room_id` the new one."""

    to_room_id: str


class PreCheckout(Event, frozen=True, kw_only=True, tag="pre_checkout"):
    """The network asks, seconds before it collects money, whether it may.

    `answer_ref`: the room to which yes (a card of good news) or no is said. `payload`: what the
    invoice carried. `amount_minor` of `currency` are the network's, which may be its own.
    """

    answer_ref: str
    payload: str
    amount_minor: int
    currency: str


class ExternalPaid(Event, frozen=True, kw_only=True, tag="external_paid"):
    """The network has collected money for an invoice of the bot.

    `charge_ref`: the network's name of the payment, and the room to which a card is said to have
    it given back.
    """

    payload: str
    amount_minor: int
    currency: str
    charge_ref: str


class ExternalRefunded(Event, frozen=True, kw_only=True, tag="external_refunded"):
    """The network has given a collected payment back to the one who made it."""

    charge_ref: str


class Unreadable(Event, frozen=True, kw_only=True, tag="unreadable"):
    """Something that the network delivered and the bot cannot make sense of.

    It is kept so that the network can be told that it arrived, and nothing waits behind it.
    """

    error: str
    raw: str


AnyEvent = (
    Message
    | Tap
    | Untap
    | Liked
    | Joined
    | Removed
    | Migrated
    | PreCheckout
    | ExternalPaid
    | ExternalRefunded
    | Unreadable
)

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


def encode_event(event: Event) -> bytes:
    """The event as JSON, for the inbox."""
    return _encoder.encode(event)


def decode_event(body: bytes) -> AnyEvent:
    """The event back from the inbox. Raises `msgspec.DecodeError` for a body that is none."""
    return _decoder.decode(body)

"""What is said, in one vocabulary for every network.

A card is finished speech: title, lines, picture, buttons. The presenter fits it to a network's
capabilities; the adapter turns it into the network's own form and decides nothing about its words.
"""

from enum import StrEnum

import msgspec

#: The shortest limit among the networks (Telegram's callback data), in bytes.
ACTION_BYTES_MAX = 64


class Style(StrEnum):
    """How a button should look where a network can show it."""

    PAY = "pay"
    PLAIN = "plain"
    DANGER = "danger"


class Feature(StrEnum):
    """What only some networks can do, and some buttons are for."""

    #: The network collects money itself, for a card with an invoice.
    INVOICES = "invoices"
    #: A private answer may not reach the one who tapped, so that his own way back is needed on
    #: the card that everybody sees.
    SHARED_UNDO = "shared_undo"


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """One tap. `action` is an opaque token of at most 64 ASCII bytes that comes back in a `Tap`.

    `url` instead makes it a plain link. `reaction` is the emoji that stands for the button in
    a network without buttons; the presenter sets it. Where the network lacks the feature that
    the button `needs`, the presenter leaves it out.
    """

    label: str
    action: str = ""
    style: Style = Style.PLAIN
    url: str | None = None
    reaction: str | None = None
    needs: Feature | None = None


class Role(StrEnum):
    """What a line is, so that a network with a layout can place it."""

    TEXT = "text"
    PRICE = "price"
    SELLER = "seller"
    STOCK = "stock"
    STATUS = "status"
    WARNING = "warning"
    HINT = "hint"
    # For machines: it is copied whole, and worth nothing when it is cut.
    CODE = "code"


class Line(msgspec.Struct, frozen=True):
    """One line of plain text, never markup."""

    text: str
    role: Role = Role.TEXT


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that the bot holds: `digest` (SHA-256, hex) names its bytes."""

    digest: str
    alt: str
    mime: str
    width_px: int
    height_px: int


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the network is to collect itself. `payload` comes back when it has.

    `amount_minor` of `currency`, which may be the network's own.
    """

    payload: str
    amount_minor: int
    currency: str


class Tone(StrEnum):
    """What kind of news a card is."""

    NEUTRAL = "neutral"
    GOOD = "good"
    BAD = "bad"
    WAITING = "waiting"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Finished speech. All of it is plain text from possibly hostile hands: escape it.

    `link_url` is where the title leads. `countdown_until_s` (seconds since the epoch) is the
    moment until which the buttons work, for networks that can show the seconds run.
    """

    title: str = ""
    lines: tuple[Line, ...] = ()
    picture: Picture | None = None
    buttons: tuple[Button, ...] = ()
    tone: Tone = Tone.NEUTRAL
    link_url: str | None = None
    countdown_until_s: float | None = None
    invoice: Invoice | None = None


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A card on its way into a room.

    `send_id` is stable: sending the same one again must not show the card twice where the
    network can help it. `person_id` makes it private: only that person may see it (the room is
    then where the person was, and the adapter finds the private place). `edits_ref` replaces an
    earlier message of the bot. `reply_to_ref` is the message that is answered.
    """

    send_id: str
    network: str
    room_id: str
    card: Card
    person_id: str | None = None
    edits_ref: str | None = None
    reply_to_ref: str | None = None


def plain_text(card: Card) -> str:
    """The card as plain text, a line each, for networks and places without a layout."""
    return "\n".join(part for part in (card.title, *(line.text for line in card.lines)) if part)

"""What goes over the WebSocket: JSON objects with a `type`.

From the page: say, tap, name, earlier. To the page: hello, message, page, ack, refused, renamed,
people, tick, reconnect. A `message` frame is new or replaces the one with the same id; the page
keeps the one with the higher revision, so a frame that comes twice changes nothing.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from bot.adapters.web_chat.store import LoggedMessage

#: How much a person may write at once, in code points.
TEXT_LENGTH_MAX = 4000

_Ref = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]+$")]


class Say(msgspec.Struct, frozen=True, tag_field="type", tag="say"):
    """Somebody wrote. `id` is the page's own, the same when it sends the frame again."""

    id: UUID
    text: str


class Press(msgspec.Struct, frozen=True, tag_field="type", tag="tap"):
    """Somebody pressed the button `action` on `message`."""

    id: UUID
    message: _Ref
    action: _Ref


class Rename(msgspec.Struct, frozen=True, tag_field="type", tag="name"):
    """Somebody chose another name."""

    id: UUID
    name: str


class Earlier(msgspec.Struct, frozen=True, tag_field="type", tag="earlier"):
    """The page asks for what was said before the place `before`."""

    before: Annotated[int, Meta(ge=0, le=10**15)]


FrameIn = Say | Press | Rename | Earlier


class CommandHint(msgspec.Struct, frozen=True):
    """A command that the page offers while somebody types: `/topup`, and what it does."""

    name: str
    help: str


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an empty room tells a newcomer.

    `shop_url` is where product links can be had, `sample_url` one of them to try at once,
    `suggestions` are commands to try.
    """

    shop_url: str | None = None
    sample_url: str | None = None
    suggestions: tuple[str, ...] = ()


class Me(msgspec.Struct, frozen=True):
    """The person at the page."""

    id: str
    name: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the page gets it. `person` is None for the bot."""

    id: str
    seq: int
    revision: int
    person: str | None
    name: str
    text: str
    card: msgspec.Raw | None
    reply_to: str | None
    private: bool
    at_s: float
    changed_at_s: float


class FrameOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all frames to the page share."""


class Hello(FrameOut, frozen=True, kw_only=True, tag="hello"):
    """The first frame. `fresh` means: forget what you show, this is all; `more`: ask earlier."""

    now_s: float
    me: Me
    room: str
    bot_name: str
    revision: int
    fresh: bool
    more: bool
    messages: tuple[Shown, ...]
    people: int
    commands: tuple[CommandHint, ...]
    welcome: Welcome
    text_length_max: int = TEXT_LENGTH_MAX


class Told(FrameOut, frozen=True, kw_only=True, tag="message"):
    """A message that is new or changed."""

    message: Shown


class Page(FrameOut, frozen=True, kw_only=True, tag="page"):
    """Earlier messages, in order."""

    messages: tuple[Shown, ...]
    more: bool


class Ack(FrameOut, frozen=True, kw_only=True, tag="ack"):
    """The frame `id` is kept for good; the page need not send it again."""

    id: UUID


class Turned(FrameOut, frozen=True, kw_only=True, tag="refused"):
    """The frame `id` was not taken. With `retry_after_s` it may come again, else never."""

    id: UUID
    words: str
    retry_after_s: float | None = None


class Renamed(FrameOut, frozen=True, kw_only=True, tag="renamed"):
    """The person's name as it was taken."""

    name: str


class People(FrameOut, frozen=True, kw_only=True, tag="people"):
    """How many people have the room open."""

    count: int


class Tick(FrameOut, frozen=True, kw_only=True, tag="tick"):
    """A sign of life, with the server's clock."""

    now_s: float


class Reconnect(FrameOut, frozen=True, kw_only=True, tag="reconnect"):
    """Come back after `after_s`; None means that coming back alone will not help."""

    words: str
    after_s: float | None


_decoder: msgspec.json.Decoder[FrameIn] = msgspec.json.Decoder(FrameIn)


def read_frame(body: str | bytes) -> FrameIn:
    """A frame from the page. Raises `msgspec.DecodeError` for what is none."""
    return _decoder.decode(body)


def write_frame(frame: FrameOut) -> str:
    """A frame for the page."""
    return msgspec.json.encode(frame).decode()


def shown(message: LoggedMessage) -> Shown:
    """A logged message as the page gets it."""
    return Shown(
        id=message.message_ref,
        seq=message.seq,
        revision=message.revision,
        person=message.person_id,
        name=message.name,
        text=message.text,
        card=None if message.card_json is None else msgspec.Raw(message.card_json.encode()),
        reply_to=message.reply_to_ref,
        private=message.only_for_id is not None,
        at_s=message.said_at_s,
        changed_at_s=message.changed_at_s,
    )

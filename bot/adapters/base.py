"""The port to a network: events in, cards out.

An adapter is one class with a name, capabilities, and three methods: `run` reads the network,
`caught_up` says when nothing of the past is left to read, `send` shows a card. It imports this
module, `bot.events`, `bot.cards`, and `bot.adapters.patience` if it asks for news again and again,
and nothing else of ours. `docs/adding-a-network.md` walks
through a complete one; `tests/bot/adapters/contract/` proves that an adapter keeps what is written
here, once a driver of some hundred lines brings its people.

**Hearing.** `run` turns what the network tells into events and hands them to `hear`, several at
once where they come so. When `hear` returns they stand in the database; only then may the network
be told that they were received, or the adapter's own place in a stream move on. That place is a
`Cursor`: handed to `hear`, it is saved in the same transaction as the events. So nothing is lost,
and whatever comes twice changes nothing, as long as an event's `id` is the same both times. If
`hear` raises, the database is away: do not acknowledge, wait, and deliver the same again.

- Ids are the network's immutable ones. A name, a handle or a number that may pass to somebody else
  identifies nobody.
- `person_id` is who acted, by the network's own word and never by the text. Leave out what the bot
  itself said, and what was said before it came.
- An edited message is no new message: money follows what was first said.
- A person in a room is heard in the order in which they acted.
- An event that cannot be read costs itself only: log it and go on.

**Saying.** `send` gets a card that the presenter has fitted to the capabilities, and turns it into
the network's own form. It decides nothing about the words, adds none, and escapes all of them:
titles, names and lines come from strangers and never become markup, mentions or links. It returns
the network's id of the message; taps on it and edits of it carry that id. Sending the same
`send_id` again must not show the card twice where the network can help it: use its idempotency
key, or a name that is made from the send id. A private card goes where that person alone reads it;
if there is no such place, `send` raises `Unreachable` and never falls back to the room.

**Faults.** `send` raises what is true, and the sender acts on it:

    AdapterError
    ├── NetworkDown     nobody answered; the same send id is tried again, with growing pauses
    ├── RateLimited     too fast; tried again after `retry_after_s`, other rooms go on
    ├── Unreachable     this room or person is closed to the bot; the card is dropped
    └── SendRejected    the network will never take this message; the card is dropped

`run` waits out what waiting mends. A fault that it cannot mend (a revoked token) it raises as an
`AdapterError` whose text says, in one sentence, what is wrong and what to do: the admins read it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from bot.cards import Feature, Outgoing
from bot.events import Event


class AdapterError(Exception):
    """The root of what may go wrong in a network."""


class NetworkDown(AdapterError):
    """Nobody answered. Whether the message arrived is unknown; the same send id is sent again."""


class RateLimited(AdapterError):
    """Too many messages; the same one may be sent after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"The network asks to wait {retry_after_s:g} s.")
        self.retry_after_s = retry_after_s


class Unreachable(AdapterError):
    """The room is gone, or the person blocked the bot."""


class SendRejected(AdapterError):
    """The network refuses this message for what it is."""


class Edits(StrEnum):
    """How freely a network lets the bot change what it said."""

    NONE = "none"
    SPARING = "sparing"  # each edit is an event that everybody's client loads
    LIVE = "live"  # an edit costs nothing


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a network can show. The presenter fits every card to it before the adapter sees it.

    `buttons`: a card's buttons are shown as such, and come back as a `Tap` with their `action`.
    `reactions`: without buttons, people react with an emoji; each button that the card carries
    then has its `reaction`, and a `Tap` names the emoji. `polls`: without buttons, people vote; the
    card keeps its buttons, one more with an empty `action` takes a vote back, and a `Tap` names the
    `action` that was voted for. With none of them, a card has no buttons left, and people write
    commands. `edits`: see `Edits`. `private_in_room`: an answer inside a group
    that only one person sees; where it is false the adapter sends private cards to a direct
    conversation of its own. `pictures`: a card's picture can be shown. `countdown`: seconds can be
    seen to run. `text_length_max`: title and lines together, a line break between each two, in code
    points. `command_prefixes`: what a command may begin with; the first is the one that help shows.
    `reply_words`: without buttons, a reply with a button's word (“buy”) presses it. `pay_links`: a
    button that pays also becomes a link to the page where the payer says who he is.
    `proves_people`: an event proves who acted; where it is False nothing that is heard there moves
    money, and the pay link alone remains. `features`: what only some networks can do; buttons that
    need one are left out elsewhere.
    """

    buttons: bool
    reactions: bool
    edits: Edits
    private_in_room: bool
    pictures: bool
    countdown: bool = False
    reply_words: bool = False
    pay_links: bool = False
    proves_people: bool = True
    polls: bool = False
    text_length_max: int = 4096
    command_prefixes: tuple[str, ...] = ("/",)
    features: frozenset[Feature] = frozenset()


class Cursor(msgspec.Struct, frozen=True):
    """Where a network's own reading stands; saved in the transaction that keeps the events."""

    network: str
    value: str


class Hear(Protocol):
    """Takes events into the inbox; when it returns they are durable and may be acknowledged."""

    async def __call__(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        """Keep `events` (those already known are dropped) and the cursor, in one transaction."""


class CursorStore(Protocol):
    """Where an adapter finds the cursor that it handed to `Hear` last."""

    async def load_cursor(self, network: str) -> str | None:
        """The last saved cursor of `network`, or None at the first start."""


class PictureSource(Protocol):
    """Gives the bytes of a picture that a card names."""

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        """MIME type and bytes, or None when it is not (or no longer) there."""


@runtime_checkable
class Varied(Protocol):
    """What an adapter has besides, where its places differ in what they can show."""

    async def capabilities_in(self, room_id: str, person_id: str | None) -> Capabilities:
        """What can be shown in a room, or to one person who was there.

        Raises the `AdapterError` that fits.
        """


class Adapter(Protocol):
    """One network. Several tasks may call `send` at once, also before and after `run`."""

    @property
    def network(self) -> str:
        """The network's name in events, addresses and the config: such as `web` or `matrix`."""

    @property
    def capabilities(self) -> Capabilities:
        """What the network can show."""

    async def run(self, hear: Hear) -> None:
        """Read the network until cancelled, and close what was opened.

        Outages are waited out inside; a fault that waiting cannot mend (a revoked token) is
        raised as `AdapterError`.
        """

    async def caught_up(self) -> None:
        """Return once everything that happened while the bot was away has been heard.

        Until then no held money is captured: an undo from that time may still be on its way.
        """

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card, or replace one where `edits_ref` is set; gives the network's message id.

        For an edit that is the id under which the message is tapped and edited next. Raises the
        `AdapterError` that fits.
        """

"""The port to a network: events in, cards out.

A network is one class with `run` and `send`. It gives every event to `hear` and acknowledges it
to the network (or moves its own offset) only after `hear` returned: then the event stands in the
database. It sends finished cards and says truthfully what went wrong:

    AdapterError
    ├── NetworkDown     nobody answered; try again later
    ├── RateLimited     too fast; try again after `retry_after_s`
    ├── Unreachable     this room or person is closed to the bot; do not try again
    └── SendRejected    the network will never take this message; do not try again
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from bot.cards import Outgoing
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
    """What a network can show. Lengths are in code points.

    `private_in_room`: an answer inside a group that only one person sees. Where it is false the
    adapter sends private cards to a direct conversation of its own. `reply_words`: a reply with
    a button's word (“buy”) presses it. `pay_links`: a button that pays also becomes a link to the
    page where the payer says who he is. `proves_people`: an event proves who acted; where it is
    False nothing that is heard there moves money, and the pay link alone remains.
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
    text_length_max: int = 4096
    command_prefixes: tuple[str, ...] = ("/",)


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


class Adapter(Protocol):
    """One network."""

    @property
    def network(self) -> str:
        """The network's name in events, addresses and the config: such as `web` or `matrix`."""

    @property
    def capabilities(self) -> Capabilities:
        """What the network can show."""

    async def run(self, hear: Hear) -> None:
        """Read the network until cancelled.

        Outages are waited out inside; a fault that waiting cannot mend (a revoked token) is
        raised as `AdapterError`.
        """

    async def caught_up(self) -> None:
        """Return once everything that happened while the bot was away has been heard."""

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card, or replace one where `edits_ref` is set; gives the network's message id.

        Raises the `AdapterError` that fits.
        """

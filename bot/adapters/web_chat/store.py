"""What the web chat needs to remember, as a port that the storage implements."""

from collections.abc import Sequence
from typing import Protocol


class KnownPerson(Protocol):
    """Somebody who came: the public id, and the name they chose."""

    @property
    def person_id(self) -> str:
        """The random id that stands in events; no secret."""

    @property
    def name(self) -> str:
        """Decoration, never a proof of anything."""


class LoggedMessage(Protocol):
    """One message of a room as it stands now."""

    @property
    def message_ref(self) -> str:
        """Its id."""

    @property
    def seq(self) -> int:
        """Its place in the room."""

    @property
    def revision(self) -> int:
        """The room's count at its last change."""

    @property
    def person_id(self) -> str | None:
        """Who said it; None for the bot."""

    @property
    def only_for_id(self) -> str | None:
        """The one person who may see it; None for everybody."""

    @property
    def name(self) -> str:
        """What the person called themselves when they said it."""

    @property
    def text(self) -> str:
        """What a person wrote; empty for the bot."""

    @property
    def card_json(self) -> str | None:
        """The bot's card as JSON; None for a person."""

    @property
    def reply_to_ref(self) -> str | None:
        """Which message it answers."""

    @property
    def said_at_s(self) -> float:
        """When it was first said, seconds since the epoch."""

    @property
    def changed_at_s(self) -> float:
        """When it last changed, seconds since the epoch."""


class ChatStore(Protocol):
    """People and the log of each room. What it raises when it is away passes through."""

    async def find_person(self, token_sha256: str) -> KnownPerson | None:
        """Who holds the secret with this SHA-256 (hex), or None."""

    async def open_person(self, token_sha256: str, person_id: str, name: str) -> KnownPerson:
        """Who holds this secret; when nobody does, a new person with that id and name."""

    async def rename(self, person_id: str, name: str) -> None:
        """Give a person another name."""

    async def append(
        self,
        *,
        message_ref: str,
        room_id: str,
        said_at_s: float,
        person_id: str | None = None,
        only_for_id: str | None = None,
        name: str = "",
        text: str = "",
        card_json: str | None = None,
        reply_to_ref: str | None = None,
    ) -> None:
        """Keep a new message; one whose `message_ref` is known changes nothing."""

    async def edit(
        self,
        *,
        send_id: str,
        message_ref: str,
        room_id: str,
        only_for_id: str | None,
        card_json: str,
        changed_at_s: float,
    ) -> bool:
        """Replace a card of the bot, once for each `send_id`; False when there is none such."""

    async def find_message(self, room_id: str, message_ref: str) -> LoggedMessage | None:
        """The message as it stands now, whoever may see it."""

    async def revision(self, room_id: str) -> int:
        """The room's last change, 0 for a room where nothing was said."""

    async def changes(
        self, room_id: str, *, after_revision: int, limit: int
    ) -> Sequence[LoggedMessage]:
        """The first messages changed after that revision, oldest change first, of everybody."""

    async def history(
        self, room_id: str, person_id: str, *, before_seq: int | None, limit: int
    ) -> Sequence[LoggedMessage]:
        """The last messages that this person may see, before that place, in order."""

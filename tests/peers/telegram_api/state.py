"""What the server knows: people, chats, what stands in them, and what waits to be delivered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: Taps, inline queries and checkouts are of no use later than this, in seconds.
QUERY_VALID_S = 150


@dataclass
class User:
    """A person. `started`: has opened a chat with the bot."""

    id: int
    name: str
    started: bool = False
    stars: int = 10_000

    @property
    def json(self) -> dict[str, Any]:
        """As the API shows him."""
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "en"}


@dataclass
class Chat:
    """A chat. `bot`: how the bot stands to it (`left`, `kicked`, `member`, `administrator`)."""

    id: int
    type: str
    title: str = ""
    members: set[int] = field(default_factory=set)
    bot: str = "left"
    moved_to: int | None = None

    @property
    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        title = {"title": self.title} if self.type != "private" else {"first_name": self.title}
        return {"id": self.id, "type": self.type, **title}


@dataclass
class Message:
    """A message as it stands now. `receiver_id`: who alone sees it."""

    id: int
    chat: Chat
    sender_id: int
    text: str = ""
    kind: str = "text"
    entities: list[dict[str, Any]] = field(default_factory=list)
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)
    thread_id: int | None = None
    reply_to: int | None = None
    receiver_id: int | None = None
    inline_id: str | None = None
    business: str | None = None
    preview: dict[str, Any] = field(default_factory=dict)
    photo: bytes = b""
    invoice: dict[str, Any] = field(default_factory=dict)
    edits: int = 0
    deleted: bool = False

    @property
    def labels(self) -> list[str]:
        """What stands on its buttons."""
        return [button["text"] for row in self.keyboard for button in row]

    def button(self, beginning: str) -> dict[str, Any]:
        """The button whose label begins so. Raises `LookupError`."""
        for row in self.keyboard:
            for button in row:
                if button["text"].startswith(beginning):
                    return button
        raise LookupError(f"“{self.text[:60]}” has no button “{beginning}”: {self.labels}")


@dataclass(frozen=True)
class Toast:
    """A short answer to a tap."""

    user_id: int
    text: str
    alert: bool
    url: str | None


@dataclass
class Query:
    """A question to the bot that waits for an answer: a tap, an inline query, a checkout."""

    id: str
    user_id: int
    asked_at_s: float
    about: Any = None
    answer: "asyncio.Future[Any]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class State:
    """Everything, and who waits for changes."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.messages: list[Message] = []
        self.toasts: list[Toast] = []
        self.queries: dict[str, Query] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.business: dict[str, dict[str, Any]] = {}
        self.commands: list[dict[str, Any]] = []
        self.changed = asyncio.Condition()
        self._later_s = 0.0
        self._numbers: dict[str, int] = {}

    def now_s(self) -> float:
        """The server's clock, which `let_pass` moves."""
        return time.time() + self._later_s

    def let_pass(self, seconds: float) -> None:
        """Make it later for questions that wait."""
        self._later_s += seconds

    def number(self, of: str, first: int = 1) -> int:
        """The next number of a kind."""
        self._numbers[of] = self._numbers.get(of, first - 1) + 1
        return self._numbers[of]

    async def tell(self) -> None:
        """Wake those who wait for something to show."""
        async with self.changed:
            self.changed.notify_all()

    def found(self, wanted: Callable[[Message], bool]) -> Message | None:
        """The newest message of which something holds."""
        return next((m for m in reversed(self.messages) if not m.deleted and wanted(m)), None)

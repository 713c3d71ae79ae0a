"""Polls: how people tap in encrypted rooms, where reactions are clear text and votes are not.

The bot asks under its card; each answer's id is the action of a button, and so says inside the
encryption what is meant. A vote that a homeserver showed under another poll means the same thing.
Clients speak the unstable names of MSC3381 still; votes in the stable ones are understood too.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from bot.adapters.matrix.wire import RelatesTo
from bot.cards import ACTION_BYTES_MAX, Button, Card

START = "org.matrix.msc3381.poll.start"
RESPONSES = frozenset({"org.matrix.msc3381.poll.response", "m.poll.response"})
_TEXT = "org.matrix.msc1767.text"
#: The answer that means nothing, and takes an earlier one back.
NOTHING = "-"


class Answer(msgspec.Struct, frozen=True):
    """One answer that can be chosen."""

    id: str = ""


class Start(msgspec.Struct, frozen=True):
    """What is asked, as far as the answers go."""

    answers: list[Answer] = []


class StartContent(msgspec.Struct, frozen=True, rename={"start": START}):
    """The content of a poll's first event."""

    start: Start = Start()


class Chosen(msgspec.Struct, frozen=True):
    """The answers that somebody chose."""

    answers: list[str] = []


class ResponseContent(
    msgspec.Struct,
    frozen=True,
    rename={
        "relates_to": "m.relates_to",
        "unstable": "org.matrix.msc3381.poll.response",
        "selections": "m.selections",
    },
):
    """The content of a vote."""

    relates_to: RelatesTo | None = None
    unstable: Chosen | None = None
    selections: list[str] = []

    @property
    def chosen(self) -> str:
        """The action that was voted for; empty where the vote takes an earlier one back."""
        answers = self.unstable.answers if self.unstable is not None else self.selections
        first = answers[0] if answers else NOTHING
        fits = first.isascii() and 0 < len(first) <= ACTION_BYTES_MAX
        return first if fits and first != NOTHING else ""


def answers_of(card: Card) -> tuple[Button, ...]:
    """The buttons that a poll under the card offers."""
    return tuple(button for button in card.buttons if button.url is None)


def answer_ids(buttons: Sequence[Button]) -> tuple[str, ...]:
    """The answers' ids in their order."""
    return tuple(button.action or NOTHING for button in buttons)


def start(card: Card, message_ref: str) -> dict[str, Any]:
    """A poll about the card in the message `message_ref`."""
    buttons = answers_of(card)
    question = card.title or (card.lines[0].text if card.lines else "")
    answers = [
        {"id": button.action or NOTHING, _TEXT: button.label, "m.text": [{"body": button.label}]}
        for button in buttons
    ]
    listed = "\n".join([question, *(f"{n}. {b.label}" for n, b in enumerate(buttons, 1))])
    return {
        START: {
            "kind": "org.matrix.msc3381.poll.undisclosed",
            "max_selections": 1,
            "question": {_TEXT: question, "body": question, "msgtype": "m.text"},
            "answers": answers,
        },
        _TEXT: listed,
        "m.mentions": {},
        "m.relates_to": {"rel_type": "m.reference", "event_id": message_ref},
    }

"""What a command is: a plain declaration, and how it talks about commands in its answers."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.conversation.turn import Desk, Turn
from bot.events import Message

Run = Callable[[Desk, Turn, str], Awaitable[None]]

_PREFIX = re.compile(r"[^\w\s]{1,3}")


@dataclass(frozen=True)
class Command:
    """Something that people can write: `/name args`.

    `usage` is the whole line without the prefix, `help` one line about it. `run` answers it, to
    the asker alone; its last parameter is what stands after the name. `admin`: for admins only.
    """

    name: str
    usage: str
    help: str
    run: Run
    admin: bool = False
    aliases: tuple[str, ...] = ()


def prefix_of(turn: Turn) -> str:
    """What commands begin with where this was heard: what the asker himself wrote, or a slash."""
    if isinstance(turn.event, Message):
        written = _PREFIX.match(turn.event.text.strip())
        if written is not None:
            return written[0]
    return "/"


def split_word(args: str) -> tuple[str, str]:
    """The first word in lower case, and the rest as it was written."""
    word, *rest = args.split(None, 1) or [""]
    return word.lower(), "".join(rest).strip()

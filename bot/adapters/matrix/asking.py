"""The polls under the cards in encrypted rooms: asked once, renewed when the buttons change."""

import hashlib

import msgspec
import structlog

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.matrix import polls
from bot.adapters.matrix.encryption import Forged, Unopened
from bot.adapters.matrix.homeserver import Homeserver
from bot.cards import Card

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def ask(
    home: Homeserver, room_id: str, message_ref: str, card: Card, transaction: str
) -> None:
    """Put a poll under the card in `message_ref`, if it has buttons.

    Raises `NetworkDown` or `RateLimited`; a room that takes no polls is logged only, as the card
    names a command too.
    """
    if not polls.answers_of(card):
        return
    content = polls.start(card, message_ref)
    try:
        await home.send(room_id, polls.START, content, f"{transaction}-poll", encrypted=True)
    except (Unreachable, SendRejected) as error:
        log.info("matrix_poll_refused", room_id=room_id, reason=str(error))


async def renew(
    home: Homeserver, room_id: str, message_ref: str, card: Card, transaction: str
) -> None:
    """Let the poll under a card offer the card's buttons of now: a poll itself never changes.

    Raises `AdapterError` when the homeserver does not answer.
    """
    wanted = polls.answer_ids(polls.answers_of(card))
    standing = False
    for event_id, answers in (await _asked(home, room_id, message_ref)).items():
        if answers == wanted and not standing:
            standing = True
            continue
        name = hashlib.sha256(event_id.encode()).hexdigest()[:12]
        await home.redact(room_id, event_id, f"{transaction}-{name}")
    if not standing:
        await ask(home, room_id, message_ref, card, transaction)


async def _asked(home: Homeserver, room_id: str, message_ref: str) -> dict[str, tuple[str, ...]]:
    """The bot's own polls under a card: their ids, and the ids of their answers."""
    found: dict[str, tuple[str, ...]] = {}
    for event in await home.related(room_id, message_ref, "m.reference"):
        if event.sender != home.user_id or event.redacted:
            continue
        try:
            inner = await home.opened(room_id, event)
            content = msgspec.json.decode(inner.content, type=polls.StartContent)
        except (Unopened, Forged, msgspec.DecodeError):
            # Whatever it was, it is not what is wanted now.
            content = polls.StartContent()
        found[event.event_id] = tuple(answer.id for answer in content.start.answers)
    return found

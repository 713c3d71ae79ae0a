"""People who do not want to hear from the bot unless they call it."""

from bot.conversation.consents import consent_of, keep_consent
from bot.conversation.turn import Desk, Turn, sentence

_SUBJECT = "unasked"


async def is_quiet(desk: Desk, turn: Turn) -> bool:
    """Whether this person told the bot to keep quiet."""
    return await consent_of(desk.writer, turn.person.id, _SUBJECT) == "quiet"


async def keep_quiet(desk: Desk, turn: Turn, *, quiet: bool) -> None:
    """Note what the person wants, and say so once."""
    word = "quiet" if quiet else "speak"
    if quiet and await is_quiet(desk, turn):
        # Whoever said "stop" twice wants no second answer either.
        await desk.close(turn)
        return
    await keep_consent(desk.writer, turn.person.id, _SUBJECT, word)
    text = (
        "I keep quiet from now on, unless you call me. “start” takes that back. No money moved."
        if quiet
        else "I answer the links that you share again. No money moved."
    )
    await desk.answer(turn, sentence(text))

"""Whom an admin means: a person's id, a wallet's, or that of a network."""

from collections.abc import Sequence

from bot.cards import Tone
from bot.commands.command import prefix_of
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.storage.lookups import FoundWallet


async def wallets_meant(desk: Desk, turn: Turn, who: str, usage: str) -> Sequence[FoundWallet]:
    """The wallets of whom `who` means; empty when it is nobody and the admin was told so.

    `usage` is the command as it should be written, without its prefix.
    """
    found = await desk.lookups.wallets_of(who) if who else []
    problem = _problem(found, who)
    if problem is None:
        return found
    text = (
        f"{problem} Write {prefix_of(turn)}admin {usage} and a person's id (p_…), a wallet's "
        f"id (w_…) or a network's id of a person; {prefix_of(turn)}whoami tells each his own. "
        "Nothing was changed."
    )
    await desk.answer(turn, sentence(text, Tone.BAD))
    return ()


def _problem(found: Sequence[FoundWallet], who: str) -> str | None:
    if not who:
        return "Say who."
    if not found:
        return f"Nobody is known as “{who[:60]}”."
    if len({wallet.person_id for wallet in found}) > 1:
        return f"Several people are known as “{who[:60]}”."
    return None

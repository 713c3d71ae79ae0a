"""/likes: whether a like of an offer may pay, and up to how much."""

from bot.commands.amounts import amount_in
from bot.commands.command import Command, prefix_of
from bot.conversation.likes import like_limit, set_like_limit
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import MoneyError


async def likes(desk: Desk, turn: Turn, args: str) -> None:
    """Show or change the asker's limit for paying by a like."""
    prefix = prefix_of(turn)
    if not args:
        limit = await like_limit(desk, turn.person.id)
        if limit is None:
            text = (
                "A like never pays for you; it only brings you the offer in private. "
                f"{prefix}likes 20 lets a like pay for what costs 20 or less."
            )
        else:
            text = f"Your like pays for offers up to {limit.format()}. {prefix}likes off ends that."
        await desk.answer(turn, sentence(text))
        return
    if args.lower() == "off":
        await set_like_limit(desk, turn.person.id, None)
        await desk.answer(turn, sentence("From now on a like never pays for you. No money moved."))
        return
    try:
        limit = amount_in(args, desk.currency)
    except MoneyError as error:
        await desk.answer(turn, sentence(f"{error} Write {prefix}likes 20, or {prefix}likes off."))
        return
    await set_like_limit(desk, turn.person.id, limit)
    text = (
        f"Done. When you like an offer of mine that costs {limit.format()} or less, you pay for it "
        f"at once. {prefix}likes off ends that. No money moved."
    )
    await desk.answer(turn, sentence(text))


COMMANDS = (
    Command(
        "likes", "likes [AMOUNT|off]", "Let a like pay, up to an amount, where there are likes.",
        likes,
    ),
)  # fmt: skip

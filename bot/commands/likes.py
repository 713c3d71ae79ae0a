"""/likes: whether a like of an offer may pay, up to how much, and how much in a day."""

from bot.commands.amounts import amount_in
from bot.commands.command import Command, prefix_of
from bot.conversation.likes import LikeTerms, like_terms, set_like_terms, usual_terms
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import MoneyError


async def likes(desk: Desk, turn: Turn, args: str) -> None:
    """Show or change the asker's limits for paying by a like."""
    prefix = prefix_of(turn)
    if not args:
        await desk.answer(turn, sentence(await _as_it_stands(desk, turn, prefix)))
        return
    if args.lower() == "off":
        await set_like_terms(desk, turn.person.id, None)
        await desk.answer(turn, sentence("From now on a like never pays for you. No money moved."))
        return
    try:
        terms = _terms_in(desk, args)
    except MoneyError as error:
        text = f"{error} Write {prefix}likes 20, {prefix}likes 20 day 100, or {prefix}likes off."
        await desk.answer(turn, sentence(text))
        return
    await set_like_terms(desk, turn.person.id, terms)
    text = (
        f"Done. When you like an offer of mine that costs {terms.each.format()} or less, you pay "
        f"for it at once; all likes of 24 hours pay {terms.day.format()} at most. "
        f"{prefix}likes off ends that. No money moved."
    )
    await desk.answer(turn, sentence(text))


async def _as_it_stands(desk: Desk, turn: Turn, prefix: str) -> str:
    terms = await like_terms(desk, turn.person.id)
    if terms is None:
        return (
            "A like never pays for you; it only brings you the offer in private. "
            f"{prefix}likes 20 lets a like pay for what costs 20 or less."
        )
    return (
        f"Your like pays for offers up to {terms.each.format()}, and all likes of 24 hours pay "
        f"{terms.day.format()} at most. {prefix}likes off ends that."
    )


def _terms_in(desk: Desk, args: str) -> LikeTerms:
    """`20`, or `20 day 100`. Raises `MoneyError` with one sentence."""
    one, named, day = args.lower().partition(" day ")
    each = amount_in(one, desk.currency)
    if not named:
        return usual_terms(desk, each)
    terms = LikeTerms(each, amount_in(day, each.currency))
    if terms.day.currency != each.currency:
        raise MoneyError("Both amounts must be in one currency.")
    if terms.day.amount_minor < each.amount_minor:
        raise MoneyError("A day's sum cannot be less than what one like may pay.")
    return terms


COMMANDS = (
    Command(
        "likes", "likes [AMOUNT [day AMOUNT]|off]",
        "Let a like pay, up to an amount, where there are likes.",
        likes,
    ),
)  # fmt: skip

"""/admin issue and /admin take: the community's own points come and go."""

from collections.abc import Callable

from bot.cards import Card, Line, Tone
from bot.commands.command import prefix_of
from bot.commands.funding import asked_amount
from bot.commands.who import wallets_meant
from bot.conversation.speech import card_notice, send_id
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import Refusal, Refused
from wallet_core.funding.points import issuing, taking_back
from wallet_core.ledger.commits import Notice
from wallet_core.ledger.transfers import Post
from wallet_core.money import Money

Moving = Callable[[str, str, Money], Post]


async def issue(desk: Desk, turn: Turn, rest: str) -> None:
    """`issue WHO AMOUNT POINTS`: new points for somebody."""
    await _move(desk, turn, rest, "issue", issuing)


async def take(desk: Desk, turn: Turn, rest: str) -> None:
    """`take WHO AMOUNT POINTS`: points of somebody that are no more."""
    await _move(desk, turn, rest, "take", taking_back)


async def _move(desk: Desk, turn: Turn, rest: str, word: str, moving: Moving) -> None:
    who, _, amount = rest.partition(" ")
    example = f"{prefix_of(turn)}admin {word} p_… 100 KUDOS"
    found = await wallets_meant(desk, turn, who, word)
    if not found:
        return
    money = await asked_amount(desk, turn, amount, example)
    if money is None:
        return
    words = f"{money.format()} {'issued to' if word == 'issue' else 'taken back from'}"
    card = Card(title=f"{words} {found[0].person_id}.", tone=Tone.GOOD)
    try:
        post = moving(turn.event.id, found[0].id, money)
        news = await _news_for(desk, turn, found[0].person_id, word, money)
        await desk.answer(turn, card, transfers=(post,), also=news)
    except Refused as refused:
        text = _refused_words(refused.code, money)
        await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)


async def _news_for(
    desk: Desk, turn: Turn, person_id: str, word: str, money: Money
) -> tuple[Notice, ...]:
    title = (
        f"You got {money.format()}." if word == "issue" else f"{money.format()} were taken back."
    )
    card = Card(title=title, lines=(Line("An admin of this instance did it."),))
    return tuple(
        card_notice(
            contact,
            card,
            send_id(turn.event.id, word, contact.network, contact.network_person_id),
        )
        for contact in await desk.people.contacts(person_id)
    )


def _refused_words(code: Refusal, money: Money) -> str:
    match code:
        case Refusal.NOT_ALLOWED:
            return (
                f"{money.currency} is not issued here: only currencies of your own are, which the "
                "config defines. No money moved."
            )
        case Refusal.NO_FUNDS:
            return f"That wallet has less than {money.format()} to spend. No money moved."
        case Refusal.WALLET_FROZEN:
            return "That wallet is frozen; thaw it first. No money moved."
        case _:
            return "No money moved. Please try again in a moment."

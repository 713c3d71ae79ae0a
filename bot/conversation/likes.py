"""Likes of the bot's offers: the offer in private, or a payment where the payer allowed that."""

from dataclasses import replace

import msgspec

from bot.cards import Card, Line, Role
from bot.conversation.consents import consent_of, keep_consent
from bot.conversation.quiet import is_quiet
from bot.conversation.speech import send_id
from bot.conversation.turn import Desk, Turn
from bot.events import Liked
from wallet_core.commerce.records import Quote
from wallet_core.ledger.commits import Notice
from wallet_core.limits import DAY_US
from wallet_core.money import Money

_SUBJECT = "likes"


class LikeTerms(msgspec.Struct, frozen=True):
    """What somebody's likes may pay: `each` at most, and in 24 hours no more than `day`."""

    each: Money
    day: Money


class Liking(msgspec.Struct, frozen=True):
    """A like that pays: which quote, and the most that likes may pay in 24 hours."""

    quote_id: str
    day_max: Money


def usual_terms(desk: Desk, each: Money) -> LikeTerms:
    """The terms of somebody who says what one like may pay, and nothing of a day."""
    return LikeTerms(each, replace(each, amount_minor=each.amount_minor * desk.likes_day_times))


async def like_terms(desk: Desk, person_id: str) -> LikeTerms | None:
    """What likes of this person may pay; None when they never pay."""
    match (await consent_of(desk.writer, person_id, _SUBJECT)).split(" "):
        case [currency, each_minor]:
            return usual_terms(desk, Money(int(each_minor), currency))
        case [currency, each_minor, day_minor]:
            return LikeTerms(Money(int(each_minor), currency), Money(int(day_minor), currency))
        case _:
            return None


async def set_like_terms(desk: Desk, person_id: str, terms: LikeTerms | None) -> None:
    """Let likes of this person pay on these terms, or never again."""
    word = "off"
    if terms is not None:
        word = f"{terms.each.currency} {terms.each.amount_minor} {terms.day.amount_minor}"
    await keep_consent(desk.writer, person_id, _SUBJECT, word)


async def offer_liked(desk: Desk, turn: Turn, liked: Liked) -> Liking | None:
    """What a like pays, where it pays; otherwise it is answered here.

    A like of anything but an offer of the bot's own is nothing. An offer is sent in private to
    whoever liked it, except to those who told the bot to keep quiet.
    """
    shown = await desk.outbox.shown(liked.network, liked.message_ref)
    mine = shown is not None and shown.person_id in (None, liked.person_id)
    quote = await desk.reader.quote(shown.ref) if shown and mine and shown.view == "offer" else None
    if quote is None or not quote.can_be_tapped:
        await desk.close(turn)
        return None
    terms = await like_terms(desk, turn.person.id)
    # A like is given lightly; money for somebody who is not here yet takes a tap.
    payable = terms is not None and not quote.waits_for_owner and _fits(quote.price, terms.each)
    paid_minor = await _paid_minor(desk, turn, terms) if terms and payable else 0
    if terms and payable and _fits(quote.price, terms.day, paid_minor):
        return Liking(quote.id, terms.day)
    if await is_quiet(desk, turn):
        await desk.close(turn)
        return None
    words = (_used_up(terms, paid_minor),) if terms and payable else ()
    await desk.answer(turn, *words, also=(_offer(liked, quote),))
    return None


async def _paid_minor(desk: Desk, turn: Turn, terms: LikeTerms) -> int:
    since_us = turn.now_us - DAY_US
    paid = await desk.reader.consented_sum(turn.person.wallet_id, terms.day.currency, since_us)
    return paid.spent_minor


def _fits(price: Money | None, most: Money, besides_minor: int = 0) -> bool:
    if price is None or most.currency != price.currency:
        return False
    return price.amount_minor + besides_minor <= most.amount_minor


def _used_up(terms: LikeTerms, paid_minor: int) -> Card:
    paid = Money(paid_minor, terms.day.currency)
    text = (
        f"Your likes have paid {paid.format()} in the last 24 hours, and may pay "
        f"{terms.day.format()}. This one pays nothing, and brings you the offer."
    )
    return Card(title="Not charged.", lines=(Line(text, Role.HINT),))


def _offer(liked: Liked, quote: Quote) -> Notice:
    return Notice(
        send_id=send_id(liked.id, "offer"),
        network=liked.network,
        room_id=liked.room_id,
        person_id=liked.person_id,
        view="offer",
        ref=quote.id,
    )

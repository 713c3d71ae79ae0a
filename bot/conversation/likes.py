"""Likes of the bot's offers: the offer in private, or a payment where the payer allowed that."""

from bot.conversation.consents import consent_of, keep_consent
from bot.conversation.quiet import is_quiet
from bot.conversation.turn import Desk, Turn, send_id
from bot.events import Liked
from wallet_core.commerce.records import Quote
from wallet_core.ledger.commits import Notice
from wallet_core.money import Money

_SUBJECT = "likes"


async def like_limit(desk: Desk, person_id: str) -> Money | None:
    """Up to which price a like of this person pays; None when likes never pay."""
    currency, _, amount_minor = (await consent_of(desk.writer, person_id, _SUBJECT)).partition(" ")
    return Money(int(amount_minor), currency) if amount_minor else None


async def set_like_limit(desk: Desk, person_id: str, limit: Money | None) -> None:
    """Let likes of this person pay up to `limit`, or never again."""
    word = f"{limit.currency} {limit.amount_minor}" if limit is not None else "off"
    await keep_consent(desk.writer, person_id, _SUBJECT, word)


async def offer_liked(desk: Desk, turn: Turn, liked: Liked) -> str | None:
    """The action that a like stands for, where it pays; otherwise it is answered here.

    A like of anything but an offer of the bot's own is nothing. An offer is sent in private to
    whoever liked it, except to those who told the bot to keep quiet.
    """
    shown = await desk.outbox.shown(liked.network, liked.message_ref)
    mine = shown is not None and shown.person_id in (None, liked.person_id)
    quote = await desk.reader.quote(shown.ref) if shown and mine and shown.view == "offer" else None
    if quote is None or not quote.can_be_tapped:
        await desk.close(turn)
        return None
    # A like is given lightly; money for somebody who is not here yet takes a tap.
    if not quote.waits_for_owner and _within(quote, await like_limit(desk, turn.person.id)):
        return f"pay:{quote.id}"
    if await is_quiet(desk, turn):
        await desk.close(turn)
        return None
    notice = Notice(
        send_id=send_id(turn.event.id, "offer"),
        network=liked.network,
        room_id=liked.room_id,
        person_id=liked.person_id,
        view="offer",
        ref=quote.id,
    )
    await desk.answer(turn, also=(notice,))
    return None


def _within(quote: Quote, limit: Money | None) -> bool:
    price = quote.price
    if limit is None or price is None or limit.currency != price.currency:
        return False
    return price.amount_minor <= limit.amount_minor

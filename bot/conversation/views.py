"""Live cards: made when they are sent, from what is true at that moment.

A view is a function from a reference to a card. What it shows in a group is only what a group may
see: title, price, seller, stock, how many bought; never a balance, a refusal or a buyer's name.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bot.cards import Button, Card, Feature, Line, Picture, Role, Style, Tone
from bot.conversation.escrow_words import held_for_owner_card
from bot.conversation.funding_words import topped_up_card, where_it_came_from
from bot.links.recognise.values import DISCONTINUED, GONE
from bot.links.trust import trust_title
from wallet_core.commerce.escrow import escrow_host
from wallet_core.commerce.records import (
    NOBODY,
    PAYOUT_ASKED,
    FundingRequest,
    Offer,
    Order,
    OrderState,
    Quote,
    ShownOffer,
)
from wallet_core.ledger.commits import Hold
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import EndingAction, HoldState
from wallet_core.money import Money

_picture: msgspec.json.Decoder[Picture] = msgspec.json.Decoder(Picture)


class ViewReader(Protocol):
    """What the views ask of the storage."""

    async def shown_offer(self, quote_id: str) -> ShownOffer | None:
        """What the card behind a button shows."""

    async def order(self, order_id: str) -> Order | None:
        """One order."""

    async def purchase(self, order_id: str) -> tuple[Order, Hold] | None:
        """An order and its hold."""

    async def funding_request(self, code: str) -> FundingRequest | None:
        """One top-up or payout."""


@dataclass(frozen=True)
class Views:
    """Makes the card of a (view, ref). `now_us` is the clock for what has run out."""

    reader: ViewReader
    now_us: Callable[[], int]

    async def card(self, view: str, ref: str) -> Card | None:
        """The card as it should stand now; None when there is nothing to show any more."""
        makers: Mapping[str, Callable[[str], Awaitable[Card | None]]] = {
            "offer": self._offer,
            "purchase": self._purchase,
            "order": self._order,
            "funding": self._funding,
            "till": self._till,
            "funded": self._funded,
            PAYOUT_ASKED: self._payout_asked,
        }
        make = makers.get(view)
        return await make(ref) if make else None

    async def _offer(self, quote_id: str) -> Card | None:
        shown = await self.reader.shown_offer(quote_id)
        if shown is None:
            return None
        return offer_card(_as_it_stands(shown), shown.offer, shown.bought_count)

    async def _purchase(self, order_id: str) -> Card | None:
        bought = await self.reader.purchase(order_id)
        return purchase_card(*bought, self.now_us()) if bought else None

    async def _order(self, order_id: str) -> Card | None:
        order = await self.reader.order(order_id)
        return merchant_order_card(order) if order else None

    async def _funding(self, code: str) -> Card | None:
        request = await self.reader.funding_request(code)
        return funding_card(request) if request else None

    async def _till(self, code: str) -> Card | None:
        request = await self.reader.funding_request(code)
        return till_card(request) if request else None

    async def _funded(self, code: str) -> Card | None:
        """The receipt of a top-up that was asked for to buy something: the way back to that."""
        request = await self.reader.funding_request(code)
        if request is None:
            return None
        shown = await self.reader.shown_offer(request.quote_id) if request.quote_id else None
        if shown is None:
            return topped_up_card(request)
        quote = _as_it_stands(shown)
        gone = shown.offer.stock_left == 0 or shown.offer.availability in GONE
        stands = quote.can_be_tapped and quote.expires_at_us > self.now_us()
        return topped_up_card(request, quote, gone=gone, stands=stands)

    async def _payout_asked(self, code: str) -> Card | None:
        """To a network: pay this out. It is not asked any more once the payout has ended."""
        request = await self.reader.funding_request(code)
        if request is None or request.state != "pending":
            return None
        return Card(lines=(Line(f"Give {request.money.format()} back."),))


def _as_it_stands(shown: ShownOffer) -> Quote:
    """The quote, without its trust where the host has another standing than when it was made."""
    if shown.host_lost:
        reason = "The seller's proof that this domain is his is lost."
    elif shown.host_claimed:
        reason = "The domain has an owner by now; share the link once more to pay him."
    else:
        return shown.quote
    return msgspec.structs.replace(shown.quote, trust="preview", reason=reason)


def offer_card(quote: Quote, offer: Offer, bought: int) -> Card:
    """The card that answers a shared link."""
    price = quote.price
    left = offer.stock_left
    sold_out = left == 0 or offer.availability in GONE
    lines = [Line(price.format(), Role.PRICE)] if price else []
    lines.append(_seller_line(quote, offer))
    lines.extend(_stock_lines(offer, left, sold_out=sold_out))
    if bought:
        lines.append(Line(f"{bought} bought", Role.STATUS))
    buttons: tuple[Button, ...] = ()
    if not (sold_out and quote.can_be_tapped):
        # What cannot be bought is not called payable.
        lines.append(_trust_line(quote))
    if quote.can_be_tapped and not sold_out and price is not None and price.amount_minor > 0:
        label = f"Pay {price.format()}"
        buttons = (Button(label=label, action=f"pay:{quote.id}", style=Style.PAY),)
    if bought:
        mine = Button(label="Undo mine", action=f"undomine:{quote.id}", needs=Feature.SHARED_UNDO)
        buttons = (*buttons, mine)
    # By now the offer may show another of its variants.
    picture = offer.picture if offer.title == quote.title else None
    return Card(
        title=quote.title,
        link_url=quote.url,
        lines=tuple(lines),
        picture=_picture.decode(picture) if picture else None,
        buttons=buttons,
    )


def _seller_line(quote: Quote, offer: Offer) -> Line:
    if quote.merchant_id is None:
        return Line(f"{offer.host} · not verified", Role.SELLER)
    return Line(f"✓ {quote.seller} · {offer.host}", Role.SELLER)


def _trust_line(quote: Quote) -> Line:
    """How far the price is trusted, and why."""
    role = Role.TEXT if quote.can_be_tapped else Role.WARNING
    return Line(f"{trust_title(quote.trust)}. {quote.reason}".strip(), role)


def _stock_lines(offer: Offer, left: int | None, *, sold_out: bool) -> list[Line]:
    if offer.availability == DISCONTINUED:
        return [Line("No longer for sale", Role.STOCK)]
    if sold_out:
        return [Line("Sold out", Role.STOCK)]
    if left is not None:
        return [Line("Last one" if left == 1 else f"{left} in stock", Role.STOCK)]
    words = {"InStock": "In stock", "PreOrder": "Pre-order", "BackOrder": "Back-order"}
    text = words.get(offer.availability or "")
    return [Line(text, Role.STOCK)] if text else []


def purchase_card(order: Order, hold: Hold, now_us: int) -> Card:
    """What only the buyer sees: paid, and how to take it back."""
    price = order.price.format()
    number = Line(f"Order {order.number}", Role.HINT)
    undo = Button(label="Undo", action=f"undo:{order.id}")
    had_it = order.state in (OrderState.PAID, OrderState.REFUNDED)
    label = "Buy another" if had_it else "Buy it after all"
    again = Button(label=label, action=f"again:{order.quote_id}")
    unclaimed = escrow_host(hold) if order.merchant_id == NOBODY else None
    if order.state == OrderState.AUTHORISED and hold.state == HoldState.OPEN:
        if unclaimed is not None:
            return held_for_owner_card(order, hold, unclaimed, undo)
        capture = hold.ending == EndingAction.CAPTURE
        if capture and now_us < hold.due_at_us:
            return Card(
                title=f"Paid {price}",
                lines=(Line(order.title), number),
                buttons=(undo,),
                tone=Tone.GOOD,
                countdown_until_s=hold.due_at_us / MICROSECONDS,
            )
        if capture:
            return Card(title=f"Paid {price}", lines=(Line(order.title), number), tone=Tone.GOOD)
        if order.captured_minor:
            return Card(
                title=f"Paid {order.captured.format()} of {price}",
                lines=(Line(order.title), Line("The rest is held until it is sent too."), number),
                tone=Tone.GOOD,
            )
        return Card(
            title=f"{price} is held",
            lines=(
                Line(order.title),
                Line("The seller has not accepted yet. Until then you can undo.", Role.HINT),
                number,
            ),
            buttons=(undo,),
            tone=Tone.WAITING,
        )
    title, tone = _ended_words(order, unclaimed)
    buttons = () if order.state == OrderState.AUTHORISED else (again,)
    return Card(title=title, lines=(Line(order.title), number), buttons=buttons, tone=tone)


def _ended_words(order: Order, unclaimed: str | None) -> tuple[str, Tone]:
    price = order.price.format()
    match order.state:
        case OrderState.PAID if order.refunded_minor:
            back = Money(order.refunded_minor, order.currency).format()
            return f"Paid {order.captured.format()}, {back} refunded", Tone.GOOD
        case OrderState.PAID if order.captured_minor < order.amount_minor:
            paid = order.captured.format()
            return f"Paid {paid} of {price}. The rest is back in your wallet.", Tone.GOOD
        case OrderState.PAID:
            return f"Paid {price}", Tone.GOOD
        case OrderState.UNDONE:
            return f"Undone. {price} is back in your wallet.", Tone.NEUTRAL
        case OrderState.DECLINED:
            return f"The seller declined. {price} is back in your wallet.", Tone.NEUTRAL
        case OrderState.EXPIRED if unclaimed is not None:
            return f"Nobody claimed {unclaimed}. {price} is back in your wallet.", Tone.NEUTRAL
        case OrderState.EXPIRED:
            return f"The seller did not answer. {price} is back in your wallet.", Tone.NEUTRAL
        case OrderState.REFUNDED:
            return f"Refunded. {order.captured.format()} is back in your wallet.", Tone.NEUTRAL
        case _:
            return f"Paid {price}", Tone.GOOD


def merchant_order_card(order: Order) -> Card:
    """What the merchant's room sees; the buyer's name is not in it."""
    status, buttons = _merchant_status(order)
    lines = [Line(order.title), Line(order.price.format(), Role.PRICE), Line(status, Role.STATUS)]
    if order.captured_minor and order.fee.amount_minor:
        lines.append(Line(net_words(order)))
    return Card(title=f"Order {order.number}", lines=tuple(lines), buttons=buttons)


def _merchant_status(order: Order) -> tuple[str, tuple[Button, ...]]:
    match order.state:
        case OrderState.AUTHORISED if order.captured_minor:
            release = Button(label="Release the rest", action=f"decline:{order.id}")
            return f"{order.captured.format()} of it is paid, the rest is held.", (release,)
        case OrderState.AUTHORISED if order.accepted:
            return "Accepted. The money arrives when the buyer's undo time is over.", ()
        case OrderState.AUTHORISED:
            return "The money is held. Accept to get it, decline to give it back.", (
                Button(label="Accept", action=f"accept:{order.id}", style=Style.PAY),
                Button(label="Decline", action=f"decline:{order.id}", style=Style.DANGER),
            )
        case OrderState.PAID:
            label = f"Refund {order.refundable.format()}"
            refund = Button(label=label, action=f"refund:{order.id}", style=Style.DANGER)
            return _paid_words(order), (refund,)
        case _:
            return _ENDED.get(order.state, "Not accepted in time"), ()


_ENDED: Mapping[str, str] = {
    OrderState.REFUNDED: "Refunded",
    OrderState.UNDONE: "The buyer took it back",
    OrderState.DECLINED: "Declined",
}


def _paid_words(order: Order) -> str:
    if order.refunded_minor:
        return f"Paid, {Money(order.refunded_minor, order.currency).format()} refunded"
    if order.captured_minor < order.amount_minor:
        return f"Paid {order.captured.format()}, the rest was released"
    return "Paid"


def net_words(order: Order) -> str:
    """What the merchant gets of what was captured, and what others keep of it."""
    kept = order.fee.amount_minor
    net_minor = order.captured_minor - order.refunded_minor - kept
    net = Money(net_minor, order.currency).format()
    return f"{net} for you after {order.fee.format()} of fees"


def funding_card(request: FundingRequest) -> Card:
    """A top-up or payout as its owner sees it."""
    money = request.money.format()
    into = request.kind == "topup"
    match request.state:
        case "pending":
            title = f"Top-up of {money}" if into else f"Withdrawal of {money}"
            take_back = Button(label="Take it back", action=f"takeback:{request.code}")
            return Card(
                title=title,
                lines=(
                    Line(request.instructions),
                    Line(f"Code {request.code}", Role.STATUS),
                    Line("No money has moved yet." if into else f"{money} is held.", Role.HINT),
                ),
                buttons=(take_back,) if request.can_be_taken_back else (),
                tone=Tone.WAITING,
            )
        case "done":
            title = f"Top-up of {money} confirmed" if into else f"{money} was paid out"
            return Card(
                title=title, lines=(Line(f"Code {request.code}", Role.HINT),), tone=Tone.GOOD
            )
        case "cancelled":
            return Card(
                title=f"Taken back: {money} is in {where_it_came_from(request)} again",
                lines=(Line(f"Withdrawal {request.code}", Role.HINT),),
            )
        case _:
            ended = "declined" if request.state == "declined" else "not confirmed in time"
            what = "Top-up" if into else "Withdrawal"
            back = f"{money} is back in {where_it_came_from(request)}."
            moved = "No money moved." if into else back
            return Card(title=f"{what} {ended}", lines=(Line(moved),), tone=Tone.BAD)


_TILL_ENDED: Mapping[str, str] = {
    "done": "Confirmed",
    "declined": "Declined",
    "expired": "Not confirmed in time",
    "cancelled": "Its owner took it back. Hand nothing out.",
}


def till_card(request: FundingRequest) -> Card:
    """The same as an admin sees it, with the buttons that end it."""
    money = request.money.format()
    what = "Top-up" if request.kind == "topup" else "Withdrawal"
    owner, _, owner_id = request.owner.partition(":")
    lines = [Line(f"Code {request.code} · {owner} {owner_id[:10]}", Role.HINT)]
    if request.state != "pending":
        lines.append(Line(_TILL_ENDED.get(request.state, "Ended")))
        return Card(title=f"{what} of {money}", lines=tuple(lines))
    if request.is_network_settled:
        lines.insert(0, Line("The network ends it; there is nothing to confirm or decline."))
        return Card(title=f"{what} of {money}", lines=tuple(lines), tone=Tone.WAITING)
    how = "Confirm once you take the cash."
    if request.can_be_taken_back:
        how = "Confirm, then hand out the cash: until you do, its owner can take it back."
    lines.insert(0, Line(how))
    return Card(
        title=f"{what} of {money}",
        lines=tuple(lines),
        buttons=(
            Button(label=f"Confirm {money}", action=f"confirm:{request.code}", style=Style.PAY),
            Button(label="Decline", action=f"refuse:{request.code}", style=Style.DANGER),
        ),
        tone=Tone.WAITING,
    )

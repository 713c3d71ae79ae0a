"""Words for what happened: news from the core becomes notices for the people whom it concerns."""

from collections.abc import Mapping

from bot.cards import Button, Card, Feature, Line, Role, Style, Tone
from bot.conversation.conversion_words import pay_by_card
from bot.conversation.escrow_words import claimed_card, unclaimed_card
from bot.conversation.funding_words import (
    declined_card,
    expired_card,
    funding_refused_card,
    topped_up_card,
)
from bot.conversation.limit_words import limit_refused_card
from bot.conversation.price_words import price_refused_card
from bot.conversation.speech import card_notice, echo_id, send_id, view_notice
from wallet_core.commerce.news import (
    ActionRefused,
    Authorised,
    FundingChanged,
    HostClaimed,
    Joined,
    News,
    OrderChanged,
    TapRefused,
)
from wallet_core.commerce.records import (
    FundingRequest,
    Merchant,
    Order,
    OrderState,
    Place,
    Speech,
)
from wallet_core.errors import SPENDING_REFUSALS, Refusal
from wallet_core.ledger.commits import Notice, Refresh
from wallet_core.money import Money


def announce(news: News) -> Speech:
    """What is to be said about `news`, and to whom."""
    match news:
        case Authorised():
            return _authorised(news)
        case Joined():
            return _joined(news)
        case TapRefused():
            return (_private(news.place, tap_refused_card(news), news.event_id, "refused"),)
        case OrderChanged():
            return _order_changed(news)
        case HostClaimed():
            return _host_claimed(news)
        case ActionRefused():
            return (_private(news.place, action_refused_card(news), news.event_id, "refused"),)
        case FundingChanged():
            return _funding_changed(news)


def _authorised(news: Authorised) -> Speech:
    order = news.order
    purchase = view_notice(order.place, "purchase", order.id, send_id("purchase", order.id))
    seen = Refresh(view="offer", ref=order.quote_id, settled=False)
    if news.standing or news.merchant is None:
        return purchase, seen
    return purchase, seen, _to_merchant(order, news.merchant)


def _joined(news: Joined) -> Speech:
    order = news.order
    if order.state == OrderState.PAID:
        card = Card(
            title="You have this.",
            lines=(
                Line(f"{order.title} · paid {order.price.format()}"),
                Line(f"Not charged again. Order {order.number}", Role.HINT),
            ),
            buttons=(Button(label="Buy another", action=f"again:{order.quote_id}"),),
        )
        return (_private(news.place, card, news.event_id, "joined"),)
    card = Card(
        title="You are paying for this already.",
        lines=(Line(f"{order.title} · {order.price.format()}"), Line("Not charged again.")),
        tone=Tone.WAITING,
    )
    return (_private(news.place, card, news.event_id, "joined"),)


def _order_changed(news: OrderChanged) -> Speech:
    order = news.order
    # That it was bought shows since the tap.
    kept = order.state == OrderState.PAID and news.refund is None
    speech: list[Notice | Refresh] = [
        Refresh(view="purchase", ref=order.id),
        Refresh(view="offer", ref=order.quote_id, as_shown=kept),
    ]
    merchant = news.merchant
    if merchant is not None and (
        order.state == OrderState.PAID or not (merchant.standing_acceptance or order.accepted)
    ):
        speech.append(_to_merchant(order, merchant))
    speech.append(Refresh(view="order", ref=order.id))
    unclaimed = unclaimed_card(news)
    if unclaimed is not None:
        speech.append(_private(order.place, unclaimed, news.cause, "unclaimed"))
    elif merchant is not None and order.state in _NOT_TAKEN:
        # The purchase's own card may stand far up by now, and an edit rings no bell.
        card = not_taken_card(order, merchant)
        speech.append(_echo(order.place, card, news.cause, "not taken"))
    if news.refund is not None and merchant is not None:
        card = Card(
            title=f"{news.refund.format()} refunded",
            lines=(
                Line(f"{merchant.name} gave it back for “{order.title}”."),
                Line(f"Order {order.number}", Role.HINT),
            ),
            tone=Tone.GOOD,
        )
        speech.append(_private(order.place, card, news.cause, "refund"))
    return tuple(speech)


_NOT_TAKEN: Mapping[str, str] = {
    OrderState.DECLINED: "declined",
    OrderState.EXPIRED: "did not accept in time",
}


def not_taken_card(order: Order, merchant: Merchant) -> Card:
    """To the payer: the seller does not take the order, so the money is his again."""
    return Card(
        title=f"{order.price.format()} is back in your wallet",
        lines=(
            Line(f"{merchant.name} {_NOT_TAKEN[order.state]}: “{order.title}”."),
            Line(f"Order {order.number}", Role.HINT),
        ),
    )


def _host_claimed(news: HostClaimed) -> Speech:
    order = news.order
    return (
        Refresh(view="purchase", ref=order.id),
        _private(order.place, claimed_card(news), news.cause, "claimed"),
        _to_merchant(order, news.merchant),
    )


def _to_merchant(order: Order, merchant: Merchant) -> Notice:
    return Notice(
        send_id=send_id("order", order.id),
        network=merchant.network,
        room_id=merchant.room_id,
        view="order",
        ref=order.id,
    )


def _funding_changed(news: FundingChanged) -> Speech:
    request = news.request
    own = view_notice(request.place, "funding", request.code, send_id("funding", request.id))
    refresh = Refresh(view="funding", ref=request.code)
    till = Refresh(view="till", ref=request.code)
    if request.state == "pending":
        return own, refresh
    if request.state == "expired":
        return refresh, till, _echo(request.place, expired_card(request), request.id, "expired")
    if request.state == "declined":
        card = declined_card(request)
        return refresh, till, _echo(request.place, card, request.id, "declined")
    if request.kind == "payout" and request.state in ("done", "cancelled"):
        # One that ends at once was said to nobody before.
        return own, refresh, till
    if request.state == "done" and request.kind == "topup":
        return refresh, till, _topped_up(request)
    return refresh, till


def _topped_up(request: FundingRequest) -> Notice:
    name = send_id(request.id, "funded")
    if request.quote_id is None:
        return card_notice(request.place, topped_up_card(request), name)
    return view_notice(request.place, "funded", request.code, name)


def tap_refused_card(news: TapRefused) -> Card:
    """Why a tap did not pay, whether money moved, and what to do."""
    quote = news.quote
    price = quote.price if quote else None
    if price and news.conversion is not None:
        return pay_by_card(news.code, price, news.balance, news.conversion)
    if quote and price and news.allowance is not None:
        payee = f"merchant:{quote.merchant_id}" if quote.merchant_id else ""
        return limit_refused_card(news.code, price, payee, news.allowance)
    of_price = price_refused_card(news)
    if of_price is not None:
        return of_price
    match news.code:
        case Refusal.NO_FUNDS if price and news.balance and _is_short(news.balance, price):
            return no_funds_card(news.balance, price, quote.id if quote else None)
        case Refusal.QUOTE_EXPIRED if quote:
            return Card(
                title="Not charged. This price is too old.",
                lines=(Line("Look it up again to pay what it costs now."),),
                buttons=(Button(label="Look it up again", action=f"again:{quote.id}"),),
                tone=Tone.BAD,
            )
        case Refusal.NOT_ALLOWED if quote:
            return _bad("Not charged.", quote.reason, "The card leads to its own page.")
        case code if code in SPENDING_REFUSALS:
            return _bad(
                "Not charged. This is more than your wallet's limits allow.",
                "An admin of this instance can allow more; /limits shows what holds.",
            )
        case code:
            return _bad(*_TAP_REFUSED.get(code, _TAP_AGAIN))


_TAP_AGAIN = ("Not charged. Please tap again in a moment.",)
_TAP_REFUSED: Mapping[Refusal, tuple[str, ...]] = {
    Refusal.SOLD_OUT: ("Sold out.", "Not charged."),
    Refusal.WALLET_FROZEN: (
        "Not charged. Your wallet is frozen.",
        "Ask an admin of this instance to thaw it.",
    ),
    Refusal.WITHDRAW_ONLY: (
        "Not charged. Your wallet can only be paid out, it pays nobody.",
        "Ask an admin of this instance to open it.",
    ),
    Refusal.UNKNOWN_QUOTE: (
        "Not charged. This card is no longer known.",
        "Share the link once more.",
    ),
    Refusal.CONSENT_LIMIT: (
        "Not charged. In the last 24 hours your likes have paid as much as you allow them.",
        "Pay this one yourself, or allow more with /likes.",
    ),
    Refusal.RATE_EXPIRED: (
        "Not charged. That rate is over.",
        "Tap Pay once more for a new one.",
    ),
}


def _is_short(balance: Money, price: Money) -> bool:
    """Whether there is still too little: money may have come in since the tap was refused."""
    return balance.amount_minor < price.amount_minor


def no_funds_card(balance: Money, price: Money, quote_id: str | None = None) -> Card:
    """Too little money: how much there is, how much it takes, and the ways on."""
    missing = Money(price.amount_minor - balance.amount_minor, price.currency)
    action = f"topup:{missing.currency}:{missing.amount_minor}"
    top_up = Button(
        label=f"Top up {missing.format()}",
        # The receipt of the top-up leads back to what it is for.
        action=action if quote_id is None else f"{action}:{quote_id}",
        style=Style.PAY,
    )
    return Card(
        title="Not charged.",
        lines=(Line(f"You have {balance.format()}; this needs {price.format()}."),),
        buttons=(top_up,) if quote_id is None else (top_up, _another_way(quote_id)),
        tone=Tone.BAD,
    )


def _another_way(quote_id: str) -> Button:
    return Button(label="Pay another way", action=f"invoice:{quote_id}", needs=Feature.INVOICES)


def action_refused_card(news: ActionRefused) -> Card:
    """Why something other than a tap on Pay did not happen."""
    if news.action == "undo":
        return _undo_refused(news.order)
    of_order = _order_action_refused(news)
    if of_order is not None:
        return of_order
    of_funding = funding_refused_card(news) if news.order is None else None
    if of_funding is not None:
        return of_funding
    match news.code:
        case Refusal.TAKEN if news.action == "payout":
            return _bad("That is on its way back already.", "No money moved just now.")
        case Refusal.NOT_ALLOWED:
            return _bad("Only the seller can do that.", "No money moved.")
        case Refusal.NO_FUNDS if news.money is not None and news.balance is not None:
            return _bad(
                "No money moved.",
                f"There is {news.balance.format()}; this needs {news.money.format()}.",
            )
        case Refusal.BUSY | Refusal.STALE_FENCE:
            return _bad("No money moved. Please try again in a moment.")
        case Refusal.WALLET_FROZEN:
            return _bad("No money moved. This wallet is frozen.", "Ask an admin to thaw it.")
        case _:
            return _bad("That is already settled.", "No money moved just now.")


def _undo_refused(order: Order | None) -> Card:
    if order is None:
        return _bad("You can undo only what you paid for.", "No money moved.")
    if order.state == OrderState.PAID or order.captured_minor:
        return _bad(
            "Too late to undo: it is paid.",
            f"No money moved just now. Ask the seller for a refund of order {order.number}.",
        )
    return _bad("There is nothing to undo.", "No money moved just now.")


_NOTHING_HELD = "Nothing of this order waits to be shipped or released."


def _order_action_refused(news: ActionRefused) -> Card | None:
    """What a seller hears whose capture or refund was refused; None where others hear the same."""
    order = news.order
    match news.action, news.code:
        case "capture" | "release", Refusal.NOT_OPEN:
            return _bad(_NOTHING_HELD, "No money moved just now.")
        case "capture", Refusal.TOO_EARLY:
            return _bad(
                "Not captured: its buyer can still undo.", "No money moved. Try again in a moment."
            )
        case "capture", Refusal.TOO_MUCH if order is not None:
            left = Money(order.amount_minor - order.captured_minor, order.currency).format()
            return _bad("Not captured.", f"At most {left} of this order is still held.")
        case "refund", Refusal.TOO_EARLY:
            return _bad(
                "Not refunded: a part of this order is still held.",
                "No money moved. Release the rest first, then refund what was paid.",
            )
        case "refund", Refusal.NO_FUNDS if news.balance is None:
            return _bad("Not refunded.", "The shop's balance is smaller than that. No money moved.")
        case "refund", Refusal.TOO_MUCH if order is not None:
            left = order.refundable.format()
            return _bad("Not refunded.", f"At most {left} of this order can be given back.")
        case _:
            return None


def _bad(title: str, *more: str) -> Card:
    return Card(title=title, lines=tuple(map(Line, more)), tone=Tone.BAD)


def _private(place: Place, card: Card, *name: object) -> Notice:
    return card_notice(place, card, send_id(*name))


def _echo(place: Place, card: Card, *name: object) -> Notice:
    return card_notice(place, card, echo_id(*name))

"""Conversions in words: what is offered, at which rate, and what became of it."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from bot.cards import Button, Card, Line, Role, Style, Tone
from wallet_core.commerce.conversion import Conversion
from wallet_core.commerce.house_terms import MILLION
from wallet_core.errors import Refusal
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.money import Money

#: Decimals of a rate as it is shown; it is kept exactly.
_SHOWN_DECIMALS = 6


def pay_by_card(code: Refusal, price: Money, balance: Money | None, offer: Conversion) -> Card:
    """Too little of the price's currency: what the same costs in another one, for a short time."""
    title = "Not charged."
    if code is Refusal.RATE_EXPIRED:
        title = "Not charged. That rate is over; this is the new one."
    lines = [Line(rate_words(offer), Role.HINT)]
    if balance is not None:
        has = f"You have {balance.format()}; this needs {price.format()}."
        lines.insert(0, Line(has))
    label = f"Pay {offer.bought.format()} for {offer.sold.format()}, {offer.valid_s} s"
    return Card(
        title=title,
        lines=tuple(lines),
        buttons=(Button(label=label, action=f"payby:{offer.id}", style=Style.PAY),),
        tone=Tone.BAD,
        countdown_until_s=offer.expires_at_us / MICROSECONDS,
    )


def quote_card(offer: Conversion) -> Card:
    """What somebody asked to convert, and the tap that does it."""
    label = f"Convert {offer.sold.format()} to {offer.bought.format()}"
    return Card(
        title=f"{offer.sold.format()} buys {offer.bought.format()}.",
        lines=(
            Line(f"No money has moved. This stands for {offer.valid_s} seconds."),
            Line(rate_words(offer), Role.HINT),
        ),
        buttons=(Button(label=label, action=f"convert:{offer.id}", style=Style.PAY),),
        tone=Tone.WAITING,
        countdown_until_s=offer.expires_at_us / MICROSECONDS,
    )


def converted_card(done: Conversion) -> Card:
    """What was converted."""
    return Card(
        title=f"Converted {done.sold.format()} to {done.bought.format()}.",
        lines=(Line(rate_words(done), Role.HINT),),
        tone=Tone.GOOD,
    )


def rate_words(offer: Conversion) -> str:
    """The rate, its date, and what the house keeps: `1 USD = 7.1023 CNY (2026-11-25), less 1 %`."""
    rate = Fraction(offer.rate)
    places = Decimal(1).scaleb(-_SHOWN_DECIMALS)
    shown = Decimal(rate.numerator) / Decimal(rate.denominator)
    text = (
        f"{shown.quantize(places, ROUND_HALF_EVEN).normalize():f}"
        if shown >= places
        else str(shown)
    )
    spread = ""
    if offer.spread_ppm:
        percent = Decimal(offer.spread_ppm) * 100 / MILLION
        spread = f", less {percent.normalize():f} %"
    return f"1 {offer.sold_currency} = {text} {offer.bought_currency} ({offer.rate_as_of}){spread}"

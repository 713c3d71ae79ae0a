"""Words for taps that charged nothing because of the price, or of whose page it is."""

from bot.cards import Button, Card, Line, Role, Style, Tone
from wallet_core.commerce.news import TapRefused
from wallet_core.commerce.records import Quote
from wallet_core.errors import Refusal
from wallet_core.money import Money


def price_refused_card(news: TapRefused) -> Card | None:
    """Why a tap did not pay, and the way on; None for refusals of another kind."""
    quote = news.quote
    price = quote.price if quote else None
    if quote is None or price is None:
        return None
    match news.code:
        case Refusal.PRICE_CHANGED:
            return price_changed_card(quote, news.offered) if news.offered else _look_up(quote)
        case Refusal.PRICE_UNREAD:
            return Card(
                title="Not charged. The price could not be checked just now.",
                lines=(Line(news.why), Line("Tap again in a moment.", Role.HINT)),
                buttons=(_pay(quote, price),),
                tone=Tone.BAD,
            )
        case Refusal.NOT_FOR_SALE:
            return Card(
                title="Not charged. This cannot be bought any more.",
                lines=(Line(news.why),),
                tone=Tone.BAD,
            )
        case Refusal.UNVERIFIED:
            return Card(
                title="Not charged. The seller's page is no longer proven to be his.",
                lines=(Line(f"{quote.seller} has to prove it again; no money moved."),),
                buttons=(_again(quote),),
                tone=Tone.BAD,
            )
        case Refusal.CLAIMED:
            return Card(
                title="Not charged. This page has an owner by now.",
                lines=(Line("Look it up again to pay him."),),
                buttons=(_again(quote),),
                tone=Tone.BAD,
            )
        case _:
            return None


def price_changed_card(quote: Quote, offered: Quote) -> Card:
    """The page says something else by now: nothing was charged, and here is what it says."""
    before, now = quote.price, offered.price
    if before is None or now is None:
        return _look_up(quote)
    title = "Not charged. The price has changed."
    words = f"It was {before.format()} when the page was read, now it is {now.format()}."
    if (quote.title, quote.sku) != (offered.title, offered.sku):
        title = "Not charged. The page sells something else now."
        words = f"It was “{quote.title}” for {before.format()}; now it is “{offered.title}”."
    elif now == before:
        title = "Not charged. It is paid in another way now."
        words = f"{offered.reason} It still costs {now.format()}."
    return Card(
        title=title,
        lines=(Line(words), Line(f"Tap again to pay {now.format()}.", Role.HINT)),
        buttons=(_pay(offered, now),),
        tone=Tone.BAD,
    )


def _look_up(quote: Quote) -> Card:
    return Card(
        title="Not charged. The price has changed.",
        lines=(Line("Look it up again to pay what it costs now."),),
        buttons=(_again(quote),),
        tone=Tone.BAD,
    )


def _pay(quote: Quote, price: Money) -> Button:
    return Button(label=f"Pay {price.format()}", action=f"pay:{quote.id}", style=Style.PAY)


def _again(quote: Quote) -> Button:
    return Button(label="Look it up again", action=f"again:{quote.id}")

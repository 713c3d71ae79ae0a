"""What a product page becomes in the books of trade: an offer, and quotes that freeze its price."""

import secrets

from bot.conversation.product_pages import Product
from bot.links.recognise import Sighting
from wallet_core.commerce.records import Offer, Quote
from wallet_core.ledger.commits import Insert, RowChange, Update, Value
from wallet_core.ledger.posting import MICROSECONDS

_TITLE_LENGTH_MAX = 500
_SKU_LENGTH_MAX = 200


def quote_of(product: Product, now_us: int, valid_s: float) -> Quote:
    """A new quote, which freezes a product and its price for `valid_s` seconds.

    A signed price is frozen no longer than it was signed for.
    """
    sighting = product.sighting
    until_us = now_us + round(valid_s * MICROSECONDS)
    if product.priced_until_us is not None:
        until_us = min(until_us, product.priced_until_us)
    known = sighting.currency is not None
    return Quote(
        id=f"q_{secrets.token_urlsafe(16)}",
        offer_id=product.offer_id,
        merchant_id=product.merchant.id if product.merchant else None,
        amount_minor=sighting.price_minor if known else None,
        currency=sighting.currency if sighting.price_minor is not None else None,
        trust=product.trust,
        reason=product.reason,
        seller=product.merchant.name if product.merchant else (sighting.seller or product.host),
        created_at_us=now_us,
        expires_at_us=until_us,
        read_at_us=product.read_at_us,
        title=_title(sighting),
        sku=_sku(sighting),
        url=product.url,
    )


def offer_rows(product: Product, known: Offer | None, now_us: int) -> list[RowChange]:
    """The offer as it is seen now.

    Stock is counted by us from the first number that the page names. Later the page only corrects
    it: fewer pieces than we count were sold elsewhere; more than it said last time were added.
    """
    sighting = product.sighting
    values: dict[str, Value] = {
        "merchant_id": product.merchant.id if product.merchant else None,
        "title": _title(sighting),
        "sku": _sku(sighting),
        "url": product.url,
        "host": product.host,
        "picture": product.picture,
        "availability": _stated_availability(sighting),
        "seen_at_us": now_us,
    }
    if known is None:
        fixed: dict[str, Value] = {"id": product.offer_id, "sold": 0}
        stock = {"stock_total": sighting.stock, "stock_page": sighting.stock}
        return [Insert("offers", {**fixed, **values, **stock})]
    if sighting.stock is None:
        return [Update(table="offers", where={"id": known.id}, values=values)]
    return [
        Update(
            table="offers",
            where={"id": known.id, "sold": known.sold, "stock_page": known.stock_page},
            values={
                **values,
                "stock_total": _stock_total(known, sighting.stock),
                "stock_page": sighting.stock,
            },
        )
    ]


def _title(sighting: Sighting) -> str:
    return (sighting.title or "")[:_TITLE_LENGTH_MAX]


def _sku(sighting: Sighting) -> str | None:
    return sighting.sku[:_SKU_LENGTH_MAX] if sighting.sku else None


def _stated_availability(sighting: Sighting) -> str | None:
    """The availability, unless it is good news that was only read between the lines."""
    if sighting.availability == "InStock" and sighting.sources.get("availability") == "page":
        return None
    return sighting.availability


def _stock_total(known: Offer, on_page: int) -> int:
    left = known.stock_left
    if left is None or on_page < left:
        return known.sold + on_page
    if known.stock_page is not None and on_page > known.stock_page:
        return known.sold + left + (on_page - known.stock_page)
    return known.sold + left

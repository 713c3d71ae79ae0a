"""What is for sale in the towns of the benchmarks."""

import time

from wallet_core.ledger.commits import Insert, Value
from wallet_core.ledger.transfers import named

CNY = "CNY"
PRICE_MINOR = 1_990
_VALID_US = 24 * 3_600 * 1_000_000


def tea(number: int, merchant_id: str, seller: str, quote_id: str) -> tuple[Insert, Insert]:
    """Offer `number` of a shop, of which there is enough for all, and a quote on it for a day."""
    offer_id, now_us = f"of_{named('offer', number).hex}", time.time_ns() // 1000
    offer: dict[str, Value] = {
        "id": offer_id,
        "url": f"https://shop.example/tea/{number}",
        "host": "shop.example",
        "merchant_id": merchant_id,
        "title": f"Green tea {number}",
        "sku": None,
        "picture": None,
        "availability": "InStock",
        "stock_total": 1_000_000,
        "stock_page": 1_000_000,
        "sold": 0,
        "seen_at_us": now_us,
    }
    quote: dict[str, Value] = {
        "id": quote_id,
        "offer_id": offer_id,
        "merchant_id": merchant_id,
        "amount_minor": PRICE_MINOR,
        "currency": CNY,
        "trust": "payable",
        "reason": "",
        "seller": seller,
        "created_at_us": now_us,
        "expires_at_us": now_us + _VALID_US,
        "title": offer["title"],
        "url": offer["url"],
    }
    return Insert("offers", offer), Insert("quotes", quote)

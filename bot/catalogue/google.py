"""Google's product data: what its attributes mean, in XML and in tables alike.

The attributes are those of the product data specification of Google Merchant Center: `price` is a
number and an ISO 4217 code, `sale_price` replaces it within `sale_price_effective_date` (two ISO
8601 times with a slash between), and each variant is an item with its `item_group_id`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.catalogue.amounts import BadValue, price_of
from bot.catalogue.record import Draft, Found, Problem

#: The attributes that are read; all others are passed over.
ATTRIBUTES = frozenset(
    {"id", "title", "link", "image_link", "availability", "price", "sale_price",
     "sale_price_effective_date", "brand", "gtin", "mpn", "color", "size", "material", "pattern",
     "summary"}
)  # fmt: skip
_VARYING = ("color", "size", "material", "pattern")
_MICROSECONDS = 1_000_000


def google_item(fields: Mapping[str, str], line: int, hosts: frozenset[str]) -> Found:
    """One item from its attributes, by their names without a prefix."""
    try:
        price, currency = price_of(fields.get("price", ""))
        sale, begins_us, ends_us = _sale(fields, currency)
    except BadValue as error:
        named = fields.get("id", "").strip()[:40]
        return Problem(line, f"item {named}: {error}" if named else str(error))
    return Draft(
        line=line,
        hosts=hosts,
        feed_id=fields.get("id", ""),
        title=fields.get("title"),
        link=fields.get("link", ""),
        price_minor=price,
        currency=currency,
        variant=" / ".join(filter(None, (fields.get(n, "").strip() for n in _VARYING))),
        sale_price_minor=sale,
        sale_from_us=begins_us,
        sale_until_us=ends_us,
        availability=fields.get("availability"),
        sku=fields.get("mpn") or fields.get("id"),
        gtin=fields.get("gtin"),
        brand=fields.get("brand"),
        picture=fields.get("image_link"),
    ).finished()


def _sale(fields: Mapping[str, str], currency: str) -> tuple[int | None, int | None, int | None]:
    text = fields.get("sale_price", "").strip()
    if not text:
        return None, None, None
    amount, _ = price_of(text, currency)
    return (amount, *times_of(fields.get("sale_price_effective_date", "")))


def times_of(text: str) -> tuple[int | None, int | None]:
    """Beginning and end of an interval such as `2026-11-01T08:00+0100/2026-11-30T23:59Z`.

    In microseconds since the epoch; None where it is open. Times without a zone are UTC's. Raises
    `BadValue`.
    """
    if not text.strip():
        return None, None
    begin, slash, end = text.strip().partition("/")
    if not slash:
        raise BadValue(f"sale_price_effective_date “{text.strip()[:40]}” has no end")
    begins_us, ends_us = _time(begin), _time(end)
    if begins_us >= ends_us:
        raise BadValue("sale_price_effective_date ends before it begins")
    return begins_us, ends_us


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp()) * _MICROSECONDS
    except (ValueError, OverflowError):
        raise BadValue(f"“{text.strip()[:40]}” is no time such as 2026-11-01T08:00+0100") from None

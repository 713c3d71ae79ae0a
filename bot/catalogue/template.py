"""A catalogue as CSV: the columns that it may have, and the table that shows them."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bot.catalogue.amounts import BadValue, price_of
from bot.catalogue.google import times_of
from bot.catalogue.record import Draft, Found, Problem
from bot.catalogue.tables import rows

_NEEDED = frozenset({"id", "title", "link", "price"})

#: Column → what it holds; the first four are needed.
COLUMNS: Mapping[str, str] = {
    "id": "your own name of the product, the same for ever",
    "title": "what the card calls it",
    "link": "its page, on a host that you have proven",
    "price": "12.50, or 12.50 EUR; then the column currency is empty or says the same",
    "currency": "an ISO 4217 code such as EUR",
    "availability": "in_stock, out_of_stock, preorder or backorder",
    "sale_price": "what it costs for now, in the same currency",
    "sale_begins": "from when the sale price counts, such as 2026-11-27T00:00+0100",
    "sale_ends": "until when it counts; both or neither",
    "variant": "what tells variants apart, such as Blue / M",
    "picture": "the address of a picture",
    "brand": "who makes it",
    "gtin": "its article number (EAN, UPC, ISBN)",
    "sku": "your stock number, if it is not the id",
}

TEMPLATE = (
    ",".join(COLUMNS)
    + "\n"
    + "tea-100,Green tea 100 g,https://shop.example/products/green-tea,12.50,EUR,in_stock,,,,,"
    "https://shop.example/pictures/green-tea.jpg,Tea House,4006381333931,\n"
    "cup-blue,Tea cup,https://shop.example/products/cup?variant=1,24.00,EUR,in_stock,19.90,"
    "2026-11-27T00:00+0100,2026-12-01T00:00+0100,Blue,,Tea House,,CUP-B\n"
    "cup-white,Tea cup,https://shop.example/products/cup?variant=2,24.00,EUR,out_of_stock,,,,"
    "White,,Tea House,,CUP-W\n"
)


def read_csv(file: BinaryIO, hosts: frozenset[str], charset: str | None = None) -> Iterator[Found]:
    """The table's products, as they come; separated by commas, semicolons or tabs.

    Raises `UnreadableCatalogue`.
    """
    for row in rows(file, ",;\t", _NEEDED, charset):
        yield row if isinstance(row, Problem) else _item(row[1], row[0], hosts)


def _item(cells: Mapping[str, str], line: int, hosts: frozenset[str]) -> Found:
    try:
        price, currency = price_of(cells.get("price", ""), cells.get("currency"))
        sale, begins_us, ends_us = _sale(cells, currency)
    except BadValue as error:
        return Problem(line, str(error))
    return Draft(
        line=line,
        hosts=hosts,
        feed_id=cells.get("id", ""),
        title=cells.get("title"),
        link=cells.get("link", ""),
        price_minor=price,
        currency=currency,
        variant=cells.get("variant"),
        sale_price_minor=sale,
        sale_from_us=begins_us,
        sale_until_us=ends_us,
        availability=cells.get("availability"),
        sku=cells.get("sku") or cells.get("id"),
        gtin=cells.get("gtin"),
        brand=cells.get("brand"),
        picture=cells.get("picture"),
    ).finished()


def _sale(cells: Mapping[str, str], currency: str) -> tuple[int | None, int | None, int | None]:
    if not cells.get("sale_price"):
        return None, None, None
    amount, _ = price_of(cells["sale_price"], currency)
    begins, ends = cells.get("sale_begins", ""), cells.get("sale_ends", "")
    if not begins and not ends:
        return amount, None, None
    return (amount, *times_of(f"{begins}/{ends}"))

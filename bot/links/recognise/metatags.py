"""Open Graph, `product:` and Twitter card meta tags."""

from collections.abc import Iterable
from decimal import Decimal

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code, sign_in
from bot.links.recognise.markup import Markup, one_line
from bot.links.recognise.pricefields import (
    doubt_of_currencies,
    doubt_of_field,
    doubt_of_several,
    other_reading,
)
from bot.links.recognise.sighting import Clue
from bot.links.recognise.values import GONE_AND_THERE, are_at_odds, availability_word, gtin_in
from wallet_core.once import once

#: Meta tags that name a price, the price to pay now first.
_PRICES = ("product:sale_price:amount", "product:price:amount", "og:price:amount",
           "product:price", "og:price", "og:product:price:amount")  # fmt: skip
_LIST_PRICES = ("product:original_price:amount", "og:price:standard_amount",
                "product:price:standard_amount")  # fmt: skip
_CURRENCIES = ("product:sale_price:currency", "product:price:currency", "og:price:currency",
               "og:currency", "og:product:price:currency", "pricecurrency", "currency")  # fmt: skip
_PRICE_LABELS = frozenset(
    {"price", "preis", "prix", "precio", "preço", "prezzo", "prijs", "pris", "cena", "ціна",
     "цена", "价格", "價格", "価格", "가격", "fiyat", "hinta", "harga", "giá", "ár", "preț"}
)  # fmt: skip
#: One of these stands in each tag that names a price.
_ABOUT_PRICES = (b"price", b"twitter:data")
_IMAGES = ("og:image:secure_url", "og:image", "og:image:url")
_AVAILABILITIES = ("product:availability", "og:availability", "availability")
#: What these say is held against what others say of the same.
_COMPARED = frozenset((*_PRICES, *_LIST_PRICES, *_CURRENCIES, *_AVAILABILITIES))
_GTINS = ("product:gtin", "product:ean", "product:upc", "product:isbn", "book:isbn")


class MetaTags:
    """What the Open Graph family says, and what plain and Twitter meta tags say beside it."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup

    @once
    def names_price(self) -> bool:
        """Whether they name a price in a currency; most pages are done with at a glance."""
        return self._markup.head_holds(*_ABOUT_PRICES) and any(
            clue.is_priced for clue in self._priced
        )

    @once
    def clues(self) -> list[Clue]:
        """All that they say."""
        open_graph, plain = self._priced
        found = self._found
        written = found.get(_price_tag(found) or "")
        open_graph.otherwise = other_reading(written)
        open_graph.doubt = self._doubt(open_graph) or doubt_of_field(written, open_graph.currency)
        plain.otherwise = other_reading(found.get(_labelled_tag(found) or ""))
        open_graph.title = _line(found.get("og:title"))
        open_graph.availability = _availability(found)
        open_graph.sku = _line(found.get("product:retailer_item_id") or found.get("product:sku"))
        open_graph.brand = _line(found.get("product:brand") or found.get("og:brand"))
        open_graph.gtin = next(filter(None, (gtin_in(found.get(key)) for key in _GTINS)), None)
        open_graph.image = next((found[key] for key in _IMAGES if key in found), None)
        open_graph.seller = _line(found.get("og:site_name"))
        plain.title = _line(found.get("twitter:title"))
        plain.image = found.get("twitter:image") or found.get("twitter:image:src")
        return [open_graph, plain]

    @once
    def _found(self) -> dict[str, str]:
        # Of tags that come twice the first counts here.
        return dict(reversed(self._markup.metas))

    @once
    def _priced(self) -> tuple[Clue, Clue]:
        return _open_graph_price(self._found), _labelled_price(self._found)

    def _doubt(self, clue: Clue) -> str | None:
        """What is noted where tags that should say the same contradict each other."""
        amounts = _amounts(self._named(_PRICES)) - self._reduced_from(clue)
        if len(amounts) > 1:
            return doubt_of_several(amounts)
        codes = {code for text in self._named(_CURRENCIES) if (code := currency_code(text))}
        if len(codes) > 1:
            return doubt_of_currencies(codes)
        at_odds = are_at_odds(map(availability_word, self._named(_AVAILABILITIES)))
        return GONE_AND_THERE if at_odds else None

    def _reduced_from(self, clue: Clue) -> set[Decimal]:
        """What the tags say that it cost before, which is no contradiction."""
        if clue.price is None:
            return set()
        before = _amounts(self._named(_LIST_PRICES))
        if clue.list_price is not None:
            before.add(clue.list_price)
        return {amount for amount in before if amount > clue.price}

    def _named(self, names: tuple[str, ...]) -> list[str]:
        """What all tags of these names say, those too that come twice."""
        return [text for name, text in self._compared if name in names]

    @once
    def _compared(self) -> list[tuple[str, str]]:
        return [tag for tag in self._markup.metas if tag[0] in _COMPARED]


def _amounts(texts: Iterable[str]) -> set[Decimal]:
    return {amount for text in texts if (amount := machine_amount(text)) is not None}


def _price_tag(found: dict[str, str]) -> str | None:
    """The first tag that names a price."""
    return next((key for key in _PRICES if machine_amount(found.get(key))), None)


def _open_graph_price(found: dict[str, str]) -> Clue:
    priced = _price_tag(found)
    currency = next((found[key] for key in _CURRENCIES if currency_code(found.get(key))), None)
    written = found[priced] if priced else ""
    price = machine_amount(written)
    listed = next(filter(None, (machine_amount(found.get(key)) for key in _LIST_PRICES)), None)
    if priced == _PRICES[0]:
        listed = listed or machine_amount(found.get(_PRICES[1]))
    return Clue(
        source="opengraph",
        price=price,
        currency=currency_code(currency),
        symbol=sign_in(written),
        list_price=listed if listed and price and listed > price else None,
    )


def _labelled_tag(found: dict[str, str]) -> str | None:
    """The last tag of Twitter's that another one calls a price."""
    for number in ("2", "1"):
        label = found.get(f"twitter:label{number}", "").lower().strip(" :")
        if label in _PRICE_LABELS:
            return f"twitter:data{number}"
    return None


def _labelled_price(found: dict[str, str]) -> Clue:
    written = found.get(_labelled_tag(found) or "", "")
    return Clue(source="meta", price=machine_amount(written), symbol=sign_in(written))


def _availability(found: dict[str, str]) -> str | None:
    words = (availability_word(found.get(key)) for key in _AVAILABILITIES)
    return next(filter(None, words), None)


def _line(text: str | None) -> str | None:
    return one_line(text) or None if text else None

"""One sighting out of all clues: each field from the first source that has it."""

from collections.abc import Callable
from decimal import Decimal

from bot.links.recognise.confidence import confidence_of
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.markup import Markup
from bot.links.recognise.sighting import Clue, Sighting, Variant, VariantClue
from bot.links.recognise.values import absolute_url
from bot.links.recognise.verdict import Verdict, in_minor_units

_TEXTS = ("title", "availability", "sku", "brand", "gtin", "image", "seller")
_FINER = "The price has more decimals than money."


def summed_up(
    markup: Markup, facts: PageFacts, clues: list[Clue], verdict: Verdict, in_words: str | None
) -> Sighting:
    """What was seen, with the source and the confidence of each field.

    `in_words` is the availability that the page's visible words suggest, for want of a source.
    """
    found = _Fields(clues)
    fallbacks = {"title": lambda: markup.heading or markup.title, "availability": lambda: in_words}
    texts = {field: found.first(field, fallbacks.get(field, _nothing)) for field in _TEXTS}
    image = texts.pop("image")
    minor, exponent, rounded = in_minor_units(verdict.price, verdict.currency)
    listed = None
    if minor is not None:
        found.note("price", verdict.price, verdict.source)
        if verdict.currency is not None:
            found.note("currency", verdict.currency, verdict.currency_source)
        listed, _, _ = in_minor_units(verdict.list_price, verdict.currency)
        if listed is not None and verdict.currency is not None:
            found.note("list_price", verdict.list_price, verdict.list_price_source)
    stock = next((clue for clue in clues if clue.stock is not None), None)
    if stock is not None:
        found.note("stock", stock.stock, stock.source)
    variants, source = _variants(clues, verdict.currency)
    if variants:
        found.note("variants", variants, source)
    doubts = (*verdict.doubts, *((_FINER,) if rounded else ()))
    if doubts and "price" in found.confidence:
        found.confidence["price"] = round(found.confidence["price"] / 2, 2)
    return Sighting(
        url=facts.url,
        price_minor=minor,
        currency=verdict.currency if minor is not None else None,
        exponent=exponent,
        list_price_minor=listed if verdict.currency is not None else None,
        stock=stock.stock if stock else None,
        image=absolute_url(image, facts.url) if image else None,
        variants=variants,
        sources=found.sources,
        confidence=found.confidence,
        disagreements=doubts,
        structured=minor is not None and verdict.source != "page",
        **texts,
    )


def _nothing() -> None:
    return None


class _Fields:
    """Notes where each field came from, and how sure it is."""

    def __init__(self, clues: list[Clue]) -> None:
        self._clues = clues
        self.sources: dict[str, str] = {}
        self.confidence: dict[str, float] = {}

    def first(self, field: str, fallback: Callable[[], str | None]) -> str | None:
        """The first source's word for a field, else what the page suggests."""
        for clue in self._clues:
            value: str | None = getattr(clue, field)
            if value is not None:
                self.note(field, value, clue.source)
                return value
        suggested = fallback()
        if suggested:
            self.note(field, suggested, "page")
        return suggested or None

    def note(self, field: str, value: object, source: str) -> None:
        """Keep the source of a field's value."""
        self.sources[field] = source
        self.confidence[field] = confidence_of(field, value, source, self._clues)


def _variants(clues: list[Clue], currency: str | None) -> tuple[tuple[Variant, ...], str]:
    for clue in clues:
        described = clue.variants()
        if described:
            return tuple(_variant(one, one.currency or currency) for one in described), clue.source
    return (), "page"


def _variant(clue: VariantClue, currency: str | None) -> Variant:
    price: Decimal | None = clue.price
    minor, _, _ = in_minor_units(price, currency) if currency else (None, None, False)
    return Variant(
        price_minor=minor,
        currency=currency if minor is not None else None,
        title=clue.title,
        sku=clue.sku,
        gtin=clue.gtin,
        availability=clue.availability,
        url=clue.url,
    )

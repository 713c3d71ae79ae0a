"""Ask every source what it says about a page, compare the answers, and say what was seen."""

from ada_url import URL
from selectolax.lexbor import LexborHTMLParser

from bot.links.recognise.currencies import page_regions
from bot.links.recognise.itemprops import MICRODATA, RDFA, item_nodes
from bot.links.recognise.jsonld import main_nodes, parse_blocks
from bot.links.recognise.markup import Markup, decoded, read_markup
from bot.links.recognise.metatags import read_meta_tags
from bot.links.recognise.schema import absolute_url, names_article, read_schema
from bot.links.recognise.shopsigns import is_sold_out, sells
from bot.links.recognise.shownprice import ShownPrices, shown_prices
from bot.links.recognise.sighting import Clue, PageFacts, Sighting
from bot.links.recognise.textprice import price_in_text
from bot.links.recognise.tree import page_tree
from bot.links.recognise.verdict import Verdict, in_minor_units, judge_price

_PRODUCT_KINDS = ("product", "item", "offer")
_READING_KINDS = ("article", "video", "blog", "profile", "news")


def recognise(html: bytes, url: str, *, charset: str | None = None) -> Sighting:
    """What the page `html`, found at `url`, says about the product it sells.

    A page that is not about one product has no price. `charset` is the server's word for the
    encoding. Never raises for a page's sake.
    """
    text = decoded(html, charset)
    markup = read_markup(text)
    values, _ = parse_blocks(markup.json_ld)
    nodes = list(main_nodes(values))
    tree = page_tree(text)
    items = item_nodes(tree, MICRODATA) if "itemprop" in text else []
    typed = item_nodes(tree, RDFA) if "typeof" in text else []
    facts = _facts(url, markup, is_article=names_article([*nodes, *items, *typed]))
    found = (
        read_schema("json-ld", nodes, facts),
        read_schema("microdata", items, facts),
        read_schema("rdfa", typed, facts),
    )
    products = [clue for clue in found if clue is not None]
    clues = [*products, *read_meta_tags(markup)]
    verdict = _verdict(clues, facts, tree, text, has_product=bool(products))
    in_words: str | None = None
    if verdict.price is not None and all(clue.availability is None for clue in clues):
        # What is offered at a price and nowhere called sold out is taken to be there. The source
        # `page` says that this was read between the lines; no card repeats it as a fact.
        in_words = "OutOfStock" if is_sold_out(tree) else "InStock"
    return _sighting(url, markup, clues, verdict, in_words)


def _verdict(
    clues: list[Clue], facts: PageFacts, tree: LexborHTMLParser, text: str, *, has_product: bool
) -> Verdict:
    if facts.is_article or any(clue.is_free for clue in clues):
        # What the data give away, or have no price for yet, is not for a guess to price.
        return Verdict()
    if facts.kind.startswith(_READING_KINDS):
        # Some shops call their pages articles; then only a schema.org product has a price.
        return judge_price(clues, ShownPrices(), facts, text) if has_product else Verdict()
    shown = shown_prices(tree)
    is_shop = has_product or _looks_like_shop(clues, tree, facts)
    if not is_shop and not shown.stands_out:
        return Verdict()
    if shown.is_listing and all(clue.price is None for clue in clues):
        return Verdict()
    if is_shop and shown.best is None and all(clue.price is None for clue in clues):
        in_text = price_in_text(tree, facts.heading, facts.description)
        if in_text is not None:
            shown = ShownPrices.of(*in_text)
    return judge_price(clues, shown, facts, text)


def _looks_like_shop(clues: list[Clue], tree: LexborHTMLParser, facts: PageFacts) -> bool:
    """Whether a page without a schema.org product may sell one all the same."""
    if any(clue.price is not None for clue in clues):
        return True
    return any(word in facts.kind for word in _PRODUCT_KINDS) or sells(tree)


def _facts(url: str, markup: Markup, *, is_article: bool) -> PageFacts:
    found = dict(markup.metas)
    kind = found.get("og:type", "").lower()
    locale = found.get("og:locale", "")
    address = URL(url) if URL.can_parse(url) else None
    return PageFacts(
        url=url,
        titles=tuple(filter(None, (found.get("og:title"), markup.heading, markup.title))),
        regions=page_regions(
            address.hostname if address else "",
            address.pathname if address else "",
            (markup.language, locale),
        ),
        heading=markup.heading,
        description=found.get("og:description") or found.get("description") or "",
        kind=kind,
        # A shop may mark a product page as an article too; the page's own kind decides.
        is_article=is_article and not kind.startswith(_PRODUCT_KINDS),
    )


def _sighting(
    url: str, markup: Markup, clues: list[Clue], verdict: Verdict, in_words: str | None
) -> Sighting:
    """Each field from the first source that has it, and where that was."""
    sources: dict[str, str] = {}

    def first(field: str, fallback: str | None = None) -> str | None:
        for clue in clues:
            value: str | None = getattr(clue, field)
            if value is not None:
                sources[field] = clue.source
                return value
        if fallback:
            sources[field] = "page"
        return fallback or None

    stock = next(((clue.stock, clue.source) for clue in clues if clue.stock is not None), None)
    if stock:
        sources["stock"] = stock[1]
    image = first("image")
    minor, exponent, rounded = in_minor_units(verdict.price, verdict.currency)
    if minor is not None:
        sources["price"] = verdict.source
    if verdict.currency is not None:
        sources["currency"] = verdict.currency_source
    doubts = (*verdict.doubts, *(("The price has more decimals than money.",) if rounded else ()))
    return Sighting(
        url=url,
        title=first("title", markup.heading or markup.title),
        price_minor=minor,
        currency=verdict.currency if minor is not None else None,
        exponent=exponent,
        availability=first("availability", in_words),
        stock=stock[0] if stock else None,
        sku=first("sku"),
        brand=first("brand"),
        gtin=first("gtin"),
        image=absolute_url(image, url) if image else None,
        seller=first("seller"),
        sources=sources,
        disagreements=doubts,
        structured=minor is not None and verdict.source != "page",
    )

"""What a product page lacks, in words for the merchant who owns it, and how to mend it."""

import msgspec

from bot.links.recognise.likelycurrency import is_guess
from bot.links.recognise.recogniser import PageReader
from bot.links.recognise.sighting import Sighting
from bot.links.recognise.values import GONE

_DOCS = "docs/product-pages.md"


#: What other kinds of files begin with.
_OTHER_FILES = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a recording"),
    (b"PK\x03\x04", "an archive or an office document"),
)


class Advice(msgspec.Struct, frozen=True):
    """One thing to mend. `code` is for machines; `docs` is where it is explained.

    `blocks`: as long as it is so, nobody can pay from a card.
    """

    code: str
    problem: str
    mend: str
    docs: str
    blocks: bool


def advice_for(reader: PageReader, seen: Sighting) -> list[Advice]:
    """Everything that is missing or doubtful in a page, what blocks a payment first."""
    found = [*_of_data(reader, seen), *_of_price(seen), *_of_details(reader, seen)]
    return sorted(found, key=lambda advice: not advice.blocks)


def other_file(body: bytes) -> Advice | None:
    """What to do with a file that is no web page; None for what may be one."""
    kind = next((name for mark, name in _OTHER_FILES if body.startswith(mark)), None)
    if kind is None and not body.strip():
        kind = "empty"
    if kind is None and b"<" not in body:
        kind = "text without any HTML"
    if kind is None:
        return None
    mend = "Save the page from a browser as HTML, or name its web address instead."
    return _advice(
        "no_page", "the-smallest-page-that-works", f"The file is {kind}.", mend, blocks=True
    )


def _advice(code: str, section: str, problem: str, mend: str, *, blocks: bool = False) -> Advice:
    return Advice(code, problem, mend, f"{_DOCS}#{section}", blocks)


def _of_data(reader: PageReader, seen: Sighting) -> list[Advice]:
    found: list[Advice] = []
    if reader.broken_blocks:
        found.append(
            _advice(
                "json_ld_broken",
                "the-smallest-page-that-works",
                f"{reader.broken_blocks} JSON-LD block(s) of the page cannot be read.",
                "Check the block with a JSON validator; a comma or a quote is usually wrong.",
                blocks=seen.price_minor is None,
            )
        )
    if seen.price_minor is None:
        found.append(
            _advice(
                "no_product",
                "the-smallest-page-that-works",
                "No product with a price was found in the page.",
                "Add a JSON-LD block of type Product with name, price and currency.",
                blocks=True,
            )
        )
    elif not seen.structured:
        found.append(
            _advice(
                "price_in_text_only",
                "the-smallest-page-that-works",
                "The price stands only in the page's text, where it may be misread.",
                "Name it for machines too: offers.price and offers.priceCurrency in JSON-LD.",
                blocks=True,
            )
        )
    return found


def _of_price(seen: Sighting) -> list[Advice]:
    if seen.price_minor is None:
        return []
    found: list[Advice] = []
    if seen.currency is None:
        found.append(
            _advice(
                "currency_missing",
                "price-and-currency",
                "The page does not say in which currency the price is.",
                "Add priceCurrency with the ISO 4217 code, such as EUR.",
                blocks=True,
            )
        )
    several = len(seen.variants) > 1
    return found + [_of_doubt(doubt, several=several) for doubt in seen.disagreements]


def _of_doubt(doubt: str, *, several: bool) -> Advice:
    """What makes a doubt go away; `several`: the page sells variants."""
    if is_guess(doubt):
        mend = "Name the currency for machines: priceCurrency beside the price."
        return _advice("currency_guessed", "price-and-currency", doubt, mend, blocks=True)
    if several:
        code = "several_prices" if "several prices" in doubt else "disagreement"
        mend = "Give each variant an address of its own, and share that one."
        return _advice(code, "variants", doubt, mend, blocks=True)
    mend = "Let all data of the page and the page itself name the same price."
    return _advice("disagreement", "one-price-everywhere", doubt, mend, blocks=True)


def _of_details(reader: PageReader, seen: Sighting) -> list[Advice]:
    if seen.price_minor is None:
        return []
    found: list[Advice] = []
    if seen.sources.get("availability", "page") == "page":
        found.append(
            _advice(
                "availability_missing",
                "availability",
                "The page's data do not say whether the product is in stock.",
                "Add offers.availability, such as https://schema.org/InStock.",
            )
        )
    elif seen.availability in GONE or seen.stock == 0:
        found.append(
            _advice(
                "sold_out",
                "availability",
                "The page says that the product is sold out.",
                "Set offers.availability to InStock when it can be bought again.",
                blocks=True,
            )
        )
    if reader.refused_gtin is not None:
        found.append(
            _advice(
                "gtin_wrong",
                "article-numbers",
                f"The article number {reader.refused_gtin} fails its check digit.",
                "Copy the GTIN from the package; leave it out where there is none.",
            )
        )
    if seen.image is None:
        found.append(
            _advice(
                "image_missing",
                "picture",
                "The page names no picture, so the card has none.",
                "Add image to the JSON-LD block, or an og:image meta tag.",
            )
        )
    if seen.sku is None:
        found.append(
            _advice(
                "sku_missing",
                "article-numbers",
                "The page names no sku, so an order can only tell the product's title.",
                "Add sku to the JSON-LD block.",
            )
        )
    return found

"""The last resort: a price in running text, on pages whose markup names none."""

import re
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser

from bot.links.recognise.amounts import read_amount
from bot.links.recognise.currencies import sign_in
from bot.links.recognise.sighting import PageFacts

_NUMBER = r"\d(?:[\d.,  ']{0,14}\d)?(?:,-)?"
_SIGN = r"(?:[€£¥￥$₹₽₩₪₺₴฿₫]|(?<![A-Za-z])[A-Z]{2,3}\$?|Rs\.?|kr\.?|Kč|zł|Ft|元|円|원|руб\.?|лв)"
_PRICED = re.compile(rf"(?<![(\-–−\d.,])(?:{_SIGN}\s?({_NUMBER})|({_NUMBER})\s?{_SIGN})(?![\w])")
_BLANKS = re.compile(r"\s+")
_WINDOW_CHARS = 2500
_DESCRIPTION_CHARS = 500


def price_in_text(tree: LexborHTMLParser, facts: PageFacts) -> tuple[Decimal, str | None] | None:
    """The first amount with a currency sign behind the page's heading, with its sign.

    An amount that the page's own description names is believed before that. The tree loses its
    scripts and styles here.
    """
    tree.strip_tags(["script", "style", "noscript", "template", "del", "s"])
    body = tree.body
    text = _BLANKS.sub(" ", body.text(deep=True, separator=" ")) if body is not None else ""
    for found in _priced(facts.description[:_DESCRIPTION_CHARS]):
        if re.search(rf"(?<![\d.,]){re.escape(found[2])}(?![\d])", text):
            return found[:2]
    heading = facts.heading
    start = text.find(heading) if heading else -1
    if start < 0:
        return None
    window = text[start + len(heading) : start + len(heading) + _WINDOW_CHARS]
    return next((found[:2] for found in _priced(window)), None)


def _priced(text: str) -> list[tuple[Decimal, str | None, str]]:
    priced: list[tuple[Decimal, str | None, str]] = []
    for match in _PRICED.finditer(text):
        written = match[1] or match[2]
        amount = read_amount(written)
        sign = sign_in(match.group())
        if amount is not None and sign is not None:
            priced.append((amount, sign, written))
    return priced

"""The last resort: a price in running text, on pages whose markup names none."""

import re
from decimal import Decimal
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from bot.links.recognise.amounts import read_amount
from bot.links.recognise.currencies import (
    code_beside,
    code_pattern,
    currency_of_sign,
    sign_in,
    sign_pattern,
)
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.markup import one_line
from bot.links.recognise.nodes import remove_all, short_texts
from bot.links.recognise.numerals import western
from bot.links.recognise.places import STRUCK_BY_STYLE
from bot.links.recognise.pricewords import PART_WORDS, calls_it_old
from bot.links.recognise.shopsigns import sells_either_way
from bot.links.recognise.shownprice import ShownPrices
from bot.links.recognise.stocklabels import names_stock_once
from bot.links.recognise.viewedprice import form_price, viewed_price

#: Groups that blanks part have three digits; another number may stand right before a price.
_NUMBER = (
    "(?:\\d{1,3}(?:[ \u00a0]\\d{3}){1,4}(?!\\d)(?:[.,]\\d{1,2})?"
    "|\\d(?:[\\d.,']{0,14}\\d)?(?:[.,][ \u00a0]\\d\\d(?!\\d))?)(?:,-)?"
)
_SIGN = rf"(?:{sign_pattern()}|{code_pattern()})"
#: These stand in front of numbers: one between two belongs to the second.
_IN_FRONT = "$£¥￥₹"
_PRICED = re.compile(
    rf"(?<![(\-–−\d.,])(?:{_SIGN}\s?({_NUMBER})"
    rf"|(?<![A-Za-z])({_NUMBER})\s?{_SIGN}(?!(?<=[{_IN_FRONT}])\s?\d))(?![^\W_]|\$)"
)
#: Chinese, Japanese and Korean shops write what a price is in front of it, a discount between.
_LABELLED = re.compile(
    r"(?:特價|特价|售價|售价|優惠價|优惠价|促銷價|促销价|網路價|现价|現價|販売価格|価格|판매가|할인가)"
    r"(?:[^\d]{0,6}\d(?:\.\d)? ?折)?[^\d]{0,8}(\d[\d,.]{0,12}) ?(元|円|원)"
)
#: Around an amount that is saved, earned, to be reached by an order, or paid for shipping.
_BEFORE_OTHER_AMOUNT = re.compile(
    r"(?:\b(?:over|above|exceeding|spend|save|saving|earn|every|up to|minimum(?: order)?|orders? of"
    r"|spare|sparen|sparst|über|mindestbestellwert|économisez|plus de|supérieure? à|ahorra"
    r"|ahorras|más de|superior a|risparmi|superiori a|oltre|economize|acima de|bespaar|boven"
    r"|besteding van|spara|över|spar|oszczędzasz|powyżej|ušetříte|nad|свыше|более|экономия"
    r"|üzeri|tasarruf|shipping|delivery|postage|versand|versandkosten|lieferung|livraison"
    r"|envío|spedizione|frete|verzending|frakt|fragt|dostawa|wysyłka|doprava|доставка|kargo"
    r"|szállítás|livrare|dostava|toimitus|sending|heimsending|μεταφορικά|αποστολή|ongkir"
    r"|phí vận chuyển|понад|економія|спестявате|peste|άνω των|minimal|hemat|tiết kiệm|kazancınız"
    r"|säästä|säästät|sparaðu|du sparer|megtakarítás|economisești|ušteda)"
    r"|满|滿|省|节省|節省|運費|运费|送料|배송비|적립|שמור|מעל|משלוח|توفير|الشحن|التوصيل|فوق"
    r"|هزینه ارسال|بالای|ค่าส่ง|ประหยัด)[\s:]{0,3}$",
    re.IGNORECASE,
)
_BEHIND_OTHER_AMOUNT = re.compile(
    r"\+|\s?(?:(?:off|spent|or more|and (?:up|over|above)|orders?|back|rabatt|oder mehr|et plus"
    r"|de réduction|d'achat|o más|de descuento|o più|di sconto|ou mais|de desconto|of meer"
    r"|korting|eller mer|ve üzeri|indirim|(?:away|left|more|kvar|igjen|mere?|noch)?\s?"
    r"(?:from|to|for|till|til|bis zum|until) (?:free|fri|gratis|kostenlosen))\b"
    r"|以上|優惠券|优惠券|引き|還元|ポイント|円引|이상|할인|적립|쿠폰|ขึ้นไป|trở lên| ke atas"
    r"|هدية|خصم|ומעלה|הנחה|تخفیف| felett| kedvezmény| i więcej| rabatu"
    r"|\s?(?:slevy|a více|знижки|скидка)\b)",
    re.IGNORECASE,
)
#: In Brazil the price before a reduction stands between `de` and the one to pay.
_REDUCED = re.compile(r"R\$\s?[\d.,]{1,14}\s{1,3}(?:por:?\s)?R\$")
_FROM = re.compile(r"\bde:?\s?$", re.IGNORECASE)
#: From and to which price a list is to be narrowed down; variants do not lie so far apart.
_RANGE = re.compile(r"\s?[-–—]\s?(?!\d+\s?%)")
_SPREAD_MAX = 5
#: Cents in an element of their own, `10,` and `83`.
_PARTED_CENTS = re.compile(r"(?<=\d[.,])[ \u00a0](?=\d\d(?!\d))")
_BEFORE_CHARS = 24
#: Between an amount and the one in front of it, what it is called.
_LABEL_CHARS = 48
#: A code there, `$49.95 AUD`, says what an ambiguous sign means.
_BESIDE_CHARS = 5
_CART_WORDS = ("購物車", "购物车", "カートに", "買い物かご", "장바구니")
_BLANKS = re.compile(r"\s+")
_DIGIT = re.compile(r"\d")
_LINKS_MAX = 1000
#: What opens above a page shows other products, messages and offers; what is struck out is past.
_OVERLAYS = ", ".join(
    (
        '.modal, dialog, [class*="quickview" i], [class*="quick-view" i], [class*="old-price" i]',
        *STRUCK_BY_STYLE,
    )
)
_OVERLAYS_MAX = 100
_WINDOW_CHARS = 2500
_NEAR_CHARS = 250
#: A product without a heading shows no more amounts than its price, before and after a reduction.
_NAMELESS_MAX = 2
_ARABIC_POINT = "٫"
_DESCRIPTION_CHARS = 500
#: A reported price that stands by itself with its sign, and the same with its source's blanks.
_REPORTED_CHARS, _SOURCE_CHARS = 20, 90


class _Priced(NamedTuple):
    """An amount with its sign, as written, and whether it is called an old price."""

    amount: Decimal
    sign: str | None
    written: str
    is_old: bool


def unnamed_price(
    page: bytes, tree: LexborHTMLParser, facts: PageFacts, shown: ShownPrices, *, is_gone: bool
) -> tuple[Decimal, str | None] | None:
    """The price of a shop's page in which nothing is named a price, with its sign or currency."""
    told = viewed_price(page) or form_price(page)
    return told or price_in_text(tree, facts, shown, is_gone=is_gone)


def shows_reported_price(page: bytes, tree: LexborHTMLParser) -> bool:
    """Whether people see the price that the page's scripts report of what is looked at."""
    told = viewed_price(page)
    if told is None:
        return False
    texts = (one_line(text) for _, text in short_texts(tree, _SOURCE_CHARS))
    return any(
        len(text) <= _REPORTED_CHARS and sign_in(text) is not None and read_amount(text) == told[0]
        for text in texts
    )


def first_price(text: str, facts: PageFacts) -> Decimal | None:
    """The first amount with a currency's sign in `text` that is no old price, no charge, no sum."""
    found = _first(_priced(_plain(text[:_WINDOW_CHARS]), facts), amounts_max=None)
    return found[0] if found is not None else None


def price_in_text(
    tree: LexborHTMLParser, facts: PageFacts, shown: ShownPrices, *, is_gone: bool
) -> tuple[Decimal, str | None] | None:
    """The first amount with a currency sign behind the page's heading, with its sign.

    An amount that the page's own description names is believed before that. Those that are
    `shown` nowhere but among other products do not count. What is gone often has no price any
    more, and amounts farther on are those of others. The tree loses its scripts, styles, overlays
    and links to other pages here: a price in one is what that page sells.
    """
    _unlink_prices(tree)
    remove_all(tree.css(_OVERLAYS)[:_OVERLAYS_MAX])
    text = _text_of(tree)
    for found in _priced(facts.description[:_DESCRIPTION_CHARS], facts):
        if re.search(rf"(?<![\d.,]){re.escape(found.written)}(?![\d])", text):
            return found.amount, found.sign
    heading = facts.heading
    if not heading and (names_stock_once(facts) or (not shown.found and sells_either_way(tree))):
        # What sells one thing, and names one amount, names its price.
        return _first(_priced(_plain(text), facts), amounts_max=1)
    name = heading or next((part for part in facts.markup.title_parts if part in text), "")
    start = text.find(name) if name else -1
    if start < 0:
        return None
    begin = start + len(name)
    window = _plain(text[begin : begin + (_NEAR_CHARS if is_gone else _WINDOW_CHARS)])
    own = [found for found in _priced(window, facts) if found.amount not in shown.elsewhere]
    if not own and heading:
        # Some shops write the price into the heading itself.
        return _first(_priced(_plain(heading).replace("(", " "), facts), amounts_max=1)
    # What only its title names may be a list.
    return _first(own, amounts_max=None if heading else _NAMELESS_MAX)


def labelled_price(tree: LexborHTMLParser) -> tuple[Decimal, str | None] | None:
    """The first amount that a page in these scripts calls its price, when it has a cart as well.

    The tree loses its scripts and styles here.
    """
    text = _text_of(tree)
    if not any(words in text for words in _CART_WORDS):
        return None
    found = _LABELLED.search(text)
    amount = read_amount(found[1], exponent=0) if found else None
    return (amount, found[2]) if found and amount is not None else None


def _plain(text: str) -> str:
    """`text` with Western digits and marks in its numbers."""
    return western(text).replace(_ARABIC_POINT, ".")


def _unlink_prices(tree: LexborHTMLParser) -> None:
    for link in tree.css('a[href]:not([href^="#"])')[:_LINKS_MAX]:
        around = link.parent
        is_heading = (around is not None and around.tag == "h1") or link.css_matches("h1")
        if not is_heading and _DIGIT.search(link.text()):
            link.decompose()


def _text_of(tree: LexborHTMLParser) -> str:
    tree.strip_tags(["script", "style", "noscript", "template", "del", "s"])
    body = tree.body
    return _BLANKS.sub(" ", body.text(deep=True, separator=" ")) if body is not None else ""


def _first(priced: list[_Priced], *, amounts_max: int | None) -> tuple[Decimal, str | None] | None:
    """The first of them that is not called the price before a reduction, if any is not.

    None where there are more amounts than so many.
    """
    if amounts_max is not None and len({found.amount for found in priced}) > amounts_max:
        return None
    first = next((found for found in priced if not found.is_old), priced[0] if priced else None)
    return None if first is None else (first.amount, first.sign)


def _priced(text: str, facts: PageFacts) -> list[_Priced]:
    priced: list[_Priced] = []
    end, lower = 0, None
    for match in _PRICED.finditer(text):
        written = match[1] or match[2]
        amount = read_amount(_PARTED_CENTS.sub("", written))
        if lower and amount and _RANGE.fullmatch(text, end, match.start()):
            if amount >= _SPREAD_MAX * lower and priced:
                priced.pop()
            continue
        label = text[max(end, match.start() - _LABEL_CHARS) : match.start()]
        end, lower = match.end(), amount
        if _is_other_amount(text, match):
            lower = None
            continue
        sign = sign_in(match.group())
        if amount is not None and sign is not None and _is_money(sign, facts):
            around = text[max(0, match.start() - _BESIDE_CHARS) : match.end() + _BESIDE_CHARS]
            known = code_beside(around, sign) or sign
            priced.append(_Priced(amount, known, written, calls_it_old(label)))
    return priced


def _is_money(sign: str, facts: PageFacts) -> bool:
    """Whether a sign means money there; a plain letter does where the page's country has it."""
    is_letter = len(sign) == 1 and sign.isascii() and sign.isalpha()
    return not is_letter or currency_of_sign(sign, facts.regions) is not None


def _is_other_amount(text: str, match: re.Match[str]) -> bool:
    """Whether the words around an amount say that it is no price."""
    before = text[max(0, match.start() - _BEFORE_CHARS) : match.start()]
    if _BEFORE_OTHER_AMOUNT.search(before):
        return True
    if _FROM.search(before) and _REDUCED.match(text, match.start()):
        return True
    if _BEHIND_OTHER_AMOUNT.match(text, match.end()):
        return True
    begin = match.end() + text.startswith(" ", match.end())
    return PART_WORDS.match(text, begin) is not None

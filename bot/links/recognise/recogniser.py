"""Ask every source what it says about a page, compare the answers, and say what was seen."""

from collections.abc import Sequence
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.canonical import host_of
from bot.links.recognise.charset import in_utf8
from bot.links.recognise.endpoints import Endpoint, endpoints_of, read_endpoint
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.glance import glance
from bot.links.recognise.itemprops import MICRODATA, RDFA, item_nodes
from bot.links.recognise.jsonld import Node, main_nodes, parse_blocks
from bot.links.recognise.listtitles import is_called_a_list
from bot.links.recognise.markup import Markup, one_line
from bot.links.recognise.metatags import MetaTags
from bot.links.recognise.offerprice import UNTAXED
from bot.links.recognise.pagekind import (
    body_names,
    is_other_address,
    is_other_page,
    is_product_page,
    lists_products,
    names_listing,
    offers_price_order,
)
from bot.links.recognise.schema import SchemaProduct, find_product, names_article, names_reading
from bot.links.recognise.seek import find
from bot.links.recognise.shopdata import read_shop_data
from bot.links.recognise.shopsigns import has_cart_button, says_cart, sells
from bot.links.recognise.shownprice import ShownPrices, shown_prices
from bot.links.recognise.shownstock import ShownStock
from bot.links.recognise.sighting import Clue, Sighting
from bot.links.recognise.stocklabels import names_stock_once
from bot.links.recognise.struckprice import reduced, struck_beside, with_list_price
from bot.links.recognise.summing import summed_up
from bot.links.recognise.textprice import labelled_price, shows_reported_price, unnamed_price
from bot.links.recognise.tree import page_tree
from bot.links.recognise.values import GONE_AND_THERE, are_at_odds, squeezed
from bot.links.recognise.verdict import Verdict, judge_price
from wallet_core.money import exponent_of
from wallet_core.once import once

_GONE = frozenset({"OutOfStock", "SoldOut"})
#: How shop software tells its own scripts of a variant, in objects of any form.
_AVAILABLE, _NOT_AVAILABLE = b'"available":true', b'"available":false'
_GONE_BUT_SOLD = "The page's data say that it is sold out, but the page itself sells it."
_THERE_BUT_GONE = "The page's data say that it is in stock, but the page itself says it is gone."
_PRODUCT_KINDS = ("product", "item", "offer")
_READING_KINDS = ("article", "video", "blog", "profile", "news")
#: A page without data that shows so many prices of others, and none of its own, is a list of them.
_LISTED_MIN = 8
#: Open Graph's type for a page that lists products.
_LISTING_KIND = "product.group"


def recognise(html: bytes, url: str, *, charset: str | None = None) -> Sighting:
    """What the page `html`, found at `url`, says about the product it sells.

    A page that is not about one product has no price. `charset` is the server's word for the
    encoding. Never raises for a page's sake.
    """
    return PageReader(html, url, charset=charset).sighting()


class PageReader:
    """Reads one page, the cheapest sources first, and each only when something asks for it."""

    def __init__(self, html: bytes, url: str, *, charset: str | None = None) -> None:
        self.markup = Markup(in_utf8(html, charset))
        self.facts = PageFacts(url, self.markup)
        self._heard: list[Clue] = []

    @once
    def names_price(self) -> bool:
        """Whether JSON-LD, microdata or meta tags name the product's price with a currency.

        Each source is read only where those before it do not name one.
        """
        return (
            _names_price(self._json_ld_product)
            or _names_price(self._microdata_product)
            or self._meta_tags.names_price
        )

    @once
    def has_structured_price(self) -> bool:
        """Whether the page itself names its price, with a currency, for machines."""
        return self.names_price or any(clue.is_priced for clue in self._products)

    @property
    def broken_blocks(self) -> int:
        """How many blocks of JSON-LD could not be read at all."""
        return self._blocks[1]

    @once
    def _blocks(self) -> tuple[list[object], int]:
        return parse_blocks(self.markup.json_ld)

    @once
    def _nodes(self) -> list[Node]:
        return list(main_nodes(self._blocks[0]))

    @once
    def _json_ld_product(self) -> SchemaProduct | None:
        return find_product("json-ld", self._nodes, self.facts)

    @once
    def _meta_tags(self) -> MetaTags:
        return MetaTags(self.markup)

    @once
    def _items(self) -> list[Node]:
        return item_nodes(self.facts, MICRODATA)

    @once
    def _is_article(self) -> bool:
        return names_article(self._nodes) or names_article(self._items)

    @once
    def _microdata_product(self) -> SchemaProduct | None:
        return find_product("microdata", self._items, self.facts)

    @once
    def _products(self) -> list[Clue]:
        """What each source says that describes a product as such."""
        markup, facts = self.markup, self.facts
        described = (self._json_ld_product, self._microdata_product)
        found = [product.clue for product in described if product is not None]
        # Beside a price without tax shop software keeps the one that people see.
        if not any(clue.price is not None and clue.doubt != UNTAXED for clue in found):
            rdfa = find_product("rdfa", item_nodes(facts, RDFA), facts)
            others = (rdfa.clue if rdfa is not None else None, read_shop_data(markup, facts))
            found += [clue for clue in others if clue is not None]
        return found

    @property
    def products(self) -> list[Clue]:
        """The clues of sources that describe a product as such, the most trusted first."""
        return [*self._heard, *self._products]

    @property
    def clues(self) -> list[Clue]:
        """All clues, the most trusted first."""
        return [*self.products, *self._meta_tags.clues]

    @property
    def _is_priced(self) -> bool:
        """Whether any source but the page's text names a price."""
        return any(clue.price is not None for clue in self.clues)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where the page's own shop may be asked about its product."""
        return endpoints_of(self.markup, self.facts)

    @property
    def refused_gtin(self) -> str | None:
        """An article number in the page's data whose check digit is wrong."""
        refused = (clue.refused_gtin for clue in self.products)
        return next((one_line(number)[:40] for number in refused if number), None)

    @property
    def wants_endpoints(self) -> bool:
        """Whether the page may sell something and does not say for how much."""
        return not self.has_structured_price and not self._sells_nothing()

    def hear_endpoint(self, endpoint: Endpoint, body: bytes, url_final: str) -> bool:
        """Take the `body` of an endpoint's answer into account; False without a price in it.

        An answer that another host gave in the end, at `url_final`, says nothing.
        """
        if host_of(url_final) != host_of(self.facts.url):
            return False
        clue = read_endpoint(endpoint, body, self.markup, self.facts)
        if clue is None or clue.price is None:
            return False
        self._heard.append(clue)
        return True

    def sighting(self) -> Sighting:
        """What was seen, all sources compared; here a tree is built, if anything asks for one."""
        nothing = self._sells_nothing()
        clues = self.clues
        if nothing:
            return summed_up(self.markup, self.facts, clues, Verdict(), None)
        confirmed = self._at_a_glance(clues)
        if confirmed is not None:
            confirmed = _with_stock_doubt(confirmed, clues)
            return summed_up(self.markup, self.facts, clues, confirmed, None)
        tree = page_tree(self.markup.around_heading(is_priced=self._is_priced))
        stock = ShownStock(tree, self.facts)
        verdict = _with_stock_doubt(self._verdict(tree, stock), clues)
        in_words: str | None = None
        stated = next((clue.availability for clue in clues if clue.availability), None)
        if stated is None and verdict.price is None:
            is_shop = self._is_about_product or self._looks_like_shop(tree)
            if is_shop or stock.is_switched_off() or stock.is_plainly_gone():
                in_words = stock.availability(is_priced=False)
        elif verdict.price is not None and stated is None:
            # What is offered at a price and nowhere called sold out is taken to be there. The
            # source `page` says that this was read between the lines; no card repeats it.
            in_words = stock.availability(is_priced=True) or "InStock"
        elif verdict.price is not None or stated == "InStock":
            denied = self._denied(stated, stock)
            if denied is not None:
                in_words, doubt = denied
                verdict = replace(verdict, doubts=(*verdict.doubts, doubt))
                clues = [replace(clue, availability=None) for clue in clues]
        return summed_up(self.markup, self.facts, clues, verdict, in_words)

    def _denied(self, stated: str | None, stock: ShownStock) -> tuple[str, str] | None:
        """What the page plainly shows against what its data state of the stock, with the doubt."""
        if stated in _GONE:
            return ("InStock", _GONE_BUT_SOLD) if self._is_bought(stock) else None
        is_there = stated == "InStock"
        if is_there and stock.availability(is_priced=True) in _GONE and not stock.can_be_bought():
            return "OutOfStock", _THERE_BUT_GONE
        return None

    def _at_a_glance(self, clues: list[Clue]) -> Verdict | None:
        """The verdict when all data name one price, and the page plainly shows the same."""
        priced = [clue for clue in clues if clue.price is not None]
        stated = next((clue.availability for clue in clues if clue.availability), None)
        currency = next((clue.currency for clue in priced if clue.currency), None)
        price = priced[0].price if priced else None
        if price is None or currency is None or stated is None or stated in _GONE:
            return None
        if len({clue.price for clue in priced}) > 1:
            return None
        shown = glance(price, exponent_of(currency), self.facts)
        return judge_price(clues, shown, self.facts, self.markup.page) if shown else None

    @once
    def _body_names(self) -> frozenset[str]:
        return body_names(self.markup.page)

    @property
    def _is_products_page(self) -> bool:
        return is_product_page(self._body_names)

    @property
    def _is_about_product(self) -> bool:
        """Whether the page says that it shows one product, priced or not."""
        is_said = bool(self.products) or self._is_products_page
        return is_said or self.facts.kind.startswith(_PRODUCT_KINDS)

    @once
    def _is_no_products_page(self) -> bool:
        """Whether the page calls itself something to read, or a list."""
        if self.facts.kind.startswith(_READING_KINDS):
            return not self._is_products_page
        if self.facts.kind.startswith(_LISTING_KIND) or names_listing(self._nodes):
            return True
        if is_other_page(self._body_names):
            return True
        if self._is_products_page:
            return False
        facts = self.facts
        is_read_or_front = facts.is_published or facts.is_front_page
        if is_read_or_front and not facts.kind.startswith(_PRODUCT_KINDS):
            return True
        is_list = lists_products(self._nodes) or is_called_a_list(facts.heading, facts.titles)
        return is_list or is_other_address(facts.path)

    @property
    def _is_ordered_list(self) -> bool:
        """Whether people can order what the page shows by price, and nothing calls it a product."""
        if self.products or self._is_products_page:
            return False
        return offers_price_order(self.markup.page)

    def _sells_nothing(self) -> bool:
        """Whether the page's own data rule out that it has a price."""
        clues = self.clues
        # A shop may mark a product page as an article too; the page's own kind decides.
        is_article = self._is_article and not self.facts.kind.startswith(_PRODUCT_KINDS)
        if is_article or any(clue.is_free for clue in clues):
            # What the data give away, or have no price for yet, is not for a guess to price.
            return True
        if self.products:
            return self._are_others(self.products)
        reads = names_reading(self._nodes) or names_reading(self._items)
        return reads or self._is_no_products_page

    def _are_others(self, products: list[Clue]) -> bool:
        """Whether a list or a front page names products which it does not sell itself.

        A list may be marked up as a product for its stars. Themes show one of many products on the
        front page, by the part that shows it on its own, microdata included.
        """
        facts = self.facts
        if facts.is_front_page and {clue.source for clue in products} == {"microdata"}:
            titles = [squeezed(title) for title in facts.titles]
            names = [squeezed(clue.title) for clue in products if clue.title]
            is_called_otherwise = not any(name in title for name in names for title in titles)
            return bool(names and titles) and is_called_otherwise
        is_bare = not any(clue.price is not None or clue.availability for clue in products)
        return is_bare and is_other_page(self._body_names)

    def _verdict(self, tree: LexborHTMLParser, stock: ShownStock) -> Verdict:
        clues, facts = self.clues, self.facts
        if facts.kind.startswith(_READING_KINDS) and not self._is_products_page:
            # Some shops call their pages articles; then only a schema.org product has a price.
            return judge_price(clues, ShownPrices(), facts, self.markup.page)
        is_priced = self._is_priced
        shown = shown_prices(tree, facts, with_cards=not is_priced)
        is_shop = bool(self.products) or is_priced or self._looks_like_shop(tree, shown.cards)
        if not is_shop and shown.best in shown.signs:
            has_button = shown.is_marked and has_cart_button(self.markup.page)
            is_shop = has_button or says_cart(tree)
        is_shop = (
            is_shop
            or names_stock_once(facts)
            or stock.is_switched_off()
            or shows_reported_price(self.markup.page, tree)
        )
        if not is_shop and not shown.stands_out:
            labelled = labelled_price(tree)
            return (
                judge_price(clues, ShownPrices.of(*labelled), facts, self.markup.page)
                if labelled
                else Verdict()
            )
        if not is_priced and (shown.is_listing or self._is_ordered_list):
            return Verdict()
        # What is gone by its data often has no price any more; then those in the text are others.
        is_gone = any(clue.availability in _GONE for clue in clues)
        is_list = len(shown.listed) >= _LISTED_MIN and not self._is_about_product
        is_silent = is_shop and shown.best is None and not is_priced and not (is_gone or is_list)
        # Before anything is taken out of the tree.
        before = {} if is_priced else struck_beside(tree, facts)
        if is_silent:
            is_gone = stock.availability(is_priced=True) in _GONE
            shown.remove_cards()
            found = unnamed_price(self.markup.page, tree, facts, shown, is_gone=is_gone)
            if found is not None:
                shown = ShownPrices.of(*found)
        verdict = judge_price(clues, shown, facts, self.markup.page)
        if verdict.price not in shown.current:
            verdict = reduced(verdict, tree, facts)
        return with_list_price(verdict, before)

    def _is_bought(self, stock: ShownStock) -> bool:
        """Whether the page sells what its data call sold out.

        A button that asks for a variant first is there also when every variant is gone.
        """
        if not stock.can_be_bought() or stock.availability(is_priced=True) in _GONE:
            return False
        if any(_all_are_gone(clue) for clue in self.products):
            return False
        variants = read_shop_data(self.markup, self.facts)
        if variants is not None:
            return variants.availability not in _GONE
        page = self.markup.page
        return find(page, _NOT_AVAILABLE) < 0 or find(page, _AVAILABLE) >= 0

    def _looks_like_shop(self, tree: LexborHTMLParser, cards: Sequence[LexborNode] = ()) -> bool:
        """Whether a page without a schema.org product may sell one all the same.

        `cards` are those of other products.
        """
        if any(word in self.facts.kind for word in _PRODUCT_KINDS) or self._is_products_page:
            return True
        return sells(tree, cards)


def _with_stock_doubt(verdict: Verdict, clues: list[Clue]) -> Verdict:
    """The same with a doubt where one source calls gone what another says is there."""
    is_known = GONE_AND_THERE in verdict.doubts
    if verdict.price is None or is_known or not are_at_odds(clue.availability for clue in clues):
        return verdict
    return replace(verdict, doubts=(*verdict.doubts, GONE_AND_THERE))


def _all_are_gone(clue: Clue) -> bool:
    """Whether a source has variants, and calls each of them gone."""
    variants = clue.variants()
    return bool(variants) and all(variant.availability in _GONE for variant in variants)


def _names_price(product: SchemaProduct | None) -> bool:
    return product is not None and product.names_price

"""A link to what a catalogue lists, from the message to the money."""

import dataclasses

import pytest

from bot.conversation.listed import ListedPrices
from bot.conversation.product_pages import ProductPages
from bot.conversation.shared_links import SharedLinks
from bot.links.fetch import Fetcher
from tests.bot.catalogue.conftest import Market
from tests.bot.catalogue.test_importing import feed, product_page
from tests.bot.commands.chat import Said
from wallet_core.storage.pictures import Pictures

FEED = "/feed.xml"


@pytest.fixture
def listing(market: Market) -> Market:
    """The market, where shared links know what catalogues say."""
    listed = ListedPrices(market.store, 86_400, market.now_us)
    pages = ProductPages(market.fetcher, Pictures(market.database), listed=listed)
    links = SharedLinks(pages, 3600.0)
    market.chat.dispatch = dataclasses.replace(market.chat.dispatch, links=links)
    return market


async def shared(market: Market, path: str) -> Said:
    (card,) = await market.chat.write("anna", f"look {market.shop.url}{path}")
    return card


async def test_a_listed_price_is_paid_at_once_without_the_merchant(listing: Market) -> None:
    listing.shop.says(FEED, feed("5 EUR"))
    listing.shop.says("/p/0", product_page("5.00"), content_type="text/html")
    await listing.take_over(FEED)
    await listing.chat.fund("anna", 1000, "EUR")
    card = await shared(listing, "/p/0")
    assert "Product 0" in card.text
    await listing.chat.tap("anna", card.actions[0])
    await listing.chat.settle()
    assert await listing.chat.balance("anna", "EUR") == 500
    wallet_id = (await listing.chat.meet("anna")).wallet_id
    (order,) = await listing.chat.desk.reader.recent_orders(wallet_id, 5)
    assert (order.state, order.title) == ("paid", "Product 0")


async def test_a_page_without_a_price_sells_at_the_catalogues(listing: Market) -> None:
    listing.shop.says(FEED, feed("7.50 EUR"))
    listing.shop.says("/p/0", "<title>Tea</title>", content_type="text/html")
    await listing.take_over(FEED)
    card = await shared(listing, "/p/0?utm_source=chat")
    assert "€7.50" in card.text
    quote = await listing.chat.desk.reader.quote(card.ref)
    assert quote is not None
    assert (quote.trust, quote.amount_minor, quote.merchant_id) == (
        "payable",
        750,
        listing.merchant_id,
    )


async def test_a_page_that_no_bot_may_read_sells_at_the_catalogues_price(listing: Market) -> None:
    listing.shop.says(FEED, feed("7.50 EUR", "8 EUR"))
    listing.shop.fails("/p/0", 403)
    listing.shop.fails("/p/1", 410)
    await listing.take_over(FEED)
    card = await shared(listing, "/p/0")
    assert (card.card.title, card.actions) == ("Product 0", [f"pay:{card.ref}"])
    assert await listing.chat.write("anna", f"{listing.shop.url}/p/1 {listing.shop.url}/p/9") == []


async def test_a_page_that_closes_is_the_same_offer_as_before(listing: Market) -> None:
    listing.shop.says(FEED, feed("5 EUR").replace("/p/0", "/p/0?list=7"))
    page = product_page("5.00").replace("<script", '<link rel="canonical" href="/p/0"><script', 1)
    listing.shop.says("/p/0", page, content_type="text/html")
    await listing.take_over(FEED)
    before = await shared(listing, "/p/0?list=7")
    listing.shop.fails("/p/0", 403)
    links = listing.chat.dispatch.links
    async with Fetcher(allowed_origins=frozenset({("127.0.0.1", listing.shop.port)})) as cold:
        pages = dataclasses.replace(links.pages, fetcher=cold)
        fresh = dataclasses.replace(links, pages=pages)
        listing.chat.dispatch = dataclasses.replace(listing.chat.dispatch, links=fresh)
        after = await shared(listing, "/p/0?list=7")
    quotes = [await listing.chat.desk.reader.quote(card.ref) for card in (before, after)]
    assert len({quote.offer_id for quote in quotes if quote is not None}) == 1
    assert [quote.trust for quote in quotes if quote is not None] == ["payable", "payable"]


async def test_what_vanishes_from_the_catalogue_is_no_longer_for_sale_and_orders_stay(
    listing: Market,
) -> None:
    listing.shop.says(FEED, feed("5 EUR", "6 EUR", "7 EUR"))
    listing.shop.says("/p/0", product_page("5.00"), content_type="text/html")
    await listing.take_over(FEED)
    await listing.chat.fund("anna", 1000, "EUR")
    card = await shared(listing, "/p/0")
    await listing.chat.tap("anna", card.actions[0])
    listing.shop.says(FEED, feed("", "6 EUR", "7 EUR"))
    listing.later(5000)
    await listing.work()
    shown = await listing.chat.views.card("offer", card.ref)
    assert shown is not None
    assert "No longer for sale" in [line.text for line in shown.lines]
    await listing.chat.settle()
    wallet_id = (await listing.chat.meet("anna")).wallet_id
    (order,) = await listing.chat.desk.reader.recent_orders(wallet_id, 5)
    assert order.state == "paid"
    listing.shop.says(FEED, feed("5 EUR", "6 EUR", "7 EUR"))
    listing.later(5000)
    await listing.work()
    again = await listing.chat.views.card("offer", card.ref)
    assert again is not None
    assert again.buttons[0].label == "Pay €5.00"


async def test_what_is_still_listed_under_another_id_or_in_another_catalogue_is_for_sale(
    listing: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.catalogue.staging.PAGE_KEYS", 1)

    async def label() -> str:
        shown = await listing.chat.views.card("offer", card.ref)
        assert shown is not None
        texts = [line.text for line in shown.lines]
        return shown.buttons[0].label if shown.buttons else " ".join(texts)

    listing.shop.says("/p/0", product_page("5.00"), content_type="text/html")
    listing.shop.says(FEED, feed("5 EUR"))
    await listing.take_over(FEED)
    card = await shared(listing, "/p/0")
    # By the order of the ids' digests the new one is taken over before the old one, or after it.
    for new in ("<g:id>a</g:id>", "<g:id>b</g:id>", "<g:id>c</g:id>", "<g:id>0</g:id>"):
        listing.shop.says(FEED, feed("5 EUR").replace("<g:id>0</g:id>", new))
        listing.later(5000)
        await listing.work()
        assert await label() == "Pay €5.00"
    listing.shop.says("/sale.xml", feed("5 EUR"))
    await listing.ask(f"add {listing.shop.url}/sale.xml")
    (shown,) = await listing.work()
    await listing.tap(shown.actions[0])
    await listing.work()
    listing.shop.says(FEED, feed("", "6 EUR"))
    listing.later(5000)
    await listing.work()
    assert await label() == "Pay €5.00"
    listing.shop.says("/sale.xml", feed("", "6 EUR"))
    listing.later(5000)
    await listing.work()
    assert "No longer for sale" in await label()


async def test_another_merchants_catalogue_says_nothing_about_this_host(listing: Market) -> None:
    listing.shop.says(FEED, feed("5 EUR"))
    await listing.take_over(FEED)
    identity = f"{listing.shop.host}/p/0"
    assert await listing.store.listings(listing.merchant_id, identity)
    assert await listing.store.listings("m_other", identity) == []

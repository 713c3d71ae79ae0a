"""From a shop's server to what is listed, on both databases."""

import asyncio
import copy
import dataclasses
import gc
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.cards import Card
from bot.catalogue.importing import FAILURES_TOLD, Tell
from bot.catalogue.schedule import OF_A_SHOP_MAX, Schedule
from bot.catalogue.staging import Staging
from bot.links.exchange import Opened
from bot.links.fetch import Fetcher
from tests.bot.catalogue.conftest import INTERVAL_S, Market
from tests.bot.catalogue.feeds import ATOM, RSS, SHOPIFY, TSV, woo_prices, woo_product
from tests.bot.catalogue.items import listed_item
from wallet_core.commerce.catalogue import CatalogueSource, SourceState
from wallet_core.commerce.catalogue_steps import adding
from wallet_core.commerce.records import Place
from wallet_core.errors import StorageUnavailable
from wallet_core.ledger.commits import Commit
from wallet_core.storage.catalogue_tables import catalogue_staged
from wallet_core.storage.catalogues import Catalogues, Claim
from wallet_core.storage.database import Database

FEED = "/feed.xml"


def feed(*prices: str) -> str:
    """A feed of so many products at these prices."""
    made = "".join(
        f"<item><g:id>{n}</g:id><title>Product {n}</title>"
        f"<link>https://shop.example/p/{n}</link><g:price>{price}</g:price>"
        "<g:availability>in_stock</g:availability></item>"
        for n, price in enumerate(prices)
        if price
    )
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{made}</channel></rss>'


async def staged_count(database: Database) -> int:
    async with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(catalogue_staged)
        return int((await connection.execute(query)).scalar_one())


async def test_nothing_counts_before_the_merchant_has_seen_it_and_agreed(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR", "20 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    (shown,) = await market.work()
    assert shown.card.title == "This is what would change"
    assert "2 products: 2 new, 0 changed, 0 gone." in shown.text
    assert "New: Product 0: €10.00" in shown.text
    assert await market.listed() == {}
    assert (await market.source()).state == SourceState.SHOWN
    taken = await market.tap(shown.actions[0])
    assert "being taken over" in taken.text
    (done,) = await market.work()
    assert done.card.title == "2 products listed"
    assert await market.listed() == {"0": "1000 EUR", "1": "2000 EUR"}
    assert await staged_count(market.database) == 0


async def test_from_then_on_it_is_read_again_by_itself(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR", "20 EUR"))
    await market.take_over(FEED)
    market.shop.says(FEED, feed("12 EUR", "", "30 EUR"))
    market.later(INTERVAL_S * 1.2)
    assert await market.work() == []
    assert await market.listed() == {"0": "1200 EUR", "2": "3000 EUR"}
    page = await market.store.page((await market.source()).id, "", 10)
    assert len(page.listed) == 3, "what vanished stays, unlisted"
    market.shop.says(FEED, feed("12 EUR", "20 EUR", "30 EUR"))
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert set(await market.listed()) == {"0", "1", "2"}


async def test_the_same_catalogue_again_changes_no_row(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR", "20 EUR"))
    await market.take_over(FEED)
    source_id = (await market.source()).id

    async def changed_at() -> set[int]:
        query = sa.text("SELECT changed_at_us FROM catalogue_items WHERE source_id = :id")
        async with market.database.read() as connection:
            return set((await connection.execute(query, {"id": source_id})).scalars())

    before = await changed_at()
    for _ in range(3):
        market.later(INTERVAL_S * 1.2)
        assert await market.work() == []
    assert await changed_at() == before


async def test_a_server_that_says_nothing_is_new_is_not_read_again(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"), etag='"v1"')
    await market.take_over(FEED)
    market.later(INTERVAL_S)
    await market.work()
    reading = (await market.source()).reading
    market.later(INTERVAL_S * 1.2)
    await market.work()
    source = await market.source()
    assert source.reading == reading
    assert source.read_at_us is not None
    assert source.read_at_us > market.now_us() - 60_000_000
    market.shop.says(FEED, feed("11 EUR"), etag='"v2"')
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert await market.listed() == {"0": "1100 EUR"}


async def test_a_catalogue_that_loses_most_of_its_products_waits_for_a_word(market: Market) -> None:
    market.shop.says(FEED, feed(*["10 EUR"] * 12))
    await market.take_over(FEED)
    market.shop.says(FEED, feed(*["10 EUR"] * 5))
    market.later(INTERVAL_S * 1.2)
    (asked,) = await market.work()
    assert asked.card.title == "Is this right?"
    assert "It has lost 7 of 12 products." in asked.text
    assert len(await market.listed()) == 12
    left = await market.tap(asked.actions[1])
    assert "Left as it was" in left.text
    assert len(await market.listed()) == 12
    market.later(26 * 3600)
    (again,) = await market.work()
    await market.tap(again.actions[0])
    await market.work()
    assert len(await market.listed()) == 5


async def test_what_was_turned_down_is_not_taken_for_unchanged(market: Market) -> None:
    market.shop.says(FEED, feed(*["10 EUR"] * 12), etag='"1"')
    await market.take_over(FEED)
    market.shop.says(FEED, feed("10 EUR"), etag='"2"')
    market.later(INTERVAL_S)
    (asked,) = await market.work()
    await market.tap(asked.actions[1])
    market.later(26 * 3600)
    (again,) = await market.work()
    assert "lost 11 of 12" in again.text


async def test_what_the_owner_asks_for_during_a_reading_is_done_after_it(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.take_over(FEED)
    market.later(INTERVAL_S * 1.2)
    claim = await market.importer.staging.claim()
    assert claim is not None
    await market.ask("refresh 1")
    await market.importer.work(claim)
    assert await market.chat.deliver() == []
    (told,) = await market.work()
    assert told.card.title == "Nothing has changed"


async def test_a_busy_server_is_asked_again_after_the_time_that_it_names(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    page, busy = market.shop.pages[FEED], 2

    def answer(request: web.Request) -> web.StreamResponse:
        nonlocal busy
        if busy:
            busy -= 1
            return web.Response(status=429, headers={"Retry-After": "0"})
        return page(request)

    market.shop.pages[FEED] = answer
    await market.ask(f"add {market.shop.url}{FEED}")
    (shown,) = await market.work()
    assert shown.card.title == "This is what would change"
    assert market.shop.asked == [FEED] * 3


async def test_prices_that_all_leap_wait_for_a_word(market: Market) -> None:
    market.shop.says(FEED, feed(*["10.00 EUR"] * 12))
    await market.take_over(FEED)
    market.shop.says(FEED, feed(*["1.00 EUR"] * 12))
    market.later(INTERVAL_S * 1.2)
    (asked,) = await market.work()
    assert "12 of 12 prices have leapt" in asked.text
    assert set((await market.listed()).values()) == {"1000 EUR"}


async def test_a_broken_feed_changes_nothing_and_the_owner_is_told_after_a_while(
    market: Market,
) -> None:
    market.shop.says(FEED, feed("10 EUR", "20 EUR"))
    await market.take_over(FEED)
    market.shop.says(FEED, feed("10 EUR", "20 EUR")[:-40])
    said = []
    for _ in range(FAILURES_TOLD + 1):
        market.later(24 * 3600)
        said += await market.work()
    (told,) = said
    assert told.card.title == "The catalogue could not be read 3 times in a row"
    assert "breaks off" in told.text
    assert len(await market.listed()) == 2
    source = await market.source()
    assert source.failures == FAILURES_TOLD + 1
    assert source.due_at_us is not None
    assert source.due_at_us > market.now_us() + 1_800_000_000, "it waits longer each time"
    market.shop.says(FEED, feed("10 EUR", "21 EUR"))
    market.later(24 * 3600)
    (well,) = await market.work()
    assert well.card.title == "The catalogue can be read again"
    assert (await market.listed())["1"] == "2100 EUR"


@pytest.mark.parametrize("status", [404, 500, 403])
async def test_a_first_reading_that_fails_is_told_at_once(market: Market, status: int) -> None:
    market.shop.fails(FEED, status)
    await market.ask(f"add {market.shop.url}{FEED}")
    (told,) = await market.work()
    assert told.card.title == "The catalogue could not be read"
    assert "Nothing was listed" in told.text
    market.later(30 * 24 * 3600)
    assert await market.work() == []
    assert "tries again" in (await market.ask("list")).text
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask("refresh")
    (shown,) = await market.work()
    assert shown.card.title == "This is what would change"


async def test_problems_are_shown_by_their_lines_and_left_out(market: Market) -> None:
    text = feed("10 EUR", "1.500 EUR", "0 EUR", "20 EUR").replace("<item>", "\n<item>")
    market.shop.says(FEED, text.replace("shop.example/p/3", "other.example/p/3"))
    await market.ask(f"add {market.shop.url}{FEED}")
    (shown,) = await market.work()
    assert "1 product: 1 new" in shown.text
    assert "Left out, for they cannot be used: 3." in shown.text
    assert "Line 3: item 1: “1.500” can be read in two ways" in shown.text
    assert "Line 4: item 2: the price is zero." in shown.text
    assert "Line 5: item 3 leads to other.example, which the shop has not proven." in shown.text


async def test_ids_that_occur_twice_count_once(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR", "20 EUR").replace("<g:id>1<", "<g:id>0<"))
    await market.ask(f"add {market.shop.url}{FEED}")
    (shown,) = await market.work()
    assert "Ids that occur again: 1; the first of each counts." in shown.text
    await market.tap(shown.actions[0])
    await market.work()
    assert await market.listed() == {"0": "1000 EUR"}


async def test_a_catalogue_of_nothing_is_no_catalogue(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.take_over(FEED)
    market.shop.says(FEED, feed())
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert await market.listed() == {"0": "1000 EUR"}
    assert "no product that can be used" in ((await market.source()).error or "")


async def test_a_catalogue_with_too_many_products_is_refused(market: Market) -> None:
    market.shop.says(FEED, feed(*["10 EUR"] * 1001))
    await market.ask(f"add {market.shop.url}{FEED}")
    (told,) = await market.work()
    assert "more than 1,000 products" in told.text


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (RSS, {"DB_1", "S-2"}),
        (ATOM, {"POT"}),
        (TSV, {"A1", "A2"}),
        ("id,title,link,price\nT,Tea,https://shop.example/t,5 EUR\n", {"T"}),
    ],
)
async def test_each_kind_of_file_is_told_by_its_content(
    market: Market, content: str, ids: set[str]
) -> None:
    market.shop.says(FEED, content)
    await market.take_over(FEED)
    assert set(await market.listed()) == ids


async def test_a_packed_feed_is_unpacked(market: Market) -> None:
    packed = gzip.compress(feed("10 EUR").replace("https://shop.example", market.shop.url).encode())
    market.shop.says("/feed.xml.gz", packed)
    await market.take_over("/feed.xml.gz")
    assert await market.listed() == {"0": "1000 EUR"}


async def test_a_shopify_shop_is_read_page_by_page_in_its_own_currency(market: Market) -> None:
    more = copy.deepcopy(SHOPIFY)
    for number, product in enumerate(more["products"]):
        product["id"] = f"8{number}"
        for variant in product["variants"]:  # type: ignore[attr-defined]
            variant["id"] = int(f"1{variant['id']}")
    market.shop.says("/meta.json", {"name": "Tea", "currency": "GBP"}, etag='"m"')
    market.shop.says("/products.json?limit=250&page=1", SHOPIFY, etag='"1"')
    market.shop.says("/products.json?limit=250&page=2", more, etag='"2"')
    market.shop.says("/products.json?limit=250&page=3", {"products": []}, etag='"3"')
    market.shop.says("/products.json", SHOPIFY)
    await market.take_over("/products.json")
    assert (await market.listed())["9001"] == "2400 GBP"
    assert len(await market.listed()) == 6
    market.later(INTERVAL_S)
    await market.work()
    market.shop.asked.clear()
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert len(market.shop.asked) == 4, "all pages were only asked whether they are new"
    more["products"][0]["variants"][0]["price"] = "25.00"  # type: ignore[index]
    market.shop.says("/products.json?limit=250&page=2", more, etag='"2b"')
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert (await market.listed())["19001"] == "2500 GBP"


async def test_a_shop_is_found_from_its_front_page(market: Market) -> None:
    page = '<html><script src="https://cdn.shopify.com/theme.js"></script></html>'
    market.shop.says("/", page, content_type="text/html")
    market.shop.says("/meta.json", {"currency": "EUR"})
    market.shop.says("/products.json?limit=250&page=1", SHOPIFY)
    market.shop.says("/products.json?limit=250&page=2", {"products": []})
    await market.take_over("/")
    assert (await market.source()).kind == "shopify"
    assert len(await market.listed()) == 3


async def test_a_shop_that_gives_the_same_page_for_ever_is_refused(market: Market) -> None:
    market.shop.says("/meta.json", {"currency": "EUR"})
    market.shop.says("/products.json", SHOPIFY)
    await market.ask(f"add {market.shop.url}/products.json")
    (told,) = await market.work()
    assert "the same page again and again" in told.text


async def test_a_page_that_is_missing_in_the_middle_loses_no_product(market: Market) -> None:
    market.shop.says("/meta.json", {"currency": "EUR"})
    market.shop.says("/products.json", SHOPIFY)
    market.shop.says("/products.json?limit=250&page=2", {"products": []})
    await market.take_over("/products.json")
    market.shop.fails("/products.json?limit=250&page=2", 404)
    market.later(INTERVAL_S)
    await market.work()
    assert len(await market.listed()) == 3
    assert "Page 2 of the shop's list is not there." in ((await market.source()).error or "")


async def test_a_woocommerce_shop_without_a_list_of_variations_is_read_as_far_as_it_goes(
    market: Market,
) -> None:
    api = "/wp-json/wc/store/v1/products"
    variable = woo_product(9, type="variable", prices=woo_prices("1000", spread=True))
    market.shop.says(f"{api}?per_page=100&page=1", [woo_product(1), variable])
    market.shop.says(f"{api}?per_page=100&page=2", [])
    market.shop.says(api, [woo_product(1)])
    market.shop.fails(f"{api}?per_page=100&page=1&type=variation", 400)
    await market.ask(f"add {market.shop.url}{api}")
    (shown,) = await market.work()
    assert "1 product: 1 new" in shown.text
    assert "does not list variations" in shown.text


async def test_a_woocommerce_shop_is_read_with_its_variations(market: Market) -> None:
    api = "/wp-json/wc/store/v1/products"
    variable = woo_product(9, type="variable", prices=woo_prices("1000", spread=True))
    blue, red = (
        woo_product(
            number,
            type="variation",
            parent=9,
            variation=f"Colour: {colour}",
            permalink=f"https://shop.example/product/book-9/?attribute_colour={colour}",
            prices=woo_prices(price),
        )
        for number, colour, price in ((91, "blue", "1000"), (92, "red", "1200"))
    )
    market.shop.says(f"{api}?per_page=100&page=1", [woo_product(1), variable])
    market.shop.says(f"{api}?per_page=100&page=2", [])
    market.shop.says(f"{api}?per_page=100&page=1&type=variation", [blue, red])
    market.shop.says(f"{api}?per_page=100&page=2&type=variation", [])
    market.shop.says(api, [woo_product(1)])
    await market.take_over(api)
    assert await market.listed() == {"1": "1999 EUR", "91": "1000 EUR", "92": "1200 EUR"}


def product_page(price: str) -> str:
    offer = f'{{"@type": "Offer", "price": "{price}", "priceCurrency": "EUR"}}'
    data = f'{{"@type": "Product", "name": "Tea {price}", "offers": {offer}}}'
    return f'<title>Tea</title><script type="application/ld+json">{data}</script>'


async def test_a_sitemaps_product_pages_are_read_and_not_again_before_they_change(
    market: Market,
) -> None:
    def sitemap(changed: str) -> bytes:
        urls = "".join(
            f"<url><loc>{market.shop.url}/{path}</loc><lastmod>{changed}</lastmod></url>"
            for path in ("t/1", "t/2", "about", "gone")
        )
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        return gzip.compress(f'<urlset xmlns="{space}">{urls}</urlset>'.encode())

    index = (
        "<sitemapindex><sitemap><loc>https://shop.example/pages.xml</loc></sitemap>"
        "<sitemap><loc>https://shop.example/product-sitemap.xml.gz</loc></sitemap></sitemapindex>"
    )
    market.shop.says("/sitemap.xml", index)
    market.shop.says("/product-sitemap.xml.gz", sitemap("2026-11-01"))
    market.shop.says("/t/1", product_page("5.00"), content_type="text/html")
    market.shop.says("/t/2", product_page("6.00"), content_type="text/html")
    market.shop.says("/about", "<title>About</title>", content_type="text/html")
    await market.take_over("/sitemap.xml")
    assert sorted((await market.listed()).values()) == ["500 EUR", "600 EUR"]
    assert "/pages.xml" not in market.shop.asked
    market.later(INTERVAL_S)
    await market.work()
    market.shop.asked.clear()
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert "/t/1" not in market.shop.asked


async def test_a_strangers_pages_are_not_read_for_a_sitemap(market: Market) -> None:
    stranger = f"http://localhost:{market.shop.port}"
    urls = f"<url><loc>{stranger}/t/1</loc></url><url><loc>https://shop.example/t/2</loc></url>"
    market.shop.says("/sitemap.xml", f"<urlset>{urls}</urlset>")
    market.shop.says("/t/1", product_page("5.00"), content_type="text/html")
    market.shop.says("/t/2", product_page("6.00"), content_type="text/html")
    await market.ask(f"add {market.shop.url}/sitemap.xml")
    (shown,) = await market.work()
    assert "1 product: 1 new" in shown.text
    assert (
        f"localhost:{market.shop.port}/t/1 is on a host that the shop has not proven" in shown.text
    )
    assert "/t/1" not in market.shop.asked


async def test_no_host_that_is_not_proven_is_ever_asked(market: Market) -> None:
    elsewhere = f"http://localhost:{market.shop.port}/feed.xml"
    market.shop.says("/feed.xml", feed("10 EUR"))
    answer = await market.ask(f"add {elsewhere}")
    assert "is not proven" in answer.text
    market.shop.pages["/moved.xml"] = lambda _: web.Response(
        status=302, headers={"Location": elsewhere}
    )
    await market.ask(f"add {market.shop.url}/moved.xml")
    (told,) = await market.work()
    assert "which the shop has not proven" in told.text
    assert market.shop.asked == ["/moved.xml"]


async def test_a_host_that_is_proven_no_more_is_not_read(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.take_over(FEED)
    async with market.database.write() as connection:
        await connection.execute(sa.text("UPDATE merchant_hosts SET verified_host = NULL"))
    market.shop.asked.clear()
    market.later(INTERVAL_S * 1.2)
    await market.work()
    assert market.shop.asked == []
    assert "is not proven" in ((await market.source()).error or "")


async def test_two_processes_never_work_on_one_source(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    claims = await asyncio.gather(*(market.importer.staging.claim() for _ in range(8)))
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_a_process_that_comes_back_too_late_writes_nothing(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    late = await market.importer.staging.claim()
    assert late is not None
    market.later(600)
    (shown,) = await market.work()
    market.shop.says(FEED, feed("99 EUR"))
    await market.importer.work(late)
    assert await market.chat.deliver() == []
    await market.tap(shown.actions[0])
    await market.work()
    assert await market.listed() == {"0": "1000 EUR"}


async def test_taking_over_goes_on_where_it_was_interrupted(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.catalogue.staging.PAGE_KEYS", 3)
    market.shop.says(FEED, feed(*["10 EUR"] * 10))
    await market.ask(f"add {market.shop.url}{FEED}")
    (shown,) = await market.work()
    await market.tap(shown.actions[0])
    claim = await market.importer.staging.claim()
    assert claim is not None
    taken = 0

    class Pulled(Exception):
        pass

    store = type(market.store)
    real = store.take

    async def take(*args: object) -> None:
        nonlocal taken
        if taken == 2:
            raise Pulled
        taken += 1
        await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "take", take)
    with pytest.raises(Pulled):
        await market.importer.work(claim)
    assert len(await market.listed()) == 6
    monkeypatch.setattr(store, "take", real)
    market.later(600)
    await market.work()
    assert len(await market.listed()) == 10
    assert (await market.source()).item_count == 10


async def test_a_removed_source_is_read_no_more_and_begins_anew(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.take_over(FEED)
    await market.ask("refresh 1")
    claim = await market.importer.staging.claim()
    assert claim is not None
    await market.store.begin_reading(claim, market.now_us())
    await market.store.stage(claim, [listed_item(1)], market.now_us())
    await market.ask("remove 1")
    assert await staged_count(market.database) == 1
    await market.store.sweep()
    assert await staged_count(market.database) == 0
    market.later(INTERVAL_S * 2)
    assert await market.work() == []
    identity = f"{market.shop.host}/p/0"
    assert await market.store.listings(market.merchant_id, identity) == []
    await market.ask(f"add {market.shop.url}{FEED}")
    assert await market.store.listings(market.merchant_id, identity) == []
    (shown,) = await market.work()
    await market.tap(shown.actions[0])
    await market.work()
    assert len(await market.store.listings(market.merchant_id, identity)) == 1


@asynccontextmanager
async def scheduled(market: Market, tell: Tell) -> AsyncIterator["asyncio.Task[None]"]:
    """The schedule, once it has told an owner something, until the end of the block."""
    told = asyncio.Event()

    async def tell_once(source: CatalogueSource, key: str, card: Card) -> None:
        try:
            await tell(source, key, card)
        finally:
            told.set()

    importer = dataclasses.replace(market.importer, tell=tell_once)
    running = asyncio.create_task(Schedule(importer, every_s=0.05).run())
    try:
        async with asyncio.timeout(30):
            await told.wait()
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_schedule_reads_what_is_due_until_it_is_stopped(market: Market) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    async with scheduled(market, market.tell):
        pass
    assert (await market.source()).state == SourceState.SHOWN


class Stuck:
    """A fetcher whose answers about `/stuck…` never come."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.get = fetcher.get
        self._open = fetcher.open
        self.waiting = 0
        self.is_full = asyncio.Event()

    @asynccontextmanager
    async def open(
        self, url: str, *, hosts: frozenset[str], validators: dict[str, str] | None = None
    ) -> AsyncIterator[Opened]:
        if "/stuck" in url:
            self.waiting += 1
            if self.waiting == OF_A_SHOP_MAX:
                self.is_full.set()
            await asyncio.Event().wait()
        async with self._open(url, hosts=hosts, validators=validators) as answer:
            yield answer


async def test_shops_that_take_for_ever_hold_up_nobody_else(market: Market) -> None:
    for number in range(5):
        await market.ask(f"add {market.shop.url}/stuck/{number}.xml")
    stuck, told = Stuck(market.fetcher), asyncio.Event()

    async def tell(*_: object) -> None:
        told.set()

    importer = dataclasses.replace(market.importer, fetches=stuck, tell=tell)
    schedule = Schedule(importer, every_s=0.02, slow_after_s=0.2)
    running = asyncio.create_task(schedule.run())
    try:
        async with asyncio.timeout(30):
            await stuck.is_full.wait()
            other_id = await market.chat.open_shop("ann", room="pantry")
            place = Place("web", "pantry", "ann")
            _, rows = adding(other_id, f"{market.shop.url}{FEED}", place, 0)
            await market.chat.writer.commit(Commit(key="another shop's", rows=rows))
            # The host is not hers, so it fails and she is told; what matters is that it was tried.
            await told.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert stuck.waiting == OF_A_SHOP_MAX


async def test_a_reading_that_never_ends_is_given_up(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.catalogue.importing.READING_S_MAX", 0.1)
    await market.ask(f"add {market.shop.url}/stuck.xml")
    claim = await market.importer.staging.claim()
    assert claim is not None
    await dataclasses.replace(market.importer, fetches=Stuck(market.fetcher)).work(claim)
    (said,) = await market.chat.deliver()
    assert "so slow that a day is not enough" in said.text
    assert "Nothing was listed." in said.text


def broken(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_fault_of_the_bot_ends_one_reading_and_not_the_schedule(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")

    monkeypatch.setattr("bot.catalogue.staging.differences", broken)
    async with scheduled(market, market.tell) as running:
        assert not running.done()
    (said,) = await market.chat.deliver()
    assert "A fault of this bot came in between" in said.text


async def test_a_fault_that_cannot_even_be_noted_is_no_unhandled_error(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    monkeypatch.setattr("bot.catalogue.staging.differences", broken)
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: unhandled.append(fault))

    async def tell(*_: object) -> None:
        raise StorageUnavailable("for a moment")

    async with scheduled(market, tell) as running:
        assert not running.done()
    gc.collect()
    assert unhandled == []


async def test_a_claim_is_renewed_on_after_the_database_was_away_for_a_moment(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.catalogue.importing._SIGN_OF_LIFE_S", 0.01)
    renewed = asyncio.Event()

    class AwayOnce(Catalogues):
        asked = 0

        async def renew(self, claim: Claim, until_us: int) -> None:
            self.asked += 1
            if self.asked == 1:
                raise StorageUnavailable("for a moment")
            await super().renew(claim, until_us)
            renewed.set()

    async def tell(source: CatalogueSource, key: str, card: Card) -> None:
        async with asyncio.timeout(30):
            await renewed.wait()
        await market.tell(source, key, card)

    staging = Staging(AwayOnce(market.database), market.now_us, 1000)
    importer = dataclasses.replace(market.importer, staging=staging, tell=tell)
    market.shop.says(FEED, feed("10 EUR"))
    await market.ask(f"add {market.shop.url}{FEED}")
    claim = await staging.claim()
    assert claim is not None
    await importer.work(claim)
    (said,) = await market.chat.deliver()
    assert said.card.title == "This is what would change"

import io
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import Image, ImageStat

from bot.demo.goods import GOODS
from bot.demo.pictures import draw_picture
from bot.demo.shop import DemoShop
from bot.web.server import PortTaken
from wallet_core.errors import MoneyError

sold: Counter[str] = Counter()


async def count_sold(url: str) -> int:
    return sold[url]


@pytest.fixture
async def shop() -> AsyncIterator[DemoShop]:
    sold.clear()
    shop = DemoShop("127.0.0.1", 0, count_sold, proof=["first-token"])
    await shop.start()
    yield shop
    await shop.stop()


async def read(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.text()


async def product(shop: DemoShop, slug: str) -> dict[str, Any]:
    page = await read(shop.product_url(slug))
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


async def test_the_index_leads_to_every_product(shop: DemoShop) -> None:
    page = await read(shop.url)
    for good in GOODS:
        assert f'href="/p/{good.slug}"' in page
    assert "青花瓷茶杯" in page


async def test_a_product_page_tells_programs_what_it_sells(shop: DemoShop) -> None:
    cup = await product(shop, "qinghua-teacup")
    assert cup["name"] == "青花瓷茶杯"
    assert cup["sku"] == "CUP-08"
    assert cup["brand"]["name"] == "景德小窑"
    offer = cup["offers"]
    assert (offer["price"], offer["priceCurrency"]) == ("199.00", "CNY")
    assert offer["availability"] == "https://schema.org/InStock"
    assert offer["inventoryLevel"]["value"] == 12
    assert offer["url"] == shop.product_url("qinghua-teacup")
    assert offer["seller"]["name"]
    page = await read(offer["url"])
    assert "¥199.00" in page
    assert '<html lang="zh-CN">' in page
    assert f'data-copy="{offer["url"]}"' in page


async def test_what_was_sold_leaves_the_shelf(shop: DemoShop) -> None:
    url = shop.product_url("last-red-umbrella")
    assert (await product(shop, "last-red-umbrella"))["offers"]["inventoryLevel"]["value"] == 1
    sold[url] = 1
    offer = (await product(shop, "last-red-umbrella"))["offers"]
    assert offer["availability"] == "https://schema.org/OutOfStock"
    assert offer["inventoryLevel"]["value"] == 0
    assert "Sold out" in await read(url)


async def test_one_thing_is_sold_out_and_one_never_is(shop: DemoShop) -> None:
    gone = (await product(shop, "stoneware-pour-over"))["offers"]
    assert gone["availability"] == "https://schema.org/OutOfStock"
    endless = (await product(shop, "city-birds-ebook"))["offers"]
    assert endless["availability"] == "https://schema.org/InStock"
    assert "inventoryLevel" not in endless
    assert endless["price"] == "29.90"


async def test_it_proves_whose_it_is(shop: DemoShop) -> None:
    shop.prove("second-token")
    shop.prove("second-token")
    text = await read(f"{shop.url}/.well-known/payontap.txt")
    assert text.splitlines() == ["first-token", "second-token"]


async def test_robots_are_welcome(shop: DemoShop) -> None:
    assert "Disallow" not in await read(f"{shop.url}/robots.txt")


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", "199"), ("KWD", "199.000"), ("EUR", "199.00")]
)
async def test_prices_have_the_decimals_of_their_currency(currency: str, price: str) -> None:
    shop = DemoShop("127.0.0.1", 0, count_sold, currency=currency)
    await shop.start()
    offer = (await product(shop, "qinghua-teacup"))["offers"]
    assert (offer["price"], offer["priceCurrency"]) == (price, currency)
    await shop.stop()


async def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(MoneyError):
        DemoShop("127.0.0.1", 0, count_sold, currency="XXQ")


async def test_pictures_come_as_jpeg_of_the_size_that_the_page_says(shop: DemoShop) -> None:
    address = (await product(shop, "linen-tote"))["image"][0]
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert response.content_type == "image/jpeg"
        with Image.open(io.BytesIO(await response.read())) as image:
            assert image.size == (960, 720)


@pytest.mark.parametrize("slug", [good.slug for good in GOODS])
def test_a_picture_is_always_the_same_and_shows_something(slug: str) -> None:
    first = draw_picture(slug)
    # Beside the cache: what another process would draw.
    assert first == draw_picture.__wrapped__(slug)
    with Image.open(io.BytesIO(first)) as image:
        assert max(ImageStat.Stat(image).stddev) > 20


async def test_what_is_not_there_is_said_so(shop: DemoShop) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/p/nothing", "/pictures/nothing.jpg", "/shop.exe"):
            async with session.get(shop.url + path) as response:
                assert response.status == 404
                assert "Nothing on this shelf" in await response.text()


async def test_a_taken_port_is_one_clear_sentence(shop: DemoShop) -> None:
    port = int(shop.url.rpartition(":")[2])
    with pytest.raises(PortTaken, match=str(port)):
        await DemoShop("127.0.0.1", port, count_sold).start()

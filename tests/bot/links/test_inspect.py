"""What merchants and machines are told."""

import gzip
import json
import socket
import time
from pathlib import Path

import pytest
from aiohttp import web

from bot.links.fetch import Fetcher
from bot.links.inspect import (
    InspectError,
    Inspection,
    findings,
    inspect,
    inspection_lines,
    links_line,
)
from bot.links.signed_offers import SignedOffer, sign_offer
from tests.bot.links.test_host_proofs import serving
from wallet_core.audit.signing import SigningKey

PAGE = """<!doctype html><html lang="en"><title>Green tea</title>
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Product",
 "name": "Green tea", "sku": "T-1", "brand": {"@type": "Brand", "name": "Leaf"},
 "gtin13": "4006381333931", "image": "/tea.png", "offers": {"@type": "Offer", "price": "199.00",
 "priceCurrency": "CNY", "availability": "https://schema.org/InStock"}}</script>
<h1>Green tea</h1>"""
KEYS = ["url", "title", "price_minor", "currency", "exponent", "availability", "sku", "brand",
        "gtin", "image", "sources", "trust", "reason", "list_price_minor", "stock", "seller",
        "variants", "confidence", "disagreements", "structured", "advice",
        "signed_offer"]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
async def test_a_file_is_read_plain_or_gzipped(tmp_path: Path, *, packed: bool) -> None:
    path = tmp_path / ("page.html.gz" if packed else "page.html")
    path.write_bytes(gzip.compress(PAGE.encode()) if packed else PAGE.encode())
    seen = await inspect(str(path), url="https://shop.example/tea", fetcher=None)
    assert list(seen) == KEYS
    assert json.loads(json.dumps(seen)) == seen
    assert (seen["price_minor"], seen["currency"], seen["exponent"]) == (19900, "CNY", 2)
    assert (seen["sku"], seen["brand"], seen["gtin"]) == ("T-1", "Leaf", "4006381333931")
    assert seen["image"] == "https://shop.example/tea.png"
    assert (seen["trust"], seen["availability"]) == ("preview", "InStock")
    assert seen["sources"]["price"] == "json-ld"


async def test_a_file_without_an_address_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    seen = await inspect(str(path), url=None, fetcher=None)
    assert (seen["url"], seen["price_minor"], seen["image"]) == (None, 19900, None)


async def test_a_page_is_fetched_from_the_web() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    application = web.Application()
    application.router.add_get("/tea", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    try:
        async with Fetcher(allowed_origins=frozenset({("127.0.0.1", port)})) as fetcher:
            seen = await inspect(f"http://127.0.0.1:{port}/tea", url=None, fetcher=fetcher)
    finally:
        await runner.cleanup()
    assert seen["url"] == f"http://127.0.0.1:{port}/tea"
    assert seen["price_minor"] == 19900


async def test_a_page_that_sells_nothing_has_no_price_and_no_trust(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<title>News</title><p>It cost $5 million.</p>", encoding="utf-8")
    seen = await inspect(str(path), url=None, fetcher=None)
    assert (seen["title"], seen["price_minor"], seen["exponent"]) == ("News", None, None)
    assert seen["trust"] == "none"


async def test_a_file_that_cannot_be_read_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(20_000_000)))
    for name in ("missing.html", "broken.gz", "bomb.gz", "."):
        with pytest.raises(InspectError, match=r"\.$"):
            await inspect(str(tmp_path / name), url=None, fetcher=None)


@pytest.mark.parametrize(
    ("name", "words"), [(".", "is a folder"), ("ftp://shop.example/tea", "http:// or https://")]
)
async def test_what_is_no_page_is_named_for_what_it_is(name: str, words: str) -> None:
    with pytest.raises(InspectError, match=words):
        await inspect(name, url=None, fetcher=None)


async def test_an_address_without_its_scheme_is_told_from_a_file(tmp_path: Path) -> None:
    for target in ("shop.example.com/tea", "www.shop.com"):
        with pytest.raises(InspectError, match=f"for a page on the web write https://{target} "):
            await inspect(target, url=None, fetcher=None)
    for target in (str(tmp_path / "tea.html"), "see shop.com/tea", "tea.html"):
        with pytest.raises(InspectError, match="no file") as error:
            await inspect(target, url=None, fetcher=None)
        assert "on the web" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"%PDF-1.7 <x>", "a PDF document"),
        (b"\x89PNG\r\n", "a picture"),
        (b"PK\x03\x04<", "an archive or an office document"),
        (b'{"price": 3}', "text without any HTML"),
    ],
)
async def test_a_file_that_is_no_page_is_named_for_what_it_is(
    tmp_path: Path, body: bytes, kind: str
) -> None:
    (tmp_path / "tea.html").write_bytes(body)
    seen = await inspect(str(tmp_path / "tea.html"), url=None, fetcher=None)
    (advice,) = seen["advice"]
    assert (advice["code"], advice["blocks"]) == ("no_page", True)
    assert advice["problem"] == f"The file is {kind}."


async def test_people_get_lines(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    lines = inspection_lines(await inspect(str(path), url=None, fetcher=None)).splitlines()
    assert lines[0] == "Green tea"
    assert any("199.00 CNY" in line and "json-ld" in line for line in lines)
    assert any(line.split()[:2] == ["trust", "preview:"] for line in lines)


async def test_what_is_missing_is_named_with_a_way_to_mend_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text('<h1>Tea</h1><p class="price">$5</p><button>Add to cart</button>')
    seen = await inspect(str(path), url="https://shop.example/tea", fetcher=None)
    codes = [advice["code"] for advice in seen["advice"]]
    assert codes[:2] == ["price_in_text_only", "currency_missing"]
    assert {"image_missing", "sku_missing", "availability_missing"} < set(codes)
    assert [advice["blocks"] for advice in seen["advice"]][:3] == [True, True, False]
    lines = inspection_lines(seen).splitlines()
    blocking = [line for line in lines if line.startswith("  !")]
    assert len(blocking) == 2
    assert "docs/product-pages.md#price-and-currency" in blocking[1]


async def test_a_currency_that_is_guessed_is_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        '<html lang="en"><title>Kettle</title><h1>Kettle</h1><p class="price">$24.50</p>'
        "<button>Add to cart</button><p>12 Main Street, Portland, OR 97201, USA</p>"
    )
    seen = await inspect(str(path), url="https://shop.example/kettle", fetcher=None)
    assert (seen["price_minor"], seen["currency"], seen["trust"]) == (2450, "USD", "preview")
    (guess,) = [advice for advice in seen["advice"] if advice["code"] == "currency_guessed"]
    assert guess["problem"] == "The page shows “$”; that it means USD is a guess."
    assert guess["mend"] == "Name the currency for machines: priceCurrency beside the price."
    assert guess["blocks"]


async def test_a_broken_block_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text('<script type="application/ld+json">{"@type": "Product", oh no</script>')
    seen = await inspect(str(path), url="https://shop.example/tea", fetcher=None)
    assert [advice["code"] for advice in seen["advice"]] == ["json_ld_broken", "no_product"]


def test_the_links_of_a_message_become_plain_records() -> None:
    assert links_line("看https://a.com/x?utm_source=1。") == [
        {
            "text": "https://a.com/x?utm_source=1",
            "url": "https://a.com/x",
            "start": 1,
            "end": 29,
        }
    ]


def test_a_doubtful_link_comes_with_its_warning() -> None:
    (imitated,) = links_line("https://pаypal.com/x")
    assert imitated["url"] == "https://xn--pypal-4ve.com/x"
    assert len(imitated["warnings"]) == 1
    shown, target = links_line("[shop.com](https://other.com/x)")
    assert "warnings" not in shown
    assert target["warnings"] == ["The link shows shop.com but leads to other.com."]


def test_findings_hold_links_and_share_codes_in_their_order() -> None:
    text = "a.com ￥pZLk2EyTWQ0￥ b.com"
    found = findings(text)
    assert [finding["kind"] for finding in found] == ["link", "share_code", "link"]
    code = found[1]
    assert (code["url"], code["app"], text[code["start"] : code["end"]]) == (
        None,
        "Taobao",
        "￥pZLk2EyTWQ0￥",
    )
    assert "Taobao" in code["warnings"][0]


# --- signed offers ------------------------------------------------------------------------------


async def test_a_signed_offer_is_shown_with_whether_it_counts(tmp_path: Path) -> None:
    key, pages = SigningKey.new(), {"file": "", "head": ""}

    async def file(_: web.Request) -> web.Response:
        return web.Response(text=pages["file"])

    async def product(_: web.Request) -> web.Response:
        return web.Response(text=f"<title>Tea</title>{pages['head']}", content_type="text/html")

    async with serving({"/.well-known/payontap.txt": file, "/tea": product}) as port:
        url, now_s = f"http://127.0.0.1:{port}/tea", int(time.time())
        offer = SignedOffer(
            aud="payontap", url=url, title="Green tea", amount_minor=490, currency="EUR",
            iat=now_s, exp=now_s + 3600,
        )  # fmt: skip
        text = sign_offer(key, offer)
        tag = f'<script type="application/payontap-offer+jwt">{text}</script>'

        async def seen(target: str) -> Inspection:
            origin = frozenset({("127.0.0.1", port)})
            async with Fetcher(allowed_origins=origin) as fetcher:
                return await inspect(target, url=None, fetcher=fetcher)

        assert (await seen(url))["signed_offer"] is None
        pages.update(head=tag, file="token")
        lacking = await seen(url)
        assert lacking["signed_offer"]["counts"] is False
        assert "publishes no key for signed offers." in inspection_lines(lacking)
        pages["file"] = f"offer-key={key.public.text}"
        good = await seen(url)
        assert good["signed_offer"]["counts"] is True
        assert (good["signed_offer"]["price_minor"], good["signed_offer"]["currency"]) == (
            490,
            "EUR",
        )
        assert "signed offer €4.90 until " in inspection_lines(good)
        # The page itself names no price, and need not.
        assert (good["price_minor"], good["sources"]["price"]) == (490, "signed-offer")
        assert "Nobody has proven" in good["reason"]
        assert not any(advice["blocks"] for advice in good["advice"])
        assert lacking["price_minor"] is None
        assert lacking["advice"][0]["code"] == "no_product"
        pages["head"] = ""
        assert (await seen(f"{url}#payontap-offer={text}"))["signed_offer"]["counts"] is True
        linked = await seen(f"{url}#payontap-offer={text[:-4]}AAAA")
        assert "signed offer refused. " in inspection_lines(linked)
    saved = tmp_path / "tea.html"
    saved.write_text(tag)
    kept = await inspect(str(saved), url=url, fetcher=None)
    assert "cannot be checked" in kept["signed_offer"]["reason"]

"""A shop whose products have names that try something."""

import html
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

PRICE = "¥20.00"
PRICE_MINOR = 20_00
PLAIN = "Green tea"
ARABIC = "شاي أخضر (250 غ) – ممتاز"
HEBREW = "תה ירוק מובחר"
CHINESE = "西湖龙井茶，明前特级（礼盒装）"
#: As long as the bot lets a product's name be.
LONG = "茶" * 300
#: In the markup of every network: HTML, Markdown in its dialects, mentions, links, entities.
HOSTILE_PARTS = (
    "</strong></a><script>alert(1)</script>",
    '<img src="https://evil.example/1"> & &lt;b&gt; &amp;',
    "[free](https://evil.example/free) **bold** __under__",
    "*b* _i_ `code` ```x``` ~~s~~ ||sp|| #tag :smile:",
    "@room @everyone @anna @anna@evil.example <@1> {x} \\* $1",
    '<a href="https://evil.example">gift</a>',
    "www.evil.example or evil.example/free",
)
#: Most of it at once, for networks with room for it.
HOSTILE = " ".join(HOSTILE_PARTS[:-1])
_ROOM_FOR_ALL = 1_000
TITLES = {
    "tea": PLAIN,
    "oolong": "Oolong",
    "sencha": "Sencha",
    "arabic": ARABIC,
    "hebrew": HEBREW,
    "chinese": CHINESE,
    "long": LONG,
    "hostile": HOSTILE,
    **{f"hostile-{n}": part for n, part in enumerate(HOSTILE_PARTS)},
}
SHOP_NAME = 'Tea & <b onclick="x()">House</b> [x](https://evil.example) *茶*'


def hostile_slugs(text_length_max: int) -> list[str]:
    """The products with names that try something, of which a network shows the whole."""
    if text_length_max > _ROOM_FOR_ALL:
        return ["hostile", f"hostile-{len(HOSTILE_PARTS) - 1}"]
    return [f"hostile-{n}" for n in range(len(HOSTILE_PARTS))]


@dataclass(frozen=True)
class Shop:
    """The shop at its address. `host` is host and port."""

    host: str

    def url(self, slug: str) -> str:
        return f"http://{self.host}/{slug}"


async def _page(request: web.Request) -> web.Response:
    slug = request.match_info["slug"]
    if slug not in TITLES:
        raise web.HTTPNotFound
    product = {
        "@context": "https://schema.org",
        "@type": "Product",
        # A page's name is HTML: a reader of it sees the entities as characters.
        "name": html.escape(TITLES[slug]) if slug.startswith("hostile") else TITLES[slug],
        "offers": {
            "@type": "Offer",
            "price": "20.00",
            "priceCurrency": "CNY",
            "availability": "https://schema.org/InStock",
        },
    }
    script = json.dumps(product).replace("</", "<\\/")
    body = f'<title>Shop</title><script type="application/ld+json">{script}</script>'
    return web.Response(text=body, content_type="text/html")


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """Serve the products for the time of the block."""
    app = web.Application()
    app.router.add_get("/{slug}", _page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Shop("{}:{}".format(*runner.addresses[0]))
    finally:
        await runner.cleanup()

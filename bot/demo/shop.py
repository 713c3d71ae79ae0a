"""The demo shop: ordinary product pages, as any small shop has them.

The bot has no back door into it: it reads these pages, and the shop proves that its address is
its own by the same file as every merchant.
"""

import asyncio
import html
import json
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from string import Template

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.goods import GOOD_BY_SLUG, GOODS, Good
from bot.demo.painting import HEIGHT_PX, WIDTH_PX
from bot.demo.pictures import draw_picture
from bot.web.server import listen
from wallet_core.money import exponent_of

SHOP_NAME = "Corner Shop 街角小店"
SHUTDOWN_TIMEOUT_S = 2.0

_HERE = Path(__file__).parent
_STATIC_TYPES = {
    "shop.css": "text/css",
    "shop.js": "text/javascript",
    "shop.svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; "
    "script-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ENGLISH = {
    "copy": "Copy link",
    "copied": "Copied. Paste it into the chat.",
    "hint": "Paste it into the chat, by itself or in a sentence.",
    "gone": "Sold out",
    "endless": "Always there",
    "left": "{} in stock",
}
_CHINESE = {
    "copy": "复制链接",
    "copied": "已复制，去聊天里粘贴吧",
    "hint": "把链接粘贴到聊天里，单独一行或夹在句子里都可以。",
    "gone": "已售罄",
    "endless": "长期有货",
    "left": "现货 {} 件",
}


class DemoShop:
    """The shop on an address of its own; port 0 takes any free one.

    `sold` says how many of the product at a URL were paid for. `proof` are the tokens that
    `/.well-known/payontap.txt` serves from the start.
    """

    def __init__(
        self,
        host: str,
        port: int,
        sold: Callable[[str], Awaitable[int]],
        proof: Iterable[str] = (),
        currency: str = "CNY",
    ) -> None:
        exponent_of(currency)
        self._host = host
        self._port = port
        self._sold = sold
        self._tokens = list(proof)
        self._currency = currency
        self._pictures: dict[str, asyncio.Task[bytes]] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Its address without a slash at the end; the port is known once started."""
        host = "127.0.0.1" if self._host in {"", "0.0.0.0"} else self._host  # noqa: S104 - a test
        return f"http://{host}:{self._port}"

    def product_url(self, slug: str) -> str:
        """Where a product of that slug has its page."""
        return f"{self.url}/p/{slug}"

    def prove(self, token: str) -> None:
        """Serve one more token that proves whose address this is."""
        if token not in self._tokens:
            self._tokens.append(token)

    async def start(self) -> None:
        """Open the shop. Raises `PortTaken` or `CannotListen` with one clear sentence."""
        listening = listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        app = web.Application(middlewares=[_find_lost])
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/", self._index)
        app.router.add_get("/p/{slug}", self._product)
        app.router.add_get("/pictures/{slug}.jpg", self._picture)
        app.router.add_get("/robots.txt", _robots)
        app.router.add_get("/.well-known/payontap.txt", self._proof)
        app.router.add_get(r"/{name:shop\.(?:css|js|svg)}", _static)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Close the shop."""
        for drawing in self._pictures.values():
            drawing.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _index(self, _request: web.Request) -> web.Response:
        tiles = [_fill("tile.html", **self._words(good, await self._stock(good))) for good in GOODS]
        main = Template(_read("index.html")).substitute(goods="\n".join(tiles))
        return _page("en", "A few nice things", main)

    async def _product(self, request: web.Request) -> web.Response:
        good = GOOD_BY_SLUG.get(request.match_info["slug"])
        if good is None:
            raise web.HTTPNotFound
        stock = await self._stock(good)
        facts = "\n".join(f"<li>{html.escape(fact)}</li>" for fact in good.facts)
        words = {key: html.escape(word) for key, word in self._words(good, stock).items()}
        main = Template(_read("product.html")).substitute(words, facts=facts)
        return _page(good.language, good.title, main, self._head(good, stock))

    async def _picture(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        if slug not in GOOD_BY_SLUG:
            raise web.HTTPNotFound
        if slug not in self._pictures:
            self._pictures[slug] = asyncio.create_task(asyncio.to_thread(draw_picture, slug))
        # Shielded: a visitor who leaves must not end the drawing for the others.
        body = await asyncio.shield(self._pictures[slug])
        cache = {"Cache-Control": "public, max-age=86400"}
        return web.Response(body=body, content_type="image/jpeg", headers=cache)

    async def _proof(self, _request: web.Request) -> web.Response:
        return web.Response(text="".join(f"{token}\n" for token in self._tokens))

    async def _stock(self, good: Good) -> int | None:
        if good.stock is None:
            return None
        return max(0, good.stock - await self._sold(self.product_url(good.slug)))

    def _words(self, good: Good, stock: int | None) -> dict[str, str]:
        words = _CHINESE if good.language.startswith("zh") else _ENGLISH
        in_stock = words["endless"] if stock is None else words["left"].format(stock)
        return {
            "slug": good.slug,
            "language": good.language,
            "title": good.title,
            "brand": good.brand,
            "blurb": good.blurb,
            "price": good.money(self._currency).format(),
            "stock": words["gone"] if stock == 0 else in_stock,
            "stock_class": "gone" if stock == 0 else "there",
            "url": self.product_url(good.slug),
            "image": self._image_url(good),
            "copy": words["copy"],
            "copied": words["copied"],
            "hint": words["hint"],
        }

    def _image_url(self, good: Good) -> str:
        return f"{self.url}/pictures/{good.slug}.jpg"

    def _head(self, good: Good, stock: int | None) -> str:
        """What programs read: Open Graph, and schema.org as JSON-LD."""
        graph = {
            "og:type": "product",
            "og:title": good.title,
            "og:url": self.product_url(good.slug),
            "og:image": self._image_url(good),
            "og:image:width": str(WIDTH_PX),
            "og:image:height": str(HEIGHT_PX),
            "og:site_name": SHOP_NAME,
            "product:price:amount": self._plain_price(good),
            "product:price:currency": self._currency,
        }
        metas = [
            f'<meta property="{name}" content="{html.escape(value)}">'
            for name, value in graph.items()
        ]
        # "<" written as an escape: nothing in the data can end the script element.
        data = json.dumps(self._linked_data(good, stock), ensure_ascii=False, indent=1)
        data = data.replace("<", "\\u003c")
        return "\n".join(
            (
                f'<link rel="canonical" href="{html.escape(self.product_url(good.slug))}">',
                *metas,
                f'<script type="application/ld+json">{data}</script>',
            )
        )

    def _linked_data(self, good: Good, stock: int | None) -> dict[str, object]:
        offer: dict[str, object] = {
            "@type": "Offer",
            "url": self.product_url(good.slug),
            "price": self._plain_price(good),
            "priceCurrency": self._currency,
            "availability": f"https://schema.org/{'OutOfStock' if stock == 0 else 'InStock'}",
            "itemCondition": "https://schema.org/NewCondition",
            "seller": {"@type": "Organization", "name": SHOP_NAME},
        }
        if stock is not None:
            offer["inventoryLevel"] = {"@type": "QuantitativeValue", "value": stock}
        return {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": good.title,
            "description": good.blurb,
            "sku": good.sku,
            "gtin": good.gtin,
            "brand": {"@type": "Brand", "name": good.brand},
            "image": [self._image_url(good)],
            "offers": offer,
        }

    def _plain_price(self, good: Good) -> str:
        amount = Decimal(good.money(self._currency).amount_minor)
        return f"{amount.scaleb(-exponent_of(self._currency)):f}"


@web.middleware
async def _find_lost(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        page = _page("en", "Nothing on this shelf", _read("lost.html"))
        page.set_status(404)
        return page


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # The stock changes with each sale.
    response.headers.setdefault("Cache-Control", "no-cache")


async def _robots(_request: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nAllow: /\n")


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    body = (_HERE / "static" / name).read_text(encoding="utf-8")
    return web.Response(text=body, content_type=_STATIC_TYPES[name])


def _page(language: str, title: str, main: str, head: str = "") -> web.Response:
    """`main` and `head` are finished HTML; the title is not."""
    page = Template(_read("frame.html")).substitute(
        language=language, title=html.escape(title), main=main, head=head
    )
    return web.Response(text=page, content_type="text/html")


def _fill(template: str, **words: str) -> str:
    escaped = {key: html.escape(word) for key, word in words.items()}
    return Template(_read(template)).substitute(escaped)


def _read(template: str) -> str:
    return (_HERE / "templates" / template).read_text(encoding="utf-8")

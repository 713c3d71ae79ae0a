"""A shop with product pages and their pictures, as the links of the benchmark lead to."""

import io
import json
from typing import Self

from aiohttp import web
from PIL import Image

PRODUCTS = 20
_SIDE_PX = 800
_FILLER = "<div class='row'><p>Free delivery from ¥99. Returns within 30 days.</p></div>\n" * 400


class Shop:
    """Listens on a free port of this machine. Start it with `async with`."""

    def __init__(self) -> None:
        self.host = ""
        self.asked = 0
        self._picture = _picture()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/tea/{number}", self._page)
        app.router.add_get("/tea.jpg", self._photo)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.host = "{}:{}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def url(self, number: int) -> str:
        """One of the products."""
        return f"http://{self.host}/tea/{number % PRODUCTS}"

    async def _page(self, request: web.Request) -> web.Response:
        self.asked += 1
        title = f"Green tea {request.match_info['number']}, 100 g"
        product = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": title,
            "image": f"http://{self.host}/tea.jpg",
            "offers": {
                "@type": "Offer",
                "price": "19.90",
                "priceCurrency": "CNY",
                "availability": "https://schema.org/InStock",
            },
        }
        text = (
            f"<!doctype html><html lang='en'><head><title>{title}</title>"
            f"<script type='application/ld+json'>{json.dumps(product)}</script></head>"
            f"<body><h1>{title}</h1><p class='price'>¥19.90</p>{_FILLER}</body></html>"
        )
        return web.Response(text=text, content_type="text/html")

    async def _photo(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._picture, content_type="image/jpeg")


def _picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((_SIDE_PX, _SIDE_PX)).convert("RGB").save(out, "JPEG")
    return out.getvalue()

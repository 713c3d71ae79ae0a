"""Pages and people that want to be more than text in a Telegram chat, with the whole bot."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.peers.telegram_api import Message
from tests.peers.telegram_api.limits import utf16
from tests.telegram_people import Scene

HOSTILE = '</b><a href="https://evil.example">gift</a> *b* _i_ [x](http://e) @admin #tag /buy <b>'
HOSTILE_NAME = '<b onclick="x()">Tea</b> & "Sons" @admin /buy'
LONG_AND_WIDE = "𝒯" * 5_000
RIGHT_TO_LEFT = "كوب شاي أزرق وأبيض \u202eevil"


@dataclass
class Shop:
    """A shop with one page a title."""

    titles: tuple[str, ...]
    host: str = ""

    async def _page(self, request: web.Request) -> web.Response:
        product = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": self.titles[int(request.match_info["n"])],
            "offers": {"@type": "Offer", "price": "20.00", "priceCurrency": "CNY"},
        }
        script = json.dumps(product).replace("</", "<\\/")
        body = f'<title>Shop</title><script type="application/ld+json">{script}</script>'
        return web.Response(text=body, content_type="text/html")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serve; gives host and port."""
        app = web.Application()
        app.router.add_get(r"/{n:\d+}", self._page)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            self.host = "{}:{}".format(*runner.addresses[0])
            yield self.host
        finally:
            await runner.cleanup()


def only_ours(message: Message, link: str | None) -> None:
    """Nothing in the message is a mark but what the bot itself put there, over whole lines."""
    assert {e["type"] for e in message.entities} <= {"bold", "italic", "text_link"}
    links = [e["url"] for e in message.entities if e["type"] == "text_link"]
    assert links == ([link] if link else [])
    starts, at = set(), 0
    for line in message.text.split("\n"):
        starts.add((at, utf16(line)))
        at += utf16(line) + 1
    assert {(e["offset"], e["length"]) for e in message.entities} <= starts


async def test_hostile_long_and_right_to_left_titles_stay_text(tmp_path: Path) -> None:
    shop = Shop((HOSTILE, LONG_AND_WIDE, RIGHT_TO_LEFT))
    async with (
        shop.open() as host,
        Scene(tmp_path, {"fetch__allowed_origins": host}) as scene,
    ):
        anna, api = scene.anna, scene.api
        seen = anna.said_by_bot()
        for n in range(3):
            anna.say(scene.group, f"http://{host}/{n}")
            card = await anna.see("¥20.00", chat=scene.group, seen=seen)
            seen.append(card)
            only_ours(card, f"http://{host}/{n}")
            assert card.preview == {
                "url": f"http://{host}/{n}",
                "prefer_large_media": True,
                "show_above_text": True,
            }
            title = card.text.split("\n")[0]
            if n == 0:
                # All of it is there, and nothing in it calls anybody.
                assert title.replace("\u2060", "") == HOSTILE
                assert "@admin" not in title
                assert "@\u2060admin" in title
                assert "/\u2060buy" in title
            if n == 2:
                assert "\u202e" not in title
                assert title.startswith("كوب شاي")
        anna.say(scene.group, f"/merchant open {HOSTILE_NAME}")
        private = await anna.see("is open", chat=anna.chat)
        only_ours(private, None)
        # Half a surrogate pair, and more than a message may hold.
        anna.say(anna.chat, "/nonsense-\ud83d " + "x" * 4_000)
        await scene.settled(anna)
        assert [r for r in api.refused if r[0] != "deleteEphemeralMessage"] == []

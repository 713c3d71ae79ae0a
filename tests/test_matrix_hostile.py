"""Pages and people that want to be more than text in a Matrix room, with the whole bot."""

import html
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from aiohttp import web

from tests.matrix_people import Message, Scene
from tests.peers.synapse import SynapsePeer

HOSTILE_TITLE = (
    '</strong></a><script>alert(1)</script><img src="mxc://evil.example/1"> & &lt;b&gt; '
    '[free](javascript:alert(1)) @room <a href="https://evil.example">gift</a> `x` **y**'
)
HOSTILE_NAME = '<b onclick="x()">Tea</b> & "Sons" <script>'


@dataclass
class HostileShop:
    """A product page that wants to be more than text. `proof` is its merchant's token."""

    url: str = ""
    proof: str = ""

    async def _page(self, _request: web.Request) -> web.Response:
        product = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": HOSTILE_TITLE,
            "offers": {"@type": "Offer", "price": "20.00", "priceCurrency": "CNY"},
        }
        script = json.dumps(product).replace("</", "<\\/")
        body = f'<title>Shop</title><script type="application/ld+json">{script}</script>'
        return web.Response(text=body, content_type="text/html")

    async def _proof(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.proof)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serve; gives host and port."""
        app = web.Application()
        app.router.add_get("/tea", self._page)
        app.router.add_get("/.well-known/payontap.txt", self._proof)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host = "{}:{}".format(*runner.addresses[0])
            self.url = f"http://{host}/tea"
            yield host
        finally:
            await runner.cleanup()


class Markup(HTMLParser):
    """What a client makes of formatted text: tags, links, and the words that stand there."""

    def __init__(self, message: Message) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(message.markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for _, value in attrs]
        if tag == "br":
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_only_text(message: Message, link: str | None = None) -> None:
    """Nothing in the message is markup but what the bot itself put there."""
    shown = Markup(message)
    assert shown.tags <= {"strong", "em", "a", "br"}
    assert shown.links == ([link] if link else [])
    assert shown.text == message.body
    assert message.content["m.mentions"] == {}


async def test_hostile_titles_and_names_stay_text_and_an_unproven_shop_has_no_button(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    shop = HostileShop()
    async with (
        shop.open() as host,
        Scene(synapse, tmp_path, {"fetch__allowed_origins": host}) as scene,
    ):
        anna, bob, bot = scene.anna, scene.bob, scene.bot
        await bob.say(scene.room, shop.url)
        preview = await anna.see("¥20.00", room_id=scene.room)
        assert_only_text(preview, shop.url)
        assert html.unescape(HOSTILE_TITLE) in preview.body
        assert "not verified" in preview.body
        assert "nobody to pay" in preview.body
        await anna.react(preview)
        await anna.see("Not charged.", not_in=scene.room)
        assert preview.keys_of(bot.user_id) == []

        # Bob proves that the host is his: the next card is a real offer, under his shop's name.
        await bob.say(scene.room, f"!merchant open {HOSTILE_NAME}")
        assert_only_text(await bob.see(f"{HOSTILE_NAME} is open", not_in=scene.room))
        await bob.say(scene.room, f"!merchant host {host}")
        proof = await bob.see("File: ", not_in=scene.room)
        shop.proof = proof.body.partition("File: ")[2].split()[0]
        await bob.say(scene.room, f"!merchant verify {host}")
        assert_only_text(await bob.see(f"✓ {host} is", not_in=scene.room))

        await scene.money_for(anna)
        offer = await bot.offer_of(bob, scene.room, shop.url)
        assert_only_text(offer, shop.url)
        assert HOSTILE_NAME in offer.body
        await anna.react(await anna.until(lambda: anna.messages.get(offer.id), "the offer"))
        held = await anna.see("¥20.00 is held", not_in=scene.room)
        assert_only_text(held)

        # The order comes to the room in which the shop was opened; only its seller may take it.
        order = await anna.see("Accept to get it", room_id=scene.room)
        assert_only_text(order)
        await anna.see_reaction(order, "✅", bot.user_id)
        await anna.react(order, "✅")
        await anna.see("Only the seller can do that", not_in=scene.room)
        await bob.react(order, "✅")
        await anna.until(lambda: "Paid ¥20.00" in held.body or None, "the receipt")
        await anna.until(lambda: "React with 💸 to refund" in order.body or None, "the order paid")
        await bob.until(lambda: "1 bought" in offer.body or None, "the edit")

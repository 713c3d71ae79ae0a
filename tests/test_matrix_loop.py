"""The whole bot in rooms of a real homeserver, used as people use it."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from bot.app import Instance
from bot.demo.opening import DEMO_ROOM
from bot.demo.visitor import visit
from tests.audit import audit
from tests.matrix_people import (
    AGAIN,
    PAY,
    TOP_UP,
    UNDO,
    Bot,
    Client,
    Message,
    an_admin,
    at_clients,
)
from tests.peers.synapse import SynapsePeer
from wallet_core.commerce.records import Order, OrderState
from wallet_core.storage.database import Database

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"
#: For those who do something within the window, on a machine that is busy with other tests.
TIME_TO_UNDO = {"money__undo_window_s": "4"}


@dataclass
class Scene:
    """Anna, Bob and the bot in a group room; Bob sees all that the group may see."""

    peer: SynapsePeer
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.anna, self.bob = await self._stack.enter_async_context(
            at_clients(self.peer, "anna", "bob")
        )
        self.bot = Bot(self.peer, self.folder)
        self.instance: Instance = await self._stack.enter_async_context(
            self.bot.running(**self.settings)
        )
        self.admin: aiohttp.ClientSession = await self._stack.enter_async_context(
            an_admin(self.instance.admin_link)
        )
        self.room = await self.bot.into(self.anna, self.bob)
        assert self.instance.sample_url is not None
        self.url = self.instance.sample_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        if error is None:
            database = Database(f"sqlite+aiosqlite:///{self.bot.data_dir / 'payontap.db'}")
            await audit(database)
            await database.close()

    async def money_for(self, client: Client) -> None:
        await self.bot.money_for(client, self.room, self.instance.url, self.admin)

    async def orders_of(self, client: Client) -> list[Order]:
        """All orders of somebody, oldest first."""
        person = await self.instance.desk.people.meet("matrix", client.user_id, self.room)
        orders = await self.instance.desk.reader.recent_orders(person.wallet_id, 100)
        return list(reversed(orders))

    async def settled(self, client: Client) -> None:
        """Until all that was heard is answered and this person has the last answer."""
        before = client.said_by(self.bot.user_id)
        await client.say(self.room, "!whoami")
        await client.see("· wallet", not_in=self.room, seen=before)


async def test_a_shared_link_is_answered_with_a_picture_a_card_and_one_reaction(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        asked = await scene.anna.say(scene.room, f"看这个{scene.url}。好看吗？")
        offer = await scene.bob.see("React with 💳", room_id=scene.room)
        await scene.bob.see_reaction(offer, PAY, scene.bot.user_id)
        host = scene.url.partition("://")[2].partition("/")[0]
        title, price, seller, stock, hint = offer.body.splitlines()
        assert (title, price, stock) == (TITLE, PRICE, "12 in stock")
        assert all(words in seller for words in ("✓", "Corner Shop 街角小店", host))
        assert (
            hint == f"React with 💳 to pay {PRICE}, or write !buy. Take your reaction back to undo."
        )
        assert offer.markup.startswith(f'<strong><a href="{scene.url}">{TITLE}</a></strong><br>')
        assert offer.kind == "m.notice"
        assert offer.answers == asked
        assert offer.keys_of(scene.bot.user_id) == [PAY]

        hello, picture, last = scene.bob.said_by(scene.bot.user_id, scene.room)
        assert hello.body.endswith("Write !help to see what else I do.")
        assert last is offer
        assert (picture.kind, picture.body) == ("m.image", TITLE)
        server, media_id = str(picture.content["url"]).removeprefix("mxc://").split("/")
        url = f"{synapse.base_url}/_matrix/client/v1/media/download/{server}/{media_id}"
        headers = {"Authorization": f"Bearer {scene.bob.person.token}"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as shown:
            assert shown.status == 200
            assert shown.content_type == picture.content["info"]["mimetype"]
            assert len(await shown.read()) == picture.content["info"]["size"]


async def test_a_reaction_pays_and_only_the_one_who_reacted_hears_of_money(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path, TIME_TO_UNDO) as scene:
        anna, bot = scene.anna, scene.bot
        offer = await bot.offer_of(anna, scene.room, scene.url, "Look: {} !")
        poor = await anna.react(offer)
        refused = await anna.see("Not charged.", not_in=scene.room)
        assert f"You have ¥0.00; this needs {PRICE}." in refused.body
        assert await anna.members(refused.room_id) == {anna.user_id, bot.user_id}
        # The bot opened this room only to say so.
        assert anna.said_by(bot.user_id, refused.room_id) == [refused]
        await anna.see_reaction(refused, TOP_UP, bot.user_id)
        await anna.take_back(offer, poor)
        await scene.money_for(anna)

        async with visit(scene.admin, scene.instance.url, DEMO_ROOM) as merchant:
            await anna.react(offer)
            paid = await anna.see(f"Paid {PRICE}", room_id=refused.room_id)
            await anna.see_reaction(paid, UNDO, bot.user_id)
            number = paid.body.partition("Order ")[2].split()[0]
            assert paid.body.endswith("React with ↩️ to undo.")

            await scene.bob.until(
                lambda: "1 bought" in scene.bob.messages[offer.id].body or None, "the edit"
            )
            shown = scene.bob.messages[offer.id]
            assert "11 in stock" in shown.body
            assert PAY in shown.keys_of(bot.user_id)
            await anna.until(lambda: "buy another" in paid.body or None, "the receipt")
            await anna.see_reaction(paid, AGAIN, bot.user_id)

            ordered = await merchant.see_text(number)
            assert anna.user_id not in ordered.text
            refundable = await merchant.see(lambda seen: seen.has_button("Refund"), "Refund")
            await merchant.press(refundable, "Refund")
            await anna.see(f"{PRICE} refunded", room_id=refused.room_id)

        [order] = await scene.orders_of(anna)
        assert (order.state, order.number) == (OrderState.REFUNDED, number)
        said = [message.body for message in scene.bob.said_by(bot.user_id)]
        assert [text.splitlines()[0][:6] for text in said] == ["Hello!", TITLE, TITLE]


async def test_taking_the_reaction_back_undoes_and_the_next_one_is_a_new_attempt(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path, TIME_TO_UNDO) as scene:
        anna, bot = scene.anna, scene.bot
        await scene.money_for(anna)
        offer = await bot.offer_of(anna, scene.room, scene.url)
        first = await anna.react(offer)
        paid = await anna.see(f"Paid {PRICE}", not_in=scene.room)
        await anna.take_back(offer, first)
        await anna.until(lambda: paid.body.startswith("Undone.") or None, "the undo")
        assert f"{PRICE} is back in your wallet" in paid.body

        second = await anna.react(offer)
        again = await anna.see(f"Paid {PRICE}", not_in=scene.room, seen=[paid])
        await anna.until(lambda: "buy another" in again.body or None, "the receipt")
        await anna.take_back(offer, second)
        late = await anna.see("Too late to undo", not_in=scene.room)
        assert late.room_id == again.room_id

        undone, kept = await scene.orders_of(anna)
        assert (undone.state, kept.state) == (OrderState.UNDONE, OrderState.PAID)
        assert kept.number in late.body
        await anna.say(scene.room, "!balance")
        await anna.see("¥301.00", not_in=scene.room)


async def test_however_often_somebody_reacts_only_one_reaction_charges(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        anna, bot = scene.anna, scene.bot
        await scene.money_for(anna)
        offer = await bot.offer_of(anna, scene.room, scene.url)
        # Clients write the same emoji in different ways, and a phone reacts beside a desktop.
        keys = ("💳", "💳\ufe0f", "💳\U0001f3fd", "💳\U0001f3ff")
        reactions = await asyncio.gather(*(anna.react(offer, key) for key in keys))
        await anna.say(scene.room, "!buy", reply_to=offer)
        await anna.say(scene.room, "!buy")
        await anna.see("1 bought", room_id=scene.room)
        await scene.settled(anna)
        [order] = await scene.orders_of(anna)
        assert order.state == OrderState.PAID
        told = anna.said_by(bot.user_id)
        assert sum(m.body.startswith(f"Paid {PRICE}") for m in told) == 1
        assert sum("Not charged again." in m.body for m in told) == len(keys) + 1

        # Taking away all that did not pay changes nothing and says nothing.
        for reaction in reactions:
            await anna.take_back(offer, reaction)
        await scene.settled(anna)
        assert [o.state for o in await scene.orders_of(anna)] == [OrderState.PAID]
        assert sum("Too late" in m.body for m in anna.said_by(bot.user_id)) == 1

        # "Buy another" is a new price for her alone; it may be paid like any other.
        receipt = await anna.see(f"Paid {PRICE}", not_in=scene.room)
        await anna.react(receipt, AGAIN)
        another = await anna.see("React with 💳", not_in=scene.room)
        await anna.react(another)
        await anna.until(
            lambda: sum("Paid" in m.body for m in anna.said_by(bot.user_id)) == 2 or None,
            "the second cup",
        )
        assert len(await scene.orders_of(anna)) == 2


async def test_commands_begin_with_an_exclamation_mark_and_are_answered_in_private(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        anna, bob, bot = scene.anna, scene.bob, scene.bot
        await anna.say(scene.room, "!help")
        answer = await anna.see("!topup", not_in=scene.room)
        assert await anna.members(answer.room_id) == {anna.user_id, bot.user_id}
        for command, words in (
            ("!balance", "¥0.00"),
            ("/balance", "/topup 100"),
            ("!history", "Nothing has happened yet"),
            ("!nonsense", "There is no command !nonsense"),
            ("!undo", "nothing to undo"),
            ("!buy", "no offer here"),
            ("!topup much", "not an amount"),
            ("!admin books", "Only an admin"),
        ):
            await anna.say(scene.room, command)
            await anna.see(words, room_id=answer.room_id)
        # In the direct room the answer comes in the same place.
        await anna.say(answer.room_id, "!whoami")
        assert (await anna.see(anna.user_id, not_in=scene.room)).room_id == answer.room_id
        await bob.say(scene.room, "!whoami")
        other = await bob.see(bob.user_id, not_in=scene.room)
        assert other.room_id != answer.room_id
        # Neither talk nor what only looks like a command gets an answer.
        for talk in ("how much is ¥5?", "!!", "! wow", "/ 3", "yes!"):
            await bob.say(scene.room, talk)
        await scene.settled(bob)
        assert [m.body[:6] for m in bob.said_by(bot.user_id, scene.room)] == ["Hello!"]


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
        await anna.react(anna.messages[offer.id])
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

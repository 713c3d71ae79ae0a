"""The whole bot on Bluesky's own servers: only `make test-bluesky` runs it.

The chat service is ours, as there is none to be had; what is said to it passes the real PDS.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from atproto import Session  # type: ignore[import-untyped]

from bot.adapters.bluesky.refs import RecordRef
from bot.app import Instance
from tests.bluesky_people import FACET, NETWORK, Bot, Person, above, marked, texts, until
from tests.bot.adapters.contract.goods import TITLES, open_shop
from tests.peers.bluesky import BlueskyPeer, only_if_asked_for
from tests.peers.bluesky_chat import ChatService, claims_of, written
from tests.peers.local_server import serve
from tests.people import audit_folder, fund, orders_of, quiet, rewind
from wallet_core.commerce.records import Order, OrderState

only_if_asked_for()

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"
FUNDS_MINOR = 50_000
#: Longer than the servers take an access token.
_AN_ACCESS_S = 3 * 3_600


class Scene:
    """The bot with its chat, and people who share links with it."""

    def __init__(self, peer: BlueskyPeer, bot: Bot, chat: ChatService, data_dir: Path) -> None:
        self.peer, self.bot, self.chat, self.data_dir = peer, bot, chat, data_dir
        self.instance: Instance

    async def join(self, name: str) -> Person:
        """Somebody new."""
        return await Person.join(self.peer, name)

    async def fund(self, *people: Person) -> None:
        """Money comes in for each of them."""
        for person in people:
            await fund(self.instance, NETWORK, person.did, FUNDS_MINOR)

    @asynccontextmanager
    async def at_work(self, **settings: str) -> AsyncIterator[None]:
        """The bot runs for the time of the block."""
        async with self.bot.running(self.data_dir, **settings) as self.instance:
            yield

    async def ask(self, person: Person, url: str = "", created_at: str = "") -> RecordRef:
        """Somebody mentions the bot with a link, as an app would post it."""
        url = url or self.instance.sample_url or ""
        words = "shop.example/杯…"
        return await person.post(
            f"👋🏽 @{self.bot.handle} 看这个 {words} 🍵",
            mention=self.bot,
            link=(words, url),
            created_at=created_at,
        )

    async def offer_to(self, person: Person) -> RecordRef:
        """Somebody shares a product; gives the bot's card."""
        return (await self.bot.answer_to(await self.ask(person)))[0]

    async def orders_of(self, person: Person) -> list[Order]:
        return await orders_of(self.instance, NETWORK, person.did)

    async def order_of(self, person: Person) -> Order:
        """The first order of somebody, once there is one."""
        return (await until(lambda: self.orders_of(person), "an order"))[0]

    async def hears(self, person: Person, words: str) -> None:
        """Wait until the bot has written somebody these words."""

        async def look() -> bool:
            return words in texts(self.chat.between(person.did, self.bot.did))

        await until(look, f"{words!r} in a direct message")

    async def settled(self, person: Person) -> None:
        """Until the bot has answered all that this person did: it does so in order."""
        before = len(self.chat.between(person.did, self.bot.did))
        await person.write(self.bot, "whoami")

        async def look() -> bool:
            return "wallet" in texts(self.chat.between(person.did, self.bot.did)[before + 1 :])

        await until(look, "the answer to “whoami”")
        await quiet(self.data_dir)


@pytest.fixture
async def scene(bluesky: BlueskyPeer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with bluesky.chat() as chat:
        bot = await Bot.join(bluesky, "payontap")
        await bot.use_app_password()
        yield Scene(bluesky, bot, chat, tmp_path / "data")
    await audit_folder(tmp_path / "data")


async def test_from_a_mention_to_paid_and_undone(scene: Scene) -> None:
    anna = await scene.join("anna")
    async with scene.at_work():
        await scene.fund(anna)
        asked = await scene.ask(anna)
        ref, offer = await scene.bot.answer_to(asked)
        assert offer["text"].splitlines()[0] == TITLE
        assert "Reply “buy” to pay ¥199.00." in offer["text"]
        assert above(offer, "root") == asked
        # The last line leads to the pay page, by its place in the bytes; so does the card.
        [(words, link)] = marked(offer)
        assert words == f"Pay {PRICE}" == offer["text"].splitlines()[-1]
        shown = offer["embed"]["external"]
        assert link == {"$type": f"{FACET}#link", "uri": shown["uri"]}
        assert shown["uri"].startswith(f"{scene.instance.url}/pay/q_")
        assert shown["title"] == TITLE
        assert shown["thumb"]["mimeType"].startswith("image/")

        await anna.post("买!", to=ref)
        await scene.hears(anna, f"Paid {PRICE}")
        await anna.write(scene.bot, "undo")
        await scene.hears(anna, f"Undone. {PRICE} is back")
        [order] = await scene.orders_of(anna)
        assert order.state == OrderState.UNDONE


@pytest.mark.parametrize("word", ["buy", "买"])
async def test_a_reply_pays_once_however_often_it_is_told(scene: Scene, word: str) -> None:
    anna, bob = await scene.join("anna"), await scene.join("bob")
    async with scene.at_work():
        place = await scene.instance.inbox.load_cursor(NETWORK)
        assert place is not None
        await scene.fund(anna)
        offer = await scene.offer_to(anna)
        await anna.post(word, to=offer)
        await anna.post(f"{word}！", to=offer)
        # Who never had money here gets a link, and is charged nothing.
        await bob.post(word, to=offer)
        await scene.hears(anna, f"Paid {PRICE}")
        await scene.hears(bob, "Not charged.")
        await scene.settled(anna)
        first = await scene.orders_of(anna)
    await rewind(scene.data_dir, NETWORK, place)
    async with scene.at_work():
        await scene.settled(anna)
        assert await scene.orders_of(anna) == first
        assert len(first) == 1
        assert await scene.orders_of(bob) == []
        assert len(await scene.bot.posts()) == 1


async def test_a_like_pays_for_who_allowed_it_and_brings_the_offer_to_others(scene: Scene) -> None:
    anna, bob, carl = [await scene.join(name) for name in ("anna", "bob", "carl")]
    async with scene.at_work():
        await scene.fund(bob, carl)
        await bob.write(scene.bot, "likes 200")
        asked = await scene.ask(anna)
        offer, _ = await scene.bot.answer_to(asked)
        # The same place with other contents is something else.
        for person in (bob, carl):
            await person.like(RecordRef(offer.uri, asked.cid))
            await scene.settled(person)
            assert await scene.orders_of(person) == []
            assert PRICE not in texts(scene.chat.between(person.did, scene.bot.did))

        like = await bob.like(offer)
        await carl.like(offer)
        await scene.hears(bob, f"Paid {PRICE}")
        await scene.hears(carl, f"Pay {PRICE}")
        await bob.delete(like)
        await bob.like(offer)
        await scene.settled(bob)
        assert len(await scene.orders_of(bob)) == 1
        assert await scene.orders_of(carl) == []


async def test_only_what_is_said_to_the_bot_is_answered(scene: Scene) -> None:
    anna, bob = await scene.join("anna"), await scene.join("bob")
    async with scene.at_work():
        offer = await scene.offer_to(anna)
        to_the_bot = await anna.post("thank you", to=offer)
        # The servers tell the bot of this one too, as it stands below its card.
        url = f"{scene.instance.sample_url}?color=red"
        to_anna = await bob.post("rather this one", to=to_the_bot, link=("this one", url))
        to_bot_too = await anna.post(
            f"@{scene.bot.handle} this one?", to=to_anna, mention=scene.bot, link=("this one", url)
        )
        await scene.bot.answer_to(to_bot_too)
        assert len(await scene.bot.posts()) == 2


async def test_what_comes_late_to_the_servers_is_answered(scene: Scene) -> None:
    anna, bob = await scene.join("anna"), await scene.join("bob")
    async with scene.at_work():
        await scene.offer_to(anna)
        # Bob's clock is slow, or his server was cut off: what he says is put among older news.
        five_hours_ago = datetime.now(UTC) - timedelta(hours=5)
        await scene.bot.answer_to(await scene.ask(bob, created_at=written(five_hours_ago)))


async def test_an_ended_session_is_refreshed_or_replaced_and_nothing_is_lost(
    scene: Scene,
) -> None:
    anna = await scene.join("anna")
    async with scene.at_work():
        await scene.offer_to(anna)
        url = scene.instance.sample_url or ""
    said_meanwhile = await scene.ask(anna, url)
    end_access(scene.data_dir)
    # With this password nobody can log in, so what goes on goes on by refreshing.
    async with scene.at_work(bluesky__app_password="not the password"):
        await scene.bot.answer_to(said_meanwhile)
        # For the servers hours have passed, for the bot none: they take its token no more.
        said_before = await scene.ask(anna, f"{url}?n=1")
        await scene.peer.move_on(_AN_ACCESS_S)
        await anna.log_in()
        said_after = await scene.ask(anna, f"{url}?n=2")
        await scene.bot.answer_to(said_before)
        await scene.bot.answer_to(said_after)
    async with scene.at_work():
        # Nor is it refreshed any more: there is the password.
        await end_session(scene)
        await scene.peer.move_on(_AN_ACCESS_S)
        await anna.log_in()
        await scene.bot.answer_to(await scene.ask(anna, f"{url}?n=3"))
        await scene.settled(anna)
        assert len(await scene.bot.posts()) == 5


async def test_an_app_password_without_direct_messages_begins_one_session(scene: Scene) -> None:
    anna = await scene.join("anna")
    await scene.bot.use_app_password(direct_messages=False)
    async with scene.at_work():
        await scene.fund(anna)
        begun = session_file(scene.data_dir).read_text()
        offer = await scene.offer_to(anna)
        await anna.post("buy", to=offer)
        await scene.order_of(anna)
        # The receipt waits, and nobody is told that he takes no messages.
        assert len(await scene.bot.posts()) == 1
        assert session_file(scene.data_dir).read_text() == begun


async def test_what_was_said_behind_a_block_is_heard_when_it_is_lifted(scene: Scene) -> None:
    anna, bob = await scene.join("anna"), await scene.join("bob")
    async with scene.at_work():
        block = await anna.block(scene.bot)
        asked = await scene.ask(anna)
        await scene.offer_to(bob)
        assert len(await scene.bot.posts()) == 1
        await anna.delete(block)
        await scene.bot.answer_to(asked)


async def test_deleted_posts_harm_nothing(scene: Scene) -> None:
    anna, bob, carl = [await scene.join(name) for name in ("anna", "bob", "carl")]
    async with slow_shop() as shop, scene.at_work(fetch__allowed_origins=shop.host):
        await scene.fund(anna, bob, carl)
        # A post that is gone before the bot can answer it.
        gone = await scene.ask(anna, shop.url)
        await shop.asked.wait()
        await anna.delete(gone)
        shop.go_on.set()
        await scene.settled(anna)
        assert await scene.bot.posts() == []

        # A post that is gone after it was answered: the card still sells.
        asked = await scene.ask(anna)
        offer, _ = await scene.bot.answer_to(asked)
        await anna.delete(asked)
        await bob.post("buy", to=offer)
        await scene.order_of(bob)

        # A card that is gone sells nothing any more, and what was bought can be undone.
        await scene.bot.delete(offer)
        await carl.post("buy", to=offer, root=asked)
        await carl.like(offer)
        await scene.settled(carl)
        assert await scene.orders_of(carl) == []
        await bob.write(scene.bot, "undo")
        await scene.hears(bob, f"Undone. {PRICE} is back")
        await scene.offer_to(carl)


async def test_who_pays_is_whose_account_it_is_whatever_its_handle(scene: Scene) -> None:
    anna, bob = await scene.join("anna"), await scene.join("bob")
    async with scene.at_work():
        await scene.fund(anna, bob)
        offer = await scene.offer_to(anna)
        before = anna.handle
        await anna.rename(f"anew-{before}")
        await bob.rename(before)
        await bob.post("buy", to=offer)
        order = await scene.order_of(bob)
        assert await scene.orders_of(anna) == []
        await anna.post("buy", to=offer)
        assert (await scene.order_of(anna)).wallet_id != order.wallet_id


async def test_the_servers_take_the_card_of_any_product(scene: Scene) -> None:
    anna = await scene.join("anna")
    async with open_shop() as shop, scene.at_work(fetch__allowed_origins=shop.host):
        for slug in TITLES:
            _, offer = await scene.bot.answer_to(await scene.ask(anna, shop.url(slug)))
            # Nothing in a name became a mention or a link.
            assert all("/pay/" in feature["uri"] for _, feature in marked(offer))


@dataclass
class SlowShop:
    """A shop whose page is `asked` for and comes when it may `go_on`."""

    url: str = ""
    host: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def page(self, _request: web.Request) -> web.Response:
        self.asked.set()
        await self.go_on.wait()
        offer = {"@type": "Offer", "price": "199.00", "priceCurrency": "CNY"}
        product = {"@context": "https://schema.org", "@type": "Product", "name": "Cup"}
        data = json.dumps({**product, "offers": offer})
        text = f'<script type="application/ld+json">{data}</script><h1>Cup</h1>'
        return web.Response(text=text, content_type="text/html")


@asynccontextmanager
async def slow_shop() -> AsyncIterator[SlowShop]:
    shop = SlowShop()
    app = web.Application()
    app.router.add_get("/cup", shop.page)
    runner, base_url = await serve(app)
    shop.url, shop.host = f"{base_url}/cup", base_url.removeprefix("http://")
    try:
        yield shop
    finally:
        await runner.cleanup()


def session_file(data_dir: Path) -> Path:
    """Where the bot keeps its session."""
    [path] = data_dir.rglob("session-*[0-9a-f]")
    return path


async def end_session(scene: Scene) -> None:
    """The PDS forgets the session that the bot keeps, as when its app password is deleted."""
    session = Session.decode(session_file(scene.data_dir).read_text())
    await scene.peer.call("com.atproto.server.deleteSession", {}, token=session.refresh_jwt)


def end_access(data_dir: Path) -> None:
    """Let the kept session's access token say that it ended long ago."""
    path = session_file(data_dir)
    session = Session.decode(path.read_text())
    head, _, signature = session.access_jwt.split(".")
    claims = json.dumps({**claims_of(session.access_jwt), "exp": 1}).encode()
    body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    session.access_jwt = f"{head}.{body}.{signature}"
    path.write_text(session.encode())

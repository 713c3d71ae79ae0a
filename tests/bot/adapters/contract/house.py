"""The whole bot around one network, on a folder of its own, with a shop to buy from."""

import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from bot.app import Instance, running
from bot.cards import Card
from config.settings import load
from tests.audit import audit
from tests.bot.adapters.contract.driver import (
    Ability,
    Network,
    Person,
    Shown,
)
from tests.bot.adapters.contract.goods import PRICE, SHOP_NAME, Shop, open_shop
from tests.instances import RunningInstance, start_instance
from tests.people import database_in, quiet, rewind
from wallet_core.commerce.records import Order
from wallet_core.ledger.accounts import clearing, wallet
from wallet_core.ledger.commits import Commit, Insert, Notice, RowChange, Value
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage.database import Database

FUNDS_MINOR = 100_00
#: Longer than any test takes, so that a tap is not captured in its midst.
UNDO_WINDOW_S = 3600


class House:
    """The bot, started and stopped with its data kept."""

    def __init__(self, network: Network, shop: Shop, folder: Path) -> None:
        self.network = network
        self.shop = shop
        self.data_dir = folder / "data"
        # The same after each start: a page's cookie belongs to host and port.
        self._port = _free_port()
        self._stack: AsyncExitStack | None = None
        self._count = itertools.count()
        self.instance: Instance

    def environ(self) -> dict[str, str]:
        """All settings as environment variables."""
        settings = {
            "data_dir": str(self.data_dir),
            "web__port": str(self._port),
            "log__level": "warning",
            "demo__enabled": "false",
            "fetch__allowed_origins": self.shop.host,
            "money__undo_window_s": str(UNDO_WINDOW_S),
            **self.network.settings(),
        }
        return {f"PAYONTAP_{name.upper()}": value for name, value in settings.items()}

    async def start(self) -> None:
        """Start the bot in this process."""
        self._stack = AsyncExitStack()
        self.instance = await self._stack.enter_async_context(running(load(None, self.environ())))
        await self.instance.desk.writer.commit(
            Commit(key="contract:shop", rows=_shop_rows(self.shop))
        )
        await self.network.bot_started(self.instance.url)

    async def stop(self) -> None:
        """Stop it, if it runs."""
        if self._stack is not None:
            await self.network.bot_stopping()
            stack, self._stack = self._stack, None
            await stack.aclose()

    async def restart_at(self, place: str) -> None:
        """Stop it and start it again where the network is read from another place on."""
        await self.stop()
        await rewind(self.data_dir, self.network.name, place)
        await self.start()

    async def start_apart(self) -> RunningInstance:
        """Start it in a process of its own, which can be killed."""
        started = await start_instance(self.data_dir, self.environ())
        await self.network.bot_started(started.url)
        return started

    def database(self) -> Database:
        """The bot's database, for looking into."""
        return database_in(self.data_dir)

    async def fund(self, person: Person, amount_minor: int = FUNDS_MINOR) -> None:
        """Put money into somebody's wallet, without the ceremony."""
        name = f"contract:gift:{next(self._count)}"
        legs = (
            Leg(clearing("cash", "CNY"), -amount_minor),
            Leg(wallet(await self.wallet_id(person), "CNY"), amount_minor),
        )
        post = Post(id=named(name, person.id), subject=f"start:{name}", legs=legs)
        await self.instance.desk.writer.commit(Commit(key=f"{name}:{person.id}", transfers=(post,)))

    async def wallet_id(self, person: Person) -> str:
        """The wallet that the person's taps pay from."""
        payer = person.payer or (self.network.name, person.id, person.room_id)
        return (await self.instance.desk.people.meet(*payer)).wallet_id

    async def balance_minor(self, person: Person) -> int:
        """What the person can spend."""
        account = wallet(await self.wallet_id(person), "CNY")
        return await self.instance.desk.reader.balance_minor(account)

    async def orders_of(self, person: Person) -> list[Order]:
        """All orders of somebody, oldest first."""
        wallet_id = await self.wallet_id(person)
        return [*reversed(await self.instance.desk.reader.recent_orders(wallet_id, 100))]

    async def offer_to(self, person: Person, slug: str = "tea", words: str = "{}") -> Shown:
        """The person shares a product; gives the bot's answer to it."""
        before = await person.read()
        await person.say(words.format(self.shop.url(slug)))
        return await person.see(lambda shown: PRICE in shown.text, seen=before)

    def leads_to(self, shown: Shown, slug: str) -> bool:
        """Whether there are links, and all of them lead to the product or the offer's own page."""
        allowed = (self.shop.url(slug), f"{self.instance.url}/pay/q_")
        return bool(shown.links) and all(link.startswith(allowed) for link in shown.links)

    async def seen_by(self, other: Person, offer: Shown, slug: str) -> Shown:
        """An offer of this product as somebody else sees it, or gets it where nobody sees it."""
        if Ability.PLACE in self.network.cannot:
            return await self.offer_to(other, slug)
        title = offer.text.splitlines()[0]
        return await other.see(lambda shown: shown.text.startswith(title) and PRICE in shown.text)

    async def say(self, person: Person, card: Card, *, private: bool) -> None:
        """Let the bot say a card to somebody, alone or where all can read it."""
        notice = Notice(
            send_id=f"contract:{next(self._count)}",
            network=self.network.name,
            room_id=person.room_id,
            person_id=person.id if private else None,
            body=msgspec.json.encode(card),
        )
        await self.instance.desk.writer.commit(
            Commit(key=f"contract:{notice.send_id}", outbox=(notice,))
        )

    async def settled(self, person: Person) -> None:
        """Until all that the person did is answered, and all that is to be said was said."""
        await person.hear_back(self.network.prefix)
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing waits to be answered or said."""
        await quiet(self.data_dir)


@asynccontextmanager
async def house_of(network: Network, folder: Path) -> AsyncIterator[House]:
    """The bot in the network for the time of the block; its books are audited at the end."""
    async with open_shop() as shop, network:
        house = House(network, shop, folder)
        await house.start()
        try:
            yield house
        finally:
            await house.stop()
        database = house.database()
        await audit(database)
        await database.close()


def _shop_rows(shop: Shop) -> tuple[RowChange, ...]:
    """A merchant who has proven the shop's address and takes every order at once."""
    merchant: dict[str, Value] = {
        "id": "m_tea",
        "name": SHOP_NAME,
        "network": "web",
        "room_id": "tea-shop",
        "standing_acceptance": True,
        "created_at_us": 1,
    }
    host: dict[str, Value] = {
        "merchant_id": "m_tea",
        "host": shop.host,
        "token": "t" * 20,
        "verified_host": shop.host,
        "method": "file",
        "verified_at_us": 1,
    }
    return (
        Insert("merchants", merchant, if_absent=True),
        Insert("merchant_hosts", host, if_absent=True),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

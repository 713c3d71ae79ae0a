"""The bot killed, cut off and started again around reactions in a real homeserver's rooms."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from tests.audit import audit
from tests.bot.adapters.matrix.people import Relay
from tests.instances import RunningInstance, instance, start_instance
from tests.matrix_people import Bot, Client, Message, at_clients
from tests.peers.synapse import SynapsePeer
from tests.people import an_admin
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.outbox import Outbox

KILLS = 5
SEED = 20261124
PRICE_MINOR = 29_90
SLUG = "city-birds-ebook"


async def offers_of(
    bot: Bot, instance: RunningInstance, people: tuple[Client, Client], count: int
) -> tuple[str, list[Message]]:
    """A group room, money for the first, and so many offers of one book, each to be paid apart."""
    anna, bob = people
    room_id = await bot.into(anna, bob)
    async with an_admin(instance.admin_link) as admin:
        await bot.money_for(anna, room_id, instance.url, admin)
    port = (bot.data_dir / "demo-shop.port").read_text()
    url = f"http://127.0.0.1:{port}/p/{SLUG}"
    return room_id, [await bot.offer_of(anna, room_id, url) for _ in range(count)]


async def states_by_offer(bot: Bot, offers: list[Message]) -> list[list[str]]:
    """The states of the orders that each offer led to, read when nobody writes."""
    database = Database(f"sqlite+aiosqlite:///{bot.data_dir / 'payontap.db'}")
    try:
        await audit(database)
        outbox = Outbox(database, "test")
        shown = [await outbox.shown("matrix", offer.id) for offer in offers]
        states: dict[str, list[str]] = defaultdict(list)
        async with database.read() as connection:
            query = sa.select(t.orders.c.quote_id, t.orders.c.state)
            for row in await connection.execute(query.order_by(t.orders.c.created_at_us)):
                states[row.quote_id].append(row.state)
            waiting = await connection.execute(sa.select(t.inbox).where(t.inbox.c.state != "done"))
            assert waiting.all() == []
    finally:
        await database.close()
    return [states[one.ref] for one in shown if one is not None]


async def paid_receipts(anna: Client, room_id: str, count: int) -> list[str]:
    """The numbers of the orders that she was told are paid for good, in the order of telling."""

    def numbers() -> list[str]:
        told = [message.body for message in anna.messages.values() if message.room_id != room_id]
        paid = [body for body in told if body.startswith("Paid ") and "buy another" in body]
        return [body.partition("Order ")[2].split()[0] for body in paid]

    await anna.until(lambda: len(numbers()) >= count or None, f"{count} receipts", within_s=30)
    return numbers()


async def test_killed_between_a_reaction_and_its_handling_it_is_paid_exactly_once(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    bot = Bot(synapse, tmp_path)
    environ = bot.environ()
    async with at_clients(synapse, "anna", "bob") as (anna, bob):
        running = await start_instance(bot.data_dir, environ)
        try:
            room_id, offers = await offers_of(bot, running, (anna, bob), KILLS)
            for offer in offers:
                await anna.react(offer)
                await asyncio.sleep(dice.uniform(0, 0.3))
                await running.kill()
                running = await start_instance(bot.data_dir, environ)
            receipts = await paid_receipts(anna, room_id, KILLS)
            await anna.say(room_id, "!balance")
            left = f"¥{(500_00 - KILLS * PRICE_MINOR) / 100:.2f}"
            await anna.see(left, not_in=room_id)
        finally:
            await running.kill()
    assert len(receipts) == len(set(receipts)) == KILLS
    assert await states_by_offer(bot, offers) == [["paid"]] * KILLS


async def test_a_reaction_taken_back_while_the_bot_is_dead_costs_nothing_however_late_it_comes(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    relay = Relay(urlsplit(synapse.base_url).port or 0)
    await relay.mend()
    bot = Bot(synapse, tmp_path)
    bot.base_url = f"http://127.0.0.1:{relay.port}"
    environ = bot.environ(money__undo_window_s="4")
    async with at_clients(synapse, "anna", "bob") as (anna, bob):
        async with instance(bot.data_dir, environ) as running:
            room_id, offers = await offers_of(bot, running, (anna, bob), 5)
            held, kept, unhandled, missed, late = offers
            back = [(held, await anna.react(held))]
            await anna.react(kept)
            await anna.until(
                lambda: sum("Paid ¥29.90" in m.body for m in anna.messages.values()) == 2 or None,
                "both payments",
            )
            back.append((unhandled, await anna.react(unhandled)))
        # Dead now: two are paid and still held, one may have been heard, the next never was.
        back.append((missed, await anna.react(missed)))
        over = asyncio.create_task(asyncio.sleep(4.5))
        for offer, reaction in back:
            await anna.take_back(offer, reaction)
        await anna.react(late)
        # The bot comes back to a homeserver that does not answer until the window is over.
        await relay.cut()
        async with instance(bot.data_dir, environ):
            await over
            assert set(await order_states(bot)) == {"authorised"}
            await relay.mend()
            receipts = await paid_receipts(anna, room_id, 2)
            await anna.say(room_id, "!balance")
            await anna.see("¥440.20", not_in=room_id)
            undone = await anna.see("Undone.", not_in=room_id)
            assert not any(receipt in undone.body for receipt in receipts)
        await relay.cut()
    states = await states_by_offer(bot, [held, kept, unhandled, missed, late])
    assert states[2] in ([], ["undone"])
    assert [*states[:2], *states[3:]] == [["undone"], ["paid"], [], ["paid"]]


async def order_states(bot: Bot) -> list[str]:
    """The states of all orders, read beside the running bot."""
    database = Database(f"sqlite+aiosqlite:///{bot.data_dir / 'payontap.db'}")
    try:
        async with database.read() as connection:
            return list((await connection.execute(sa.select(t.orders.c.state))).scalars())
    finally:
        await database.close()

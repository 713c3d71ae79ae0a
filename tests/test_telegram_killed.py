"""The bot killed around taps and payments that a Bot API server holds for it."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path

import sqlalchemy as sa

from tests.audit import audit
from tests.instances import RunningInstance, start_instance
from tests.peers.telegram_api import Chat, Message, TelegramApi
from tests.people import an_admin
from tests.telegram_people import Bot, Client
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

KILLS = 3
SEED = 20261125
PRICE_MINOR = 29_90
SLUG = "city-birds-ebook"


async def offers_of(
    bot: Bot, instance: RunningInstance, anna: Client, bob: Client, count: int
) -> tuple[Chat, list[Message]]:
    """A group, money for the first, and so many offers of one book, each to be paid apart."""
    group = await bot.into(anna, bob)
    async with an_admin(instance.admin_link) as admin:
        await bot.money_for(anna, instance.url, admin)
    port = (bot.data_dir / "demo-shop.port").read_text()
    url = f"http://127.0.0.1:{port}/p/{SLUG}"
    return group, [await bot.offer_of(anna, group, url) for _ in range(count)]


async def states_by_quote(bot: Bot) -> dict[str, list[str]]:
    """The states of the orders of each quote, read when nobody writes; the books are right."""
    database = Database(f"sqlite+aiosqlite:///{bot.data_dir / 'payontap.db'}")
    states: dict[str, list[str]] = defaultdict(list)
    try:
        await audit(database)
        async with database.read() as connection:
            query = sa.select(t.orders.c.quote_id, t.orders.c.state)
            for row in await connection.execute(query.order_by(t.orders.c.created_at_us)):
                states[row.quote_id].append(row.state)
            waiting = await connection.execute(sa.select(t.inbox).where(t.inbox.c.state != "done"))
            assert waiting.all() == []
    finally:
        await database.close()
    return states


async def _paid(bot: Bot) -> None:
    """Until nothing is held any more, read beside the running bot."""
    database = Database(f"sqlite+aiosqlite:///{bot.data_dir / 'payontap.db'}")
    held = sa.select(t.orders.c.id).where(t.orders.c.state == "authorised").limit(1)
    try:
        async with asyncio.timeout(30):
            while True:
                async with database.read() as connection:
                    if (await connection.execute(held)).first() is None:
                        return
                await asyncio.sleep(0.1)
    finally:
        await database.close()


def quote_of(offer: Message) -> str:
    return str(offer.button("Pay")["callback_data"]).partition(":")[2]


async def test_killed_between_a_tap_and_its_handling_it_is_paid_exactly_once(
    tmp_path: Path,
) -> None:
    dice = random.Random(SEED)
    async with TelegramApi() as api:
        bot = Bot(api, tmp_path)
        environ = bot.environ()
        anna, bob = Client(api, api.person("Anna")), Client(api, api.person("Bob"))
        running = await start_instance(bot.data_dir, environ)
        try:
            group, offers = await offers_of(bot, running, anna, bob, KILLS)
            quotes = [quote_of(offer) for offer in offers]
            for offer in offers:
                api.tap(anna.user, offer, "Pay")
                await asyncio.sleep(dice.uniform(0, 0.2))
                await running.kill()
                running = await start_instance(bot.data_dir, environ)
            await anna.until(
                lambda: all("1 bought" in offer.text for offer in offers) or None,
                "all of them bought",
                within_s=30,
            )
            anna.say(anna.chat, "/balance")
            left = f"¥{(500_00 - KILLS * PRICE_MINOR) / 100:.2f}"
            await anna.see(left, chat=anna.chat)
            await _paid(bot)
        finally:
            await running.kill()
    assert await states_by_quote(bot) == {quote: ["paid"] for quote in quotes}
    assert api.answers.paces.refused == 0
    assert group.bot == "member"


async def test_killed_between_a_payment_in_stars_and_its_booking_it_is_booked_once(
    tmp_path: Path,
) -> None:
    async with TelegramApi() as api:
        bot = Bot(api, tmp_path)
        environ = bot.environ(telegram__stars_per_unit="11", telegram__digital_hosts="*")
        anna, bob = Client(api, api.person("Anna")), Client(api, api.person("Bob"))
        running = await start_instance(bot.data_dir, environ)
        try:
            group = await bot.into(anna, bob)
            port = (bot.data_dir / "demo-shop.port").read_text()
            offer = await bot.offer_of(anna, group, f"http://127.0.0.1:{port}/p/{SLUG}")
            quote = quote_of(offer)
            await anna.tap(offer)
            refused = await anna.see("Not charged.", chat=group)
            await anna.tap(refused, "Pay another way")
            bill = await _bill(anna)
            assert await api.pay(anna.user, bill) == ""
            await running.kill()
            running = await start_instance(bot.data_dir, environ)
            await anna.see("¥29.90 came in", chat=anna.chat)
            await anna.until(lambda: "1 bought" in offer.text or None, "the purchase")
            await _paid(bot)
        finally:
            await running.kill()
    assert await states_by_quote(bot) == {quote: ["paid"]}


async def _bill(client: Client) -> Message:
    return await client.until(
        lambda: next((m for m in client.said_by_bot(client.chat) if m.invoice), None), "a bill"
    )

"""The bot killed between an event and its effect, on every network."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.bot.adapters.contract.driver import WITHIN_S, Network, Shown
from tests.bot.adapters.contract.goods import PRICE, PRICE_MINOR
from tests.bot.adapters.contract.house import FUNDS_MINOR, House, house_of
from wallet_core.storage import tables as t

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_killed_as_soon_as_a_tap_was_heard_it_is_paid_once(
    network: Network, tmp_path: Path
) -> None:
    async with house_of(network, tmp_path) as house:
        anna, _ = await network.gather("anna", "bob")
        await house.fund(anna)
        offer = await house.offer_to(anna)
        await house.quiet()
        await house.stop()
        before = await heard_count(house)
        bot = await house.start_apart()
        try:
            tapping = asyncio.create_task(anna.tap(offer))
            async with asyncio.timeout(WITHIN_S):
                while await heard_count(house) == before:
                    continue
            await bot.kill()
            await asyncio.gather(tapping, return_exceptions=True)
        finally:
            await bot.kill()
            await network.bot_stopping()
        await house.start()
        await anna.see(is_receipt)
        await house.settled(anna)
        assert sum(map(is_receipt, await anna.read())) == 1
        assert len(await house.orders_of(anna)) == 1
        assert await house.balance_minor(anna) == FUNDS_MINOR - PRICE_MINOR


def is_receipt(shown: Shown) -> bool:
    return shown.text.startswith(f"Paid {PRICE}")


async def heard_count(house: House) -> int:
    """How many events stand in the inbox, read beside the running bot."""
    database = house.database()
    try:
        async with database.read() as connection:
            query = sa.select(sa.func.count()).select_from(t.inbox)
            return int((await connection.execute(query)).scalar_one())
    finally:
        await database.close()

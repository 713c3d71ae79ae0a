"""What people of every network have in common around a running bot: money, orders, an admin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import sqlalchemy as sa

from bot.app import Instance
from bot.conversation.turn import Desk
from bot.demo.visitor import browser, claim_admin
from tests.audit import audit
from wallet_core.commerce.records import Order
from wallet_core.ledger.accounts import clearing, wallet
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

_QUIET_WITHIN_S = 30.0


async def fund(instance: Instance, network: str, person_id: str, amount_minor: int) -> None:
    """Cash comes in, without the ceremony."""
    await fund_desk(instance.desk, network, person_id, amount_minor)


async def fund_desk(desk: Desk, network: str, person_id: str, amount_minor: int) -> None:
    """The same, for a conversation without an instance around it."""
    person = await desk.people.meet(network, person_id, "till")
    name = f"gift:{uuid4()}"
    legs = (
        Leg(clearing("cash", "CNY"), -amount_minor),
        Leg(wallet(person.wallet_id, "CNY"), amount_minor),
    )
    post = Post(id=named(name), subject=f"start:{name}", legs=legs)
    await desk.writer.commit(Commit(key=name, transfers=(post,)))


async def orders_of(instance: Instance, network: str, person_id: str) -> list[Order]:
    """All orders of somebody, oldest first."""
    person = await instance.desk.people.meet(network, person_id, "till")
    orders = await instance.desk.reader.recent_orders(person.wallet_id, 100)
    return list(reversed(orders))


def database_in(data_dir: Path) -> Database:
    """The database of an instance in this folder, for looking into."""
    return Database(f"sqlite+aiosqlite:///{data_dir / 'payontap.db'}")


async def rewind(data_dir: Path, network: str, place: str) -> None:
    """Let an instance that was stopped read a network from another place on, as it writes them."""
    database = database_in(data_dir)
    async with database.write() as connection:
        cursor = sa.update(t.cursors).where(t.cursors.c.network == network)
        moved = await connection.execute(cursor.values(value=place))
    await database.close()
    assert moved.rowcount == 1


async def quiet(data_dir: Path) -> None:
    """Until an instance has nothing left to answer or to say. Raises TimeoutError."""
    waiting = sa.select(sa.func.count()).where(t.inbox.c.state == "waiting")
    due = sa.select(sa.func.count()).where(t.outbox.c.state == "due")
    database = database_in(data_dir)
    try:
        async with asyncio.timeout(_QUIET_WITHIN_S):
            while True:
                async with database.read() as connection:
                    counts = [(await connection.execute(q)).scalar() for q in (waiting, due)]
                if not any(counts):
                    return
                await asyncio.sleep(0.05)
    finally:
        await database.close()


@asynccontextmanager
async def an_admin(admin_link: str | None) -> AsyncIterator[aiohttp.ClientSession]:
    """The browser of somebody who followed the one-time link."""
    assert admin_link is not None
    async with browser() as session:
        await claim_admin(session, admin_link)
        yield session


async def audit_folder(data_dir: Path) -> None:
    """The books of an instance that was stopped, derived anew."""
    database = database_in(data_dir)
    await audit(database)
    await database.close()

"""kill -9 at random moments of the loop: no money without its order, every tap answered."""

import asyncio
import contextlib
import random
from pathlib import Path
from uuid import uuid4

import aiohttp
import sqlalchemy as sa

from bot.demo.visitor import NotSeen, Seen, Visitor, browser, claim_admin, visit
from tests.audit import audit
from tests.instances import RunningInstance, start_instance
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

KILLS = 20
SEED = 20261123
ENVIRON = {"PAYONTAP_MONEY__UNDO_WINDOW_S": "1", "PAYONTAP_LOG__LEVEL": "warning"}
GONE = (NotSeen, aiohttp.ClientError, ConnectionError, TimeoutError)


async def top_up_and_share(instance: RunningInstance, anna_session: aiohttp.ClientSession) -> None:
    assert instance.admin_link is not None
    async with browser() as admin_session:
        await claim_admin(admin_session, instance.admin_link)
        async with (
            visit(admin_session, instance.url, "lobby") as admin,
            visit(anna_session, instance.url, "lobby") as anna,
        ):
            await anna.say("/topup 5000")
            till = await admin.see(lambda seen: seen.has_button("Confirm"), "the till card")
            await admin.press(till, "Confirm")
            await anna.see_text("is in your wallet")


async def shop_url(instance: RunningInstance, data_dir: Path) -> str:
    port = (data_dir / "demo-shop.port").read_text()
    del instance
    return f"http://127.0.0.1:{port}/p/qinghua-teacup"


class Buyer:
    """Shares, taps, undoes, and keeps the ids of all that it ever sent."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.acked: list[str] = []
        self.unacked: list[tuple[str, str, Seen | None, str]] = []

    async def loop(self, anna: Visitor, url: str) -> None:
        while True:
            await self.send("say", anna, None, f"看看 {url} 怎么样")
            offer = await anna.see(lambda seen: seen.has_button("Pay"), "an offer")
            await self.send("press", anna, offer, "Pay")
            if self.dice.random() < 0.5:
                paid = await anna.see(
                    lambda seen: seen.has_button("Undo"), "Paid · Undo", within_s=3
                )
                await self.send("press", anna, paid, "Undo")
            await asyncio.sleep(self.dice.random() * 0.3)

    async def send(self, kind: str, anna: Visitor, seen: Seen | None, text: str) -> None:
        frame = str(uuid4())
        self.unacked.append((frame, kind, seen, text))
        await self._deliver(anna, frame, kind, seen, text)
        self.unacked = [sent for sent in self.unacked if sent[0] != frame]

    async def again(self, anna: Visitor) -> None:
        """What a page does after a reconnect: all that was not acknowledged, once more."""
        for frame, kind, seen, text in list(self.unacked):
            await self._deliver(anna, frame, kind, seen, text)
        self.unacked = []

    async def _deliver(
        self, anna: Visitor, frame: str, kind: str, seen: Seen | None, text: str
    ) -> None:
        if kind == "say":
            await anna.say(text, frame_id=frame)
        else:
            assert seen is not None
            await anna.press(seen, text, frame_id=frame)
        # A button that has gone in the meantime is refused at the door, and so never heard.
        if frame not in anna.refused:
            self.acked.append(frame)


async def test_kill_9_at_twenty_random_moments_leaves_the_books_right_and_every_tap_answered(
    tmp_path: Path,
) -> None:
    dice = random.Random(SEED)
    data_dir = tmp_path / "data"
    buyer = Buyer(dice)
    async with browser() as session:
        port = ""
        for kill in range(KILLS + 1):
            environ = {**ENVIRON, **({"PAYONTAP_WEB__PORT": port} if port else {})}
            instance = await start_instance(data_dir, environ)
            try:
                if kill == 0:
                    # The cookie belongs to host and port: later starts keep the port.
                    port = instance.url.rpartition(":")[2]
                    await top_up_and_share(instance, session)
                url = await shop_url(instance, data_dir)
                async with visit(session, instance.url, "lobby") as anna:
                    await buyer.again(anna)
                    if kill == KILLS:
                        await anna.say("/balance")
                        await anna.see_text("Your wallet")
                        await wait_until_settled(data_dir)
                        break
                    shopping = asyncio.create_task(buyer.loop(anna, url))
                    await asyncio.sleep(dice.uniform(0.0, 2.0))
                    await instance.kill()
                    shopping.cancel()
                    with contextlib.suppress(*GONE, asyncio.CancelledError):
                        await shopping
            except GONE:
                if kill == KILLS:
                    raise
            finally:
                await instance.kill()

    database = Database(f"sqlite+aiosqlite:///{data_dir / 'payontap.db'}")
    await audit(database)
    async with database.read() as connection:
        heard = (await connection.execute(sa.select(t.inbox.c.event_id, t.inbox.c.state))).all()
        orders = (
            await connection.execute(sa.select(sa.func.count()).select_from(t.orders))
        ).scalar()
        lost = (await connection.execute(sa.select(t.outbox.c.state))).scalars().all()
    await database.close()
    assert {row.state for row in heard} == {"done"}
    known = {row.event_id.rpartition(":")[2] for row in heard}
    assert set(buyer.acked) <= known
    assert orders
    assert orders > 3
    assert "due" not in lost


async def wait_until_settled(data_dir: Path) -> None:
    """Until every hold has its ending and everything is said."""
    database = Database(f"sqlite+aiosqlite:///{data_dir / 'payontap.db'}")
    try:
        async with asyncio.timeout(30):
            while True:
                async with database.read() as connection:
                    open_holds = sa.select(sa.func.count()).where(t.holds.c.state == "open")
                    due = sa.select(sa.func.count()).where(t.outbox.c.state == "due")
                    left = [
                        (await connection.execute(query)).scalar_one()
                        for query in (open_holds, due)
                    ]
                if not any(left):
                    return
                await asyncio.sleep(0.2)
    finally:
        await database.close()

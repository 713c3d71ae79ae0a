"""The loop as an operator runs it: PostgreSQL and Redis by URL."""

from pathlib import Path

from bot.demo.visitor import browser, claim_admin, visit
from tests.audit import audit
from tests.instances import instance
from tests.peers.valkey import ValkeyPeer
from wallet_core.storage.database import Database


async def test_the_whole_loop_on_postgresql_and_a_redis_by_url(
    tmp_path: Path, postgres_url: str, valkey: ValkeyPeer
) -> None:
    environ = {
        "PAYONTAP_DATABASE__URL": postgres_url,
        "PAYONTAP_REDIS__URL": valkey.url,
        "PAYONTAP_MONEY__UNDO_WINDOW_S": "1",
    }
    async with instance(tmp_path / "data", environ) as bot, browser() as anna_session:
        assert bot.admin_link is not None
        port = (tmp_path / "data" / "demo-shop.port").read_text()
        async with browser() as admin_session:
            await claim_admin(admin_session, bot.admin_link)
            async with (
                visit(anna_session, bot.url, "lobby") as anna,
                visit(admin_session, bot.url, "lobby") as admin,
                visit(admin_session, bot.url, "corner-shop") as shop,
            ):
                await anna.say("/topup 500")
                till = await admin.see(lambda seen: seen.has_button("Confirm"), "the till card")
                await admin.press(till, "Confirm")
                await anna.see_text("is in your wallet")
                await anna.say(f"http://127.0.0.1:{port}/p/qinghua-teacup")
                offer = await anna.see(lambda seen: seen.has_button("Pay"), "the offer")
                await anna.press(offer, "Pay")
                await anna.see_text("1 bought")
                order = await shop.see(lambda seen: seen.has_button("Refund"), "the order")
                await shop.press(order, "Refund")
                await anna.see_text("¥199.00 refunded")
                await anna.say("/balance")
                await anna.see_text("¥500.00")
    database = Database(postgres_url)
    await audit(database)
    await database.close()

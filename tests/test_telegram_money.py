"""Money that Telegram collects itself: Stars, card payments, and Stars given back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.demo.visitor import visit
from tests.peers.telegram_api import Message
from tests.peers.telegram_api.refusals import bad
from tests.telegram_people import Client, Scene
from wallet_core.commerce.records import OrderState
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

PRICE = "¥199.00"
STARS = {"telegram__stars_per_unit": "11", "telegram__digital_hosts": "*"}
CARDS = {"telegram__provider_token": "284685063:TEST:ZGZlZTQ"}


async def bill_for(scene: Scene, client: Client, offer: Message) -> Message:
    """The invoice that comes when the wallet is too small."""
    await client.tap(offer)
    refused = await client.see("Not charged.", chat=scene.group)
    await client.tap(refused, "Pay another way")
    return await client.until(
        lambda: next((m for m in client.said_by_bot(client.chat) if m.invoice), None), "a bill"
    )


async def paid_in_stars_and_undone(scene: Scene) -> Message:
    """Anna paid in Stars and took it back; the message that what came in is in her wallet."""
    anna = scene.anna
    bill = await bill_for(scene, anna, await scene.offer())
    assert await scene.api.pay(anna.user, bill) == ""
    paid = await anna.see(f"Paid {PRICE}", chat=anna.chat)
    await anna.tap(paid, "Undo")
    await anna.until(lambda: paid.text.startswith("Undone") or None, "the undo")
    return await anna.see("came in through Telegram Stars", chat=anna.chat)


@asynccontextmanager
async def books(scene: Scene) -> AsyncIterator[dict[str, int]]:
    """Balances by account, read beside the running bot."""
    database = Database(f"sqlite+aiosqlite:///{scene.bot.data_dir / 'payontap.db'}")
    try:
        async with database.read() as connection:
            rows = await connection.execute(sa.select(t.accounts.c.id, t.accounts.c.balance_minor))
            yield {row.id: row.balance_minor for row in rows if row.balance_minor}
    finally:
        await database.close()


async def test_stars_pay_a_quote_once_and_forwarded_bills_are_not_paid_again(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path, {**STARS, "money__undo_window_s": "1"}) as scene:
        anna, api = scene.anna, scene.api
        offer = await scene.offer()
        bill = await bill_for(scene, anna, offer)
        quote = offer.button("Pay")["callback_data"].partition(":")[2]
        assert bill.invoice["currency"] == "XTR"
        assert bill.invoice["total_amount"] == 199 * 11
        assert bill.invoice["invoice_payload"] == bill.invoice["start_parameter"] == quote
        assert await api.pay(anna.user, bill) == ""
        came_in = await anna.see(f"{PRICE} came in through Telegram Stars", chat=anna.chat)
        assert came_in.labels == ["Give it back"]
        paid = await anna.see(f"Paid {PRICE}", chat=anna.chat)
        # Telegram tells of the same payment once more.
        api.delivery.repeat(1)
        assert await api.pay(anna.user, bill) == "You have this already. Not charged again."
        await anna.until(lambda: "Buy another" in paid.labels or None, "the receipt")
        await scene.settled(anna)
        assert [o.state for o in await scene.orders_of(anna)] == [OrderState.PAID]
        assert anna.user.stars == 10_000 - 199 * 11
        # Her money was spent: it cannot go back too.
        toast = await anna.tap(came_in, "Give it back")
        assert "has been spent" in toast.text
        async with books(scene) as balances:
            assert balances == {
                "provider:telegram-stars/clearing/CNY": -199_00,
                next(k for k in balances if k.startswith("merchant:")): 199_00,
            }


async def test_stars_go_back_once_when_what_they_paid_was_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(tmp_path, {**STARS, "money__undo_window_s": "8"}) as scene:
        anna, api = scene.anna, scene.api
        came_in = await paid_in_stars_and_undone(scene)
        # The first answer of Telegram is lost: the bot asks again and is told that it is done. That
        # it is done Telegram tells later than that.
        api.answers_lost["refundStarPayment"] = 1
        told, put = [], api.delivery.put

        def late(kind: str, body: dict[str, Any], chat: str) -> None:
            if "refunded_payment" in body:
                told.append((kind, body, chat))
            else:
                put(kind, body, chat)

        monkeypatch.setattr(api.delivery, "put", late)
        await anna.tap(came_in, "Give it back")
        async with asyncio.timeout(20):
            while api.calls["refundStarPayment"] < 2:  # noqa: ASYNC110 - a refused call is no change
                await asyncio.sleep(0.05)
        again = await anna.tap(came_in, "Give it back")
        assert "on their way back already" in again.text
        put(*told.pop())
        await api.state.tell()
        await anna.see(f"{PRICE} was paid out", chat=anna.chat)
        await scene.money_for(anna)
        again = await anna.tap(came_in, "Give it back")
        assert "are back already" in again.text
        assert told == []
        assert anna.user.stars == 10_000
        async with books(scene) as balances:
            assert sum(balances.values()) == 0
            assert balances["provider:cash/clearing/CNY"] == -500_00
            assert "provider:telegram-stars/clearing/CNY" not in balances


async def test_stars_that_telegram_turned_down_are_asked_for_once_more(tmp_path: Path) -> None:
    async with Scene(tmp_path, {**STARS, "money__undo_window_s": "8"}) as scene:
        anna, api = scene.anna, scene.api
        came_in = await paid_in_stars_and_undone(scene)
        refund = api.answers._refund

        async def refused(*_: object) -> object:
            api.answers.hook("refundStarPayment", refund)
            raise bad("BALANCE_TOO_LOW")

        api.answers.hook("refundStarPayment", refused)
        await anna.tap(came_in, "Give it back")
        await anna.see(f"{PRICE} is held", chat=anna.chat)
        # The admin has nothing to decide: the Stars may come back any time.
        async with visit(scene.admin, scene.instance.url, "till") as till:
            await till.say("/admin pending")
            await till.see_text("Nobody waits at the till.")
        async with asyncio.timeout(20):
            while "once more" not in (await anna.tap(came_in, "Give it back")).text:
                await anna.see("on their way back already", chat=anna.chat)
        await anna.see(f"{PRICE} was paid out", chat=anna.chat)
        await scene.settled(anna)
        assert anna.user.stars == 10_000
        async with books(scene) as balances:
            assert sum(balances.values()) == 0
            assert "provider:telegram-stars/clearing/CNY" not in balances


async def test_card_payments_are_for_goods_that_are_not_digital(tmp_path: Path) -> None:
    async with Scene(tmp_path, {**STARS, **CARDS, "telegram__digital_hosts": ""}) as scene:
        anna, api = scene.anna, scene.api
        offer = await scene.offer()
        bill = await bill_for(scene, anna, offer)
        assert (bill.invoice["currency"], bill.invoice["total_amount"]) == ("CNY", 199_00)
        assert await api.pay(anna.user, bill) == ""
        await anna.see(f"Paid {PRICE}", chat=anna.chat)
        came_in = await anna.see("came in through Telegram Payments", chat=anna.chat)
        assert came_in.labels == []
        await scene.settled(anna)
        async with books(scene) as balances:
            assert balances["provider:telegram-payments/clearing/CNY"] == -199_00


async def test_a_checkout_is_refused_in_time_when_it_is_sold_out_changed_or_unknown(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path, {**STARS, "money__quote_valid_s": "3600"}) as scene:
        anna, bob, api = scene.anna, scene.bob, scene.api
        bill = await bill_for(scene, anna, await scene.offer())
        honest = dict(bill.invoice)
        # A client that asks for less, and a bill that was never made.
        bill.invoice["total_amount"] = 1
        assert "bill is too old" in await api.pay(bob.user, bill)
        bill.invoice = {**honest, "invoice_payload": "q_never"}
        assert "no longer known" in await api.pay(bob.user, bill)
        bill.invoice = {**honest, "currency": "CNY"}
        assert "Not charged." in await api.pay(bob.user, bill)
        bill.invoice = honest
        database = Database(f"sqlite+aiosqlite:///{scene.bot.data_dir / 'payontap.db'}")
        async with database.write() as connection:
            await connection.execute(sa.update(t.offers).values(stock_total=t.offers.c.sold))
        assert await api.pay(bob.user, bill) == "Sold out. Not charged."
        async with database.write() as connection:
            await connection.execute(sa.update(t.offers).values(stock_total=9))
            await connection.execute(sa.update(t.quotes).values(expires_at_us=1))
        assert "This price is too old." in await api.pay(bob.user, bill)
        await database.close()
        assert await scene.orders_of(bob) == []
        assert bob.user.stars == 10_000


async def test_what_was_paid_when_the_last_piece_had_just_gone_stays_in_the_wallet(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path, STARS) as scene:
        anna, api = scene.anna, scene.api
        bill = await bill_for(scene, anna, await scene.offer())
        database = Database(f"sqlite+aiosqlite:///{scene.bot.data_dir / 'payontap.db'}")
        answer = api.answers._answer_checkout

        async def sold_out_then(request: object, files: dict[str, bytes]) -> object:
            async with database.write() as connection:
                await connection.execute(sa.update(t.offers).values(stock_total=t.offers.c.sold))
            return await answer(request, files)  # type: ignore[arg-type]

        api.answers.hook("answerPreCheckoutQuery", sold_out_then)
        assert await api.pay(anna.user, bill) == ""
        await anna.see("Sold out.", chat=anna.chat)
        came_in = await anna.see(f"{PRICE} came in", chat=anna.chat)
        await anna.tap(came_in, "Give it back")
        await anna.see(f"{PRICE} was paid out", chat=anna.chat)
        await database.close()
        assert anna.user.stars == 10_000


async def test_a_refund_that_nobody_asked_for_is_told_to_the_admins(tmp_path: Path) -> None:
    async with Scene(tmp_path, STARS) as scene:
        anna, api = scene.anna, scene.api
        said = {
            "refunded_payment": {
                "currency": "XTR",
                "total_amount": 5,
                "invoice_payload": "q_x",
                "telegram_payment_charge_id": "stxNobody",
            }
        }
        anna.say(anna.chat, "", **said)
        await scene.settled(anna)
        database = Database(f"sqlite+aiosqlite:///{scene.bot.data_dir / 'payontap.db'}")
        async with database.read() as connection:
            bodies = (await connection.execute(sa.select(t.outbox.c.body))).scalars().all()
        await database.close()
        titles = [json.loads(body).get("title", "") for body in bodies if body]
        assert "A payment was given back outside the books." in titles
        assert api.calls["refundStarPayment"] == 0

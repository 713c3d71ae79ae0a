"""Stars that are given back, as the payer and the admins hear of it."""

import pytest
import sqlalchemy as sa

from bot.conversation.announcer import announce
from bot.conversation.external import External, ExternalEvent
from bot.conversation.turn import Turn
from bot.events import ExternalPaid, ExternalRefunded, Tap
from tests.bot.commands.chat import LOBBY, WEB, Chat, Said, now_us
from wallet_core.commerce.records import PAYOUT_ASKED
from wallet_core.funding.requests import Funding
from wallet_core.funding.telegram_payments import ExternalPayments
from wallet_core.funding.telegram_stars import GivingBack, StarReturns, Stars
from wallet_core.locks import NoLeases
from wallet_core.storage import tables as t

CHARGE = "charge/7/stx1"


def external_of(chat: Chat) -> External:
    desk = chat.desk
    leases = NoLeases(chat.writer.raise_fence)
    returns = Funding(desk.writer, desk.reader, leases, announce, StarReturns())
    stars = Stars("CNY", 10, frozenset("*"))
    payments = ExternalPayments(desk.writer, desk.reader, desk.checkout, [stars])
    return External(payments, GivingBack(desk.writer, desk.reader, desk.reader, returns))


async def heard(chat: Chat, event: ExternalEvent) -> list[Said]:
    turn = Turn(event, await chat.meet(event.person_id), now_us())
    await external_of(chat).answer(chat.desk, turn, event)
    return await chat.deliver()


async def paid(chat: Chat) -> str:
    """Anna pays in Stars for what is sold out by then; gives the button of what came in."""
    await chat.make_admin("boss")
    offer = await chat.offer(await chat.open_shop("mei"))
    async with chat.database.write() as connection:
        await connection.execute(sa.update(t.offers).values(stock_total=0))
    event = ExternalPaid(
        id="web:paid",
        network=WEB,
        room_id=LOBBY,
        person_id="anna",
        payload=offer.actions[0].partition(":")[2],
        amount_minor=1_990,
        currency="XTR",
        charge_ref=CHARGE,
    )
    said = await heard(chat, event)
    return next(one.actions[0] for one in said if "came in" in one.text)


async def give_back(chat: Chat, action: str, event_id: str) -> list[Said]:
    event = Tap(
        id=event_id,
        network=WEB,
        room_id=LOBBY,
        person_id="anna",
        message_ref="any",
        action=action,
    )
    turn = Turn(event, await chat.meet("anna"), now_us())
    await external_of(chat).press_give_back(chat.desk, turn, action.partition(":")[2])
    return await chat.deliver()


async def refunded(chat: Chat) -> list[Said]:
    event = ExternalRefunded(
        id="web:refunded", network=WEB, room_id=LOBBY, person_id="anna", charge_ref=CHARGE
    )
    return await heard(chat, event)


async def turned_down_and_over(chat: Chat, action: str) -> None:
    """The network refused to return what was paid, and a month has passed."""
    await give_back(chat, action, "web:b1")
    async with chat.database.write() as connection:
        asks = t.outbox.c.view == PAYOUT_ASKED
        await connection.execute(sa.update(t.outbox).where(asks).values(state="dropped"))
        await connection.execute(sa.update(t.holds).values(due_at_us=1))
    said = await chat.settle()
    assert any("The network turned it down. ¥199.00 is back" in one.text for one in said)
    assert await chat.balance("anna") == 19_900


async def test_the_network_is_asked_and_the_payer_sees_what_is_held(chat: Chat) -> None:
    said = await give_back(chat, await paid(chat), "web:b1")
    asked = next(one for one in said if one.view == PAYOUT_ASKED)
    assert (asked.room, asked.to) == (CHARGE, None)
    assert any(one.to == "anna" and "¥199.00 is held." in one.text for one in said)
    assert "Nobody waits" in (await chat.ask("boss", "/admin pending")).text
    code = next(one.ref for one in said if one.view == "funding")
    for word in ("confirm", "decline"):
        text = (await chat.ask("boss", f"/admin {word} {code}")).text
        assert text.startswith("No money moved: only the network can end this withdrawal.")
    said = await refunded(chat)
    assert any(one.to == "anna" and "¥199.00 was paid out" in one.text for one in said)
    assert not [one for one in said if one.to == "boss"]
    assert await chat.balance("anna") == 0


async def test_a_network_is_not_asked_any_more_for_a_payout_that_has_ended(chat: Chat) -> None:
    action = await paid(chat)
    said = await give_back(chat, action, "web:b1")
    code = next(one.ref for one in said if one.view == PAYOUT_ASKED)
    assert await chat.views.card(PAYOUT_ASKED, code) is not None
    await refunded(chat)
    assert await chat.views.card(PAYOUT_ASKED, code) is None
    assert await chat.views.card(PAYOUT_ASKED, "ZZZZZZ") is None


async def test_what_comes_back_after_all_leaves_the_wallet_and_the_payer_sees_it(
    chat: Chat,
) -> None:
    await turned_down_and_over(chat, await paid(chat))
    said = await refunded(chat)
    assert [one.to for one in said] == ["anna"]
    assert "¥199.00 was paid out" in said[0].text
    assert await chat.balance("anna") == 0


@pytest.mark.parametrize("spent", [True, False])
async def test_admins_hear_what_happened_when_a_payment_went_back_and_its_worth_did_not(
    chat: Chat, *, spent: bool
) -> None:
    await turned_down_and_over(chat, await paid(chat))
    wallet_id = (await chat.meet("anna")).wallet_id
    await chat.ask("anna", "/withdraw 1") if spent else await chat.ask("boss", "/admin freeze anna")
    told = [one.text for one in await refunded(chat) if one.to == "boss"]
    assert len(told) == 1
    assert f"¥199.00 had gone back to wallet:{wallet_id} before." in told[0]
    assert "No money moved just now" in told[0]
    assert "nobody had asked" not in told[0]


async def test_admins_hear_of_a_payment_that_nobody_had_asked_back(chat: Chat) -> None:
    await paid(chat)
    (told,) = [one.text for one in await refunded(chat) if one.to == "boss"]
    assert "nobody had asked here" in told
    assert await chat.balance("anna") == 19_900

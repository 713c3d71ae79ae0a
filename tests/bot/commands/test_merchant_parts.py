"""Captures in parts, and what the house takes, as a shop sees it."""

import pytest

from tests.bot.commands.chat import Chat
from wallet_core.commerce.house_terms import HouseTerms, Tariff


async def _held(chat: Chat) -> str:
    """The number of an order of ¥199.00 that waits for its seller."""
    await chat.fund("anna", 19_900)
    offer = await chat.offer(await chat.open_shop("seller"))
    await chat.tap("anna", f"pay:{offer.ref}")
    order = await chat.desk.lookups.newest_held_order((await chat.meet("anna")).id)
    assert order is not None
    return order.number


async def test_a_part_is_shipped_and_the_rest_released(chat: Chat) -> None:
    number = await _held(chat)
    said = await chat.write("seller", f"/merchant ship {number} 12.50", room="kitchen")
    told = [one.text for one in said if one.to == "seller"]
    assert told == [f"¥12.50 of order {number} is paid to Tea House. ¥186.50 of it is still held."]
    assert any("¥12.50 of it is paid, the rest is held." in one.text for one in said)
    assert any(one.to == "anna" and "Paid ¥12.50 of ¥199.00" in one.text for one in said)
    listed = await chat.ask("seller", "/merchant orders", room="kitchen")
    assert "¥12.50 paid, the rest is held" in listed.text
    said = await chat.write("seller", f"/merchant release {number}", room="kitchen")
    told = [one.text for one in said if one.to == "seller"]
    assert told == [f"¥186.50 of order {number} went back to its buyer."]
    assert any("The rest is back in your wallet." in one.text for one in said if one.to == "anna")
    assert await chat.balance("anna") == 19_900 - 1_250
    said = await chat.write("seller", f"/merchant ship {number}", room="kitchen")
    assert any("waits to be shipped or released" in one.text for one in said)


async def test_shipping_without_an_amount_captures_all_that_is_left(chat: Chat) -> None:
    number = await _held(chat)
    await chat.write("seller", f"/merchant ship {number} 99", room="kitchen")
    said = await chat.write("seller", f"/merchant ship {number}", room="kitchen")
    assert any(one.view == "purchase" and "Paid ¥199.00" in one.text for one in said)
    assert await chat.balance("anna") == 0


@pytest.mark.parametrize("line", ["ship", "ship 4F7K9QX2", "release", "ship {n} x", "ship {n} 200"])
async def test_what_cannot_be_captured_moves_nothing(chat: Chat, line: str) -> None:
    number = await _held(chat)
    said = await chat.write("seller", f"/merchant {line.format(n=number)}", room="kitchen")
    assert any("No money moved." in one.text or "still held." in one.text for one in said)
    assert await chat.balance("anna") == 0


async def test_a_shop_is_told_what_is_net_and_what_was_taken(chat: Chat) -> None:
    terms = HouseTerms(tariff_of=lambda _: Tariff(fee_ppm=10_000), pending_s=60)
    chat.desk.fulfilment.house = terms
    number = await _held(chat)
    await chat.write("seller", f"/merchant ship {number}", room="kitchen")
    listed = await chat.ask("seller", "/merchant orders", room="kitchen")
    assert "¥197.01 for you after ¥1.99 of fees" in listed.text
    status = await chat.ask("seller", "/merchant", room="kitchen")
    assert "¥197.01 more is earned and not yet available." in status.text


async def test_an_admin_sets_a_shops_commission(chat: Chat) -> None:
    await chat.make_admin("boss")
    shop = await chat.open_shop("seller")
    said = await chat.ask("boss", f"/admin commission {shop} 2.5")
    assert "Tea House pays a commission of 2.5 %" in said.text
    known = await chat.desk.reader.merchant(shop)
    assert known is not None
    assert known.commission_ppm == 25_000
    for typed in (f"{shop}", f"{shop} x", f"{shop} 101", f"{shop} 1.00001", "nobody 2", ""):
        said = await chat.ask("boss", f"/admin commission {typed}".strip())
        assert "Nothing was changed." in said.text
    known = await chat.desk.reader.merchant(shop)
    assert known is not None
    assert known.commission_ppm == 25_000

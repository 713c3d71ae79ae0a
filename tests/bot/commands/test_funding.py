import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.bot.commands.chat import Chat, Said
from wallet_core.storage import tables as t


async def test_a_top_up_tells_the_asker_and_shows_a_till_card_to_each_admin(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.make_admin("vice")
    said = await chat.write("anna", "/topup 500")
    assert {(one.to, one.view) for one in said} == {
        ("anna", "funding"),
        ("boss", "till"),
        ("vice", "till"),
    }
    (request,) = await chat.desk.reader.pending_funding(5)
    mine = next(one for one in said if one.view == "funding")
    assert "Top-up of ¥500.00" in mine.text
    assert request.code in mine.text
    till = next(one for one in said if one.to == "boss")
    assert till.room == "room-of-boss"
    assert till.actions == [f"confirm:{request.code}", f"refuse:{request.code}"]
    assert await chat.balance("anna") == 0


async def test_a_top_up_asked_for_three_times_by_one_event_is_one_request(chat: Chat) -> None:
    await chat.make_admin("boss")
    for _ in range(3):
        await chat.write("anna", "/topup 500", event_id="web:same")
    assert len(await chat.desk.reader.pending_funding(5)) == 1


async def test_another_currency_can_be_named(chat: Chat) -> None:
    assert "$500.00" in (await chat.ask("anna", "/top-up 500 usd")).text
    (request,) = await chat.desk.reader.pending_funding(5)
    assert (request.amount_minor, request.currency) == (50000, "USD")


async def test_what_is_no_amount_moves_nothing_and_gets_an_example(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    for command in ("topup", "withdraw"):
        for typed in ("", "lots", "0", "-5", "12.345", "5 XQZ", "€5"):
            text = (await chat.ask("anna", f"/{command} {typed}")).text
            assert f"/{command} 500" in text
            assert text.endswith("No money moved.")
    assert not await chat.desk.reader.pending_funding(5)
    assert await chat.balance("anna") == 50000


async def test_a_withdrawal_is_held_until_an_admin_hands_it_over(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 50000)
    said = await chat.write("anna", "/withdraw ¥200", event_id="web:same")
    till = next(one for one in said if one.to == "boss")
    assert await chat.balance("anna") == 30000
    assert await chat.write("anna", "/withdraw ¥200", event_id="web:same") == []
    assert await chat.balance("anna") == 30000
    await chat.tap("boss", till.actions[0])
    (balance,) = await chat.desk.reader.balances(f"wallet:{(await chat.meet('anna')).wallet_id}")
    assert balance.balance_minor == 30000


async def test_a_withdrawal_that_nobody_hands_over_is_over_on_every_card(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 50000)
    await chat.write("anna", "/withdraw 200")
    async with chat.database.write() as connection:
        await connection.execute(sa.update(t.holds).values(due_at_us=1))
    said = await chat.settle()
    mine = next(one for one in said if one.to == "anna" and one.edit)
    assert "¥200.00 is back in your wallet." in mine.text
    till = next(one for one in said if one.to == "boss")
    assert till.edit
    assert till.actions == []
    assert "Not confirmed in time" in till.text
    # A card of a month ago is far up: she hears it too.
    told = next(one for one in said if one.to == "anna" and not one.edit)
    assert told.text.startswith("Your withdrawal of ¥200.00 is over")
    assert await chat.balance("anna") == 50000
    assert await chat.settle() == []


async def test_more_than_there_is_cannot_be_withdrawn(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    text = (await chat.ask("anna", "/withdraw 500.01")).text
    assert "No money moved." in text
    assert "¥500.00" in text
    assert await chat.balance("anna") == 50000


async def test_the_button_of_a_card_asks_for_its_own_amount(chat: Chat) -> None:
    await chat.make_admin("boss")
    said = await chat.tap("anna", "topup:CNY:19900")
    assert {one.to for one in said} == {"anna", "boss"}
    (request,) = await chat.desk.reader.pending_funding(5)
    assert (request.amount_minor, request.currency) == (19900, "CNY")


async def test_a_button_that_names_no_amount_does_nothing(chat: Chat) -> None:
    strange = ("", "CNY", "CNY:", "CNY:0", "CNY:-5", "CNY:1.5", "ZZZ:500", "CNY:²")
    for ref in (*strange, "CNY:" + "9" * 16, "CNY:" + "9" * 5000):
        (answer,) = await chat.tap("anna", f"topup:{ref}")
        assert answer.to == "anna"
        assert answer.text == "That button is too old to work. No money moved."
    assert not await chat.desk.reader.pending_funding(5)


@pytest.mark.parametrize("typed", [True, False])
async def test_a_withdrawal_can_be_taken_back_until_an_admin_confirms_it(
    chat: Chat, *, typed: bool
) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 50000)
    said = await chat.write("anna", "/withdraw 200")
    mine = next(one for one in said if one.to == "anna")
    till = next(one for one in said if one.to == "boss")
    assert "its owner can take it back" in till.text
    code = mine.ref
    assert mine.actions == [f"takeback:{code}"]
    # In another room than the card's: what was typed is answered where it was typed.
    line = f"/withdraw cancel {code[:3].lower()}-{code[3:].lower()}"
    if typed:
        said = await chat.write("anna", line, room="elsewhere", event_id="web:back")
        (answer,) = [one for one in said if one.to == "anna" and not one.edit]
        assert answer.room == "elsewhere"
        assert answer.text.startswith("Taken back: ¥200.00 is in your wallet again")
        assert await chat.write("anna", line, room="elsewhere", event_id="web:back") == []
    else:
        said = await chat.tap("anna", mine.actions[0], event_id="web:back")
        assert all(one.edit for one in said)
        assert await chat.tap("anna", mine.actions[0], event_id="web:back") == []
    edits = {one.to: one for one in said if one.edit}
    assert edits["anna"].text.startswith("Taken back: ¥200.00 is in your wallet again")
    assert edits["anna"].actions == []
    assert "Its owner took it back. Hand nothing out." in edits["boss"].text
    assert edits["boss"].actions == []
    assert await chat.balance("anna") == 50000
    (late,) = await chat.tap("boss", till.actions[0])
    assert "Its owner has taken this withdrawal back: hand nothing out." in late.text
    (again,) = await chat.tap("anna", mine.actions[0])
    assert again.text.startswith("This withdrawal is over: ¥200.00 is back in your wallet.")
    assert await chat.balance("anna") == 50000
    await audit(chat.database)


async def test_a_withdrawal_that_was_confirmed_is_not_taken_back(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 50000)
    said = await chat.write("anna", "/withdraw 200")
    mine = next(one for one in said if one.to == "anna")
    await chat.tap("boss", f"confirm:{mine.ref}")
    (late,) = await chat.tap("anna", mine.actions[0])
    assert "Too late to take it back: ¥200.00 was confirmed as paid out." in late.text
    assert f"name the code {mine.ref}" in late.text
    assert await chat.balance("anna") == 30000


async def test_what_is_no_withdrawal_of_ones_own_is_not_taken_back(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    said = await chat.write("anna", "/withdraw 200")
    code = next(one for one in said if one.to == "anna").ref
    for line in (f"/withdraw cancel {code}", "/withdraw cancel ZZZZZZ"):
        text = (await chat.ask("ben", line)).text
        assert text == "That is no withdrawal of yours.\nNo money moved."
    text = (await chat.ask("anna", "/withdraw cancel")).text
    assert text == "Say which, by its code: /withdraw cancel 4F7K9Q. No money moved."
    assert await chat.balance("anna") == 30000


async def test_who_acts_for_a_shop_takes_its_withdrawal_back(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.earn(shop, 50000)
    said = await chat.write("mei", "/merchant withdraw 200", room="kitchen")
    code = next(one for one in said if one.to == "mei").ref
    said = await chat.write("mei", f"/merchant withdraw cancel {code}", room="kitchen")
    mine = next(one for one in said if one.to == "mei" and not one.edit)
    assert mine.text.startswith("Taken back: ¥200.00 is in the shop's balance again")
    (balance,) = await chat.desk.reader.balances(f"merchant:{shop}")
    assert balance.balance_minor == 50000


async def test_stars_that_are_on_their_way_have_no_button_and_stay_held(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    said = await chat.write("anna", "/withdraw 200")
    code = next(one for one in said if one.to == "anna").ref
    async with chat.database.write() as connection:
        await connection.execute(
            sa.update(t.funding_requests)
            .where(t.funding_requests.c.code == code)
            .values(provider="telegram-stars")
        )
    card = await chat.views.card("funding", code)
    assert card is not None
    assert card.buttons == ()
    text = (await chat.ask("anna", f"/withdraw cancel {code}")).text
    assert "whoever pays it out was asked already, and may have paid" in text
    assert await chat.balance("anna") == 30000


async def topped_up_for(chat: Chat, offer: Said, who: str = "anna") -> str:
    """A tap that had too little money, and the top-up that it offered; gives the code of that."""
    await chat.make_admin("boss")
    (refused,) = await chat.tap(who, offer.actions[0])
    said = await chat.tap(who, refused.actions[0])
    return next(one for one in said if one.to == who).ref


def receipt(said: list[Said], who: str = "anna") -> Said:
    return next(one for one in said if one.to == who and "is in your wallet" in one.text)


async def test_the_receipt_of_a_top_up_pays_what_it_was_for_in_one_tap_and_once(
    chat: Chat,
) -> None:
    offer = await chat.offer(await chat.open_shop("mei"))
    code = await topped_up_for(chat, offer)
    told = receipt(await chat.write("boss", f"/admin confirm {code}"))
    assert "¥199.00 is in your wallet" in told.text
    assert "It was for Green tea, ¥199.00." in told.text
    assert [button.label for button in told.card.buttons] == ["Pay ¥199.00"]
    assert told.actions == offer.actions
    for n in range(3):
        await chat.tap("anna", told.actions[0], event_id=f"web:pay{n // 2}")
    assert await chat.balance("anna") == 0
    orders = sa.select(sa.func.count()).select_from(t.orders)
    async with chat.database.read() as connection:
        assert (await connection.execute(orders)).scalar_one() == 1
    await audit(chat.database)


async def test_a_price_that_is_too_old_by_then_is_looked_up_again(chat: Chat) -> None:
    offer = await chat.offer(await chat.open_shop("mei"))
    code = await topped_up_for(chat, offer)
    async with chat.database.write() as connection:
        await connection.execute(sa.update(t.quotes).values(expires_at_us=1))
    told = receipt(await chat.write("boss", f"/admin confirm {code}"))
    assert "that price is too old by now" in told.text
    assert told.actions == [f"again:{offer.ref}"]


async def test_what_is_sold_out_by_then_has_no_button(chat: Chat) -> None:
    offer = await chat.offer(await chat.open_shop("mei"))
    code = await topped_up_for(chat, offer)
    async with chat.database.write() as connection:
        await connection.execute(sa.update(t.offers).values(stock_total=0))
    told = receipt(await chat.write("boss", f"/admin confirm {code}"))
    assert "Green tea is sold out by now." in told.text
    assert told.actions == []


async def test_a_top_up_for_nothing_or_for_what_is_not_known_leads_nowhere(chat: Chat) -> None:
    await chat.make_admin("boss")
    for action in ("topup:CNY:19900", "topup:CNY:19900:q_none", "topup:CNY:19900:"):
        said = await chat.tap("anna", action)
        code = next(one for one in said if one.to == "anna").ref
        told = receipt(await chat.write("boss", f"/admin confirm {code}"))
        assert told.text == "¥199.00 is in your wallet\nTopped up with cash."
        assert told.actions == []

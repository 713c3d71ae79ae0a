import pytest
import sqlalchemy as sa

from tests.bot.commands.chat import Chat
from wallet_core.storage import tables as t


@pytest.fixture(autouse=True)
async def _boss(chat: Chat) -> None:
    await chat.make_admin("boss")


async def _code(chat: Chat, who: str = "anna", line: str = "/topup 500") -> str:
    await chat.write(who, line)
    return (await chat.desk.reader.pending_funding(99))[-1].code


async def test_admin_alone_lists_what_there_is_and_what_waits(chat: Chat) -> None:
    empty = await chat.ask("boss", "/admin")
    assert "/admin confirm CODE" in empty.text
    assert "Nobody waits" in empty.text
    code = await _code(chat)
    said = await chat.write("boss", "/admin")
    assert {one.to for one in said} == {"boss"}
    assert "One waits" in said[0].text
    assert said[1].actions == [f"confirm:{code}", f"refuse:{code}"]


async def test_pending_shows_each_open_request_with_its_buttons(chat: Chat) -> None:
    assert "Nobody waits" in (await chat.ask("boss", "/admin pending")).text
    codes = [await _code(chat), await _code(chat, "ben", "/topup 20")]
    said = await chat.write("boss", "/admin pending")
    assert said[0].text == "2 wait at the till:"
    assert [one.ref for one in said[1:]] == codes


async def test_a_typed_code_confirms_once(chat: Chat) -> None:
    code = await _code(chat)
    typed = f"{code[:3].lower()}-{code[3:].lower()}"
    said = await chat.write("boss", f"/admin confirm {typed}", event_id="web:same")
    mine = next(one for one in said if one.to == "boss" and not one.edit)
    assert "Confirmed" in mine.text
    assert any(one.to == "anna" and "¥500.00 is in your wallet" in one.text for one in said)
    assert await chat.write("boss", f"/admin confirm {typed}", event_id="web:same") == []
    again = await chat.ask("boss", f"/admin confirm {code}")
    assert "already settled" in again.text
    assert await chat.balance("anna") == 50000


async def test_a_typed_code_declines(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    code = await _code(chat, line="/withdraw 100")
    said = await chat.write("boss", f"/admin decline {code}")
    assert any(one.to == "boss" and "Declined" in one.text for one in said)
    assert await chat.balance("anna") == 50000
    assert "already settled" in (await chat.ask("boss", f"/admin confirm {code}")).text
    assert await chat.balance("anna") == 50000


async def test_a_code_that_nobody_has_moves_nothing(chat: Chat) -> None:
    for word in ("confirm", "decline"):
        for typed in ("", "ZZZZZZ", "..."):
            text = (await chat.ask("boss", f"/admin {word} {typed}")).text
            assert f"/admin {word} 4F7K9Q" in text
            assert "No money moved." in text


async def test_the_buttons_of_a_till_card_confirm_and_refuse_once(chat: Chat) -> None:
    first, second = await _code(chat), await _code(chat)
    for _ in range(3):
        await chat.tap("boss", f"confirm:{first}", event_id="web:yes")
        await chat.tap("boss", f"refuse:{second}", event_id="web:no")
    assert await chat.balance("anna") == 50000
    assert not await chat.desk.reader.pending_funding(5)


async def test_the_buttons_work_for_admins_only(chat: Chat) -> None:
    code = await _code(chat)
    for verb in ("confirm", "refuse"):
        (answer,) = await chat.tap("anna", f"{verb}:{code}")
        assert answer.to == "anna"
        assert answer.text == "Only an admin of this instance can do that. No money moved."
    assert await chat.balance("anna") == 0
    assert len(await chat.desk.reader.pending_funding(5)) == 1


async def test_a_button_of_an_unknown_request_moves_nothing(chat: Chat) -> None:
    (answer,) = await chat.tap("boss", "confirm:ZZZZZZ")
    assert answer.text == "That request is not known. No money moved."


async def test_the_books_sum_to_zero_in_each_currency(chat: Chat) -> None:
    assert (await chat.ask("boss", "/admin books")).text == "The books are empty."
    shop = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 50000)
    for _ in range(2):
        await chat.tap("anna", (await chat.offer(shop)).actions[0])
        await chat.settle()
    await chat.write("anna", "/withdraw 100")
    dollars = await _code(chat, "ben", "/topup 7 USD")
    await chat.write("boss", f"/admin confirm {dollars}")
    text = (await chat.ask("boss", "/admin books")).text
    assert text.splitlines()[0] == "The books balance"
    assert "wallet · available · CNY 2.00" in text
    assert "wallet · held · CNY 100.00" in text
    assert "merchant · available · CNY 398.00" in text
    assert "provider · clearing · CNY -500.00" in text
    assert "CNY: 12 entries sum to zero" in text
    assert "USD: 2 entries sum to zero" in text
    assert "anna" not in text


async def test_books_that_do_not_balance_say_so(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    wallet_id = (await chat.meet("anna")).wallet_id
    async with chat.database.write() as connection:
        # A forger with access to the database, adding an entry of his own.
        transfer_id = (await connection.execute(sa.select(t.transfers.c.id))).scalar_one()
        anna = sa.select(t.accounts.c.no).where(
            t.accounts.c.id == f"wallet:{wallet_id}/available/CNY"
        )
        await connection.execute(
            sa.insert(t.entries).values(
                no=1,
                account_no=(await connection.execute(anna)).scalar_one(),
                seq=99,
                transfer_id=transfer_id,
                amount_minor=100,
                balance_after_minor=50100,
            )
        )
    text = (await chat.ask("boss", "/admin books")).text
    assert text.splitlines()[0] == "The books do not balance"
    assert "CNY: 3 entries sum to CNY 1.00 instead of zero" in text
    assert "1 balance is not the sum of its entries." in text


async def test_parked_events_are_listed_with_their_error(chat: Chat) -> None:
    assert "No event is parked" in (await chat.ask("boss", "/admin parked")).text
    async with chat.database.write() as connection:
        await connection.execute(
            sa.insert(t.inbox).values(
                event_id="web:broken",
                body=b"{}",
                state="parked",
                tries=8,
                error="ValueError: odd",
                received_at_us=1_700_000_000_000_000,
            )
        )
    text = (await chat.ask("boss", "/admin parked")).text
    assert "2023-11-14 22:13 UTC · web:broken" in text
    assert "ValueError: odd" in text


async def test_an_unknown_subcommand_is_named(chat: Chat) -> None:
    assert "no /admin fly" in (await chat.ask("boss", "/admin fly")).text

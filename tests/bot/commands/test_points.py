import pytest

from tests.bot.commands.chat import Chat
from wallet_core.ledger.accounts import wallet
from wallet_core.money import define_currency

define_currency("KUDOS", 0, "kudos")


@pytest.fixture(autouse=True)
async def _boss(chat: Chat) -> None:
    await chat.make_admin("boss")


async def _kudos(chat: Chat, who: str = "anna") -> int:
    return await chat.desk.reader.balance_minor(wallet((await chat.meet(who)).wallet_id, "KUDOS"))


async def test_points_are_issued_once_and_their_owner_hears_of_it(chat: Chat) -> None:
    anna = await chat.meet("anna")
    said = await chat.write("boss", f"/admin issue {anna.id} 100 KUDOS", event_id="web:same")
    assert any(one.to == "boss" and "100 KUDOS issued to" in one.text for one in said)
    assert any(one.to == "anna" and "You got 100 KUDOS." in one.text for one in said)
    assert await chat.write("boss", f"/admin issue {anna.id} 100 KUDOS", event_id="web:same") == []
    assert await _kudos(chat) == 100
    assert "100 KUDOS" in (await chat.ask("anna", "/balance")).text
    assert "Issued" in (await chat.ask("anna", "/history")).text


async def test_points_are_taken_back_but_never_more_than_there_are(chat: Chat) -> None:
    anna = await chat.meet("anna")
    await chat.write("boss", f"/admin issue {anna.id} 100 KUDOS")
    too_much = await chat.ask("boss", f"/admin take {anna.id} 101 kudos")
    assert "less than 101 KUDOS" in too_much.text
    assert "No money moved." in too_much.text
    said = await chat.write("boss", f"/admin take {anna.id} 40 KUDOS")
    assert any(one.to == "anna" and "40 KUDOS were taken back." in one.text for one in said)
    assert await _kudos(chat) == 60


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("issue", "Say who."),
        ("issue nobody 100 KUDOS", "Nobody is known"),
        ("issue {id}", "How much?"),
        ("issue {id} 1.5 KUDOS", "0 decimals"),
        ("issue {id} 100 CNY", "not issued here"),
        ("issue {id} 100", "not issued here"),
        ("issue {id} 100 SAT", "not issued here"),
        ("issue {id} 100 DUCATS", "not the code of a currency"),
        ("take {id} 5 KUDOS", "less than 5 KUDOS"),
    ],
)
async def test_what_cannot_be_issued_is_refused_in_one_clear_answer(
    chat: Chat, line: str, says: str
) -> None:
    anna = await chat.meet("anna")
    said = await chat.ask("boss", "/admin " + line.format(id=anna.id))
    assert says in said.text
    assert "No money moved." in said.text or "Nothing was changed." in said.text
    assert await _kudos(chat) == 0


async def test_points_of_a_frozen_wallet_stay_until_it_is_thawed(chat: Chat) -> None:
    anna = await chat.meet("anna")
    await chat.write("boss", f"/admin issue {anna.id} 5 KUDOS")
    await chat.write("boss", f"/admin freeze {anna.id}")
    assert "thaw it first" in (await chat.ask("boss", f"/admin take {anna.id} 5 KUDOS")).text
    assert await _kudos(chat) == 5
    await chat.write("boss", f"/admin issue {anna.id} 5 KUDOS")
    assert await _kudos(chat) == 10


async def test_only_admins_issue(chat: Chat) -> None:
    anna = await chat.meet("anna")
    assert "Only an admin" in (await chat.ask("anna", f"/admin issue {anna.id} 9 KUDOS")).text
    assert await _kudos(chat) == 0

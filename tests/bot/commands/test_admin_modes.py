import asyncio

import pytest
import sqlalchemy as sa

from bot.events import Message
from tests.bot.commands.chat import LOBBY, WEB, Chat
from wallet_core.ledger.wallets import WalletMode
from wallet_core.storage import tables as t


@pytest.fixture(autouse=True)
async def _boss(chat: Chat) -> None:
    await chat.make_admin("boss")


async def test_a_wallet_is_frozen_and_thawed_by_any_of_its_ids(chat: Chat) -> None:
    person = await chat.meet("anna")
    for who in (person.id, person.wallet_id, "anna", "web:anna"):
        for _ in range(2):
            assert "Frozen" in (await chat.ask("boss", f"/admin freeze {who}")).text
            assert await chat.desk.people.mode_of(person.wallet_id) is WalletMode.FROZEN
        assert "Thawed" in (await chat.ask("boss", f"/admin thaw {who}")).text
        assert await chat.desk.people.mode_of(person.wallet_id) is WalletMode.OPEN


async def test_a_frozen_wallet_pays_nothing_until_it_is_thawed(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.ask("boss", "/admin freeze anna")
    await chat.tap("anna", (await chat.offer(shop)).actions[0])
    assert await chat.balance("anna") == 50000
    await chat.ask("boss", "/admin thaw anna")
    await chat.tap("anna", (await chat.offer(shop)).actions[0])
    assert await chat.balance("anna") == 30100
    assert await chat.desk.people.mode_of((await chat.meet("boss")).wallet_id) is WalletMode.OPEN


async def test_a_name_that_two_networks_know_freezes_nobody(chat: Chat) -> None:
    await chat.meet("anna")
    await chat.meet("anna", network="matrix")
    text = (await chat.ask("boss", "/admin freeze anna")).text
    assert "Several people" in text
    assert "Nothing was changed." in text
    assert await chat.desk.people.mode_of((await chat.meet("anna")).wallet_id) is WalletMode.OPEN
    assert "Frozen" in (await chat.ask("boss", "/admin freeze matrix:anna")).text
    assert await chat.desk.people.mode_of((await chat.meet("anna")).wallet_id) is WalletMode.OPEN


async def test_freezing_nobody_changes_nothing(chat: Chat) -> None:
    for line in ("freeze", "thaw", "freeze nobody", "thaw w_none"):
        text = (await chat.ask("boss", f"/admin {line}")).text
        assert "/whoami" in text
        assert text.endswith("Nothing was changed.")


_DOES = {
    "freeze": ("An admin has frozen your wallet", "you can neither pay nor withdraw"),
    "withdraw-only": ("set your wallet to withdraw only", "You can pay nobody."),
    "thaw": ("An admin has opened your wallet again", "You can pay and withdraw as before."),
}


async def test_the_owner_alone_hears_once_what_a_wallet_can_do_now(chat: Chat) -> None:
    await chat.write("anna", "/topup 5", room="room-of-anna")
    await chat.meet("ben")
    for word, (done, does) in _DOES.items():
        line, event_id = f"/admin {word} anna", f"web:{word}"
        said = await chat.write("boss", line, room="office", event_id=event_id)
        assert [(one.room, one.to) for one in said] == [
            ("office", "boss"),
            ("room-of-anna", "anna"),
        ]
        told = said[1].text
        assert done in told
        assert does in told
        assert "No money moved." in told
        assert ("Ask an admin of this instance" in told) == (word != "thaw")
        assert await chat.write("boss", line, room="office", event_id=event_id) == []
        again = await chat.write("boss", line, room="office")
        assert [one.to for one in again] == ["boss"]


async def test_two_admins_at_once_are_one_change_and_one_message(chat: Chat) -> None:
    await chat.meet("anna")
    await chat.make_admin("vice")
    events = [
        Message(
            id=f"web:{who}",
            network=WEB,
            room_id=LOBBY,
            person_id=who,
            text=f"/admin {word} anna",
            message_ref=who,
        )
        for who, word in (("boss", "freeze"), ("vice", "withdraw-only"))
    ]
    await asyncio.gather(*map(chat.dispatch.answer, events))
    said = await chat.deliver()
    mode = await chat.desk.people.mode_of((await chat.meet("anna")).wallet_id)
    told = [one.text for one in said if one.to == "anna"]
    refused = [one for one in said if "changed elsewhere" in one.text]
    # Whoever comes second either saw the first or was turned away: never two for one change.
    assert len(told) + len(refused) == 2
    assert mode is not WalletMode.OPEN
    last = "frozen" if mode is WalletMode.FROZEN else "withdraw only"
    assert any(last in text for text in told)


async def test_who_has_several_networks_and_wallets_hears_on_each_which_wallet_it_is(
    chat: Chat,
) -> None:
    anna = await chat.meet("anna")
    other = await chat.meet("@anna", room="!direct", network="matrix")
    hers = {"person_id": anna.id}
    async with chat.database.write() as connection:
        for table in (t.identities, t.wallets):
            moved = sa.update(table).where(table.c.person_id == other.id)
            await connection.execute(moved.values(hers))
    said = await chat.write("boss", f"/admin freeze {other.wallet_id}")
    told = [one for one in said if one.to != "boss"]
    assert {(one.room, one.to) for one in told} == {(LOBBY, "anna"), ("!direct", "@anna")}
    assert all(f"This is about {other.wallet_id} of your wallets." in one.text for one in told)
    assert await chat.desk.people.mode_of(anna.wallet_id) is WalletMode.OPEN

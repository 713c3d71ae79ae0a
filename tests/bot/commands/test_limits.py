import pytest

from tests.bot.commands.chat import Chat
from wallet_core.ledger.commits import Commit, Update
from wallet_core.limits import Limits, WalletLimits


@pytest.fixture(autouse=True)
async def _boss(chat: Chat) -> None:
    await chat.make_admin("boss")


async def _admin_allows(chat: Chat, who: str, **limits: int) -> None:
    text = WalletLimits(admin={"CNY": Limits(**limits)}).text()
    wallet_id = (await chat.meet(who)).wallet_id
    row = Update(table="wallets", where={"id": wallet_id}, values={"limits": text})
    await chat.writer.commit(Commit(key=f"allow {who}", rows=(row,)))


async def test_somebody_without_limits_is_told_so(chat: Chat) -> None:
    assert "CNY: no limits." in (await chat.ask("anna", "/limits")).text


async def test_what_holds_and_what_is_left_is_said_in_words(chat: Chat) -> None:
    await _admin_allows(
        chat,
        "anna",
        payment_max_minor=30000,
        day_max_minor=50000,
        month_max_minor=100000,
        payee_day_max_minor=40000,
        new_payee_max_minor=20000,
        new_payee_delay_s=86400,
    )
    await chat.fund("anna", 50000)
    shop = await chat.open_shop("seller")
    offer = await chat.offer(shop)
    await chat.tap("anna", f"pay:{offer.ref}")
    text = (await chat.ask("anna", "/limits")).text
    assert "One payment: at most ¥300.00." in text
    assert "In 24 hours: ¥301.00 of ¥500.00 is left." in text
    assert "In 30 days: ¥801.00 of ¥1,000.00 is left." in text
    assert "To one seller in 24 hours: at most ¥400.00." in text
    assert "To somebody new in the first 1 day: at most ¥200.00." in text


async def test_ones_own_stricter_limit_holds_at_once(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    offer = await chat.offer(await chat.open_shop("seller"))
    said = await chat.ask("anna", "/limits day 100")
    assert "it holds from now on" in said.text
    assert "¥100.00 of ¥100.00 is left" in said.text
    refused = await chat.tap("anna", f"pay:{offer.ref}")
    assert any("Not charged. ¥100.00 of your ¥100.00" in one.text for one in refused)
    assert await chat.balance("anna") == 50000


async def test_who_is_stopped_by_his_own_limit_is_not_sent_to_an_admin(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    offer = await chat.offer(await chat.open_shop("seller"))
    await chat.write("anna", "/limits payment 50")
    (refused,) = await chat.tap("anna", f"pay:{offer.ref}")
    assert "Not charged. One payment may be at most ¥50.00" in refused.text
    assert "You set this limit yourself: /limits payment off CNY lifts it 1 day later." in (
        refused.text
    )
    assert "admin" not in refused.text
    await chat.write("anna", "/limits payment off CNY")
    (refused,) = await chat.tap("anna", f"pay:{offer.ref}")
    assert "You set this limit yourself; it is looser on " in refused.text


async def test_where_an_admin_allows_no_more_either_he_is_named(chat: Chat) -> None:
    await _admin_allows(chat, "anna", payment_max_minor=10000)
    await chat.fund("anna", 50000)
    offer = await chat.offer(await chat.open_shop("seller"))
    await chat.write("anna", "/limits payment 50")
    (refused,) = await chat.tap("anna", f"pay:{offer.ref}")
    assert "An admin of this instance can allow more" in refused.text


async def test_a_looser_one_holds_a_day_later(chat: Chat) -> None:
    await chat.write("anna", "/limits day 100")
    said = await chat.ask("anna", "/limits day 300")
    assert "looser in 1 day" in said.text
    assert "¥100.00 of ¥100.00 is left" in said.text
    assert "looser in 1 day" in (await chat.ask("anna", "/limits day off")).text
    assert "¥100.00 of ¥100.00 is left" in (await chat.ask("anna", "/limits")).text


async def test_a_limit_that_one_has_not_set_cannot_be_switched_off(chat: Chat) -> None:
    said = await chat.ask("anna", "/limits day off")
    assert "You have set no such limit" in said.text
    assert "CNY: no limits." in said.text
    await chat.write("anna", "/limits day 100")
    said = await chat.ask("anna", "/limits month off")
    assert "You have set no such limit" in said.text
    assert "¥100.00 of ¥100.00 is left" in said.text
    assert "looser" not in said.text


async def test_nobody_allows_himself_more_than_an_admin_does(chat: Chat) -> None:
    await _admin_allows(chat, "anna", day_max_minor=50000)
    said = await chat.ask("anna", "/limits day 501")
    assert "at most ¥500.00" in said.text
    assert "Nothing was changed." in said.text
    assert "from now on" in (await chat.ask("anna", "/limits day 499")).text


@pytest.mark.parametrize(
    "line", ["speed 5", "day", "day x", "day -5", "day 5 ABC", "day off ABC", "day 0"]
)
async def test_what_is_no_limit_changes_nothing(chat: Chat, line: str) -> None:
    said = await chat.ask("anna", f"/limits {line}")
    assert "Nothing was changed." in said.text or "No money moved." in said.text
    assert "CNY: no limits." in (await chat.ask("anna", "/limits")).text


async def test_an_admin_sets_shows_and_resets_somebodys_limits(chat: Chat) -> None:
    anna = await chat.meet("anna")
    said = await chat.ask("boss", f"/admin limit {anna.id} day 500")
    assert "In 24 hours: ¥500.00 of ¥500.00 is left." in said.text
    await chat.write("boss", f"/admin limit {anna.id} new 200")
    said = await chat.ask("boss", f"/admin limit {anna.id} delay 36")
    assert "To somebody new in the first 36 hours: at most ¥200.00." in said.text
    await chat.write("boss", f"/admin limit {anna.id} payment 90 USD")
    said = await chat.ask("boss", f"/admin limit {anna.id}")
    assert "¥500.00 of ¥500.00" in said.text
    assert "One payment: at most $90.00." in said.text
    assert "¥500.00 of ¥500.00" in (await chat.ask("anna", "/limits")).text
    await chat.write("boss", f"/admin limit {anna.id} day off")
    assert "In 24 hours" not in (await chat.ask("anna", "/limits")).text
    await chat.write("boss", f"/admin limit {anna.id} default")
    assert "CNY: no limits." in (await chat.ask("anna", "/limits")).text


@pytest.mark.parametrize("line", ["", "nobody day 5", "{id} fun 5", "{id} day", "{id} delay 721"])
async def test_an_admins_slip_changes_nothing(chat: Chat, line: str) -> None:
    anna = await chat.meet("anna")
    said = await chat.ask("boss", f"/admin limit {line.format(id=anna.id)}".strip())
    assert "Nothing was changed." in said.text or "No money moved." in said.text

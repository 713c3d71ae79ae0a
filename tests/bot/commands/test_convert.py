import pytest

from tests.bot.commands.chat import Chat
from wallet_core.ledger.commits import Commit, Update


async def test_a_quote_is_asked_for_and_taken_by_a_tap(chat: Chat) -> None:
    await chat.fund("anna", 5_000, "USD")
    said = await chat.ask("anna", "/convert 10 USD to CNY")
    assert "$10.00 buys ¥71.28." in said.text
    assert "No money has moved." in said.text
    assert "1 USD = 7.2 CNY (2026-11-25), less 1 %" in said.text
    (action,) = said.actions
    assert await chat.balance("anna", "USD") == 5_000
    for _ in range(2):
        await chat.tap("anna", action, event_id="web:once")
    assert (await chat.balance("anna", "USD"), await chat.balance("anna")) == (4_000, 7_128)
    again = await chat.tap("anna", action)
    assert "converted already" in again[-1].text
    assert (await chat.balance("anna", "USD"), await chat.balance("anna")) == (4_000, 7_128)
    assert "Converted" in (await chat.ask("anna", "/history")).text


async def test_a_quote_that_is_over_or_somebody_elses_converts_nothing(chat: Chat) -> None:
    await chat.fund("anna", 5_000, "USD")
    (action,) = (await chat.ask("anna", "/convert 10 USD to CNY")).actions
    assert "not yours" in (await chat.tap("ben", action))[-1].text
    row = Update(
        table="conversions",
        where={"id": action.partition(":")[2]},
        values={"expires_at_us": 1},
    )
    await chat.writer.commit(Commit(key="over", rows=(row,)))
    assert "That rate is over. No money moved." in (await chat.tap("anna", action))[-1].text
    (action,) = (await chat.ask("anna", "/convert 51 USD to CNY")).actions
    assert "less than that to convert" in (await chat.tap("anna", action))[-1].text
    assert await chat.balance("anna", "USD") == 5_000


@pytest.mark.parametrize(
    "line",
    [
        "10 USD",
        "10 USD to",
        "x USD to CNY",
        "10 USD to ABC",
        "10 USD to EUR",
        "10 USD to USD",
        "0 USD to CNY",
        "always",
        "always up to x",
        "never",
        "never ABC",
    ],
)
async def test_what_cannot_be_converted_is_refused_in_one_answer(chat: Chat, line: str) -> None:
    said = await chat.ask("anna", f"/convert {line}")
    assert "No money moved." in said.text or "Nothing was changed." in said.text
    assert said.actions == []


async def test_an_offer_to_pay_with_another_currency_is_for_the_tapper_alone(chat: Chat) -> None:
    await chat.fund("anna", 5_000, "USD")
    offer = await chat.offer(await chat.open_shop("seller"))
    said = await chat.tap("anna", f"pay:{offer.ref}")
    (mine,) = [one for one in said if not one.edit]
    assert mine.to == "anna"
    (action,) = mine.actions
    await chat.tap("anna", action)
    assert await chat.balance("anna", "USD") == 5_000 - 2_792
    assert await chat.desk.lookups.newest_held_order((await chat.meet("anna")).id)


async def test_a_standing_consent_is_given_shown_and_taken_back(chat: Chat) -> None:
    await chat.fund("anna", 10_000, "USD")
    shop = await chat.open_shop("seller")
    first, second = await chat.offer(shop), await chat.offer(shop, "Black tea")
    assert "without asking you" in (await chat.ask("anna", "/convert")).text
    assert "up to $50.00" in (await chat.ask("anna", "/convert always up to 50 USD")).text
    assert "up to $50.00" in (await chat.ask("anna", "/convert")).text
    await chat.tap("anna", f"pay:{first.ref}")
    assert await chat.balance("anna", "USD") == 10_000 - 2_792
    assert "without asking you" in (await chat.ask("anna", "/convert never USD")).text
    await chat.tap("anna", f"pay:{second.ref}")
    assert await chat.balance("anna", "USD") == 10_000 - 2_792

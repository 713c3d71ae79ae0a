"""Withdrawals that their owner takes back: only while nobody can have paid them, and once."""

import asyncio

import pytest

from bot.cards import plain_text
from tests.wallet_core.funding.test_requests import end, payout, top_up
from tests.wallet_core.funding.till import ProviderBrokeError, Till
from tests.wallet_core.world import CNY, World
from wallet_core.commerce.news import ActionRefused, FundingChanged
from wallet_core.commerce.records import FundingRequest, Payer
from wallet_core.funding.base import Progress
from wallet_core.ledger import accounts


async def take_back(world: World, payer: Payer, event_id: str, request: FundingRequest) -> str:
    await world.heard(event_id)
    place = world.place("anna")
    await world.funding.take_back(event_id, request, payer.person_id, place, ())
    return await world.outcome(event_id)


async def last_words(world: World, to: str = "anna") -> str:
    return plain_text((await world.cards(to))[-1])


async def test_what_was_held_is_back_once_however_often_it_is_heard(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    for _ in range(3):
        assert await take_back(bank, anna, "b1", request) == "done"
    assert await bank.balance(anna) == (8_000, 0)
    ended = await bank.funding_request()
    assert ended.state == "cancelled"
    newest = bank.recorder.news[-1]
    assert isinstance(newest, FundingChanged)
    assert newest.request == ended
    assert await take_back(bank, anna, "b2", request) == "not_open"
    assert "over: ¥50.00 is back in your wallet" in await last_words(bank)
    for how in ("confirm", "decline"):
        assert await end(bank, how, how, request) == "not_open"
        words = await last_words(bank, "admin")
        assert "Its owner has taken this withdrawal back: hand nothing out." in words
    assert await bank.balance(anna) == (8_000, 0)


async def test_of_owner_and_admin_in_the_same_moment_one_has_his_way(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    outcomes = await asyncio.gather(
        *(end(bank, how, f"{how}{n}", request) for n in range(3) for how in ("confirm", "decline")),
        *(take_back(bank, anna, f"b{n}", request) for n in range(4)),
    )
    assert sorted(outcomes) == ["done", *["not_open"] * 9]
    paid_out = (await bank.funding_request()).state == "done"
    assert await bank.balance(anna) == (3_000 if paid_out else 8_000, 0)
    clearing = await bank.reader.balance_minor(accounts.clearing("cash", CNY))
    assert clearing == (-3_000 if paid_out else -8_000)


async def test_what_an_admin_confirmed_is_not_taken_back(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    await end(bank, "confirm", "c1", request)
    # Once as the card knew it, once as it stands.
    for n, known in enumerate((request, await bank.funding_request())):
        assert await take_back(bank, anna, f"b{n}", known) == "not_open"
        assert "Too late to take it back" in await last_words(bank)
    assert await bank.balance(anna) == (3_000, 0)


@pytest.mark.parametrize("progress", [Progress.PENDING, Progress.UNKNOWN])
async def test_a_provider_that_was_asked_and_may_have_paid_keeps_it_held(
    bank: World, till: Till, progress: Progress
) -> None:
    anna = await bank.person("anna", 8_000)
    till.name, till.progress = "wire", progress
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    assert await take_back(bank, anna, "b1", request) == "not_allowed"
    assert await last_words(bank) == (
        "Not taken back: whoever pays it out was asked already, and may have paid.\n"
        "No money moved just now. ¥50.00 stays held until that is known."
    )
    assert await bank.balance(anna) == (3_000, 5_000)
    assert (await bank.funding_request()).state == "pending"


async def test_nobody_takes_back_what_is_anothers(bank: World) -> None:
    anna, ben = await bank.person("anna", 8_000), await bank.person("ben")
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    assert await take_back(bank, ben, "b1", request) == "not_allowed"
    newest = bank.recorder.news[-1]
    assert isinstance(newest, ActionRefused)
    assert newest.request is None
    assert await last_words(bank) == "That is no withdrawal of yours.\nNo money moved."
    assert await bank.balance(anna) == (3_000, 5_000)


async def test_a_top_up_holds_nothing_and_stays_asked_for(bank: World) -> None:
    anna = await bank.person("anna")
    await top_up(bank, anna, "t1", 5_000)
    request = await bank.funding_request()
    assert await take_back(bank, anna, "b1", request) == "not_allowed"
    assert "That is a top-up" in await last_words(bank)
    assert await end(bank, "confirm", "c1", request) == "done"
    assert await bank.balance(anna) == (5_000, 0)


async def test_one_that_was_taken_back_before_its_answer_was_said_is_answered_so(
    bank: World, till: Till
) -> None:
    anna = await bank.person("anna", 8_000)
    till.breaks = 1
    with pytest.raises(ProviderBrokeError):
        await payout(bank, anna, "p1", 5_000)
    assert await take_back(bank, anna, "b1", await bank.funding_request()) == "done"
    assert await payout(bank, anna, "p1", 5_000) == "said"
    assert await bank.balance(anna) == (8_000, 0)
    newest = bank.recorder.news[-1]
    assert isinstance(newest, FundingChanged)
    assert newest.request.state == "cancelled"


async def test_one_that_was_taken_back_does_not_expire_too(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    await take_back(bank, anna, "b1", request)
    assert request.hold_id is not None
    await bank.make_due(request.hold_id)
    await bank.endings.run_due()
    assert (await bank.funding_request()).state == "cancelled"
    assert await bank.balance(anna) == (8_000, 0)

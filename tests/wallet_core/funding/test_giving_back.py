"""Stars go back once, and what they paid for leaves the wallet as often, whatever comes between."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.wallet_core.funding.test_requests import NeverLeases, ask, end
from tests.wallet_core.world import CNY, PRICE_MINOR, World, now_us, world_at
from wallet_core.commerce.answers import say_once
from wallet_core.commerce.news import FundingChanged
from wallet_core.commerce.records import (
    NETWORK_SETTLED,
    PAYOUT_ASKED,
    FundingRequest,
    Payer,
    Speech,
)
from wallet_core.funding.base import Step
from wallet_core.funding.requests import Funding
from wallet_core.funding.telegram_payments import Collected, ExternalPayments
from wallet_core.funding.telegram_stars import NAME, Asking, GivingBack, StarReturns, Stars
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Notice
from wallet_core.ledger.transfers import named
from wallet_core.money import Money
from wallet_core.storage import tables as t

CHARGE = "charge/7/stx1"
ON_THEIR_WAY = "Your Stars are on their way back already. No money moved just now."


def asks_telegram(asking: Asking) -> Speech:
    notice = Notice(
        send_id=f"{asking.payout.id} {asking.asked}",
        network=asking.payment.network,
        room_id=asking.payment.instructions,
        view=PAYOUT_ASKED,
        ref=asking.payout.code,
    )
    return (notice,)


@pytest.fixture
async def bank(database_url: str) -> AsyncIterator[World]:
    """The last piece is gone, so what Stars bring in stays in the wallet."""
    async with world_at(database_url) as world:
        await world.open_shop()
        await world.offer(stock=0)
        await world.quote(trust="payable")
        yield world
        assert await world.inbox.waiting_count() == 0
        await audit(world.database)


def giving(world: World, funding: Funding | None = None) -> GivingBack:
    returns = Funding(world.writer, world.reader, world.leases, world.recorder, StarReturns())
    return GivingBack(world.writer, world.reader, world.reader, funding or returns)


async def collected(world: World, payer: Payer) -> FundingRequest:
    """Stars were paid, and nothing was bought with them."""
    payments = ExternalPayments(
        world.writer, world.reader, world.checkout, [Stars(CNY, 10, frozenset("*"))]
    )
    paid = Collected(
        event_id="paid",
        quote_id="q_1",
        amount_minor=1_990,
        currency="XTR",
        charge_ref=CHARGE,
        payer=payer,
        place=world.place(),
        at_us=now_us(),
    )
    before, _ = await world.balance(payer)
    await world.heard("paid")
    await payments.take(paid, lambda *_: ())
    assert await world.balance(payer) == (before + PRICE_MINOR, 0)
    return await world.funding_request()


async def begin(
    world: World, who: Payer, event_id: str, payment: FundingRequest, by: GivingBack | None = None
) -> str:
    """What the tap on "Give it back" came to: a sentence, or the outcome of the event."""
    await world.heard(event_id)
    said = await (by or giving(world)).begin(
        event_id, payment.code, who, world.place(), now_us(), asks_telegram
    )
    if said is None:
        return await world.outcome(event_id)
    await say_once(world.writer, event_id, ())
    return said


async def returned(world: World, event_id: str = "returned") -> bool:
    """Telegram tells that the Stars are back."""
    await world.heard(event_id)
    done = await giving(world).done(event_id, CHARGE, world.place(), now_us())
    if not done:
        await say_once(world.writer, event_id, ())
    return done


async def the_payouts(world: World) -> list[FundingRequest]:
    query = sa.select(t.funding_requests.c.code).where(t.funding_requests.c.kind == "payout")
    async with world.database.read() as connection:
        codes = (await connection.execute(query)).scalars().all()
    found = [await world.reader.funding_request(code) for code in codes]
    return sorted(
        (payout for payout in found if payout is not None), key=lambda each: each.created_at_us
    )


async def the_payout(world: World) -> FundingRequest:
    (payout,) = await the_payouts(world)
    return payout


async def turned_down(world: World) -> None:
    """Telegram refuses all that it was asked for so far."""
    async with world.database.write() as connection:
        asks = t.outbox.c.view == PAYOUT_ASKED
        await connection.execute(sa.update(t.outbox).where(asks).values(state="dropped"))


async def a_month_later(world: World, payout: FundingRequest) -> None:
    assert payout.hold_id is not None
    await world.make_due(payout.hold_id)
    await world.endings.run_due()


async def expired(world: World) -> tuple[Payer, FundingRequest]:
    """A payout that Telegram turned down, and that has ended."""
    anna = await world.person("anna")
    payment = await collected(world, anna)
    assert await begin(world, anna, "b1", payment) == "done"
    await turned_down(world)
    await a_month_later(world, await the_payout(world))
    assert (await the_payout(world)).state == "expired"
    assert await world.balance(anna) == (PRICE_MINOR, 0)
    return anna, payment


async def stars_left(world: World) -> int:
    """What the books say came in through Stars and did not go back."""
    return -await world.reader.balance_minor(accounts.clearing(NAME, CNY))


async def test_stars_go_back_once_and_their_worth_leaves_the_wallet(bank: World) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    assert await begin(bank, anna, "b1", payment) == "done"
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    assert await begin(bank, anna, "b2", payment) == ON_THEIR_WAY
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)
    assert await stars_left(bank) == 0
    said = await begin(bank, anna, "b3", payment)
    assert said == "Your Stars are back already. No money moved just now."
    assert await returned(bank, "told twice")
    assert await bank.balance(anna) == (0, 0)


async def test_twenty_taps_at_once_give_stars_back_once(bank: World) -> None:
    anna = await bank.person("anna", PRICE_MINOR)
    payment = await collected(bank, anna)
    outcomes = await asyncio.gather(*(begin(bank, anna, f"b{n}", payment) for n in range(20)))
    # Money for a second payout is there; that there is none is due to the payment's one hold.
    assert outcomes.count("done") <= 1
    assert set(outcomes) <= {"done", "taken", "stale_fence", ON_THEIR_WAY}
    if "done" not in outcomes:
        assert await begin(bank, anna, "alone", payment) == "done"
    assert await bank.balance(anna) == (PRICE_MINOR, PRICE_MINOR)
    assert len(await the_payouts(bank)) == 1


async def test_a_payout_in_stars_is_no_business_of_the_till(bank: World) -> None:
    assert NAME in NETWORK_SETTLED
    anna = await bank.person("anna")
    await begin(bank, anna, "b1", await collected(bank, anna))
    payout = await the_payout(bank)
    assert not await bank.reader.pending_funding(9)
    for how in ("confirm", "decline"):
        assert await end(bank, how, f"{how}1", payout) == "not_allowed"
    for card in await bank.cards("admin"):
        assert "No money moved" in plain_text(card)
        assert "only the network" in plain_text(card)
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)
    assert await end(bank, "decline", "late", await the_payout(bank)) == "not_open"


@pytest.mark.parametrize("state", ["due", "sent"])
async def test_no_clock_ends_a_payout_that_telegram_was_asked_for(bank: World, state: str) -> None:
    anna = await bank.person("anna")
    await begin(bank, anna, "b1", await collected(bank, anna))
    async with bank.database.write() as connection:
        await connection.execute(sa.update(t.outbox).values(state=state))
    payout = await the_payout(bank)
    await a_month_later(bank, payout)
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    assert (await the_payout(bank)).state == "pending"
    # It is put off, so that it does not stand before others that are due.
    assert not await bank.reader.due_holds(9)
    await a_month_later(bank, payout)
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)


async def test_what_telegram_turned_down_is_back_in_the_wallet_and_can_be_asked_for_anew(
    bank: World,
) -> None:
    anna, payment = await expired(bank)
    newest = bank.recorder.news[-1]
    assert isinstance(newest, FundingChanged)
    assert newest.request.state == "expired"
    assert "The network turned it down." in plain_text((await bank.cards())[-1])
    assert await begin(bank, anna, "b2", payment) == "done"
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)
    assert {each.state for each in await the_payouts(bank)} == {"expired", "done"}


async def test_stars_that_come_back_after_all_are_taken_from_the_wallet_again(
    bank: World,
) -> None:
    anna, payment = await expired(bank)
    assert await returned(bank)
    assert await bank.outcome("returned") == "done"
    assert await bank.balance(anna) == (0, 0)
    assert await stars_left(bank) == 0
    said = await begin(bank, anna, "b2", payment)
    assert said == "Your Stars are back already. No money moved just now."
    # The payer is shown what left his wallet.
    taken = (await the_payouts(bank))[-1]
    shown = t.outbox.c.view == "funding", t.outbox.c.ref == taken.code
    assert await bank.count(t.outbox, *shown, t.outbox.c.person_id == "anna") == 1


@pytest.mark.parametrize("why", ["spent", "frozen"])
async def test_stars_that_come_back_after_all_are_told_when_their_worth_is_not_to_be_had(
    bank: World, why: str
) -> None:
    anna, _ = await expired(bank)
    if why == "spent":
        await bank.heard("withdrawn")
        await bank.funding.ask_payout(ask(bank, "withdrawn", f"wallet:{anna.wallet_id}", 1))
    else:
        await bank.freeze(anna.wallet_id)
    assert not await returned(bank)
    left_over = await giving(bank).left_over(CHARGE)
    assert left_over is not None
    assert left_over.state == "expired"
    assert (await bank.balance(anna))[0] >= PRICE_MINOR - 1
    assert await stars_left(bank) == PRICE_MINOR


async def test_stars_that_nobody_asked_back_are_nobodys_payout(bank: World) -> None:
    anna = await bank.person("anna")
    await collected(bank, anna)
    assert not await returned(bank)
    assert await giving(bank).left_over(CHARGE) is None
    assert await giving(bank).left_over("charge/7/never") is None
    assert await bank.balance(anna) == (PRICE_MINOR, 0)


async def test_told_twice_at_once_and_asked_for_in_the_same_moment_it_is_taken_once(
    bank: World,
) -> None:
    anna, payment = await expired(bank)
    told = [returned(bank, f"r{n}") for n in range(5)]
    taps = [begin(bank, anna, f"again{n}", payment) for n in range(5)]
    await asyncio.gather(*told, *taps)
    assert await returned(bank, "last")
    assert await bank.balance(anna) == (0, 0)
    assert await stars_left(bank) == 0


async def test_a_frozen_wallet_gives_nothing_back_until_it_is_thawed(bank: World) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    await bank.freeze(anna.wallet_id)
    for n in range(2):
        assert await begin(bank, anna, f"b{n}", payment) == "wallet_frozen"
    await bank.freeze(anna.wallet_id, frozen=False)
    assert await begin(bank, anna, "thawed", payment) == "done"
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)


async def test_a_busy_wallet_gives_back_when_it_is_asked_again(bank: World) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    busy = Funding(bank.writer, bank.reader, NeverLeases(), bank.recorder, StarReturns())
    assert await begin(bank, anna, "b1", payment, giving(bank, busy)) == "busy"
    assert await begin(bank, anna, "b2", payment) == "done"
    assert await bank.balance(anna) == (0, PRICE_MINOR)


async def test_spent_money_goes_back_once_it_is_there_again(bank: World) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    await bank.heard("withdrawn")
    await bank.funding.ask_payout(ask(bank, "withdrawn", f"wallet:{anna.wallet_id}", 1))
    assert "has been spent" in await begin(bank, anna, "b1", payment)
    (withdrawal,) = await bank.reader.pending_funding(9)
    assert await end(bank, "decline", "d1", withdrawal) == "done"
    assert await begin(bank, anna, "b2", payment) == "done"


async def test_who_pays_from_another_of_his_wallets_by_now_has_his_stars_back(
    bank: World,
) -> None:
    anna, ben = await bank.person("anna"), await bank.person("ben")
    payment = await collected(bank, anna)
    nobody = "Only who paid with Stars can have them back. No money moved."
    assert await begin(bank, ben, "b1", payment) == nobody
    other = msgspec.structs.replace(anna, wallet_id=ben.wallet_id)
    assert await begin(bank, other, "b2", payment) == "done"
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    # A payout is nothing that Stars were paid for.
    assert await begin(bank, anna, "b3", await the_payout(bank)) == nobody


async def test_telegram_is_asked_once_more_by_twenty_taps_when_it_had_turned_it_down(
    bank: World,
) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    await begin(bank, anna, "b1", payment)
    await turned_down(bank)
    said = await asyncio.gather(*(begin(bank, anna, f"b{n}", payment) for n in range(2, 22)))
    (again,) = {each for each in said if each != ON_THEIR_WAY}
    assert again == (
        "No money moved just now. Telegram had turned it down and was asked once more; ¥199.00 "
        "stays held until your Stars are there."
    )
    assert list(await bank.reader.payout_asks((await the_payout(bank)).code)) == ["dropped", "due"]
    assert await bank.balance(anna) == (0, PRICE_MINOR)


class Crashes(StarReturns):
    """Stands for a process that dies once the money is held and before anybody is answered."""

    async def begin_payout(self, code: str, money: Money) -> Step:
        raise ConnectionError(code, money)


async def test_a_crash_before_the_answer_goes_on_with_the_same_payout(bank: World) -> None:
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    crashing = Funding(bank.writer, bank.reader, bank.leases, bank.recorder, Crashes())
    with pytest.raises(ConnectionError):
        await begin(bank, anna, "b1", payment, giving(bank, crashing))
    assert await bank.balance(anna) == (0, PRICE_MINOR)
    assert await begin(bank, anna, "b1", payment) == "done"
    assert list(await bank.reader.payout_asks((await the_payout(bank)).code)) == ["due"]
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)


async def test_a_payment_claimed_before_holds_were_named_after_it_goes_back_once(
    bank: World,
) -> None:
    """As earlier versions wrote it: a claim by itself, then a payout named after the event."""
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    key = f"giveback:{named(NAME, CHARGE).hex}"
    await bank.writer.commit(Commit(key=key, result="old"))
    returns = giving(bank).funding
    await bank.heard("old")
    await returns.ask_payout(ask(bank, "old", payment.owner, PRICE_MINOR))
    assert await begin(bank, anna, "b1", payment) == ON_THEIR_WAY
    assert await returned(bank)
    assert await bank.balance(anna) == (0, 0)
    assert len(await the_payouts(bank)) == 1


async def test_a_claim_whose_payout_was_refused_blocks_nothing(bank: World) -> None:
    """As earlier versions left it behind."""
    anna = await bank.person("anna")
    payment = await collected(bank, anna)
    key = f"giveback:{named(NAME, CHARGE).hex}"
    await bank.writer.commit(Commit(key=key, result="refused"))
    assert await begin(bank, anna, "b1", payment) == "done"
    assert await bank.balance(anna) == (0, PRICE_MINOR)

"""Money in and out: asked for once, confirmed once, and never spent twice in between."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from bot.cards import plain_text
from tests.audit import audit
from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.funding.till import ProviderBrokeError, Till
from tests.wallet_core.world import CNY, PRICE_MINOR, SHOP, ShortLived, World, now_us, world_at
from wallet_core.commerce.news import FundingChanged
from wallet_core.commerce.records import FundingRequest, Payer
from wallet_core.funding.base import Progress
from wallet_core.funding.requests import Ask, Funding
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, WriterPort, Written
from wallet_core.locks import TTL_S, Lease, Leases, LeaseUnavailable
from wallet_core.money import Money
from wallet_core.storage import tables as t


class Busy(AbstractAsyncContextManager[Lease]):
    async def __aenter__(self) -> Lease:
        raise LeaseUnavailable("busy")

    async def __aexit__(self, *_: object) -> None:
        """It never began."""


class NeverLeases:
    """Every wallet is busy."""

    def hold(self, *_: str, token: str, wait_s: float, ttl_s: float = TTL_S) -> Busy:
        del token, wait_s, ttl_s
        return Busy()


def ask(world: World, event_id: str, owner: str, amount_minor: int) -> Ask:
    return Ask(
        event_id=event_id,
        owner=owner,
        money=Money(amount_minor, CNY),
        place=world.place(),
        at_us=now_us(),
    )


async def payout(world: World, payer: Payer, event_id: str, amount_minor: int) -> str:
    await world.heard(event_id)
    await world.funding.ask_payout(ask(world, event_id, f"wallet:{payer.wallet_id}", amount_minor))
    return await world.outcome(event_id)


async def top_up(world: World, payer: Payer, event_id: str, amount_minor: int) -> str:
    await world.heard(event_id)
    await world.funding.ask_top_up(ask(world, event_id, f"wallet:{payer.wallet_id}", amount_minor))
    return await world.outcome(event_id)


async def end(world: World, how: str, event_id: str, request: FundingRequest) -> str:
    await world.heard(event_id)
    act = world.funding.confirm if how == "confirm" else world.funding.decline
    await act(event_id, request, world.place("admin"))
    return await world.outcome(event_id)


async def test_a_top_up_moves_money_when_it_is_confirmed_and_three_times_is_once(
    bank: World,
) -> None:
    anna = await bank.person("anna")
    for _ in range(3):
        assert await top_up(bank, anna, "t1", 5_000) == "done"
    request = await bank.funding_request()
    assert (request.state, request.kind) == ("pending", "topup")
    assert request.instructions == f"Name the code {request.code}."
    assert await bank.balance(anna) == (0, 0)
    for _ in range(3):
        assert await end(bank, "confirm", "c1", request) == "done"
    assert await end(bank, "confirm", "c2", request) == "not_open"
    assert await end(bank, "decline", "d1", request) == "not_open"
    assert await bank.balance(anna) == (5_000, 0)
    assert (await bank.funding_request()).state == "done"


async def test_a_declined_top_up_moves_nothing_ever(bank: World) -> None:
    anna = await bank.person("anna")
    await top_up(bank, anna, "t1", 5_000)
    request = await bank.funding_request()
    assert await end(bank, "decline", "d1", request) == "done"
    assert await end(bank, "confirm", "c1", request) == "not_open"
    assert await bank.balance(anna) == (0, 0)


async def test_two_admins_at_once_confirm_once(bank: World) -> None:
    anna = await bank.person("anna")
    await top_up(bank, anna, "t1", 5_000)
    request = await bank.funding_request()
    outcomes = await asyncio.gather(
        *(end(bank, how, f"{how}{n}", request) for n in range(5) for how in ("confirm", "decline"))
    )
    assert sorted(outcomes) == ["done", *["not_open"] * 9]
    assert (await bank.balance(anna))[0] in (0, 5_000)


async def test_a_payout_holds_the_money_until_it_is_confirmed(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    for _ in range(3):
        assert await payout(bank, anna, "p1", 5_000) == "done"
    assert await bank.balance(anna) == (3_000, 5_000)
    request = await bank.funding_request()
    for _ in range(3):
        assert await end(bank, "confirm", "c1", request) == "done"
    assert await bank.balance(anna) == (3_000, 0)
    till = accounts.clearing("cash", CNY)
    assert await bank.reader.balance_minor(till) == -3_000


async def test_a_declined_payout_gives_the_money_back_once(bank: World) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    for _ in range(3):
        assert await end(bank, "decline", "d1", request) == "done"
    assert await end(bank, "confirm", "c1", request) == "not_open"
    assert await bank.balance(anna) == (8_000, 0)


async def test_held_money_is_not_spent_twice(bank: World) -> None:
    await bank.open_shop()
    await bank.offer()
    await bank.quote()
    anna = await bank.person("anna", PRICE_MINOR)
    assert await payout(bank, anna, "p1", 5_000) == "done"
    assert await payout(bank, anna, "p2", PRICE_MINOR - 4_999) == "no_funds"
    assert await bank.tap(anna, "e1") == "no_funds"
    assert await bank.balance(anna) == (PRICE_MINOR - 5_000, 5_000)
    assert "There is ¥149.00; this needs ¥149.01." in plain_text((await bank.cards())[-2])


async def test_of_many_payouts_at_once_only_as_many_hold_as_there_is_money(
    bank: World,
) -> None:
    anna = await bank.person("anna", 5_000)
    outcomes = await asyncio.gather(*(payout(bank, anna, f"p{n}", 3_000) for n in range(10)))
    assert outcomes.count("done") <= 1
    assert set(outcomes) <= {"done", "no_funds", "stale_fence"}
    assert await bank.balance(anna) in ((2_000, 3_000), (5_000, 0))


async def test_a_frozen_wallet_gets_no_payout(bank: World, till: Till) -> None:
    anna = await bank.person("anna", 5_000)
    await bank.freeze(anna.wallet_id)
    assert await payout(bank, anna, "p1", 3_000) == "wallet_frozen"
    assert till.asked == []


async def test_a_merchants_payout_is_held_and_paid(bank: World) -> None:
    await bank.open_shop()
    await bank.offer()
    await bank.quote()
    anna = await bank.person("anna", PRICE_MINOR)
    await bank.paid(anna, "e1")
    await bank.heard("p1")
    await bank.funding.ask_payout(ask(bank, "p1", f"merchant:{SHOP}", PRICE_MINOR))
    assert await bank.outcome("p1") == "done"
    assert await bank.earned() == 0
    assert await end(bank, "confirm", "c1", await bank.funding_request()) == "done"
    assert await bank.reader.balance_minor(accounts.clearing("cash", CNY)) == 0


@pytest.mark.parametrize("kind", ["topup", "payout"])
async def test_a_crash_before_the_providers_answer_asks_again_under_the_same_code(
    bank: World, till: Till, kind: str
) -> None:
    anna = await bank.person("anna", 8_000)
    act = top_up if kind == "topup" else payout
    till.breaks = 2
    for _ in range(2):
        with pytest.raises(ProviderBrokeError):
            await act(bank, anna, "x1", 5_000)
        assert await bank.outcome("x1") == "open"
    assert await act(bank, anna, "x1", 5_000) == "done"
    assert len(set(till.asked)) == 1
    assert len(till.asked) == 3
    assert await bank.count(t.funding_requests) == 1
    assert await bank.balance(anna) == ((3_000, 5_000) if kind == "payout" else (8_000, 0))
    assert await end(bank, "confirm", "c1", await bank.funding_request()) == "done"


@pytest.mark.parametrize("kind", ["topup", "payout"])
async def test_a_provider_that_fails_gives_the_money_back(
    bank: World, till: Till, kind: str
) -> None:
    anna = await bank.person("anna", 8_000)
    till.progress = Progress.FAILED
    act = top_up if kind == "topup" else payout
    for _ in range(3):
        assert await act(bank, anna, "x1", 5_000) == "done"
    assert await bank.balance(anna) == (8_000, 0)
    request = await bank.funding_request()
    assert request.state == "declined"
    assert await end(bank, "confirm", "c1", request) == "not_open"


@pytest.mark.parametrize(("kind", "left"), [("topup", 13_000), ("payout", 3_000)])
async def test_a_provider_that_is_done_at_once_needs_no_admin(
    bank: World, till: Till, kind: str, left: int
) -> None:
    anna = await bank.person("anna", 8_000)
    till.progress = Progress.DONE
    act = top_up if kind == "topup" else payout
    for _ in range(3):
        assert await act(bank, anna, "x1", 5_000) == "done"
    assert await bank.balance(anna) == (left, 0)
    request = await bank.funding_request()
    assert request.state == "done"
    assert await end(bank, "confirm", "c1", request) == "not_open"
    assert await bank.balance(anna) == (left, 0)


async def test_a_provider_that_does_not_know_leaves_the_money_held(bank: World, till: Till) -> None:
    anna = await bank.person("anna", 8_000)
    till.progress = Progress.UNKNOWN
    assert await payout(bank, anna, "p1", 5_000) == "done"
    assert await bank.balance(anna) == (3_000, 5_000)
    assert (await bank.funding_request()).state == "pending"


async def test_a_payout_that_nobody_hands_over_expires_and_late_words_are_answered(
    bank: World,
) -> None:
    anna = await bank.person("anna", 8_000)
    await payout(bank, anna, "p1", 5_000)
    request = await bank.funding_request()
    assert request.hold_id is not None
    await bank.make_due(request.hold_id)
    await bank.endings.run_due()
    assert await bank.balance(anna) == (8_000, 0)
    assert (await bank.funding_request()).state == "expired"
    newest = bank.recorder.news[-1]
    assert isinstance(newest, FundingChanged)
    assert newest.request == await bank.funding_request()
    assert "¥50.00 is back in your wallet" in plain_text((await bank.cards())[-1])
    assert await end(bank, "decline", "d1", request) == "not_open"
    assert await end(bank, "confirm", "c1", request) == "not_open"


async def test_a_lease_lost_while_the_provider_thinks_never_says_that_no_money_moved(
    database_url: str, own_valkey: ValkeyPeer, till: Till
) -> None:
    till.pause_s = 1.0
    async with world_at(
        database_url, valkey_url=own_valkey.url, provider=till, answer_within_s=0.3
    ) as world:
        assert isinstance(world.leases, Leases)
        world.funding.leases = ShortLived(world.leases)
        anna = await world.person("anna", 8_000)
        asking = asyncio.create_task(payout(world, anna, "p1", 5_000))
        async with asyncio.timeout(30):
            while not till.asked:  # noqa: ASYNC110 - the provider tells nobody
                await asyncio.sleep(0.01)
        own_valkey.pause()
        outcome = await asking
        held = (await world.balance(anna))[1]
        assert (outcome, held) in (("done", 5_000), ("busy", 0))
        await audit(world.database)


async def test_without_valkey_a_payout_is_refused_and_stays_refused(
    database_url: str, own_valkey: ValkeyPeer, till: Till
) -> None:
    async with world_at(
        database_url, valkey_url=own_valkey.url, provider=till, answer_within_s=0.3
    ) as world:
        anna = await world.person("anna", 8_000)
        own_valkey.pause()
        assert await payout(world, anna, "p1", 5_000) == "busy"
        own_valkey.resume()
        assert await payout(world, anna, "p1", 5_000) == "busy"
        assert await world.balance(anna) == (8_000, 0)
        assert till.asked == []
        assert "No money moved" in plain_text((await world.cards())[0])


async def test_a_payout_held_before_a_crash_is_never_called_unmoved_when_valkey_is_gone(
    database_url: str, own_valkey: ValkeyPeer, till: Till
) -> None:
    till.breaks = 1
    async with world_at(
        database_url, valkey_url=own_valkey.url, provider=till, answer_within_s=0.3
    ) as world:
        anna = await world.person("anna", 8_000)
        with pytest.raises(ProviderBrokeError):
            await payout(world, anna, "p1", 5_000)
        own_valkey.pause()
        assert await payout(world, anna, "p1", 5_000) == "done"
        assert await world.balance(anna) == (3_000, 5_000)


class OpensLater:
    """A writer that lets somebody in right before a request is opened."""

    def __init__(self, inner: WriterPort) -> None:
        self._inner = inner
        self.before_opening: Callable[[], Awaitable[object]] | None = None

    async def commit(self, commit: Commit) -> Written:
        if self.before_opening is not None and commit.transfers:
            before, self.before_opening = self.before_opening, None
            await before()
        return await self._inner.commit(commit)

    async def written(self, key: str) -> Written | None:
        return await self._inner.written(key)

    async def raise_fence(self, wallet_id: str) -> int:
        return await self._inner.raise_fence(wallet_id)


async def test_a_payout_that_another_process_refused_is_not_opened_any_more(bank: World) -> None:
    """Both work on one event, and one of them is told that the wallet is busy."""
    anna = await bank.person("anna", 8_000)
    await bank.heard("p1")
    asked = ask(bank, "p1", f"wallet:{anna.wallet_id}", 5_000)
    busy = Funding(bank.writer, bank.reader, NeverLeases(), bank.recorder, bank.funding.provider)
    slow = OpensLater(bank.writer)
    slow.before_opening = lambda: busy.ask_payout(asked)
    await Funding(slow, bank.reader, bank.leases, bank.recorder, bank.funding.provider).ask_payout(
        asked
    )
    assert await bank.outcome("p1") == "busy"
    assert await bank.balance(anna) == (8_000, 0)
    assert await bank.count(t.funding_requests) == 0


@pytest.mark.parametrize(("how", "state"), [("confirm", "done"), ("decline", "declined")])
async def test_a_request_ended_before_its_answer_was_said_is_answered_with_how_it_stands(
    bank: World, till: Till, how: str, state: str
) -> None:
    """A simulation found it: the process died between the request and its answer."""
    anna = await bank.person("anna", 8_000)
    till.breaks = 1
    with pytest.raises(ProviderBrokeError):
        await payout(bank, anna, "p1", 5_000)
    assert await end(bank, how, "d1", await bank.funding_request()) == "done"
    assert await payout(bank, anna, "p1", 5_000) == "said"
    assert await bank.balance(anna) == (3_000 if how == "confirm" else 8_000, 0)
    newest = bank.recorder.news[-1]
    assert isinstance(newest, FundingChanged)
    assert newest.request.state == state

"""Leases lost, stolen or not to be had: "Not charged" stays true, and nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.world import PRICE_MINOR, Interrupted, ShortLived, World, world_at
from wallet_core.locks import TTL_S, Leases
from wallet_core.storage import tables as t

BUSY_WORDS = "Not charged. Please tap again in a moment."


@asynccontextmanager
async def opened(database_url: str, valkey: ValkeyPeer) -> AsyncIterator[World]:
    """An open shop whose leases give a silent store up after 0.3 s; audited at the end."""
    async with world_at(database_url, valkey_url=valkey.url, answer_within_s=0.3) as world:
        await world.open_shop()
        await world.offer()
        await world.quote()
        yield world
        await audit(world.database)


def harm(valkey: ValkeyPeer, how: str) -> None:
    {"killed": valkey.kill, "paused": valkey.pause, "flushed": valkey.flush}[how]()


async def mend(valkey: ValkeyPeer, how: str) -> None:
    if how == "killed":
        await valkey.start_again()
    valkey.resume()


def when_the_lease_is_held(world: World, happens: Callable[[], object]) -> None:
    """Lets something happen once, between the grant of the next lease and its commit."""
    world.checkout.leases = Interrupted(world.checkout.leases, happens)


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_without_valkey_a_tap_is_not_charged_and_never_will_be(
    database_url: str, own_valkey: ValkeyPeer, how: str
) -> None:
    async with opened(database_url, own_valkey) as world:
        anna = await world.person("anna", 50_000)
        harm(own_valkey, how)
        assert await world.tap(anna, "e1") == "busy"
        (card,) = await world.cards()
        assert plain_text(card) == BUSY_WORDS
        await mend(own_valkey, how)
        for _ in range(3):
            assert await world.tap(anna, "e1") == "busy"
        assert await world.balance(anna) == (50_000, 0)
        await until_paid(world, anna_event="e")
        assert await world.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)
        assert await world.inbox.waiting_count() == 0
    # Another process, after all of it: the answer stands.
    async with world_at(database_url, create=False) as later:
        assert await later.tap(anna, "e1") == "busy"


async def until_paid(world: World, anna_event: str) -> None:
    """New taps until the leases are back: each of them a new event."""
    anna = await world.person("anna")
    for n in range(50):
        outcome = await world.tap(anna, f"{anna_event} again {n}")
        if outcome == "done":
            return
        assert outcome == "busy"
        await asyncio.sleep(0.05)
    raise AssertionError("The leases did not come back.")


@pytest.mark.parametrize("how", ["killed", "paused", "flushed"])
async def test_a_burst_with_valkey_harmed_in_the_middle_is_all_answered(
    database_url: str, own_valkey: ValkeyPeer, how: str
) -> None:
    async with opened(database_url, own_valkey) as world:
        payers = [await world.person(f"p{n}", PRICE_MINOR) for n in range(10)]
        when_the_lease_is_held(world, lambda: harm(own_valkey, how))
        outcomes = await asyncio.gather(*(world.tap(payers[n % 10], f"e{n}") for n in range(40)))
        assert set(outcomes) <= {"done", "said", "busy", "stale_fence"}
        await mend(own_valkey, how)
        again = await asyncio.gather(*(world.tap(payers[n % 10], f"e{n}") for n in range(40)))
        assert again == outcomes
        assert await world.count(t.orders) == outcomes.count("done")
        for payer in payers:
            assert await world.balance(payer) in ((0, PRICE_MINOR), (PRICE_MINOR, 0))
        assert await world.inbox.waiting_count() == 0
        assert await world.answers() == 40


async def test_after_a_flush_another_process_pays_and_the_first_is_refused(
    database_url: str, own_valkey: ValkeyPeer
) -> None:
    async with (
        opened(database_url, own_valkey) as first,
        world_at(database_url, valkey_url=own_valkey.url, create=False) as second,
    ):
        anna = await first.person("anna", 10 * PRICE_MINOR)

        async def overtaken() -> None:
            own_valkey.flush()
            assert await second.tap(anna, "e2") == "done"

        when_the_lease_is_held(first, overtaken)
        assert await first.tap(anna, "e1") == "stale_fence"
        assert (await first.cards())[0].title == BUSY_WORDS
        assert await first.balance(anna) == (9 * PRICE_MINOR, PRICE_MINOR)
        assert await first.tap(anna, "e3") == "said"


async def test_a_lease_that_ends_before_the_commit_charges_nothing(
    database_url: str, own_valkey: ValkeyPeer
) -> None:
    async with opened(database_url, own_valkey) as world:
        world.checkout.leases = ShortLived(world.leases)
        anna = await world.person("anna", 50_000)

        def silence() -> object:
            own_valkey.pause()
            return asyncio.sleep(5)

        when_the_lease_is_held(world, silence)
        assert await world.tap(anna, "e1") == "busy"
        own_valkey.resume()
        assert await world.tap(anna, "e1") == "busy"
        assert await world.balance(anna) == (50_000, 0)
        await until_paid(world, "e")


async def test_a_lease_that_ends_during_the_commit_leaves_one_answer_that_is_true(
    database_url: str, own_valkey: ValkeyPeer
) -> None:
    """The commit was handed in before the lease was lost: it stands, no "Not charged" beside it."""
    async with opened(database_url, own_valkey) as world:
        assert isinstance(world.leases, Leases)
        counts = world.leases.counts
        world.checkout.leases = ShortLived(world.leases)
        anna = await world.person("anna", 50_000)
        async with world.database.engine.connect() as blocker:

            async def blocked_and_silenced() -> None:
                """Holds what the commit needs, so that it waits inside its transaction."""
                if world.database.is_sqlite:
                    await blocker.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    await blocker.execute(sa.select(t.wallets).with_for_update())
                own_valkey.pause()

            when_the_lease_is_held(world, blocked_and_silenced)
            tapping = asyncio.create_task(world.tap(anna, "e1"))
            async with asyncio.timeout(20):
                while not counts.lost_unrenewed:  # noqa: ASYNC110 - the leases tell nobody
                    await asyncio.sleep(0.02)
            await blocker.rollback()
        assert await tapping == "done"
        assert await world.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)
        assert await world.answers() == 1
        assert await world.cards() == []


async def test_a_process_that_died_with_the_lease_keeps_a_tap_waiting_and_does_not_refuse_it(
    database_url: str, own_valkey: ValkeyPeer
) -> None:
    async with opened(database_url, own_valkey) as world:
        anna = await world.person("anna", 50_000)
        held = f"payontap:{{lease}}:held:{anna.wallet_id}"
        own_valkey.ask("SET", held, "dead|1|an earlier tap", "PX", str(round(TTL_S * 1000)))
        assert await world.tap(anna, "e1") == "done"
        assert await world.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)

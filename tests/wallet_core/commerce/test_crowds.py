"""Two hundred taps at once, in one process and in two: what there is one of is sold once."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec

from tests.audit import audit
from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.tapping_process import Orders
from tests.wallet_core.world import PRICE_MINOR, World, world_at
from wallet_core.commerce.records import Payer
from wallet_core.storage import tables as t

ROOT = Path(__file__).parents[3]
TAPS = 200
#: Answers that are polite: nothing moved, and what to do next.
POLITE = {"said", "no_funds", "sold_out", "busy", "stale_fence"}


async def opened(world: World, stock: int | None = None) -> World:
    await world.open_shop()
    await world.offer(stock=stock)
    await world.quote()
    return world


async def crowd(world: World) -> list[Payer]:
    return await asyncio.gather(*(world.person(f"p{n}", PRICE_MINOR) for n in range(TAPS)))


async def assert_one_order_and_everybody_answered(world: World, outcomes: list[str]) -> None:
    counted = Counter(outcomes)
    assert counted["done"] == 1
    assert set(counted) <= POLITE | {"done"}
    assert sum(counted.values()) == TAPS
    assert await world.count(t.orders) == 1
    assert await world.count(t.holds) == 1
    assert await world.sold() == 1
    assert await world.inbox.waiting_count() == 0
    # Each event has its own answer, and the one that paid has the purchase.
    assert await world.answers() == TAPS
    await audit(world.database)


async def test_200_taps_at_once_by_one_payer_with_money_for_one(any_world: World) -> None:
    world = await opened(any_world)
    anna = await world.person("anna", PRICE_MINOR)
    outcomes = await asyncio.gather(*(world.tap(anna, f"e{n}") for n in range(TAPS)))
    await assert_one_order_and_everybody_answered(world, outcomes)
    assert Counter(outcomes)["said"] == TAPS - 1
    assert await world.balance(anna) == (0, PRICE_MINOR)


async def test_stock_of_one_and_200_buyers(any_world: World) -> None:
    world = await opened(any_world, stock=1)
    buyers = await crowd(world)
    outcomes = await asyncio.gather(*(world.tap(b, f"e{n}") for n, b in enumerate(buyers)))
    await assert_one_order_and_everybody_answered(world, outcomes)
    assert Counter(outcomes)["sold_out"] == TAPS - 1


async def test_200_taps_by_one_payer_over_two_processes(
    database_url: str, valkey: ValkeyPeer
) -> None:
    async with world_at(database_url) as world:
        await opened(world)
        anna = await world.person("anna", PRICE_MINOR)
        outcomes = await tapped_by_two(database_url, valkey.url, [anna] * TAPS)
        await assert_one_order_and_everybody_answered(world, outcomes)
        assert await world.balance(anna) == (0, PRICE_MINOR)


async def test_stock_of_one_and_200_buyers_over_two_processes(
    database_url: str, valkey: ValkeyPeer
) -> None:
    async with world_at(database_url) as world:
        await opened(world, stock=1)
        buyers = await crowd(world)
        outcomes = await tapped_by_two(database_url, valkey.url, buyers)
        await assert_one_order_and_everybody_answered(world, outcomes)


async def test_without_leases_two_processes_never_charge_twice(database_url: str) -> None:
    """The fence then refuses whoever was overtaken; nobody pays more than once."""
    async with world_at(database_url) as world:
        await opened(world)
        anna = await world.person("anna", 10 * PRICE_MINOR)
        outcomes = await tapped_by_two(database_url, None, [anna] * 50)
        counted = Counter(outcomes)
        assert counted["done"] <= 1
        assert set(counted) <= POLITE | {"done"}
        assert await world.answers() == 50
        assert await world.count(t.orders) == counted["done"]
        assert await world.inbox.waiting_count() == 0
        await audit(world.database)


async def test_the_same_events_over_two_processes_are_answered_once(
    database_url: str, valkey: ValkeyPeer
) -> None:
    """A claim ran out and another process took over while the first was still at it."""
    async with world_at(database_url) as world:
        await opened(world, stock=20)
        buyers = (await crowd(world))[:40]
        taps = [(f"e{n}", buyer) for n, buyer in enumerate(buyers)]
        outcomes = await tapped(database_url, [valkey.url, valkey.url], [taps, taps])
        assert outcomes[0] == outcomes[1]
        assert Counter(outcomes[0])["done"] == 20
        assert await world.answers() == 40
        assert await world.inbox.waiting_count() == 0
        await audit(world.database)


async def tapped_by_two(
    database_url: str, valkey_url: str | None, payers: list[Payer]
) -> list[str]:
    taps = [(f"e{n}", payer) for n, payer in enumerate(payers)]
    both = await tapped(database_url, [valkey_url] * 2, [taps[::2], taps[1::2]])
    return [outcome for outcomes in both for outcome in outcomes]


async def tapped(
    database_url: str, valkey_urls: list[str | None], taps: list[list[tuple[str, Payer]]]
) -> list[list[str]]:
    """What processes of their own get for their taps, all let go at the same moment."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.wallet_core.tapping_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            limit=2**22,
        )
        for _ in taps
    ]
    pipes = [(p.stdin, p.stdout) for p in processes if p.stdin and p.stdout]
    for (stdin, _), url, mine in zip(pipes, valkey_urls, taps, strict=True):
        stdin.write(msgspec.json.encode(Orders(database_url, url, "q_1", mine)) + b"\n")
    for _, stdout in pipes:
        assert await stdout.readline() == b"ready\n"
    for stdin, _ in pipes:
        stdin.write(b"go\n")
    outcomes = [json.loads(await stdout.readline()) for _, stdout in pipes]
    assert [await process.wait() for process in processes] == [0] * len(taps)
    return outcomes

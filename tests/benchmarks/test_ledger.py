"""The benchmark runs, and counts what it says. Nothing here asserts a speed."""

import asyncio
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from uuid import RFC_4122, UUID, uuid4

import pytest
import sqlalchemy as sa

from benchmarks.ledger import CASES, LATENCIES, RATIOS, compared, report
from benchmarks.ledger_cases import ours, plain, town
from benchmarks.ledger_cases.books import Acknowledged, WrongBooks
from benchmarks.ledger_cases.ids import TimeOrderedIds
from benchmarks.ledger_cases.loops import Measured, Timing, closed_loop, open_loop
from tests.peers.missing import peer_is_missing
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

ROOT = Path(__file__).parents[2]
SHORT = Timing(warm_s=0.02, seconds=0.1)
WALLETS = 6


def test_a_tiny_run_measures_every_case_and_ends_with_its_figures(
    pytestconfig: pytest.Config,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ledger", "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode == 2:
        peer_is_missing(pytestconfig, "PostgreSQL or Valkey", done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert {*RATIOS, *LATENCIES} <= set(figures)
    assert {f"{case}_per_s" for case in CASES} <= set(figures)
    assert all(figures[f"{case}_per_s"] > 0 for case in CASES)


async def test_a_lost_transfer_a_lost_tap_and_a_changed_entry_are_found(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'books'}"
    await town.build(url, WALLETS)
    books = Acknowledged(url, WALLETS)
    async with ours.transfers(url, WALLETS, hot=False) as act:
        measured = await closed_loop(act, 3, SHORT)
    books.transfers += measured.acknowledged
    await books.check_sums()
    await books.check_rows()
    missing = uuid4().int
    with pytest.raises(WrongBooks, match="transfers"):
        await Acknowledged(url, WALLETS, [*books.transfers, missing]).check_sums()
    with pytest.raises(WrongBooks, match="lost: 1"):
        await Acknowledged(url, WALLETS, [*books.transfers[1:], missing]).check_rows()
    with pytest.raises(WrongBooks, match="orders"):
        await Acknowledged(url, WALLETS, books.transfers[1:], [missing]).check_sums()
    database = Database(url)
    async with database.write() as connection:
        raised = {"balance_minor": t.accounts.c.balance_minor + 1}
        await connection.execute(sa.update(t.accounts).values(raised))
    await database.close()
    with pytest.raises(WrongBooks, match="sum of all balances"):
        await books.check_sums()


async def test_the_plain_way_keeps_its_books_too(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'plain'}"
    await plain.build(url, WALLETS)
    async with plain.sqlite_transfers(url, WALLETS) as act:
        measured = await closed_loop(act, 3, SHORT)
    assert await plain.count_standing(url) == len(measured.acknowledged) > 0


async def test_arrivals_count_from_when_they_were_due_though_everything_stands_still() -> None:
    opens = asyncio.Event()

    async def act() -> UUID:
        await opens.wait()
        return uuid4()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(open_loop(act, 1_000, Timing(warm_s=0.0, seconds=0.1)))
        await asyncio.sleep(0.2)
        opens.set()
    measured = running.result()
    assert len(measured.acknowledged) == 100
    assert measured.p50_ms is not None
    assert measured.p50_ms > 100


async def test_only_what_is_answered_within_the_window_is_counted() -> None:
    timing, answered_at = Timing(warm_s=0.3, seconds=1.0), list[float]()

    async def act() -> UUID:
        await asyncio.sleep(0.01)
        answered_at.append(perf_counter())
        return uuid4()

    began_at = perf_counter()
    measured = await closed_loop(act, 2, timing)
    after_warm_up = [at for at in answered_at if at >= began_at + timing.warm_s]
    assert 0 < measured.per_s * timing.seconds <= len(after_warm_up)
    assert len(measured.acknowledged) == len(answered_at)


def test_ids_are_ordered_and_of_version_7() -> None:
    new_id = TimeOrderedIds()
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_no_wallet_taps_a_quote_twice() -> None:
    everything = list(ours.pairs(7, 5))
    assert len(set(everything)) == len(everything) == 35
    assert {wallet for wallet, _ in islice(everything, 7)} == set(range(7))


def test_a_ratio_is_the_median_of_the_rounds_ratios_and_what_was_left_out_is_none() -> None:
    rounds = [
        {"uniform_32": Measured(ours_per_s, 1.0, 2.0), "pgbench_tpcb_32": Measured(peer_per_s)}
        for ours_per_s, peer_per_s in ((40.0, 10.0), (90.0, 30.0), (10.0, 10.0))
    ]
    assert compared(rounds)["transfer_vs_pgbench_tpcb_32"] == 3.0
    assert compared(rounds)["hot_vs_uniform_2048"] is None
    assert compared(rounds)["p99_ms_at_2000"] is None
    assert report(rounds)["uniform_32_per_s"] == 40.0
    assert report(rounds)["uniform_32_p99_ms"] == 2.0
    assert "pgbench_tpcb_32_p99_ms" not in report(rounds)

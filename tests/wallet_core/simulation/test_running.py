"""A thousand instances in which everything fails that can; planted mistakes are found there."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from tests.wallet_core.simulation.planted import PLANTED
from wallet_core.simulation.running import Run, simulate, simulate_each, simulate_many
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.simulated import Stage, all_rows

STEPS = 200
SEEDS = int(os.environ.get("SEEDS", "1000"))
#: By then each planted mistake is found, most of them much earlier; then nobody goes on.
FOUND_WITHIN = 1000
_FEW = 12
_OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """What goes wrong on purpose is nobody's to read."""
    with capture_logs():
        yield


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@pytest.mark.timeout(900)
def test_a_thousand_seeds_of_two_hundred_steps_leave_everything_right() -> None:
    seen = 0
    for run in simulate_many(0, SEEDS, STEPS, processes=2):
        assert run.wrong is None, f"seed {run.seed}: {run.wrong}"
        seen += 1
    assert seen == SEEDS


@pytest.mark.parametrize("seed", [0, 1, 2, 17])
def test_the_same_seed_gives_the_same_run(stage: Stage, seed: int) -> None:
    traces: list[list[str]] = [[], []]
    runs = [simulate(stage, seed, STEPS, say=trace.append) for trace in traces]
    assert runs[0] == runs[1]
    assert traces[0] == traces[1]
    assert len(traces[0]) > STEPS / 2


def test_a_run_leaves_no_file_open_though_its_processes_were_killed(stage: Stage) -> None:
    simulate(stage, 0, STEPS)
    before = len(list(_OPEN_FILES.iterdir()))
    for seed in range(5):
        simulate(stage, seed, STEPS)
    assert len(list(_OPEN_FILES.iterdir())) == before


def test_other_seeds_and_other_steps_give_other_books(stage: Stage) -> None:
    digests = {simulate(stage, seed, steps).digest for seed in (3, 4) for steps in (50, 60)}
    assert len(digests) == 4


def test_it_is_real_trade_that_goes_wrong(stage: Stage) -> None:
    """Not a row of refusals: every ending of an order, and every fault, comes up."""
    trace: list[str] = []
    states: set[str] = set()
    refusals: set[str] = set()
    happened: set[str] = set()
    expected = {"no_funds", "sold_out", "busy", "not_open", "wallet_frozen", "day_limit"}
    expected |= {"payment_limit", "too_much", "stale_fence", "too_early", "claimed", "rate_expired"}
    expected |= {"consent_limit"}
    for seed in range(FOUND_WITHIN):
        simulate(stage, seed, STEPS, say=trace.append)
        with stage.look() as connection:
            states |= {order.state for order in all_rows(connection, t.orders.name)}
            refusals |= {row.refusal for row in all_rows(connection, t.commits.name)}
            happened.update(_happened(connection))
        if seed > _FEW and expected <= refusals and happened >= _EVERYTHING:
            break
    assert states == {"paid", "undone", "declined", "expired", "refunded"}
    assert expected <= refusals
    assert happened == _EVERYTHING
    everything = "\n".join(trace)
    for fault in (
        *("kill p", "kill at a statement", "error at a statement", "answer lost", "read failed"),
        *("stands still", "lease lost", "stolen", "emptied", "the store of the leases is away"),
        *("the database is away", "left open"),
    ):
        assert fault in everything, fault


_EVERYTHING = {
    *("captured in parts", "paid in part", "refunded from pending", "settled", "for the house"),
    *("converted to pay", "converted by wish", "joined", "parted", "paid by consent"),
    *("handed over to who proved the host", "nobody proved the host"),
}


def _happened(connection: sa.Connection) -> Iterator[str]:
    """What came up in a run, of all that is more than a tap and its ending."""
    yield from _happened_to_orders(connection)
    for row in all_rows(connection, trade.settlements.name):
        yield "settled" if row.amount_minor else "refunded from pending"
    for row in all_rows(connection, trade.conversions.name):
        if row.state == "done":
            yield "converted to pay" if row.quote_id else "converted by wish"
    if all_rows(connection, trade.consented_payments.name):
        yield "paid by consent"
    for row in all_rows(connection, t.commits.name):
        if row.result in ("joined", "part"):
            yield {"joined": "joined", "part": "parted"}[row.result]
        if row.key.startswith("claimed:"):
            yield "handed over to who proved the host"


def _happened_to_orders(connection: sa.Connection) -> Iterator[str]:
    captures = Counter(
        row.hold_id for row in all_rows(connection, t.transfers.name) if row.kind == "capture"
    )
    for order in all_rows(connection, t.orders.name):
        if captures[order.hold_id] > 1:
            yield "captured in parts"
        if 0 < order.captured_minor < order.amount_minor:
            yield "paid in part"
        if order.taken:
            yield "for the house"
        if not order.merchant_id:
            yield "nobody proved the host"


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_found(mistake: str) -> None:
    found = _first_wrong(mistake)
    assert found is not None, f"{mistake} was not found"


def _first_wrong(mistake: str) -> Run | None:
    runs = simulate_each(range(FOUND_WITHIN), STEPS, parts=PLANTED[mistake])
    return next((run for run in runs if run.wrong is not None), None)

"""Runs of a whole instance in which everything fails that can, each decided by its seed alone.

Several equal processes work on one database and one store of leases. A step is something that
somebody wants (a tap, an undo, an acceptance, a refund, a top-up, a payout …), an event that is
delivered again, or something that goes wrong: a process is killed or stands still, the database
refuses a statement or loses an answer, the store of the leases is emptied, robbed or away, hours
pass. Between steps only a little time passes, so that most of what was begun is under way when
the next thing happens.

At the end everything is mended, every event is answered and every hold ends. Then the books are
audited (`wallet_core.audit`) and held against what people were told (`checks`).
"""

import asyncio
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from logging import CRITICAL
from multiprocessing import get_context

import msgspec
import structlog

from wallet_core.audit.auditing import audit
from wallet_core.audit.findings import BrokenBooks
from wallet_core.simulation.checks import Books, check, check_money
from wallet_core.simulation.checks_spending import check_spending
from wallet_core.simulation.checks_trade import check_trade
from wallet_core.simulation.house import HOUSE
from wallet_core.simulation.instance import Instance, Say
from wallet_core.simulation.process import Parts
from wallet_core.simulation.steps import HOUR_S, Steps
from wallet_core.simulation.town import Deed, Wrong
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.simulated import Stage

#: Payouts that nobody hands over give their money back after 30 days.
_UNTIL_ALL_ENDS_S = 32 * 24 * HOUR_S
_ROUNDS_MAX = 30
_ROUND_S = 45.0
_WHOLE = Parts()
#: Seeds that a processor gets at a time.
_AT_A_TIME = 25


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a seed: a hash over all rows, and the first thing that was wrong, if any was."""

    seed: int
    steps: int
    digest: str
    events: int
    wrong: str | None


def simulate(
    stage: Stage, seed: int, steps: int, *, parts: Parts = _WHOLE, say: Say | None = None
) -> Run:
    """One run. The same seed and number of steps give the same run, everywhere and always."""
    # Not for secrets: that it can be thrown again is what this dice is for.
    instance = Instance(stage, random.Random(seed), parts, say)  # noqa: S311
    try:
        instance.loop.run_until_complete(_lived(instance, steps))
        wrong = instance.chronicle.wrong or _first_error(instance)
        digest = instance.digest()
    finally:
        instance.end()
    events = len(instance.chronicle.deeds)
    return Run(seed=seed, steps=steps, digest=digest, events=events, wrong=wrong)


def simulate_each(
    seeds: Iterable[int], steps: int, *, parts: Parts = _WHOLE, say: Say | None = None
) -> Iterator[Run]:
    """Many runs, one after the other."""
    with Stage() as stage:
        for seed in seeds:
            yield simulate(stage, seed, steps, parts=parts, say=say)


def simulate_many(first: int, count: int, steps: int, processes: int) -> Iterator[Run]:
    """The same on several processors, in the order of the seeds."""
    seeds = [
        range(n, min(n + _AT_A_TIME, first + count))
        for n in range(first, first + count, _AT_A_TIME)
    ]
    spawn = get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=quiet) as pool:
        try:
            for runs in pool.map(_simulated, seeds, repeat(steps)):
                yield from runs
        finally:
            # Whoever has seen enough does not wait for the rest.
            pool.shutdown(wait=False, cancel_futures=True)


def _simulated(seeds: range, steps: int) -> list[Run]:
    return list(simulate_each(seeds, steps))


def quiet() -> None:
    """Keep what goes wrong on purpose out of the logs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))


async def _lived(instance: Instance, steps: int) -> None:
    await instance.begin()
    taken = Steps(instance)
    for _ in range(steps):
        await taken.take()
        if instance.chronicle.wrong is not None:
            return
    await _brought_to_rest(instance)
    if instance.chronicle.wrong is None:
        await _checked(instance)


async def _brought_to_rest(instance: Instance) -> None:
    """Mend everything, answer every event, let every hold end."""
    instance.note("everything is mended")
    instance.faults.heal()
    await asyncio.sleep(_ROUND_S)
    for slot in range(len(instance.processes)):
        await instance.start(slot)
    for _ in range(_ROUNDS_MAX):
        open_events = await _open_events(instance)
        if not open_events:
            break
        for deed in open_events:
            instance.deliver(deed, instance.dice.choice(instance.living()))
        await asyncio.sleep(_ROUND_S)
    await asyncio.sleep(_UNTIL_ALL_ENDS_S)
    for _ in range(_ROUNDS_MAX):
        instance.sweep(instance.dice.choice(instance.living()))
        await asyncio.sleep(_ROUND_S)
        if not await _is_anything_due(instance):
            break
    await instance.rest()


async def _is_anything_due(instance: Instance) -> bool:
    """Whether something has not ended, or what that brought a merchant is still pending."""
    if await instance.reader.due_holds(1):
        return True
    if all(row.state == "done" for row in instance.rows("settlements")):
        return False
    await asyncio.sleep(HOUSE.pending_s)
    return True


async def _open_events(instance: Instance) -> list[Deed]:
    waiting = {row.event_id for row in instance.rows("inbox") if row.state == "waiting"}
    deeds = instance.chronicle.deeds
    return [
        *instance.unheard.values(),
        *(deed for event_id, deed in deeds.items() if event_id in waiting),
    ]


async def _checked(instance: Instance) -> None:
    try:
        async with books_of(instance.database()) as books:
            await audit(books)
        found = Books(instance.rows, instance.chronicle)
        check(found)
        check_trade(found)
        check_spending(found)
        check_money(found)
    except (BrokenBooks, Wrong) as wrong:
        instance.chronicle.note_wrong(str(wrong))


def _first_error(instance: Instance) -> str | None:
    errors = instance.loop.errors
    return f"Nobody caught: {errors[0]}" if errors else None

"""What is written side by side, and what one after the other."""

import asyncio

from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage.batch import Batch
from wallet_core.storage.queue import Flight, Job, Queue
from wallet_core.storage.touching import touched_by


def job(name: str, payer: str, payee: str) -> Job:
    legs = (
        Leg(accounts.wallet(payer, "CNY"), -1),
        Leg(accounts.wallet(payee, "CNY"), 1),
    )
    commit = Commit(transfers=(Post(id=named(name), legs=legs),))
    return Job(asyncio.get_running_loop().create_future(), commit, touched_by(commit))


def queue_of(*jobs: Job, lanes: int = 2) -> Queue:
    queue = Queue(lanes, batch_max=100, alone_max=10)
    for each in jobs:
        queue.add(each)
    return queue


def taken(queue: Queue) -> Flight:
    flight = queue.take()
    assert flight is not None
    return flight


async def test_a_flight_takes_its_share_and_leaves_the_rest_to_the_other_lane() -> None:
    jobs = [job(f"j{n}", f"a{n}", f"b{n}") for n in range(5)]
    queue = queue_of(*jobs)
    assert list(taken(queue).jobs) == jobs[:3]
    assert list(taken(queue).jobs) == jobs[3:]
    assert not queue


async def test_few_are_not_shared_out() -> None:
    jobs = [job(f"j{n}", f"a{n}", f"b{n}") for n in range(9)]
    queue = Queue(lanes=2, batch_max=100, alone_max=10, share_min=6)
    for each in jobs[:5]:
        queue.add(each)
    assert list(taken(queue).jobs) == jobs[:5]
    for each in jobs[5:]:
        queue.add(each)
    assert list(taken(queue).jobs) == jobs[5:]


async def test_one_that_flies_alone_takes_all_and_waits_for_every_other() -> None:
    jobs = [job(f"j{n}", f"a{n}", f"b{n}") for n in range(5)]
    queue = queue_of(*jobs)
    alone = queue.take(alone=True)
    assert alone is not None
    assert list(alone.jobs) == jobs
    queue.add(later := job("later", "x", "y"))
    assert queue.take(alone=True) is None
    assert queue
    queue.end(alone)
    after = queue.take(alone=True)
    assert after is not None
    assert after.jobs == [later]


async def test_one_that_flies_alone_is_small_however_many_wait() -> None:
    jobs = [job(f"j{n}", f"a{n}", f"b{n}") for n in range(25)]
    queue = queue_of(*jobs)
    for first in (0, 10, 20):
        flight = queue.take(alone=True)
        assert flight is not None
        assert list(flight.jobs) == jobs[first : first + 10]
        queue.end(flight)


async def test_nothing_that_another_flight_touches_is_taken_nor_overtaken() -> None:
    first, same, after, other = (
        job("first", "a", "b"),
        job("same", "b", "c"),
        job("after", "c", "d"),
        job("other", "x", "y"),
    )
    queue = queue_of(first)
    flight = taken(queue)
    for each in (same, after, other):
        queue.add(each)
    assert list(taken(queue).jobs) == [other]
    assert queue.take() is None
    queue.end(flight)
    assert list(taken(queue).jobs) == [same, after]


async def test_what_is_put_back_is_taken_first_once_its_flight_has_ended() -> None:
    jobs = [job(f"j{n}", f"a{n}", f"b{n}") for n in range(3)]
    queue = queue_of(*jobs, lanes=1)
    flight = taken(queue)
    queue.add(job("later", "a1", "x"))
    queue.put_back(jobs[1:])
    assert queue.take() is None
    queue.end(flight)
    assert list(taken(queue).jobs)[:2] == jobs[1:]


async def test_where_all_touch_the_same_a_flight_is_built_on_what_is_decided() -> None:
    queue = queue_of(*(job(f"j{n}", f"p{n}", "shop") for n in range(8)))
    first = taken(queue)
    assert queue.take() is None
    first.batch = Batch([])
    assert queue.take() is None
    first.batch.decided = True
    second = taken(queue)
    assert second.after == [first]
    waiting = asyncio.create_task(second.may_be_written())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.end(first)
    assert await waiting


async def test_what_was_built_on_a_failure_is_not_written() -> None:
    queue = queue_of(*(job(f"j{n}", f"p{n}", "shop") for n in range(8)))
    first = taken(queue)
    first.batch = Batch([])
    first.batch.decided = True
    second = taken(queue)
    first.land(written=False)
    assert not first.can_be_built_on
    queue.end(first)
    assert not await second.may_be_written()

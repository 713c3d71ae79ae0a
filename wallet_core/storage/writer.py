"""The writer: many commits in one database transaction, one result each.

While transactions are being written the next commits gather by themselves; nobody waits for a
window. A commit that fails, fails alone. When the database says that somebody else wrote the same
keys at the same moment, the batch is evaluated again; then the keys are found.

Two batches are under way: while the database writes one, the other is evaluated here (`queue.py`
says what goes into which).

A batch is first tried without locks, and without reading what is remembered: it then writes only if
nobody else was quicker. Where somebody was, it locks what it reads, and so do the batches after it
for as long as they see that other processes write the same accounts. Then commits that only add do
not wait for the locks of others: those whose accounts are free are written, and the rest is put off
until the next batch, or at last waits. Such batches go one at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from wallet_core.errors import (
    PayontapError,
    Refusal,
    Refused,
    StorageUnavailable,
    Unwritable,
)
from wallet_core.ledger.commits import Commit, Written
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.storage.account_opening import MissingAccounts, open_accounts
from wallet_core.storage.away import LASTING_ERRORS
from wallet_core.storage.batch import Batch
from wallet_core.storage.database import Database
from wallet_core.storage.fences import Fences
from wallet_core.storage.free_accounts import PutOff
from wallet_core.storage.postgres_session import PostgresSession
from wallet_core.storage.queue import Flight, Job, Queue
from wallet_core.storage.remembered import RememberedAccounts, Standing
from wallet_core.storage.requests import (
    FIRST_PAUSE_S,
    TRIES_MAX,
    Conflict,
    NeedsLocks,
    TryAgain,
    Work,
)
from wallet_core.storage.sqlite_session import SqliteSession, SqliteThread
from wallet_core.storage.touching import only_adds, touched_by
from wallet_core.storage.written import read_written

_log = structlog.get_logger(__name__)
R = TypeVar("R")

#: Commits in one transaction.
BATCH_MAX = 1024
#: The same where other processes write the same accounts: what it locks, they put off meanwhile.
_ALONE_MAX = 384
#: How often accounts are opened for a batch, which only has to happen once.
_OPENINGS_MAX = 3
#: Batches of one writer that are under way at a time, and how many commits are not shared out.
LANES = 2
_SHARE_MIN = 16
#: How often a commit makes way for other processes that write what it touches; then it waits.
_PUT_OFF_MAX = 2

Outcome = Written | Exception
MayWrite = Callable[[], Awaitable[bool]]


class Session(Protocol):
    """Where batches are run. `exclusive`: nobody else writes while a transaction is open."""

    @property
    def exclusive(self) -> bool:
        """See above."""

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction; see `PostgresSession`."""

    async def run_unlocked(self, work: Work[R], may_write: MayWrite) -> R:
        """Do `work` without locking what it reads; see `PostgresSession`."""

    async def rest(self) -> None:
        """Nothing more is to be done for now."""

    async def close(self) -> None:
        """Close the connection."""


#: Batches that are locked from the start, at most, after others were quicker again and again.
_WARY_MAX = 256


@dataclass
class _Lane:
    """A session, what is remembered for it, and how it fared without locks."""

    session: Session
    standing: Standing
    #: Batches that must meet nobody else until it is tried without locks again, and how many those
    #: were last time.
    wary: int = 0
    wary_before: int = 0

    def dares(self) -> bool:
        """Whether the next batch is to be tried without locks."""
        return not self.wary

    def makes_way(self) -> bool:
        """Whether others write the same accounts, so that this writer has one batch at a time.

        Two of its batches would lock as much again of what the others have to put off, and each
        process has its own beside theirs anyway.
        """
        return self.wary > 0 and not self.session.exclusive

    def met(self, *, others: bool) -> None:
        """Whether others were seen to write the same while what was read was locked."""
        if self.wary and not others:
            self.wary -= 1

    def lost(self) -> None:
        """Others were quicker."""
        self.wary = self.wary_before = min(max(1, 2 * self.wary_before), _WARY_MAX)

    def won(self) -> None:
        """Nobody was."""
        self.wary_before = 0


@dataclass
class Writer:
    """`WriterPort` on a database. Use as an async context manager.

    `limits_of` are the limits of wallets that have none of their own. `on_speech` is called after a
    commit that put something into the outbox.
    """

    database: Database
    batch_max: int = BATCH_MAX
    on_speech: Callable[[], None] | None = None
    limits_of: LimitsOf = no_limits
    lanes: int = LANES
    _accounts: RememberedAccounts = field(default_factory=RememberedAccounts)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _closing: bool = False

    def __post_init__(self) -> None:
        """Nothing waits yet."""
        self._queue = Queue(
            self.lanes,
            self.batch_max,
            alone_max=min(self.batch_max, _ALONE_MAX),
            share_min=_SHARE_MIN,
        )
        self._fences = Fences(self.database)

    async def __aenter__(self) -> "Writer":
        """Begin to write."""
        thread = SqliteThread(self.database) if self.database.is_sqlite else None
        for n in range(self._queue.lanes):
            run = self._run(self._lane(n, thread))
            self._tasks.append(asyncio.create_task(run, name=f"writer {n}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what was handed in, then stop."""
        self._closing = True
        self._wake.set()
        await asyncio.gather(*self._tasks)

    async def commit(self, commit: Commit) -> Written:
        """Write `commit`; see `WriterPort`."""
        self._check_running()
        done: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._queue.add(Job(done, commit, touched_by(commit)))
        self._wake.set()
        return await done

    async def raise_fence(self, wallet_id: str) -> int:
        """Raise the wallet's fence; see `WriterPort`."""
        self._check_running()
        return await self._fences.raised(wallet_id)

    async def written(self, key: str) -> Written | None:
        """What stands under `key`; see `WriterPort`."""
        return await read_written(self.database, key)

    def _check_running(self) -> None:
        if self._closing or not self._tasks:
            raise StorageUnavailable("The writer is not running; nothing was written.")

    async def _run(self, lane: _Lane) -> None:
        session = lane.session
        try:
            # A lane may only begin when all is over: then nobody wakes it any more.
            while self._queue or not self._closing:
                await self._wake.wait()
                while flight := self._queue.take(alone=lane.makes_way()):
                    try:
                        await self._settle(lane, flight)
                    finally:
                        self._queue.end(flight)
                    # Those who were answered may hand in what they do next, for the same batch.
                    await asyncio.sleep(0)
                    if self._queue:
                        # What had to wait for this batch may go now, on whichever lane.
                        self._wake.set()
                # Who comes meanwhile sets it again.
                self._wake.clear()
                await session.rest()
        finally:
            await session.close()

    def _lane(self, number: int, thread: SqliteThread | None) -> _Lane:
        database = self.database
        if thread is not None:
            chained = SqliteSession(database, thread, chain_no=number)
            return _Lane(chained, Standing(self._accounts, database.clock_us))
        session = PostgresSession(database, more=lambda: bool(self._queue))
        return _Lane(session, Standing(self._accounts))

    async def _settle(self, lane: _Lane, flight: Flight) -> None:
        """Write a flight's jobs, and answer them."""
        commits, careful = [job.commit for job in flight.jobs], False
        if lane.dares():
            try:
                results = await self._try(lane, commits, flight)
            except (TryAgain, NeedsLocks):
                lane.lost()
            except Exception as error:  # noqa: BLE001 - it is met again where it is answered
                careful = isinstance(error, Conflict)
            else:
                lane.won()
                flight.land(written=True)
                if flight.awaited:
                    # What is ready to be written goes first; the answers make new work.
                    await asyncio.sleep(0)
                self._answer(flight.jobs, results)
                return
            flight.land(written=False)
        if lane.wary and not careful and not lane.session.exclusive:
            # What is remembered may be what another flight only hopes to write.
            await flight.may_be_written()
            await self._write_free(lane, flight.jobs)
        else:
            await self._insist(lane, flight.jobs, careful=careful)

    async def _write_free(self, lane: _Lane, jobs: Sequence[Job]) -> None:
        """Write those jobs that touch nothing of what others are writing; the rest is put off."""
        patient = [job.commit for job in jobs if job.put_off >= _PUT_OFF_MAX]
        try:
            commits = [job.commit for job in jobs]
            results = await self._try(lane, commits, waits_for=patient)
        except Exception as error:  # noqa: BLE001 - it is met again where it is answered
            await self._insist(lane, jobs, careful=isinstance(error, Conflict))
            return
        self._answer(jobs, results)
        pairs = zip(jobs, results, strict=True)
        later = [job for job, result in pairs if isinstance(result, PutOff)]
        # Where most is busy, such as one merchant whom all pay, making way is of no use.
        most = 2 * len(later) > len(jobs)
        for job in later:
            job.put_off = _PUT_OFF_MAX if most else job.put_off + 1
        self._queue.put_back(later)

    async def _insist(self, lane: _Lane, jobs: Sequence[Job], *, careful: bool = False) -> None:
        """Write jobs with what they touch locked, again and again where that helps."""
        pause_s = FIRST_PAUSE_S
        commits = [job.commit for job in jobs]
        failure: Exception = StorageUnavailable("The database did not answer.")
        for _ in range(TRIES_MAX):
            try:
                results = await self._try(lane, commits, careful=careful)
            except Conflict as error:
                # Another process wrote the same keys, or a rule of the database forbids a row.
                failure = error
                if careful and not error.unique:
                    break
                careful = True
                continue
            except (StorageUnavailable, TryAgain) as error:
                # Every key makes a repeat harmless.
                failure = error
                _log.warning("batch_retried", jobs=len(jobs), error=str(error)[:500])
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                failure = error
                break
            else:
                self._answer(jobs, results)
                return
            await asyncio.sleep(pause_s)
            pause_s *= 2
        await self._give_up(lane, jobs, failure)

    async def _give_up(self, lane: _Lane, jobs: Sequence[Job], failure: Exception) -> None:
        if len(jobs) > 1 and not isinstance(failure, StorageUnavailable):
            # One of them is poison; alone it harms no neighbour.
            for job in jobs:
                await self._insist(lane, [job], careful=True)
            return
        if isinstance(failure, Conflict):
            failure = _refusal(jobs[0].commit, failure)
        elif isinstance(failure, TryAgain) or not isinstance(failure, PayontapError):
            _log.error("commit_failed", error=str(failure)[:2000])
            failure = _as_told(failure)
        self._answer(jobs, [failure] * len(jobs))

    async def _try(
        self,
        lane: _Lane,
        commits: Sequence[Commit],
        flight: Flight | None = None,
        *,
        careful: bool = False,
        waits_for: Sequence[Commit] | None = None,
    ) -> Sequence[Outcome | PutOff]:
        """Write commits once: without locks as a `flight`, else with what they touch locked."""
        session = lane.session
        recall = flight is not None and only_adds(commits)
        if flight is not None and session.exclusive and not recall:
            if not await flight.may_be_written():
                raise TryAgain("What it was to be decided on was not written.")
            # What has to be read is read in one transaction, which nobody else can disturb.
            flight = None
        locks = flight is None
        for _ in range(_OPENINGS_MAX):
            batch = Batch(
                commits,
                careful=careful,
                locks=locks,
                limits_of=self.limits_of,
                standing=lane.standing,
                recall=recall,
                waits_for=waits_for,
                on_decided=self._wake.set,
            )
            try:
                if flight is None:
                    results = await session.run(batch.write())
                else:
                    flight.batch = batch
                    results = await session.run_unlocked(batch.write(), flight.may_be_written)
            except MissingAccounts as missing:
                await session.run(open_accounts(missing.refs))
            except BaseException:
                batch.forget()
                raise
            else:
                batch.remember()
                if locks:
                    lane.met(others=batch.met_others)
                return results
        raise TryAgain("Accounts were opened and are not there.")

    def _answer(self, jobs: Sequence[Job], results: Sequence[Outcome | PutOff]) -> None:
        speech = False
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, PutOff):
                continue
            speech = speech or bool(job.commit.outbox)
            if job.done.done():  # whoever asked has gone; what was written stands
                continue
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)
        if speech and self.on_speech is not None:
            self.on_speech()


def _as_told(failure: Exception) -> PayontapError:
    """A failure that is none of ours, as whoever waits is told of it."""
    if isinstance(failure, LASTING_ERRORS):
        return Unwritable(f"This can never be written: {type(failure).__name__}: {failure}")
    return StorageUnavailable(f"The database refused: {failure}")


def _refusal(commit: Commit, conflict: Conflict) -> Exception:
    """A row that the database itself did not take, as the answer that its change asks for."""
    for change in commit.rows:
        if change.table == conflict.table:
            return Refused(change.refusal, str(conflict))
    if commit.rows:
        return Refused(commit.rows[0].refusal, str(conflict))
    return Refused(Refusal.NO_FUNDS, str(conflict))

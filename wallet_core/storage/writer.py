"""The writer: many commits in one database transaction, one result each.

While one transaction is being written the next commits gather by themselves; nobody waits for a
window. A commit that fails, fails alone. When the database says that somebody else wrote the
same keys at the same moment, the batch is evaluated again; then the keys are found.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from wallet_core.errors import PayontapError, StorageUnavailable
from wallet_core.ledger.commits import Commit, Written
from wallet_core.storage import tables as t
from wallet_core.storage.batch import Batch, read_written
from wallet_core.storage.database import Database

_log = structlog.get_logger(__name__)

#: Commits in one transaction.
BATCH_MAX = 256
#: How often a batch is tried again, and the first pause; each next one is twice as long.
TRIES_MAX = 6
FIRST_PAUSE_S = 0.02
#: PostgreSQL's class of errors after which a transaction is to be repeated (deadlock and others).
_ROLLED_BACK = "40"


@dataclass(eq=False)
class _Job:
    """Something to write, and who waits for it. A job without a commit raises a fence."""

    done: asyncio.Future[Written | int]
    commit: Commit | None = None
    wallet_id: str = ""


@dataclass
class Writer:
    """`WriterPort` on a database. Use as an async context manager.

    `on_speech` is called after a commit that put something into the outbox.
    """

    database: Database
    batch_max: int = BATCH_MAX
    on_speech: Callable[[], None] | None = None
    _jobs: list[_Job] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _closing: bool = False

    async def __aenter__(self) -> "Writer":
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what was handed in, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def commit(self, commit: Commit) -> Written:
        """Write `commit`; see `WriterPort`."""
        result = await self._hand_in(_Job(self._future(), commit=commit))
        assert isinstance(result, Written)  # noqa: S101 - the kind of job decides the kind of result
        return result

    async def raise_fence(self, wallet_id: str) -> int:
        """Raise the wallet's fence; see `WriterPort`."""
        result = await self._hand_in(_Job(self._future(), wallet_id=wallet_id))
        assert isinstance(result, int)  # noqa: S101 - same
        return result

    async def written(self, key: str) -> Written | None:
        """What stands under `key`; see `WriterPort`."""
        async with self.database.read() as connection:
            found = await read_written(connection, [key])
        return found[key].written if key in found else None

    @staticmethod
    def _future() -> "asyncio.Future[Written | int]":
        return asyncio.get_running_loop().create_future()

    async def _hand_in(self, job: _Job) -> Written | int:
        if self._closing or self._task is None:
            raise StorageUnavailable("The writer is not running; nothing was written.")
        self._jobs.append(job)
        self._wake.set()
        return await job.done

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._jobs:
                batch, self._jobs = self._jobs[: self.batch_max], self._jobs[self.batch_max :]
                await self._settle(batch)
            if self._closing:
                return

    async def _settle(self, jobs: Sequence[_Job]) -> None:
        pause_s = FIRST_PAUSE_S
        failure: Exception = StorageUnavailable("The database did not answer.")
        for _ in range(TRIES_MAX):
            try:
                results = await self._write(jobs)
            except (StorageUnavailable, DBAPIError) as error:
                # Either the database was away, or another process wrote the same keys or locked
                # the same rows in another order. Every key makes a repeat harmless.
                failure = error
                if not _may_pass(error):
                    break
                _log.warning("batch_retried", jobs=len(jobs), error=str(error)[:500])
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                failure = error
                break
            else:
                _answer(jobs, results)
                if self.on_speech is not None and any(j.commit and j.commit.outbox for j in jobs):
                    self.on_speech()
                return
            await asyncio.sleep(pause_s)
            pause_s *= 2
        await self._give_up(jobs, failure)

    async def _give_up(self, jobs: Sequence[_Job], failure: Exception) -> None:
        if len(jobs) > 1 and not isinstance(failure, StorageUnavailable):
            # One of them is poison; alone it harms no neighbour.
            for job in jobs:
                await self._settle([job])
            return
        if not isinstance(failure, PayontapError):
            _log.error("commit_failed", error=str(failure)[:2000])
            failure = StorageUnavailable(f"The database refused: {failure}")
        _answer(jobs, [failure] * len(jobs))

    async def _write(self, jobs: Sequence[_Job]) -> list[Written | int | Exception]:
        commits = [job.commit for job in jobs if job.commit is not None]
        async with self.database.write() as connection:
            fences = [
                (
                    await connection.execute(
                        sa.update(t.wallets)
                        .where(t.wallets.c.id == job.wallet_id)
                        .values(fence=t.wallets.c.fence + 1)
                        .returning(t.wallets.c.fence)
                    )
                ).scalar_one_or_none()
                for job in sorted(jobs, key=lambda job: job.wallet_id)
                if job.commit is None
            ]
            now_us = await self.database.now_us(connection)
            results = iter(await Batch(connection, commits, now_us).write())
        raised = dict(
            zip(
                sorted((j for j in jobs if j.commit is None), key=lambda job: job.wallet_id),
                fences,
                strict=True,
            )
        )
        return [next(results) if job.commit is not None else raised[job] or 0 for job in jobs]


def _may_pass(error: StorageUnavailable | DBAPIError) -> bool:
    """Whether trying again can help: not where the database refuses the values themselves."""
    if isinstance(error, StorageUnavailable | IntegrityError):
        return True
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    return sqlstate.startswith(_ROLLED_BACK)


def _answer(jobs: Sequence[_Job], results: Sequence[Written | int | Exception]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if job.done.done():  # whoever asked has gone; what was written stands
            continue
        if isinstance(result, Exception):
            job.done.set_exception(result)
        else:
            job.done.set_result(result)

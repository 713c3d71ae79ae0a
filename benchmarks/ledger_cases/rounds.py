"""The ground that is laid once, and a round: each case measured once, on books as new.

The databases are laid as `pgbench --initialize` leaves its own, vacuumed and analysed, and every
round begins on copies of them.
"""

import shutil
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.ledger_cases import ours, plain, town, writers
from benchmarks.ledger_cases.books import Acknowledged, WrongBooks
from benchmarks.ledger_cases.loops import Act, Measured, Timing, closed_loop, open_loop
from benchmarks.ledger_cases.machine import Machine
from bot import event_loop, memory

#: Nearly every wallet is met in the warm-up: each is read once, which is not what lasts.
_FULL = Timing(warm_s=2.0, seconds=4.0)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much. The cases are named after the callers of the full size."""

    wallets: int = 10_000
    few: int = 32
    some: int = 256
    many: int = 2_048
    slow_per_s: int = 2_000
    fast_per_s: int = 10_000
    timing: Timing = _FULL
    pgbench_scale: int = 50
    pgbench_s: int = 10


#: So small that it runs in seconds; its figures mean nothing.
SMOKE = Sizes(
    wallets=40,
    few=4,
    some=8,
    many=16,
    slow_per_s=50,
    fast_per_s=100,
    timing=Timing(warm_s=0.1, seconds=0.2),
    pgbench_scale=1,
    pgbench_s=1,
)


@dataclass
class Ground:
    """What every round begins with; each part is laid when a case first needs it."""

    machine: Machine
    sizes: Sizes

    @cached_property
    def pgbench(self) -> str:
        """The database of pgbench, which empties its history before each run by itself."""
        return self.machine.fill_pgbench(self.sizes.pgbench_scale)

    @cached_property
    def ours(self) -> str:
        """The PostgreSQL database to copy for ours."""
        return self._postgres(lambda url: town.build(url, self.sizes.wallets))

    @cached_property
    def plain(self) -> str:
        """The PostgreSQL database to copy for the plain way."""
        return self._postgres(lambda url: plain.build(url, self.sizes.wallets))

    @cached_property
    def sqlite(self) -> Path:
        """The SQLite file to copy for ours."""
        file = self.machine.folder / "ours"
        event_loop.run(town.build(sqlite_url(file), self.sizes.wallets))
        return file

    @cached_property
    def plain_sqlite(self) -> Path:
        """The SQLite file to copy for the plain way."""
        file = self.machine.folder / "plain"
        event_loop.run(plain.build(sqlite_url(file), self.sizes.wallets))
        return file

    def _postgres(self, build: Callable[[str], Coroutine[None, None, None]]) -> str:
        postgres = self.machine.postgres
        name = postgres.create()
        event_loop.run(build(postgres.url(name)))
        postgres.ask("vacuum analyze", name)
        return name


def sqlite_url(file: Path) -> str:
    """How SQLAlchemy names it."""
    return f"sqlite+aiosqlite:///{file}"


@dataclass
class Round:
    """Measures each case at most once. `end` checks all that was written, and throws it away."""

    ground: Ground
    _copies: list[str] = field(default_factory=list)
    _opened: list[Acknowledged] = field(default_factory=list)

    @property
    def _machine(self) -> Machine:
        return self.ground.machine

    @property
    def _sizes(self) -> Sizes:
        return self.ground.sizes

    @cached_property
    def _ours(self) -> str:
        return self._copy(self.ground.ours)

    @cached_property
    def _books(self) -> Acknowledged:
        self._opened.append(Acknowledged(self._url(self._ours), self._sizes.wallets))
        return self._opened[-1]

    @cached_property
    def _plain(self) -> str:
        return self._url(self._copy(self.ground.plain))

    def _copy(self, template: str) -> str:
        self._copies.append(self._machine.postgres.create(template))
        return self._copies[-1]

    def _url(self, name: str) -> str:
        return self._machine.postgres.url(name)

    def end(self) -> None:
        """Raises WrongBooks when anything acknowledged does not stand."""
        for books in self._opened:
            event_loop.run(books.check_rows())
        for name in self._copies:
            self._machine.postgres.drop(name)

    # --- the peers -----------------------------------------------------------------------------

    def pgbench(self) -> Measured:
        """Pgbench's tpcb-like script at 32 clients."""
        name, sizes = self.ground.pgbench, self._sizes
        self._machine.settle()
        return self._machine.run_pgbench(name, sizes.pgbench_scale, sizes.pgbench_s)

    def plain_lock(self) -> Measured:
        """SQLAlchemy Core under two redis-py locks."""
        url, sizes = self._plain, self._sizes
        peer = plain.postgres_transfers(url, self._machine.valkey_url, sizes.wallets, sizes.few)
        return self._checked_plain(url, self._closed(peer, sizes.few))

    def plain_sqlite(self) -> Measured:
        """SQLAlchemy and aiosqlite, one transaction each."""
        file = self._copied(self.ground.plain_sqlite)
        url = sqlite_url(file)
        peer = plain.sqlite_transfers(url, self._sizes.wallets)
        measured = self._checked_plain(url, self._closed(peer, self._sizes.many))
        _remove(file)
        return measured

    @staticmethod
    def _checked_plain(url: str, measured: Measured) -> Measured:
        standing = event_loop.run(plain.count_standing(url))
        if standing != len(measured.acknowledged):
            raise WrongBooks(f"the plain way: {standing}, not {len(measured.acknowledged)}")
        return measured

    # --- ours ----------------------------------------------------------------------------------

    def transfers(self, callers: int, *, hot: bool) -> Measured:
        """Transfers between wallets, or all to one merchant."""
        act = ours.transfers(self._books.url, self._sizes.wallets, hot=hot)
        return self._kept(self._closed(act, callers))

    def arrivals(self, per_s: int) -> Measured:
        """Transfers between wallets that arrive at a constant rate."""
        act = ours.transfers(self._books.url, self._sizes.wallets, hot=False)
        self._settle()
        return self._kept(event_loop.run(_arriving(act, per_s, self._sizes.timing)))

    def writers(self, processes: int) -> Measured:
        """Transfers between wallets by callers who are shared out to several processes.

        Raises WrongBooks for a deadlock too.
        """
        books, sizes = self._books, self._sizes
        share = [sizes.many // processes] * processes
        self._machine.settle()
        measured = writers.run(books.url, sizes.wallets, share, sizes.timing, self._machine.folder)
        deadlocks = self._machine.deadlocks(self._ours)
        if deadlocks:
            raise WrongBooks(f"deadlocks with {processes} processes: {deadlocks}")
        return self._kept(measured)

    def checkouts(self) -> Measured:
        """Whole checkouts, each a new event."""
        books, sizes = self._books, self._sizes
        act = ours.checkouts(books.url, self._machine.valkey_url, sizes.wallets)
        measured = self._closed(act, sizes.some)
        books.taps += measured.acknowledged
        event_loop.run(books.check_sums())
        return measured

    def sqlite(self) -> Measured:
        """Transfers between wallets on SQLite."""
        file = self._copied(self.ground.sqlite)
        books = Acknowledged(sqlite_url(file), self._sizes.wallets)
        act = ours.transfers(books.url, self._sizes.wallets, hot=False)
        measured = self._closed(act, self._sizes.many)
        books.transfers += measured.acknowledged
        event_loop.run(books.check_rows())
        _remove(file)
        return measured

    def _kept(self, measured: Measured) -> Measured:
        self._books.transfers += measured.acknowledged
        event_loop.run(self._books.check_sums())
        return measured

    def _closed(self, act: AbstractAsyncContextManager[Act], callers: int) -> Measured:
        self._settle()
        return event_loop.run(_waiting(act, callers, self._sizes.timing))

    def _settle(self) -> None:
        """Nothing is left over of earlier measurements, and memory is kept as in an instance."""
        self._machine.settle()
        memory.settle()

    def _copied(self, file: Path) -> Path:
        return Path(shutil.copy(file, file.with_name(f"{file.name}-copy")))


def _remove(file: Path) -> None:
    """Throw a database away, with the log that may be left beside it."""
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


async def _waiting(
    context: AbstractAsyncContextManager[Act], callers: int, timing: Timing
) -> Measured:
    async with context as act:
        return await closed_loop(act, callers, timing)


async def _arriving(
    context: AbstractAsyncContextManager[Act], per_s: int, timing: Timing
) -> Measured:
    async with context as act:
        return await open_loop(act, per_s, timing)

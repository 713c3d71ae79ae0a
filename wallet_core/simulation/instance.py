"""An instance of several processes in simulated time, and what can be done to it from outside."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

from wallet_core.simulation.chronicle import Chronicle
from wallet_core.simulation.faults import Faults
from wallet_core.simulation.goods import beginning
from wallet_core.simulation.lease_store import LeaseStore
from wallet_core.simulation.loop import Killed, Mortal, VirtualLoop, current
from wallet_core.simulation.process import Ground, Parts, Process
from wallet_core.simulation.town import Deed
from wallet_core.storage.readers import Reader
from wallet_core.storage.simulated import (
    SimulatedDatabase,
    Stage,
    all_rows,
    commits_after,
    database_error,
    digest,
    fences,
)
from wallet_core.storage.writer import Writer

#: When simulations begin, in microseconds since the epoch.
_BEGIN_US = 1_750_000_000_000_000
_PROCESSES = 3
#: How many of the leases are stolen, or their holders stopped, right after they were granted.
_HARMED = 0.3
#: How often more than holds is looked for, as the clockwork does it more seldom, too.
_ALL_OF_IT = 0.4
#: How many answers are under way for longer than nothing.
_OUTDATED = 0.4

Say = Callable[[str], None]


class Instance:
    """Everything of one run. `dice` decides, `say` hears the trace."""

    def __init__(self, stage: Stage, dice: random.Random, parts: Parts, say: Say | None) -> None:
        self._stage = stage
        self._say = say
        self._connection = stage.set()
        self.dice = dice
        self.loop = VirtualLoop(self._in_thread)
        self.chronicle = Chronicle()
        self.faults = Faults(dice, self.loop.time, self.note, database_error)
        self.store = LeaseStore(self.loop.time)
        self._opened: list[SimulatedDatabase] = []
        self.reader = Reader(self._open(faulty=False))
        self.unheard: dict[str, Deed] = {}
        self.processes: list[Process | None] = [None] * _PROCESSES
        self._everybody: list[Mortal] = []
        self._ground = Ground(
            self.chronicle, self.store, self.faults, parts, self._open, self._harm_grant
        )
        self._commit_count = 0
        self._fences: dict[str, int] = {}
        self._started = 0

    # --- time and trace --------------------------------------------------------------------------

    def clock_us(self) -> int:
        """The one clock that everybody has, in microseconds since the epoch."""
        return _BEGIN_US + round(self.loop.time() * 1_000_000)

    def note(self, what: str, whom: str = "") -> None:
        """One line of the trace."""
        if self._say is not None:
            owner = current()
            name = owner.name if owner is not None else ""
            self._say(f"{self.loop.time():14.4f} s  {name:6} {what} {whom}".rstrip())

    # --- life and death --------------------------------------------------------------------------

    async def begin(self) -> None:
        """Fill the books and start all processes."""
        async with Writer(self._open(faulty=False)) as writer:
            await writer.commit(beginning(self.dice))
        self._see_commits()
        for slot in range(_PROCESSES):
            await self.start(slot)

    async def start(self, slot: int) -> None:
        """Start a process where none runs."""
        if self.processes[slot] is not None:
            return
        self._started += 1
        process = Process(f"p{slot}.{self._started}", self._ground)
        self._everybody.append(process)
        self.processes[slot] = process
        self.note("start", process.name)
        await self.loop.spawn(process, process.start())

    def kill(self, process: Mortal) -> None:
        """End a process as `kill -9` does, wherever it is."""
        if not process.alive:
            return
        self.note("kill", process.name)
        process.kill()
        self.store.forget_process(process.name)
        self.processes = [None if known is process else known for known in self.processes]

    def stop(self, process: Mortal, for_s: float) -> None:
        """Let a process stand still, and go on as if no time had passed."""
        if process.alive and not process.stopped:
            self.note(f"stands still for {for_s:g} s", process.name)
            process.stopped = True
            self.loop.later(for_s, process.go_on)

    def steal(self, wallet: str) -> None:
        """Give a wallet's lease to whoever asks next."""
        self.note("a lease is stolen", wallet)
        self.store.steal(wallet)

    def _harm_grant(self, wallets: Sequence[str]) -> None:
        """Where a lease is held is where its loss matters."""
        owner, fate = current(), self.dice.random()
        if owner is None or self.faults.healed or fate > _HARMED:
            return
        soon_s = self.dice.uniform(0, 0.04)
        if fate < _HARMED / 2:
            self.loop.later(soon_s, self.steal, wallets[0])
        else:
            self.loop.later(soon_s, self.stop, owner, self.dice.choice((3, 12, 40)))

    def living(self) -> list[Process]:
        """The processes that run."""
        return [process for process in self.processes if process is not None]

    async def rest(self) -> None:
        """Stop all processes as they stop when they are asked to."""
        for process in self.living():
            await self.loop.spawn(process, process.stop())

    def end(self) -> None:
        """Leave nothing behind."""
        self.loop.end(self._everybody, [database.close() for database in self._opened])
        self._connection.close()

    # --- events ----------------------------------------------------------------------------------

    def deliver(self, deed: Deed, process: Process) -> None:
        """A network hands an event to a process, for the first time or once more."""
        self.loop.spawn(process, self._delivered(deed, process))

    async def _delivered(self, deed: Deed, process: Process) -> None:
        self.note("hears", str(deed))
        if deed.event_id not in self.chronicle.deeds:
            if await process.hear(deed):
                self.unheard.pop(deed.event_id, None)
            return
        self.unheard.pop(deed.event_id, None)
        await process.answer(deed)

    def sweep(self, process: Process) -> None:
        """Let a process end the holds that are due, and at times everything else."""
        everything = self.faults.healed or self.dice.random() < _ALL_OF_IT
        self.loop.spawn(process, process.end_what_is_due(everything=everything))

    # --- the database ----------------------------------------------------------------------------

    def rows(self, table: str) -> Sequence[Any]:
        """Every row of a table."""
        return all_rows(self._connection, table)

    def digest(self) -> str:
        """A hash over everything that the database holds."""
        return digest(self._connection)

    def database(self) -> SimulatedDatabase:
        """For the audit."""
        return self._open(faulty=False)

    def _open(self, *, faulty: bool = True) -> SimulatedDatabase:
        if not faulty:
            return SimulatedDatabase(self._stage, self._connection, clock_us=self.clock_us)
        database = SimulatedDatabase(
            self._stage,
            self._connection,
            clock_us=self.clock_us,
            before_statement=self.faults.before_statement,
            before=self._before_read,
            after=self._after_read,
        )
        self._opened.append(database)
        return database

    async def _before_read(self) -> None:
        await asyncio.sleep(self.faults.travel_s())
        self.faults.before_read()

    async def _after_read(self) -> None:
        """An answer is under way, and somebody may write meanwhile."""
        if self.dice.random() < _OUTDATED:
            await asyncio.sleep(self.faults.travel_s())

    async def _in_thread(self, work: Callable[[], object]) -> object:
        """A writer's transaction, from its first statement to its last in one moment."""
        owner = current()
        if owner is None:
            return work()
        await asyncio.sleep(self.faults.travel_s())
        try:
            result = work()
        except Killed:
            self.kill(owner)
            return await self.loop.create_future()
        finally:
            self._see_commits()
        self.faults.after_transaction()
        await self._after_read()
        return result

    def _see_commits(self) -> None:
        before, self._fences = self._fences, fences(self._connection)
        for place, key, result in commits_after(self._connection, self._commit_count):
            self._commit_count = place
            self.chronicle.check_fences(before, self._fences, key, result)

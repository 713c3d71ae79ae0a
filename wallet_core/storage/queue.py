"""What waits to be written, and which of it may be written side by side."""

import asyncio
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

import msgspec

from wallet_core.ledger.commits import Commit, Written
from wallet_core.storage.batch import Batch


class Job(msgspec.Struct, eq=False):
    """A commit to write, and who waits for it.

    An error that it ended with leads back to it by the frames that raised it, so the garbage
    collector has to look at it, unlike at what it holds.
    """

    done: "asyncio.Future[Written]"
    commit: Commit
    touches: Collection[Hashable]
    #: How often it was put off because others were writing what it touches.
    put_off: int = 0


@dataclass(eq=False)
class Flight:
    """Jobs that are being written together.

    `batch` is what they are decided in, while that may come to something. `landed` tells whether it
    was written at the first try. `after` are flights that this one is decided on, `awaited` says
    that another one is decided on this.
    """

    jobs: Sequence[Job]
    touched: frozenset[Hashable]
    after: "list[Flight]"
    batch: Batch | None = None
    awaited: bool = False
    landed: "asyncio.Future[bool]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def can_be_built_on(self) -> bool:
        """Whether others may be decided on what it leaves behind, though it is not written yet."""
        return self.batch is not None and self.batch.decided

    def land(self, *, written: bool) -> None:
        """Tell those who were decided on it; only the first word counts."""
        if not self.landed.done():
            self.landed.set_result(written)
        if not written:
            self.batch = None

    async def may_be_written(self) -> bool:
        """Wait for what it was decided on; False where that was not written as it was thought."""
        while self.after:
            before = self.after[-1]
            before.awaited = True
            if not await before.landed:
                return False
            self.after.pop()
        return True


@dataclass
class Queue:
    """Jobs in their order, and the flights that are under way in `lanes`.

    A flight takes at most `batch_max` jobs and its share of all, so that no lane stands still, or
    `share_min` where that is more, so that few do not cost two flights; and nothing that another
    flight touches, for it would only wait for its locks. Only where nearly all
    touches the same, such as one merchant, is a flight decided while another one is written that it
    depends on, and written after it.
    """

    lanes: int
    batch_max: int
    alone_max: int
    share_min: int = 1
    _jobs: list[Job] = field(default_factory=list)
    _flights: list[Flight] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._jobs)

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        self._jobs.append(job)

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Let jobs of a flight that has not ended be the next ones, in their order."""
        self._jobs[:0] = jobs

    def take(self, *, alone: bool = False) -> Flight | None:
        """The next flight, or None while there is nothing to do that could be done now.

        One that flies `alone` waits until no other is under way, shares nothing out, and takes at
        most `alone_max`.
        """
        if not self._jobs or (alone and self._flights):
            return None
        under_way = sum(len(flight.jobs) for flight in self._flights)
        share = -(-(len(self._jobs) + under_way) // (1 if alone else self.lanes))
        at_most = self.alone_max if alone else self.batch_max
        most = min(max(share, self.share_min), at_most)
        taken, left = self._free(self._flights, most)
        if len(taken) * 2 < most and left:
            closed = [flight for flight in self._flights if not flight.can_be_built_on]
            if len(closed) < len(self._flights):
                taken, left = self._free(closed, most)
        if not taken:
            return None
        self._jobs = left
        touched = frozenset[Hashable]().union(*[job.touches for job in taken])
        after = [each for each in self._flights if not touched.isdisjoint(each.touched)]
        flight = Flight(taken, touched, after)
        self._flights.append(flight)
        return flight

    def end(self, flight: Flight) -> None:
        """A flight has come to its end."""
        flight.land(written=True)
        self._flights.remove(flight)

    def _free(self, flights: Sequence[Flight], most: int) -> tuple[list[Job], list[Job]]:
        """The first jobs that touch nothing of these flights, and the others."""
        if not flights:
            return self._jobs[:most], self._jobs[most:]
        taken: list[Job] = []
        left: list[Job] = []
        held = set[Hashable]().union(*[flight.touched for flight in flights])
        for n, job in enumerate(self._jobs):
            if len(taken) == most:
                left += self._jobs[n:]
                break
            if held.isdisjoint(job.touches):
                taken.append(job)
            else:
                # Nobody behind it overtakes it on what it touches.
                left.append(job)
                held.update(job.touches)
        return taken, left

"""Mistakes that somebody might make, put into a simulated instance through its seams.

A simulation that finds none of them proves nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import count

import msgspec
import sqlalchemy as sa

from wallet_core.commerce.ports import DueReader
from wallet_core.errors import StorageUnavailable
from wallet_core.ledger.commits import Commit, Hold, Update, WriterPort, Written
from wallet_core.ledger.transfers import HoldState, named
from wallet_core.limits import no_limits
from wallet_core.simulation.process import Parts
from wallet_core.storage import tables as t
from wallet_core.storage.readers import Reader


class Through:
    """A writer that does nothing but hand on."""

    def __init__(self, inner: WriterPort) -> None:
        self.inner = inner

    async def commit(self, commit: Commit) -> Written:
        return await self.inner.commit(commit)

    async def written(self, key: str) -> Written | None:
        return await self.inner.written(key)

    async def raise_fence(self, wallet_id: str) -> int:
        return await self.inner.raise_fence(wallet_id)


class IgnoresFences(Through):
    async def commit(self, commit: Commit) -> Written:
        return await self.inner.commit(msgspec.structs.replace(commit, fences={}))


class SaysRefusalsBeforeTheyStand(Through):
    async def commit(self, commit: Commit) -> Written:
        if commit.refusal is not None and commit.outbox:
            await self.inner.commit(Commit(key=f"{commit.key}, said", outbox=commit.outbox))
        return await self.inner.commit(commit)


class TriesAgainUnderAnotherName(Through):
    """After an answer that was lost, as if nothing had been asked before."""

    serial = count(1)

    async def commit(self, commit: Commit) -> Written:
        try:
            return await self.inner.commit(commit)
        except StorageUnavailable:
            n = next(self.serial)
            transfers = tuple(
                msgspec.structs.replace(transfer, id=named(transfer.id, n))
                for transfer in commit.transfers
            )
            again = msgspec.structs.replace(commit, key=f"{commit.key} {n}", transfers=transfers)
            return await self.inner.commit(again)


class TakesSilenceForYes(Through):
    async def commit(self, commit: Commit) -> Written:
        try:
            return await self.inner.commit(commit)
        except StorageUnavailable:
            return Written(key=commit.key, created=True)


class KeepsTheStockOfUndos(Through):
    async def commit(self, commit: Commit) -> Written:
        rows = tuple(
            row
            for row in commit.rows
            if not (isinstance(row, Update) and row.add.get("sold") == -1)
        )
        return await self.inner.commit(msgspec.structs.replace(commit, rows=rows))


class CapturesWithoutLooking:
    """Holds that are due, whether or not an undo that was heard in time waits to be answered."""

    def __init__(self, reader: DueReader) -> None:
        assert isinstance(reader, Reader)
        self._reader = reader

    async def due_holds(self, limit: int) -> Sequence[Hold]:
        database = self._reader._database
        query = sa.select(t.holds).where(
            t.holds.c.state == HoldState.OPEN, t.holds.c.due_at_us <= database.clock_us()
        )
        return await self._reader._rows(query.order_by(t.holds.c.due_at_us).limit(limit), Hold)

    async def hold(self, hold_id: object) -> Hold | None:
        return await self._reader.hold(hold_id)


PLANTED: Mapping[str, Parts] = {
    "a writer that ignores fences": Parts(writer=IgnoresFences),
    "a refusal that is said before it stands": Parts(writer=SaysRefusalsBeforeTheyStand),
    "a retry under another name": Parts(writer=TriesAgainUnderAnotherName),
    "an outage that is taken for a yes": Parts(writer=TakesSilenceForYes),
    "stock that undos do not give back": Parts(writer=KeepsTheStockOfUndos),
    "captures that do not wait for undos": Parts(due=CapturesWithoutLooking),
    "limits that nobody counts": Parts(limits_of=no_limits),
}

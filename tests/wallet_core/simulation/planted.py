"""Mistakes that somebody might make, put into a simulated instance through its seams.

A simulation that finds none of them proves nothing.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import msgspec
import sqlalchemy as sa

from wallet_core.commerce.conversion import Conversion
from wallet_core.commerce.conversion_checkout import ConversionReader, Funds
from wallet_core.commerce.ports import DueReader, OrderReader
from wallet_core.errors import StorageUnavailable
from wallet_core.ledger.commits import (
    Commit,
    Hold,
    Insert,
    RowChange,
    Update,
    Value,
    WriterPort,
    Written,
)
from wallet_core.ledger.transfers import EndingAction, HoldState, named
from wallet_core.limits import no_limits
from wallet_core.simulation.process import Parts
from wallet_core.storage import tables as t
from wallet_core.storage.readers import Reader

_NEVER_US = 10**18
_ANYTHING_MINOR = 10**9


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

    #: How much too early its clock says that they are.
    early_us = 0

    def __init__(self, reader: DueReader) -> None:
        assert isinstance(reader, Reader)
        self._reader = reader

    async def due_holds(self, limit: int) -> Sequence[Hold]:
        until_us = self._reader._database.clock_us() + self.early_us
        query = sa.select(t.holds).where(
            t.holds.c.state == HoldState.OPEN, t.holds.c.due_at_us <= until_us
        )
        return await self._reader._rows(query.order_by(t.holds.c.due_at_us).limit(limit), Hold)

    async def hold(self, hold_id: object) -> Hold | None:
        return await self._reader.hold(hold_id)


class CapturesTooSoon(CapturesWithoutLooking):
    """Holds that fall due in a moment, as a clock that is wrong sees them."""

    early_us = 5_000_000


class CapturesWhatNobodyAccepted(CapturesWithoutLooking):
    """Every hold that is due is captured, and none expires."""

    async def due_holds(self, limit: int) -> Sequence[Hold]:
        due = await self._reader.due_holds(limit)
        return [msgspec.structs.replace(hold, ending=EndingAction.CAPTURE) for hold in due]


class SettlesAtOnce(Through):
    """Merchants' money is pending for no time."""

    async def commit(self, commit: Commit) -> Written:
        rows = tuple(
            Insert(row.table, {**row.values, "due_at_us": 1})
            if isinstance(row, Insert) and row.table == "settlements"
            else row
            for row in commit.rows
        )
        return await self.inner.commit(msgspec.structs.replace(commit, rows=rows))


class RefundsWithoutLooking(Through):
    """What was given back before, or is at this moment, is not asked."""

    async def commit(self, commit: Commit) -> Written:
        rows = tuple(
            msgspec.structs.replace(row, where=_but(row.where, "refunded_minor"))
            if isinstance(row, Update) and row.table == "orders"
            else row
            for row in commit.rows
        )
        return await self.inner.commit(msgspec.structs.replace(commit, rows=rows))


def _but(values: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    return {key: value for key, value in values.items() if key != name}


class OffersForEver:
    """Offers of another currency do not run out."""

    def __init__(self, reader: ConversionReader) -> None:
        self._reader = reader

    async def conversion(self, conversion_id: str) -> Conversion | None:
        known = await self._reader.conversion(conversion_id)
        return known and msgspec.structs.replace(known, expires_at_us=_NEVER_US)

    async def funds(self, wallet_id: str) -> Sequence[Funds]:
        return await self._reader.funds(wallet_id)


class ConsentsWithoutCap(OffersForEver):
    """Who consented to convert a little unasked is taken to have consented to anything."""

    async def conversion(self, conversion_id: str) -> Conversion | None:
        return await self._reader.conversion(conversion_id)

    async def funds(self, wallet_id: str) -> Sequence[Funds]:
        return [
            msgspec.structs.replace(each, cap_minor=each.cap_minor and _ANYTHING_MINOR)
            for each in await self._reader.funds(wallet_id)
        ]


class ForgetsWhatIsPending(Through):
    """Money moves from pending accounts, and their rows do not say so."""

    def __init__(self, inner: WriterPort, key: str) -> None:
        super().__init__(inner)
        self._key = key

    async def commit(self, commit: Commit) -> Written:
        rows = commit.rows
        if commit.key.startswith(self._key):
            rows = tuple(row for row in rows if row.table != "settlements" or _is_new(row))
        return await self.inner.commit(msgspec.structs.replace(commit, rows=rows))


class ConvertsBeforeItPays(Through):
    """In two commits, of which the second may never be written."""

    async def commit(self, commit: Commit) -> Written:
        first = tuple(move for move in commit.transfers if move.subject.startswith("conversion:"))
        rows = tuple(row for row in commit.rows if row.table == "conversions")
        if not first or len(commit.transfers) == 1:
            return await self.inner.commit(commit)
        await self.inner.commit(Commit(key=f"{commit.key}, first", transfers=first, rows=rows))
        transfers = tuple(move for move in commit.transfers if move not in first)
        others = tuple(row for row in commit.rows if row not in rows)
        rest = msgspec.structs.replace(commit, transfers=transfers, rows=others)
        return await self.inner.commit(rest)


class CountsEachWalletForItself(Through):
    """After two have become one, too."""

    async def commit(self, commit: Commit) -> Written:
        rows = tuple(
            row
            for row in commit.rows
            if not (isinstance(row, Update) and "limit_group" in row.values)
        )
        return await self.inner.commit(msgspec.structs.replace(commit, rows=rows))


class CapturesPartsWithoutLooking:
    """Parts are captured whether or not an undo that was heard in time waits to be answered."""

    def __init__(self, reader: OrderReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        return getattr(self._reader, name)

    async def is_heard_and_open(self, _until_us: int, _but_event_id: str) -> bool:
        return False


def _is_new(row: RowChange) -> bool:
    return isinstance(row, Insert)


PLANTED: Mapping[str, Parts] = {
    "a writer that ignores fences": Parts(writer=IgnoresFences),
    "a refusal that is said before it stands": Parts(writer=SaysRefusalsBeforeTheyStand),
    "a retry under another name": Parts(writer=TriesAgainUnderAnotherName),
    "an outage that is taken for a yes": Parts(writer=TakesSilenceForYes),
    "stock that undos do not give back": Parts(writer=KeepsTheStockOfUndos),
    "captures that do not wait for undos": Parts(due=CapturesWithoutLooking),
    "limits that nobody counts": Parts(limits_of=no_limits),
    "parts that do not wait for undos": Parts(orders=CapturesPartsWithoutLooking),
    "settlements that leave no trace": Parts(writer=partial(ForgetsWhatIsPending, key="settle:")),
    "refunds that take from nothing": Parts(writer=partial(ForgetsWhatIsPending, key="event:")),
    "captures that come too soon": Parts(due=CapturesTooSoon),
    "captures that nobody accepted": Parts(due=CapturesWhatNobodyAccepted),
    "settlements that come at once": Parts(writer=SettlesAtOnce),
    "refunds that do not see each other": Parts(writer=RefundsWithoutLooking),
    "offers that are never over": Parts(conversions=OffersForEver),
    "a consent without its cap": Parts(conversions=ConsentsWithoutCap),
    "a conversion that is written before its payment": Parts(writer=ConvertsBeforeItPays),
    "wallets of one that count each for itself": Parts(writer=CountsEachWalletForItself),
}

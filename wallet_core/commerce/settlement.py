"""Pending money of merchants becomes available when it is due.

What is due is a row, not a timer, so a restart forgets none.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import msgspec

from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update, WriterPort
from wallet_core.ledger.transfers import Leg, Post, Transfer, named

#: Settlements worked on in one round.
_ROUND_MAX = 100


class PendingMoney(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one capture on a merchant's pending account."""

    id: UUID
    order_id: str
    merchant_id: str
    currency: str
    amount_minor: int


class SettlementReader(Protocol):
    """What settlement asks of the storage."""

    async def due_settlements(self, limit: int) -> list[PendingMoney]:
        """Pending money whose time has come, by the database's clock."""


@dataclass
class Settlements:
    """Makes pending money available."""

    writer: WriterPort
    reader: SettlementReader

    async def run_due(self) -> int:
        """Settle what is due; gives how much was looked at.

        What went wrong is raised together afterwards, as an `ExceptionGroup`.
        """
        due = await self.reader.due_settlements(_ROUND_MAX)
        errors: list[Exception] = []
        for pending in due:
            try:
                await self._settle(pending)
            except (Refused, KeyConflict):
                # A refund took of it at this moment, or another process was quicker.
                continue
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("Money that could not be settled", errors)
        return len(due)

    async def _settle(self, pending: PendingMoney) -> None:
        transfers: tuple[Transfer, ...] = ()
        if pending.amount_minor:
            legs = (
                Leg(accounts.pending(pending.merchant_id, pending.currency), -pending.amount_minor),
                Leg(accounts.merchant(pending.merchant_id, pending.currency), pending.amount_minor),
            )
            subject = f"settlement:{pending.order_id}"
            transfers = (Post(id=named("settle", pending.id), subject=subject, legs=legs),)
        row = Update(
            table="settlements",
            where={"id": pending.id, "state": "pending", "amount_minor": pending.amount_minor},
            values={"state": "done"},
            refusal=Refusal.NOT_OPEN,
        )
        await self.writer.commit(
            Commit(key=f"settle:{pending.id.hex}", transfers=transfers, rows=(row,))
        )

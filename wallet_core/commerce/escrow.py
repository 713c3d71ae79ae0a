"""Money that is held for whoever proves a host that nobody has claimed.

The payer's hold names the host's escrow account and expires by itself. When somebody proves the
host in time, the order becomes his, and the hold gets the ending that an accepted order has. Who
has to get what is looked for in the rows, so that a process that dies forgets nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.news import Announcer, HostClaimed
from wallet_core.commerce.records import NOBODY, Merchant, Order, OrderState
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.commits import Commit, Hold, Update, WriterPort
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import EndingAction, HoldState

#: The longest host for which money can be held: an account's name has to have room for it.
HOST_LENGTH_MAX = 150
#: Orders worked on in one round.
_ROUND_MAX = 100


class Claimed(msgspec.Struct, frozen=True):
    """An order whose money was held for the owner of `host`, who is known by now.

    `found_at_us` is when that was seen, by the database's clock.
    """

    order: Order
    merchant: Merchant
    host: str
    found_at_us: int


class EscrowReader(Protocol):
    """What escrow asks of the storage."""

    async def claimed(self, limit: int) -> Sequence[Claimed]:
        """Orders whose host has been proven since."""


def escrow_host(hold: Hold) -> str | None:
    """The host for whose owner a hold was made; None for one that names a merchant."""
    payee = AccountRef.of_id(hold.payee_account_id)
    return payee.owner.partition(":")[2] if payee.purpose is Purpose.ESCROW else None


@dataclass
class EscrowReleases:
    """Gives owners what was held for them."""

    writer: WriterPort
    reader: EscrowReader
    announce: Announcer
    terms: Terms

    async def run_due(self) -> int:
        """Hand over what has found its owner; gives how many orders were looked at.

        What went wrong is raised together afterwards, as an `ExceptionGroup`.
        """
        found = await self.reader.claimed(_ROUND_MAX)
        errors: list[Exception] = []
        for claimed in found:
            try:
                await self._hand_over(claimed)
            except (Refused, KeyConflict):
                # Undone, expired, or another process was quicker.
                continue
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("Money that could not be handed over", errors)
        return len(found)

    async def _hand_over(self, claimed: Claimed) -> None:
        order, merchant = claimed.order, claimed.merchant
        undo_until_us = order.created_at_us + round(self.terms.undo_window_s * MICROSECONDS)
        changed = msgspec.structs.replace(order, merchant_id=merchant.id, accepted=True)
        key = f"claimed:{order.hold_id.hex}"
        news = HostClaimed(cause=key, order=changed, merchant=merchant, host=claimed.host)
        await self.writer.commit(
            Commit(
                key=key,
                rows=(
                    Update(
                        table="orders",
                        where={
                            "id": order.id,
                            "state": OrderState.AUTHORISED,
                            "merchant_id": NOBODY,
                        },
                        values={"merchant_id": merchant.id, "accepted": True},
                        refusal=Refusal.NOT_OPEN,
                    ),
                    Update(
                        table="holds",
                        where={"id": order.hold_id, "state": HoldState.OPEN},
                        values={
                            "ending": EndingAction.CAPTURE,
                            "due_at_us": max(claimed.found_at_us, undo_until_us),
                        },
                        refusal=Refusal.NOT_OPEN,
                    ),
                ),
                outbox=self.announce(news),
                result=order.id,
            )
        )

"""One process of an instance: the real writer, readers and flows, on simulated ground."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from wallet_core.commerce.answers import event_key
from wallet_core.commerce.conversion import ConversionQuotes
from wallet_core.commerce.conversion_checkout import ConversionReader, ConvertingCheckout
from wallet_core.commerce.escrow import EscrowReleases
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Endings, Fulfilment
from wallet_core.commerce.ports import DueReader, OrderReader
from wallet_core.commerce.settlement import Settlements
from wallet_core.errors import StorageUnavailable
from wallet_core.funding.requests import Funding
from wallet_core.ledger.commits import WriterPort
from wallet_core.limits import LimitsOf
from wallet_core.simulation.acts import Acts
from wallet_core.simulation.chronicle import Chronicle, Witness
from wallet_core.simulation.faults import Faults
from wallet_core.simulation.house import HOUSE, SPREAD_PPM, TERMS, TownRates
from wallet_core.simulation.lease_store import LeaseStore, OnGrant, SimulatedLeases
from wallet_core.simulation.loop import Mortal
from wallet_core.simulation.town import Deed, TownProvider, limits_of
from wallet_core.simulation.words import announce
from wallet_core.storage.conversions import Conversions
from wallet_core.storage.escrow import EscrowRows
from wallet_core.storage.linking import Links
from wallet_core.storage.people import People
from wallet_core.storage.readers import Reader
from wallet_core.storage.simulated import SimulatedDatabase
from wallet_core.storage.writer import Writer

T = TypeVar("T")


def _as_it_is(part: T) -> T:
    return part


@dataclass(frozen=True)
class Parts:
    """What a simulated process is made of; whoever wants to see a fault found puts it in here."""

    writer: Callable[[WriterPort], WriterPort] = _as_it_is
    due: Callable[[DueReader], DueReader] = _as_it_is
    orders: Callable[[OrderReader], OrderReader] = _as_it_is
    conversions: Callable[[ConversionReader], ConversionReader] = _as_it_is
    limits_of: LimitsOf = limits_of


@dataclass
class Ground:
    """What all processes of an instance share."""

    chronicle: Chronicle
    store: LeaseStore
    faults: Faults
    parts: Parts
    open_database: Callable[[], SimulatedDatabase]
    on_grant: OnGrant


class Process(Mortal):
    """One of several equal processes. `start` comes first, in a task of its own."""

    def __init__(self, name: str, ground: Ground) -> None:
        super().__init__(name)
        self._chronicle = ground.chronicle
        self._note = ground.faults.note
        self._database = ground.open_database()
        self._writer = Writer(self._database, limits_of=ground.parts.limits_of)
        self._reader = Reader(self._database)
        asked = Witness(ground.parts.writer(self._writer), self._chronicle)
        leases = SimulatedLeases(
            name, ground.store, ground.faults, asked.raise_fence, ground.on_grant
        )
        reader, database = self._reader, self._database
        conversions = ground.parts.conversions(Conversions(database))
        quotes = ConversionQuotes(TownRates(database.clock_us), SPREAD_PPM)
        self._acts = Acts(
            asked=asked,
            reader=reader,
            people=People(database, asked),
            links=Links(database),
            checkout=ConvertingCheckout(
                asked, reader, leases, announce, TERMS, quotes=quotes, conversions=conversions
            ),
            fulfilment=Fulfilment(asked, ground.parts.orders(reader), announce, TERMS, HOUSE),
            funding=Funding(asked, reader, leases, announce, TownProvider()),
            exchange=Exchange(quotes, conversions),
            chronicle=self._chronicle,
        )
        due = ground.parts.due(reader)
        self._due_work = (
            Endings(asked, due, reader, reader, announce, HOUSE).run_due,
            EscrowReleases(asked, EscrowRows(database), announce, TERMS).run_due,
            Settlements(asked, reader).run_due,
        )

    async def start(self) -> None:
        """Begin to write."""
        await self._writer.__aenter__()

    async def stop(self) -> None:
        """Write what was handed in, and end."""
        await self._writer.__aexit__()
        await self._database.close()

    async def hear(self, deed: Deed) -> bool:
        """Keep an event before anything is done about it; whether the network may forget it."""
        try:
            await self._database.keep(deed.event_id, msgspec.json.encode(deed))
        except StorageUnavailable:
            return False
        self._chronicle.deeds[deed.event_id] = deed
        await self.answer(deed)
        return True

    async def answer(self, deed: Deed) -> None:
        """Work on an event that was heard, as often as it comes."""
        try:
            await self._acts.do(deed)
            outcome = await self._database.outcome(event_key(deed.event_id))
        except StorageUnavailable:
            # Nobody was told anything; it stays open and comes again.
            self._note("left open", deed.event_id)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it should not have been
            self._chronicle.note_wrong(f"{deed} ended in {error!r}.")
            return
        self._note(self._chronicle.tell(deed, outcome), deed.event_id)

    async def end_what_is_due(self, *, everything: bool) -> None:
        """Give holds their endings, owners what was held for them, merchants what was pending."""
        for work in self._due_work if everything else self._due_work[:1]:
            try:
                await work()
            except* StorageUnavailable:
                self._note("endings delayed", "")
            except* Exception as errors:  # noqa: BLE001 - same
                self._chronicle.note_wrong(f"Endings failed: {errors.exceptions[0]!r}.")

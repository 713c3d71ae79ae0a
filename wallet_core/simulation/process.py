"""One process of an instance: the real writer, readers and flows, on simulated ground."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.checkout import Checkout, TapOn, Terms
from wallet_core.commerce.fulfilment import Endings, Fulfilment
from wallet_core.commerce.ports import DueReader
from wallet_core.errors import KeyConflict, Refused, StorageUnavailable
from wallet_core.funding.requests import Ask, Funding
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update, WriterPort
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.limits import LimitsOf
from wallet_core.simulation.chronicle import Chronicle, Witness
from wallet_core.simulation.faults import Faults
from wallet_core.simulation.lease_store import LeaseStore, OnGrant, SimulatedLeases
from wallet_core.simulation.loop import Mortal
from wallet_core.simulation.town import CURRENCY, TAP, Deed, TownProvider, limits_of, wallet_of
from wallet_core.simulation.words import announce
from wallet_core.storage.readers import Reader
from wallet_core.storage.simulated import SimulatedDatabase
from wallet_core.storage.writer import Writer

T = TypeVar("T")
TERMS = Terms(undo_window_s=8.0, accept_within_s=600.0)


def _as_it_is(part: T) -> T:
    return part


@dataclass(frozen=True)
class Parts:
    """What a simulated process is made of; whoever wants to see a fault found puts it in here."""

    writer: Callable[[WriterPort], WriterPort] = _as_it_is
    due: Callable[[DueReader], DueReader] = _as_it_is
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
        self._asked = asked
        leases = SimulatedLeases(
            name, ground.store, ground.faults, asked.raise_fence, ground.on_grant
        )
        self._checkout = Checkout(asked, self._reader, leases, announce, TERMS)
        self._fulfilment = Fulfilment(asked, self._reader, announce, TERMS)
        due = ground.parts.due(self._reader)
        self._endings = Endings(asked, due, self._reader, self._reader, announce)
        self._funding = Funding(asked, self._reader, leases, announce, TownProvider())

    async def start(self) -> None:
        """Begin to write."""
        await self._writer.__aenter__()

    async def stop(self) -> None:
        """Write what was handed in, and end."""
        await self._writer.__aexit__()

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
            await self._do(deed)
            outcome = await self._database.outcome(event_key(deed.event_id))
        except StorageUnavailable:
            # Nobody was told anything; it stays open and comes again.
            self._note("left open", deed.event_id)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it should not have been
            self._chronicle.note_wrong(f"{deed} ended in {error!r}.")
            return
        self._note(self._chronicle.tell(deed, outcome), deed.event_id)

    async def end_what_is_due(self) -> int:
        """Give holds their endings; how many were looked at."""
        try:
            return await self._endings.run_due()
        except* StorageUnavailable:
            self._note("endings delayed", "")
        except* Exception as errors:  # noqa: BLE001 - same
            self._chronicle.note_wrong(f"Endings failed: {errors.exceptions[0]!r}.")
        return 1

    async def _do(self, deed: Deed) -> None:
        match deed.verb:
            case "tap":
                await self._checkout.tap(
                    TapOn(
                        event_id=deed.event_id,
                        quote_id=deed.ref,
                        payer=deed.payer,
                        place=deed.place,
                        at_us=deed.at_us,
                        tap_ref=f"{TAP}{deed.event_id}",
                    )
                )
            case "undo" | "accept" | "decline" | "refund":
                await self._about_order(deed)
            case "top up" | "pay out":
                await self._ask_funding(deed)
            case "confirm" | "turn down":
                await self._decide_funding(deed)
            case "send":
                await self._send(deed)
            case _:
                await self._set_mode(deed)

    async def _about_order(self, deed: Deed) -> None:
        order = await self._reader.order(deed.ref)
        if deed.verb == "undo" or order is None:
            await self._checkout.undo(deed.event_id, order, deed.payer, deed.place)
            return
        who = (deed.payer.person_id, deed.place)
        match deed.verb:
            case "accept":
                await self._fulfilment.accept(deed.event_id, order, *who)
            case "decline":
                await self._fulfilment.decline(deed.event_id, order, *who)
            case _:
                await self._fulfilment.refund(deed.event_id, order, deed.money, *who)

    async def _ask_funding(self, deed: Deed) -> None:
        ask = Ask(
            event_id=deed.event_id,
            owner=deed.ref,
            money=deed.money,
            place=deed.place,
            at_us=deed.at_us,
        )
        if deed.verb == "top up":
            await self._funding.ask_top_up(ask)
        else:
            await self._funding.ask_payout(ask)

    async def _decide_funding(self, deed: Deed) -> None:
        request = await self._reader.funding_request(deed.ref)
        if request is None:
            await say_once(self._asked, deed.event_id, ())
        elif deed.verb == "confirm":
            await self._funding.confirm(deed.event_id, request, deed.place)
        else:
            await self._funding.decline(deed.event_id, request, deed.place)

    async def _send(self, deed: Deed) -> None:
        """Money from one person to another: a plain posting, which needs no lease."""
        legs = (
            Leg(accounts.wallet(deed.payer.wallet_id, CURRENCY), -deed.amount_minor),
            Leg(accounts.wallet(wallet_of(deed.ref), CURRENCY), deed.amount_minor),
        )
        post = Post(id=named("send", deed.event_id), subject=f"send:{deed.event_id}", legs=legs)
        await self._write(deed, transfers=(post,))

    async def _set_mode(self, deed: Deed) -> None:
        row = Update(table="wallets", where={"id": deed.ref}, values={"mode": deed.verb})
        await self._write(deed, rows=(row,))

    async def _write(self, deed: Deed, **parts: Any) -> None:
        key, event_id = event_key(deed.event_id), deed.event_id
        try:
            await self._asked.commit(Commit(key=key, event_id=event_id, result="done", **parts))
        except Refused as refused:
            await say_once(self._asked, event_id, (), refused.code)
        except KeyConflict:
            return

"""What a process does about an event: the real flows, each called as the bot calls it."""

from dataclasses import dataclass
from typing import Any

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.conversion_checkout import ConvertingCheckout
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Fulfilment
from wallet_core.commerce.linking import CODE_LENGTH, Linking, code_of
from wallet_core.commerce.records import Order, Payer
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.funding.requests import Ask, Funding
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update, Value, WriterPort
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.simulation.chronicle import Chronicle
from wallet_core.simulation.town import (
    CURRENCY,
    FREE_HOST,
    LIKES_DAY_MAX,
    SHOPS,
    TAP,
    Deed,
    secret_of,
    wallet_of,
)
from wallet_core.storage.linking import Links
from wallet_core.storage.people import People
from wallet_core.storage.readers import Reader

#: How often somebody looks again after the other side did the same at the same moment.
_TRIES = 3


@dataclass(frozen=True)
class Acts:
    """Answers events."""

    asked: WriterPort
    reader: Reader
    people: People
    links: Links
    checkout: ConvertingCheckout
    fulfilment: Fulfilment
    funding: Funding
    exchange: Exchange
    chronicle: Chronicle

    async def do(self, deed: Deed) -> None:
        """Whatever the event asks for."""
        match deed.verb:
            case "tap" | "like" | "pay by":
                await self._tap(deed)
            case "undo":
                await self._undo(deed)
            case "accept" | "decline" | "refund" | "capture" | "release":
                await self._about_order(deed)
            case "top up" | "pay out":
                await self._ask_funding(deed)
            case "confirm" | "turn down":
                await self._decide_funding(deed)
            case "send":
                await self._send(deed)
            case "ask rate" | "take rate":
                await self._convert(deed)
            case "claim" | "lose":
                await self._claim(deed)
            case "ask code" | "enter code" | "say yes" | "part" | "use wallet":
                await self._link(deed)
            case _:
                await self._set_mode(deed)

    async def _payer(self, deed: Deed, order: Order | None = None) -> Payer:
        """Who said it, as whoever he is by now; who paid an order, if it was from his wallets."""
        place = deed.place
        person = await self.people.meet(place.network, place.network_person_id, place.room_id)
        payer = Payer(person.id, person.wallet_id)
        if order is not None and await self.links.owns(person.id, order.wallet_id):
            payer = Payer(person.id, order.wallet_id)
        self.chronicle.acted[deed.event_id].add(payer.wallet_id)
        return payer

    async def _tap(self, deed: Deed) -> None:
        tap = TapOn(
            event_id=deed.event_id,
            quote_id=deed.ref,
            payer=await self._payer(deed),
            place=deed.place,
            at_us=deed.at_us,
            tap_ref=f"{TAP}{deed.event_id}",
            day_max=LIKES_DAY_MAX if deed.verb == "like" else None,
        )
        if deed.verb == "pay by":
            await self.checkout.pay_by(tap, deed.ref)
        else:
            await self.checkout.tap(tap)

    async def _undo(self, deed: Deed) -> None:
        order = await self.reader.order(deed.ref)
        payer = await self._payer(deed, order)
        await self.checkout.undo(deed.event_id, order, payer, deed.place)

    async def _about_order(self, deed: Deed) -> None:
        order = await self.reader.order(deed.ref)
        if order is None:
            await say_once(self.asked, deed.event_id, (), Refusal.NOT_ALLOWED)
            return
        who = ((await self._payer(deed)).person_id, deed.place)
        match deed.verb:
            case "accept":
                await self.fulfilment.accept(deed.event_id, order, *who)
            case "decline":
                await self.fulfilment.decline(deed.event_id, order, *who)
            case "capture":
                await self.fulfilment.capture_part(
                    deed.event_id, order, deed.money, *who, at_us=deed.at_us
                )
            case "release":
                await self.fulfilment.release(deed.event_id, order, *who)
            case _:
                await self.fulfilment.refund(deed.event_id, order, deed.money, *who)

    async def _ask_funding(self, deed: Deed) -> None:
        ask = Ask(
            event_id=deed.event_id,
            owner=deed.ref,
            money=deed.money,
            place=deed.place,
            at_us=deed.at_us,
        )
        if deed.verb == "top up":
            await self.funding.ask_top_up(ask)
        else:
            await self.funding.ask_payout(ask)

    async def _decide_funding(self, deed: Deed) -> None:
        request = await self.reader.funding_request(deed.ref)
        if request is None:
            await say_once(self.asked, deed.event_id, ())
        elif deed.verb == "confirm":
            await self.funding.confirm(deed.event_id, request, deed.place)
        else:
            await self.funding.decline(deed.event_id, request, deed.place)

    async def _send(self, deed: Deed) -> None:
        """Money from one person to another: a plain posting, which needs no lease."""
        from_id, to_id = (await self._payer(deed)).wallet_id, wallet_of(deed.ref)
        if from_id == to_id:
            await say_once(self.asked, deed.event_id, (), Refusal.NOT_ALLOWED)
            return
        legs = (
            Leg(accounts.wallet(from_id, CURRENCY), -deed.amount_minor),
            Leg(accounts.wallet(to_id, CURRENCY), deed.amount_minor),
        )
        post = Post(id=named("send", deed.event_id), subject=f"send:{deed.event_id}", legs=legs)
        await self._write(deed, transfers=(post,))

    async def _convert(self, deed: Deed) -> None:
        wallet_id = (await self._payer(deed)).wallet_id
        if deed.verb == "ask rate":
            money = deed.money
            offer = await self.exchange.quote(deed.event_id, wallet_id, money, deed.ref, deed.at_us)
            await self._write(deed, rows=(offer.offering,) if offer is not None else ())
            return
        try:
            taken = await self.exchange.taken(deed.ref, wallet_id, deed.at_us)
        except Refused as refused:
            await say_once(self.asked, deed.event_id, (), refused.code)
            return
        await self._write(deed, transfers=(taken.post,), rows=(taken.taking,))

    async def _claim(self, deed: Deed) -> None:
        """A shop proves the host that nobody had claimed, or loses its proof."""
        shop = SHOPS[1]
        known = [claim.host for claim in await self.reader.host_claims(shop)]
        host = FREE_HOST if deed.verb == "claim" else None
        if FREE_HOST in known or host is None:
            before = None if host is not None else FREE_HOST
            where: dict[str, Value] = {"merchant_id": shop, "host": FREE_HOST}
            where["verified_host"] = before
            rows = (Update(table="merchant_hosts", where=where, values={"verified_host": host}),)
            await self._write(deed, rows=rows)
            return
        row: dict[str, Value] = {
            "merchant_id": shop,
            "host": host,
            "token": deed.event_id,
            "verified_host": host,
            "method": "dns",
            "verified_at_us": deed.at_us,
        }
        await self._write(deed, rows=(Insert("merchant_hosts", row),))

    async def _link(self, deed: Deed) -> None:
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                result, rows = await self._planned(deed)
                key, event_id = event_key(deed.event_id), deed.event_id
                await self.asked.commit(
                    Commit(key=key, event_id=event_id, rows=rows, result=result)
                )
            except Refused as refused:
                if refused.code in (Refusal.CHANGED, Refusal.TAKEN) and not last:
                    continue
                await say_once(self.asked, deed.event_id, (), refused.code)
            except KeyConflict:
                return
            return

    async def _planned(self, deed: Deed) -> tuple[str, tuple[RowChange, ...]]:
        """What one step of linking comes to (`joined` when two have become one), and its rows."""
        linking = Linking(self.links, secret_of(deed.event_id))
        place, person_id = deed.place, (await self._payer(deed)).person_id
        match deed.verb:
            case "part":
                return deed.verb, await linking.parting(place, person_id)
            case "use wallet":
                return deed.verb, await linking.choosing(person_id, deed.ref)
            case "ask code":
                _, plan = linking.offering(place, person_id, deed.at_us)
            case "enter code":
                code = code_of(secret_of(deed.ref)(CODE_LENGTH))
                plan = await linking.entering(code, place, person_id, deed.at_us)
            case _:
                plan = await linking.confirming(deed.ref, place, deed.at_us)
        return plan.request.state, plan.rows

    async def _set_mode(self, deed: Deed) -> None:
        row = Update(table="wallets", where={"id": deed.ref}, values={"mode": deed.verb})
        await self._write(deed, rows=(row,))

    async def _write(self, deed: Deed, **parts: Any) -> None:
        key, event_id = event_key(deed.event_id), deed.event_id
        try:
            await self.asked.commit(Commit(key=key, event_id=event_id, result="done", **parts))
        except Refused as refused:
            await say_once(self.asked, event_id, (), refused.code)
        except KeyConflict:
            return

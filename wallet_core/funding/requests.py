"""Top-ups and payouts: asked for by their owner, confirmed or declined by an admin.

A top-up moves money when it is confirmed. A payout holds the money when it is asked for, so that
it cannot be spent twice, and moves it out when it is confirmed; until then its owner can take it
back, where nobody outside can have paid it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import msgspec

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.news import ActionRefused, Announcer, FundingChanged
from wallet_core.commerce.numbers import readable_number
from wallet_core.commerce.ports import FundingReader, OrderReader
from wallet_core.commerce.records import FundingRequest, Place, Speech
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.funding.base import Progress, Provider, Step
from wallet_core.ledger.accounts import AccountRef, Purpose, clearing
from wallet_core.ledger.commits import Commit, Insert, Update, WriterPort, Written
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.locks import WAIT_S, LeaseLost, LeasePort, LeaseUnavailable
from wallet_core.money import Money

#: A payout that nobody hands over gives the money back after this.
PAYOUT_EXPIRES_AFTER_S = 30 * 24 * 3600.0


def _nothing(_request: FundingRequest) -> Speech:
    return ()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asks for money in or out. `owner` is `wallet:…` or `merchant:…`.

    `also` is said together with the answer (to those who will confirm it). `hold_id` names a
    payout's hold where what it is for is paid out once, whichever event asks; without it each event
    has a hold of its own. `quote_id`: the purchase that a top-up is for, if there is one.
    """

    event_id: str
    owner: str
    money: Money
    place: Place
    at_us: int
    also: Callable[[FundingRequest], Speech] = _nothing
    hold_id: UUID | None = None
    quote_id: str | None = None


class RequestReader(OrderReader, FundingReader, Protocol):
    """Balances and requests."""


@dataclass
class Funding:
    """Money in and out. Each method answers one event; repeating it changes nothing."""

    writer: WriterPort
    reader: RequestReader
    leases: LeasePort
    announce: Announcer
    provider: Provider

    async def ask_top_up(self, ask: Ask) -> None:
        """Ask to bring money in for `ask.owner`."""
        request = self._request("topup", ask)
        await self._begin(ask, request)

    async def ask_payout(self, ask: Ask) -> None:
        """Ask to pay money out to `ask.owner`; it is held from now on."""
        request, hold = self._payout(ask)
        await self._begin(ask, request, hold)

    async def take_out(self, ask: Ask) -> Refusal | None:
        """The money has gone to `ask.owner` outside already: take it out of the books, in one step.

        None once the event is answered by it, else why the books do not follow; nothing is said
        then. Raises `KeyConflict` where the hold stands for another payout.
        """
        request, hold = self._payout(ask)
        done = msgspec.structs.replace(request, state="done")
        news = FundingChanged(event_id=ask.event_id, request=done, place=ask.place)
        commit = Commit(
            key=event_key(ask.event_id),
            transfers=(hold, *self._moved(request)),
            rows=(Insert("funding_requests", msgspec.structs.asdict(done)),),
            outbox=self.announce(news),
            event_id=ask.event_id,
            result=request.code,
        )
        try:
            await self.writer.commit(commit)
        except Refused as refused:
            return refused.code
        return None

    async def confirm(
        self, event_id: str, request: FundingRequest, place: Place, also: Speech = ()
    ) -> None:
        """The money has changed hands: an admin says so; `also` is said with it."""
        transfers = self._moved(request)
        await self._end(event_id, "confirm", request, "done", place, transfers, also)

    async def settle(self, event_id: str, request: FundingRequest, place: Place) -> Refusal | None:
        """The money has changed hands: the network of the provider says so.

        None once the event is answered by it, else why the books do not follow; nothing is said
        then.
        """
        return await self._ended(event_id, request, "done", place, self._moved(request))

    async def decline(
        self, event_id: str, request: FundingRequest, place: Place, also: Speech = ()
    ) -> None:
        """No money changes hands; what was held goes back. `also` is said with it."""
        transfers = self._given_back(request)
        await self._end(event_id, "decline", request, "declined", place, transfers, also)

    async def take_back(
        self, event_id: str, request: FundingRequest, person_id: str, place: Place, also: Speech
    ) -> None:
        """The owner of a payout wants it no more; what was held goes back. `also` is said with it.

        Refused to everybody else, where somebody outside may have paid it, and where it has ended.
        """
        owns = await self._owns(person_id, request)
        if owns and (request.can_be_taken_back or request.state != "pending"):
            transfers = self._given_back(request)
            await self._end(event_id, "take back", request, "cancelled", place, transfers, also)
            return
        code, about = Refusal.NOT_ALLOWED, request if owns else None
        await self._refuse(event_id, "take back", code, place, request.money, request=about)

    async def _owns(self, person_id: str, request: FundingRequest) -> bool:
        """Whether somebody acts for the owner of a request: for his wallet, or for his shop."""
        kind, _, owner_id = request.owner.partition(":")
        if kind == "wallet":
            return await self.reader.owns_wallet(person_id, owner_id)
        return await self.reader.is_member(owner_id, person_id)

    @staticmethod
    def _moved(request: FundingRequest) -> tuple[Transfer, ...]:
        """The transfer that says that the money has changed hands."""
        if request.hold_id is not None:
            capture = Capture(
                id=named("capture", request.hold_id),
                hold_id=request.hold_id,
                subject=f"payout:{request.id}",
            )
            return (capture,)
        owner = AccountRef(request.owner, Purpose.AVAILABLE, request.currency)
        legs = (
            Leg(clearing(request.provider, request.currency), -request.amount_minor),
            Leg(owner, request.amount_minor),
        )
        return (Post(id=named("topup", request.id), subject=f"topup:{request.id}", legs=legs),)

    def _payout(self, ask: Ask) -> tuple[FundingRequest, Authorise]:
        """A payout, and the hold that it begins with."""
        hold_id = ask.hold_id or named("payout", ask.event_id)
        request = msgspec.structs.replace(self._request("payout", ask), hold_id=hold_id)
        hold = Authorise(
            id=hold_id,
            subject=f"payout:{request.id}",
            payer=AccountRef(ask.owner, Purpose.AVAILABLE, ask.money.currency),
            payee=clearing(self.provider.name, ask.money.currency),
            amount_minor=ask.money.amount_minor,
            ending=EndingAction.EXPIRE,
            ends_after_s=PAYOUT_EXPIRES_AFTER_S,
        )
        return request, hold

    def _request(self, kind: str, ask: Ask) -> FundingRequest:
        name = named(kind, "request", ask.event_id)
        return FundingRequest(
            id=f"f_{name.hex}",
            code=readable_number(name, 6),
            kind=kind,
            provider=self.provider.name,
            owner=ask.owner,
            amount_minor=ask.money.amount_minor,
            currency=ask.money.currency,
            state="pending",
            hold_id=None,
            instructions="",
            network=ask.place.network,
            room_id=ask.place.room_id,
            network_person_id=ask.place.network_person_id,
            created_at_us=ask.at_us,
            quote_id=ask.quote_id,
        )

    async def _begin(
        self, ask: Ask, request: FundingRequest, hold: Authorise | None = None
    ) -> None:
        """Write the request, then call the provider, then say what it said.

        The request stands before the provider hears of it, so a crash between the two asks the
        provider again under the same code instead of losing what it began.
        """
        if await self.writer.written(event_key(ask.event_id)) is not None:
            return
        refusal = await self._opened(ask, request, hold)
        if refusal is not None:
            await self._refuse(ask.event_id, request.kind, refusal, ask.place, ask.money, ask.owner)
            return
        step = await self._call_provider(request)
        begun = msgspec.structs.replace(request, instructions=step.instructions)
        match step.progress:
            case Progress.DONE:
                state, transfers = "done", self._moved(request)
            case Progress.FAILED:
                state, transfers = "declined", self._given_back(request)
            case Progress.PENDING | Progress.UNKNOWN:
                state, transfers = "pending", ()
        also = ask.also(begun)
        if await self._ended(ask.event_id, begun, state, ask.place, transfers, also) is not None:
            await self._say_how_it_stands(ask, request)

    async def _say_how_it_stands(self, ask: Ask, request: FundingRequest) -> None:
        """The answer where the request was decided before whoever asked for it was answered."""
        latest = await self.reader.funding_request(request.code)
        news = FundingChanged(event_id=ask.event_id, request=latest or request, place=ask.place)
        await say_once(self.writer, ask.event_id, self.announce(news))

    async def _opened(
        self, ask: Ask, request: FundingRequest, hold: Authorise | None
    ) -> Refusal | None:
        """None once the request stands, else why it does not and never will.

        A refusal is written under the request's own key before anybody hears of it: another
        process that works on the same event may still be about to open the request.
        """
        key = _request_key(request)
        known = await self.writer.written(key)
        if known is None:
            try:
                await self._open(ask, request, hold)
            except Refused as refused:
                known = await self._known_or(Commit(key=key, refusal=refused.code))
            except KeyConflict:
                # Refused before; or its hold stands already, for another event that asked.
                known = await self._known_or(Commit(key=key, refusal=Refusal.TAKEN))
        return known.refusal if known is not None else None

    async def _known_or(self, commit: Commit) -> Written | None:
        """What stands under the commit's key: the commit, if nothing did."""
        try:
            return await self.writer.commit(commit)
        except KeyConflict:
            return await self.writer.written(commit.key)

    async def _open(self, ask: Ask, request: FundingRequest, hold: Authorise | None) -> None:
        """Write the request and hold what is to be paid out, under a lease on a payer's wallet.

        Raises `Refused`, and `KeyConflict` where the request was refused before or its hold is
        another's. No provider is waited for under the lease, and a merchant's account needs none.
        """
        commit = Commit(
            key=_request_key(request),
            transfers=(hold,) if hold else (),
            rows=(Insert("funding_requests", msgspec.structs.asdict(request)),),
        )
        wallet_id = hold.payer.wallet_id if hold else None
        if wallet_id is None:
            await self.writer.commit(commit)
        else:
            await self._write_leased(commit, wallet_id, event_key(ask.event_id))

    async def _write_leased(self, commit: Commit, wallet_id: str, token: str) -> None:
        fenced: Commit | None = None
        try:
            async with self.leases.hold(wallet_id, token=token, wait_s=WAIT_S) as lease:
                fenced = msgspec.structs.replace(commit, fences=lease.fences)
                await self.writer.commit(fenced)
        except LeaseUnavailable as error:
            raise Refused(Refusal.BUSY, wallet_id) from error
        except LeaseLost as error:
            if fenced is None:
                raise Refused(Refusal.BUSY, wallet_id) from error
            # It was handed in and may be written yet: only the same commit again tells, so that
            # nobody hears "No money moved" about money that is held.
            await self.writer.commit(fenced)

    async def _call_provider(self, request: FundingRequest) -> Step:
        if request.kind == "topup":
            return await self.provider.begin_top_up(request.code, request.money)
        return await self.provider.begin_payout(request.code, request.money)

    @staticmethod
    def _given_back(request: FundingRequest) -> tuple[Transfer, ...]:
        if request.hold_id is None:
            return ()
        return (
            Void(
                id=named("void", request.hold_id),
                hold_id=request.hold_id,
                subject=f"payout:{request.id}",
            ),
        )

    async def _end(
        self,
        event_id: str,
        action: str,
        request: FundingRequest,
        state: str,
        place: Place,
        transfers: tuple[Transfer, ...],
        also: Speech = (),
    ) -> None:
        if self._is_not_ours(request):
            refusal: Refusal | None = Refusal.NOT_ALLOWED
        else:
            refusal = await self._ended(event_id, request, state, place, transfers, also)
        if refusal is not None:
            latest = await self.reader.funding_request(request.code)
            await self._refuse(event_id, action, refusal, place, request.money, request=latest)

    def _is_not_ours(self, request: FundingRequest) -> bool:
        """Whether a network ends it: what an admin said here could be true of no money outside."""
        other = request.provider != self.provider.name
        return other and request.is_network_settled and request.state == "pending"

    async def _ended(
        self,
        event_id: str,
        request: FundingRequest,
        state: str,
        place: Place,
        transfers: tuple[Transfer, ...],
        also: Speech = (),
    ) -> Refusal | None:
        """None once the event is answered, else why the request is not ended by it."""
        ended = msgspec.structs.replace(request, state=state)
        commit = Commit(
            key=event_key(event_id),
            transfers=transfers,
            rows=(
                Update(
                    table="funding_requests",
                    where={"id": request.id, "state": "pending"},
                    values={"state": state, "instructions": request.instructions},
                    refusal=Refusal.NOT_OPEN,
                ),
            ),
            outbox=(
                *self.announce(FundingChanged(event_id=event_id, request=ended, place=place)),
                *also,
            ),
            event_id=event_id,
            result=request.code,
        )
        try:
            await self.writer.commit(commit)
        except Refused as refused:
            return refused.code
        except KeyConflict:
            # Another process answered this very event; its answer stands.
            return None
        return None

    async def _refuse(
        self,
        event_id: str,
        action: str,
        code: Refusal,
        place: Place,
        money: Money,
        owner: str | None = None,
        request: FundingRequest | None = None,
    ) -> None:
        balance = None
        if code is Refusal.NO_FUNDS and owner is not None:
            account = AccountRef(owner, Purpose.AVAILABLE, money.currency)
            balance = Money(await self.reader.balance_minor(account), money.currency)
        news = ActionRefused(
            event_id=event_id,
            action=action,
            code=code,
            place=place,
            money=money,
            balance=balance,
            request=request,
        )
        await say_once(self.writer, event_id, self.announce(news), code)


def _request_key(request: FundingRequest) -> str:
    return f"request:{request.id}"

"""A tap on Pay, and its undo.

An attempt is (quote, person, n), from whichever of his wallets. A tap joins the attempt that
stands; n advances only after the last one was refused, undone or has expired. Everything that a
tap does is one commit under the event's key: hold, order, stock, attempt, and what is said. A
refusal is committed under the same key before it is said, so a tap once answered "Not charged" can
never charge later.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakValueDictionary

import msgspec

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.news import (
    ActionRefused,
    Announcer,
    Authorised,
    Joined,
    OrderChanged,
    TapRefused,
)
from wallet_core.commerce.orders import TapOn, ending_without_money, new_order
from wallet_core.commerce.ports import OrderReader
from wallet_core.commerce.price_checks import (
    NotCharged,
    PriceChanged,
    PriceCheck,
    PriceStands,
    is_due,
)
from wallet_core.commerce.records import (
    NOBODY,
    ConsentedSum,
    Merchant,
    Order,
    OrderState,
    Payer,
    Place,
    Quote,
    TapFacts,
)
from wallet_core.errors import SPENDING_REFUSALS, KeyConflict, Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update, Value, WriterPort
from wallet_core.ledger.transfers import Authorise, EndingAction
from wallet_core.limits import DAY_US
from wallet_core.locks import WAIT_S, Lease, LeaseLost, LeasePort, LeaseUnavailable
from wallet_core.money import Money

__all__ = ["Checkout", "TapOn", "Terms"]

#: How often a tap looks again after another process was quicker.
_TRIES_MAX = 3


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take.

    `undo_window_s`: how long a payer may take a tap back. `accept_within_s`: how long a merchant
    without standing acceptance may think before the money goes back. `claim_within_s`: how long
    money waits for whoever proves a host that nobody has claimed; None where it may not be held.
    """

    undo_window_s: float
    accept_within_s: float
    claim_within_s: float | None = None


@dataclass
class Checkout:
    """Taps and undos. Without `prices` no page is read again."""

    writer: WriterPort
    reader: OrderReader
    leases: LeasePort
    announce: Announcer
    terms: Terms
    prices: PriceCheck | None = None
    _turns: "WeakValueDictionary[str, asyncio.Lock]" = field(default_factory=WeakValueDictionary)

    async def tap(self, tap: TapOn) -> None:
        """Answer a tap: authorise, join what stands, or refuse. Repeating it changes nothing.

        Raises `StorageUnavailable` when nothing could be written; the event then stays open.
        """
        stale = await self._in_turn(tap, price_checked=False)
        if stale is None or self.prices is None:
            return
        # Nobody's turn is taken up while a page is read.
        now = await self.prices.look(stale, tap.at_us)
        if isinstance(now, PriceStands):
            await self._in_turn(tap, price_checked=True)
            return
        if isinstance(now, PriceChanged):
            await self._refuse(tap, Refusal.PRICE_CHANGED, stale, offered=now.quote)
        else:
            await self._refuse(tap, now.code, stale, why=now.why)

    async def price_refusal(self, quote: Quote, at_us: int) -> Refusal | None:
        """Why the price of `quote` must not be charged, after a look at its page where it is due.

        For those who collect money before they tap.
        """
        if self.prices is None or not is_due(self.prices, quote, at_us):
            return None
        match await self.prices.look(quote, at_us):
            case PriceStands():
                return None
            case PriceChanged():
                return Refusal.PRICE_CHANGED
            case NotCharged(code=code):
                return code

    async def _in_turn(self, tap: TapOn, *, price_checked: bool) -> Quote | None:
        """Answer a tap; the quote instead, where its price has to be read again first."""
        # Taps of one payer in this process take turns, so that a burst of them asks Redis once.
        turn = self._turns.setdefault(tap.payer.wallet_id, asyncio.Lock())
        async with turn:
            for _ in range(_TRIES_MAX):
                answer = await self._answered(tap, price_checked=price_checked)
                if answer is not False:
                    return answer
        await self._refuse(tap, Refusal.BUSY, None)
        return None

    async def _answered(self, tap: TapOn, *, price_checked: bool) -> Quote | Literal[False] | None:
        """None when the tap is answered; the quote whose price has to be read again first.

        False where another process made the same attempt a moment earlier: look again.
        """
        facts = await self.reader.tap_facts(tap.quote_id, tap.payer.wallet_id)
        refusal = _refusal_of(facts, tap, self.terms)
        if facts is None or refusal is not None:
            quote = facts.quote if facts is not None else None
            await self._refuse(tap, refusal or Refusal.UNKNOWN_QUOTE, quote)
            return None
        if facts.order is not None and facts.order.stands:
            news = Joined(event_id=tap.event_id, order=facts.order, place=tap.place)
            await say_once(self.writer, tap.event_id, self.announce(news))
            return None
        if facts.sold_out:
            # Many come when it is just gone; none of them has to wait for a lease to hear so.
            await self._refuse(tap, Refusal.SOLD_OUT, facts.quote)
            return None
        if not price_checked and is_due(self.prices, facts.quote, tap.at_us):
            return facts.quote
        code = await self._pay(tap, facts, facts.merchant)
        if code is Refusal.TAKEN:
            return False
        if code is not None:
            await self._refuse(tap, code, facts.quote)
        return None

    async def _pay(self, tap: TapOn, facts: TapFacts, merchant: Merchant | None) -> Refusal | None:
        """Under the lease: None when the tap is answered, else why it is not."""
        wallet_id = tap.payer.wallet_id
        commit: Commit | None = None
        try:
            async with self.leases.hold(wallet_id, token=tap.key, wait_s=WAIT_S) as lease:
                if await self._is_outdated(facts, tap, lease):
                    return Refusal.TAKEN
                consented = await self._consented(tap, facts.quote.price)
                commit = self._authorisation(tap, facts, merchant, lease, consented)
                await self.writer.commit(commit)
        except Refused as refused:
            return refused.code
        except KeyConflict:
            # Another process answered this very event; its answer stands.
            return None
        except LeaseUnavailable:
            return Refusal.BUSY
        except LeaseLost:
            return await self._after_loss(commit)
        return None

    async def _is_outdated(self, facts: TapFacts, tap: TapOn, lease: Lease) -> bool:
        """Whether others paid, or the wallet has passed to another, since `facts` were read.

        Whoever did so raised the fence, so that mostly nothing has to be read again.
        """
        if lease.fences.get(tap.payer.wallet_id) == facts.fence + 1:
            return False
        now = await self.reader.tap_facts(tap.quote_id, tap.payer.wallet_id)
        seen = (facts.person_id, facts.n, facts.order and facts.order.id)
        return now is None or (now.person_id, now.n, now.order and now.order.id) != seen

    async def _consented(self, tap: TapOn, price: Money | None) -> ConsentedSum | None:
        """What was paid lately by the consent that pays this too; None where it is tapped for.

        Raises `Refused` where it would come to more than the payer has allowed.
        """
        most = tap.day_max
        if most is None or price is None:
            return None
        if price.currency != most.currency:
            raise Refused(Refusal.CONSENT_LIMIT, price.currency)
        since_us = tap.at_us - DAY_US
        so_far = await self.reader.consented_sum(tap.payer.wallet_id, price.currency, since_us)
        if so_far.spent_minor + price.amount_minor > most.amount_minor:
            raise Refused(Refusal.CONSENT_LIMIT, f"{so_far.spent_minor} of {most}")
        return so_far

    async def _after_loss(self, commit: Commit | None) -> Refusal | None:
        """The answer after the lease was lost.

        What was handed in before may be written yet. Only the same commit again tells, so that
        nobody hears "Not charged" about money that is held.
        """
        if commit is None:
            return Refusal.BUSY
        try:
            await self.writer.commit(commit)
        except Refused as refused:
            return Refusal.BUSY if refused.code is Refusal.STALE_FENCE else refused.code
        except KeyConflict:
            return None
        return None

    def _authorisation(
        self,
        tap: TapOn,
        facts: TapFacts,
        merchant: Merchant | None,
        lease: Lease,
        consented: ConsentedSum | None,
    ) -> Commit:
        quote, price = facts.quote, facts.quote.price
        if price is None:
            raise Refused(Refusal.NOT_ALLOWED, quote.id)
        order = new_order(tap, quote, merchant, price)
        payee, ending, ends_after_s = self._ending(facts, merchant, price.currency)
        hold = Authorise(
            id=order.hold_id,
            subject=f"order:{order.id}",
            payer=accounts.wallet(tap.payer.wallet_id, price.currency),
            payee=payee,
            amount_minor=price.amount_minor,
            ending=ending,
            ends_after_s=ends_after_s,
        )
        rows: tuple[RowChange, ...] = (
            Update(
                table="offers",
                where={"id": quote.offer_id},
                add={"sold": 1},
                keep_within=(("sold", "stock_total"),),
                refusal=Refusal.SOLD_OUT,
            ),
            Insert("orders", msgspec.structs.asdict(order)),
            Insert(
                "attempts",
                {
                    "quote_id": quote.id,
                    "wallet_id": tap.payer.wallet_id,
                    "n": facts.n + 1,
                    "order_id": order.id,
                    "tap_ref": tap.tap_ref,
                    "person_id": facts.person_id,
                },
            ),
            *_counting(consented, order),
        )
        standing = ending is EndingAction.CAPTURE
        news = Authorised(event_id=tap.event_id, order=order, merchant=merchant, standing=standing)
        return Commit(
            key=tap.key,
            transfers=(hold,),
            rows=rows,
            outbox=self.announce(news),
            event_id=tap.event_id,
            fences=lease.fences,
            result=order.id,
        )

    def _ending(
        self, facts: TapFacts, merchant: Merchant | None, currency: str
    ) -> tuple[AccountRef, EndingAction, float]:
        """Whom a capture credits, and what becomes of the hold by itself, and when."""
        if merchant is None:
            if self.terms.claim_within_s is None:
                raise Refused(Refusal.NOT_ALLOWED, facts.quote.id)
            payee = accounts.escrow(facts.host, currency)
            return payee, EndingAction.EXPIRE, self.terms.claim_within_s
        payee = accounts.merchant(merchant.id, currency)
        if merchant.standing_acceptance or facts.quote.is_payable:
            return payee, EndingAction.CAPTURE, self.terms.undo_window_s
        return payee, EndingAction.EXPIRE, self.terms.accept_within_s

    async def _refuse(
        self,
        tap: TapOn,
        code: Refusal,
        quote: Quote | None,
        *,
        offered: Quote | None = None,
        why: str = "",
    ) -> None:
        """Say no, once. `offered` is what may be bought instead, `why` one more sentence."""
        balance = None
        if code is Refusal.NO_FUNDS and quote is not None and quote.currency is not None:
            account = accounts.wallet(tap.payer.wallet_id, quote.currency)
            balance = Money(await self.reader.balance_minor(account), quote.currency)
        allowance = None
        if code in SPENDING_REFUSALS and quote is not None and quote.currency is not None:
            allowance = await self.reader.allowance(tap.payer.wallet_id, quote.currency)
        news = TapRefused(
            event_id=tap.event_id,
            code=code,
            place=tap.place,
            quote=quote,
            balance=balance,
            allowance=allowance,
            offered=offered,
            why=why,
        )
        await say_once(self.writer, tap.event_id, self.announce(news), code)

    async def undo(self, event_id: str, order: Order | None, payer: Payer, place: Place) -> None:
        """Take a tap back while its money is still held. Repeating it changes nothing."""
        if await self.writer.written(event_key(event_id)) is not None:
            return
        if order is None or order.wallet_id != payer.wallet_id:
            await self._refuse_undo(event_id, Refusal.NOT_ALLOWED, None, place)
            return
        merchant = await self.reader.merchant(order.merchant_id)
        if merchant is None and order.merchant_id != NOBODY:
            await self._refuse_undo(event_id, Refusal.NOT_ALLOWED, None, place)
            return
        changed = msgspec.structs.replace(order, state=OrderState.UNDONE)
        news = OrderChanged(cause=event_id, order=changed, merchant=merchant, place=place)
        commit = ending_without_money(
            event_key(event_id), order, OrderState.UNDONE, self.announce(news), event_id
        )
        try:
            await self.writer.commit(commit)
        except Refused as refused:
            latest = await self.reader.order(order.id)
            await self._refuse_undo(event_id, refused.code, latest, place)
        except KeyConflict:
            return

    async def _refuse_undo(
        self, event_id: str, code: Refusal, order: Order | None, place: Place
    ) -> None:
        news = ActionRefused(event_id=event_id, action="undo", code=code, place=place, order=order)
        await say_once(self.writer, event_id, self.announce(news), code)


def _counting(consented: ConsentedSum | None, order: Order) -> tuple[Insert, ...]:
    """The row that counts an order against what its payer has allowed beforehand.

    It takes the next number, so that nothing was counted between the sum and the commit.
    """
    if consented is None:
        return ()
    values: dict[str, Value] = {
        "counted_with": consented.counted_with,
        "n": consented.n + 1,
        "order_id": order.id,
    }
    return (Insert("consented_payments", values),)


def _refusal_of(facts: TapFacts | None, tap: TapOn, terms: Terms) -> Refusal | None:
    if facts is None:
        return Refusal.UNKNOWN_QUOTE
    quote = facts.quote
    # Nothing can be held for what costs nothing, and no order stands without its hold.
    if not quote.can_be_tapped or quote.amount_minor == 0:
        return Refusal.NOT_ALLOWED
    if quote.expires_at_us <= tap.at_us:
        return Refusal.QUOTE_EXPIRED
    if facts.host_lost:
        return Refusal.UNVERIFIED
    if not quote.waits_for_owner:
        return Refusal.UNKNOWN_QUOTE if facts.merchant is None else None
    if terms.claim_within_s is None:
        return Refusal.NOT_ALLOWED
    return Refusal.CLAIMED if facts.host_claimed else None

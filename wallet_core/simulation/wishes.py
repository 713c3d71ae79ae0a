"""What people want: events that a network delivers, some of them twice or in bursts."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from wallet_core.commerce.records import Order, OrderState
from wallet_core.funding.base import Progress
from wallet_core.ledger.transfers import HoldState
from wallet_core.simulation.house import TERMS
from wallet_core.simulation.instance import Instance
from wallet_core.simulation.process import Process
from wallet_core.simulation.town import (
    CURRENCY,
    FOREIGN,
    PEOPLE,
    QUOTES,
    SELLER,
    SHOPS,
    Deed,
    progress_of,
    wallet_of,
)

SHORT_PAUSES_S = (0, 0.002, 0.01, 0.05, 0.3)
_TAPS_OF_A_BURST = 0.7
_HEARD_TWICE = 0.15
#: How many deliveries are followed by the death of their process, before or after it kept them.
_DIES_OF_IT = 0.08
#: Events that are delivered again are among the newest.
_REMEMBERED = 25
#: How many undos come just before the money would be captured.
_LAST_MOMENT = 0.3
#: How many captures of parts come right after an undo that was just in time.
_AGAINST_UNDOS = 0.6
#: How many undos come from whoever, and not from who paid.
_NOT_HIS = 0.1
#: How many captures of parts do not wait until the undo window is over.
_TOO_EARLY = 0.15
#: How many of the things that merchants do fit their order's state.
_FITTING = 0.9
_LINK_STEP_S = 0.4
_IN_HANDS = (Progress.PENDING, Progress.UNKNOWN)


class Wishes:
    """Makes events and has them delivered. `sweep` lets what is due happen."""

    def __init__(self, instance: Instance, sweep: Callable[[], None]) -> None:
        self._instance = instance
        self._dice = instance.dice
        self._sweep = sweep
        self._events = 0

    # --- buying ----------------------------------------------------------------------------------

    async def tap(self) -> None:
        """Somebody taps on Pay."""
        self._wants("tap", ref=self._dice.choice(QUOTES))

    async def like(self) -> None:
        """Somebody likes a post, and lets likes pay."""
        self._wants("like", ref=self._dice.choice(QUOTES))

    async def burst(self) -> None:
        """One person wants many things at once, and every process hears of some."""
        who = self._dice.choice(PEOPLE)
        for _ in range(self._dice.randrange(2, 6)):
            if self._dice.random() < _TAPS_OF_A_BURST:
                self._wants("tap", who=who, ref=self._dice.choice(QUOTES))
            else:
                owner = f"wallet:{wallet_of(who)}"
                self._wants("pay out", who=who, ref=owner, amount_minor=self._amount())

    async def pay_by(self) -> None:
        """Somebody taps on an offer to pay with another currency, mostly he who got it."""
        offers = [row for row in self._instance.rows("conversions") if row.quote_id is not None]
        if offers:
            offer = self._dice.choice(offers[-4:])
            self._wants("pay by", who=self._owner(offer.wallet_id), ref=offer.id)

    async def undo(self) -> None:
        """Somebody takes a tap back, at times in the last moment."""
        who = self._dice.choice(PEOPLE)
        orders = await self._instance.reader.recent_orders(wallet_of(who), 3)
        if not orders:
            return
        order = self._dice.choice(orders)
        if self._dice.random() < _LAST_MOMENT:
            await self._until_nearly_due(order.hold_id)
        if self._dice.random() < _NOT_HIS:
            who = self._dice.choice(PEOPLE)
        self._wants("undo", who=who, ref=order.id)
        self._sweep()

    async def _until_nearly_due(self, hold_id: UUID) -> None:
        """Undos are dangerous in the last moments before the capture, which chance alone misses."""
        hold = await self._instance.reader.hold(hold_id)
        if hold is not None and hold.state == HoldState.OPEN:
            left_s = (hold.due_at_us - self._instance.clock_us()) / 1_000_000
            await asyncio.sleep(max(0.0, left_s - self._dice.choice(SHORT_PAUSES_S)))

    # --- selling ---------------------------------------------------------------------------------

    async def accept(self) -> None:
        """A merchant takes an order."""
        self._about("accept", await self._an_order(SHOPS[1], _is_held))

    async def decline(self) -> None:
        """A merchant turns an order down."""
        self._about("decline", await self._an_order(self._dice.choice(SHOPS), _is_held))

    async def release(self) -> None:
        """A merchant will not ship the rest."""
        self._about("release", await self._an_order(SHOPS[1], _is_shipped_in_part))

    async def refund(self) -> None:
        """A merchant gives money back, often all of it, at times by several parts at once."""
        order = await self._an_order(self._dice.choice(SHOPS), _can_be_refunded)
        if order is not None:
            for _ in range(self._dice.choice((1, 1, 1, 3))):
                part_minor = self._dice.choice((order.captured_minor // 3, self._amount() // 3))
                amount_minor = self._dice.choice((order.captured_minor, part_minor))
                self._about("refund", order, amount_minor)

    async def capture(self) -> None:
        """A merchant has shipped a part, or what was left, perhaps against an undo."""
        order = await self._an_order(SHOPS[1], _is_held)
        if order is None:
            return
        if self._dice.random() > _TOO_EARLY:
            await self._until_undo_is_over(order)
        left_minor = order.amount_minor - order.captured_minor
        for _ in range(self._dice.randrange(1, 4)):
            amount_minor = self._dice.choice((left_minor, left_minor // 3, self._amount() // 3))
            self._about("capture", order, amount_minor)
            await asyncio.sleep(self._dice.choice(SHORT_PAUSES_S))

    async def _until_undo_is_over(self, order: Order) -> None:
        """At times its payer undoes it in the last moment."""
        left_s = TERMS.undo_window_s - self._age_s(order)
        if left_s > 0 and self._dice.random() < _AGAINST_UNDOS:
            await asyncio.sleep(max(0.0, left_s - self._dice.choice(SHORT_PAUSES_S)))
            self._wants("undo", who=order.network_person_id, ref=order.id)
        await asyncio.sleep(max(0.0, TERMS.undo_window_s - self._age_s(order)))

    async def claim(self) -> None:
        """A merchant proves the host that nobody had claimed, or his proof is lost."""
        self._wants(self._dice.choice(("claim", "claim", "lose")), who=SELLER)

    def _about(self, verb: str, order: Order | None, amount_minor: int = 0) -> None:
        if order is not None:
            self._wants(verb, who=SELLER, ref=order.id, amount_minor=amount_minor)

    async def _an_order(self, shop: str, fits: Callable[[Order], bool]) -> Order | None:
        """One of a shop's newest orders, mostly one that fits what its merchant is about to do."""
        orders = await self._instance.reader.merchant_orders(shop, 6)
        if self._dice.random() < _FITTING:
            orders = [order for order in orders if fits(order)]
        return self._dice.choice(orders) if orders else None

    def _age_s(self, order: Order) -> float:
        return (self._instance.clock_us() - order.created_at_us) / 1_000_000

    # --- money -----------------------------------------------------------------------------------

    async def top_up(self) -> None:
        """Somebody brings money in."""
        who = self._dice.choice(PEOPLE)
        self._wants("top up", who=who, ref=f"wallet:{wallet_of(who)}", amount_minor=self._amount())

    async def pay_out(self) -> None:
        """Somebody wants money out."""
        who = self._dice.choice((*PEOPLE, SELLER))
        shop = self._dice.choice(SHOPS)
        owner = f"merchant:{shop}" if who == SELLER else f"wallet:{wallet_of(who)}"
        self._wants("pay out", who=who, ref=owner, amount_minor=self._amount())

    async def decide(self) -> None:
        """An admin says whether money has changed hands."""
        waiting = await self._instance.reader.pending_funding(5)
        # What the provider ends by itself no admin has in his hands.
        waiting = [request for request in waiting if progress_of(request.code) in _IN_HANDS]
        if waiting:
            verb = self._dice.choice(("confirm", "confirm", "turn down"))
            self._wants(verb, who=SELLER, ref=self._dice.choice(waiting).code)

    async def send(self) -> None:
        """Somebody sends money to somebody."""
        who, whom = self._dice.sample(PEOPLE, 2)
        self._wants("send", who=who, ref=whom, amount_minor=self._amount())

    async def ask_rate(self) -> None:
        """Somebody asks what his money is worth in another currency."""
        sold, bought = self._dice.choice(((CURRENCY, FOREIGN), (FOREIGN, CURRENCY)))
        amount_minor = self._amount() // 4
        self._wants("ask rate", ref=bought, amount_minor=amount_minor, currency=sold)

    async def take_rate(self) -> None:
        """Somebody takes a quote that was asked for, mostly his own."""
        offers = [row for row in self._instance.rows("conversions") if row.quote_id is None]
        if offers:
            offer = self._dice.choice(offers[-3:])
            self._wants("take rate", who=self._owner(offer.wallet_id), ref=offer.id)

    async def set_mode(self) -> None:
        """An admin freezes a wallet or opens it."""
        mode = self._dice.choice(("frozen", "open", "open"))
        self._wants(mode, who=SELLER, ref=wallet_of(self._dice.choice(PEOPLE)))

    # --- who is who ------------------------------------------------------------------------------

    async def link(self) -> None:
        """Two become one: a code, which the other enters, and both say yes at once."""
        one, other = self._dice.sample((*PEOPLE, SELLER), 2)
        code = self._wants("ask code", who=one)
        await asyncio.sleep(_LINK_STEP_S)
        self._wants("enter code", who=other, ref=code)
        await asyncio.sleep(_LINK_STEP_S)
        requests = [row for row in self._instance.rows("link_requests") if row.state == "entered"]
        if requests:
            request = self._dice.choice(requests)
            for who in (request.network_person_id, request.other_network_person_id):
                self._wants("say yes", who=who, ref=request.id)

    async def part(self) -> None:
        """Somebody leaves those with whom he is linked."""
        linked = [row.ref for row in self._instance.rows("link_homes") if row.kind == "identity"]
        if linked:
            self._wants("part", who=self._dice.choice(linked).partition(":")[2])

    async def use_wallet(self) -> None:
        """Somebody wants to pay from another wallet."""
        linked = [row.ref for row in self._instance.rows("link_homes") if row.kind == "wallet"]
        if linked:
            self._wants("use wallet", ref=self._dice.choice(linked))

    # --- how it is delivered ---------------------------------------------------------------------

    async def again(self) -> None:
        """Something that was delivered before is delivered once more."""
        instance = self._instance
        deeds = [*instance.chronicle.deeds.values(), *instance.unheard.values()]
        if deeds:
            self._deliver(self._dice.choice(deeds[-_REMEMBERED:]))

    def any_process(self) -> Process | None:
        """One that runs."""
        living = self._instance.living()
        return self._dice.choice(living) if living else None

    def _owner(self, wallet_id: str) -> str:
        """Mostly he who brought a wallet, at times somebody else."""
        mine = [who for who in PEOPLE if wallet_of(who) == wallet_id]
        return self._dice.choice([*(mine * 9), *PEOPLE])

    def _amount(self) -> int:
        return self._dice.randrange(1, 1_000)

    def _wants(
        self,
        verb: str,
        who: str = "",
        ref: str = "",
        amount_minor: int = 0,
        currency: str = CURRENCY,
    ) -> str:
        """Somebody wants something; at times two processes hear of it at once. Gives its name."""
        self._events += 1
        deed = Deed(
            event_id=f"e{self._events}",
            verb=verb,
            who=who or self._dice.choice(PEOPLE),
            at_us=self._instance.clock_us(),
            ref=ref,
            amount_minor=amount_minor,
            currency=currency,
        )
        self._instance.unheard[deed.event_id] = deed
        for _ in range(2 if self._dice.random() < _HEARD_TWICE else 1):
            self._deliver(deed)
        return deed.event_id

    def _deliver(self, deed: Deed) -> None:
        process = self.any_process()
        if process is None:
            return
        self._instance.deliver(deed, process)
        if self._dice.random() < _DIES_OF_IT:
            self._instance.loop.later(self._dice.uniform(0, 0.05), self._instance.kill, process)


def _is_held(order: Order) -> bool:
    return order.state == OrderState.AUTHORISED


def _is_shipped_in_part(order: Order) -> bool:
    return _is_held(order) and order.captured_minor > 0


def _can_be_refunded(order: Order) -> bool:
    return order.state == OrderState.PAID and order.refunded_minor < order.captured_minor

"""What happens next: one throw of the dice for each step."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from wallet_core.funding.base import Progress
from wallet_core.ledger.transfers import HoldState
from wallet_core.simulation.instance import Instance
from wallet_core.simulation.process import Process
from wallet_core.simulation.town import (
    PEOPLE,
    QUOTES,
    SELLER,
    SHOPS,
    Deed,
    progress_of,
    wallet_of,
)

HOUR_S = 3_600.0
_LONG_PAUSES = 0.06
_TAPS_OF_A_BURST = 0.7
_SHORT_PAUSES_S = (0, 0.002, 0.01, 0.05, 0.3)
_HEARD_TWICE = 0.15
#: How many deliveries are followed by the death of their process, before or after it kept them.
_DIES_OF_IT = 0.08
#: Events that are delivered again are among the newest.
_REMEMBERED = 25
#: How many undos come just before the money would be captured.
_LAST_MOMENT = 0.3
_IN_HANDS = (Progress.PENDING, Progress.UNKNOWN)
#: How often each thing happens, compared with the others.
_WEIGHTS = {
    "tap": 9, "burst": 2, "undo": 7, "accept": 4, "decline": 1, "refund": 4, "top_up": 2,
    "pay_out": 3, "decide": 3, "send": 3, "set_mode": 2, "again": 8, "sweep": 5, "kill": 5,
    "start": 7, "stand_still": 4, "break_statement": 4, "kill_at_statement": 4, "lose_answer": 4,
    "fail_reads": 4, "database_away": 1, "store_away": 1, "flush": 1, "steal": 3, "wait": 3,
    "go_on": 70,
}  # fmt: skip


class Steps:
    """Takes steps on an instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._faults = instance.faults
        self._dice = instance.dice
        self._events = 0

    async def take(self) -> None:
        """One step, and a moment."""
        (name,) = self._dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        step: Callable[[], Awaitable[None]] = getattr(self, f"_{name}")
        await step()
        if self._dice.random() < _LONG_PAUSES:
            await asyncio.sleep(self._dice.uniform(0.5, 12))
            await self._sweep()
        else:
            await asyncio.sleep(self._dice.choice(_SHORT_PAUSES_S))

    # --- what people want ------------------------------------------------------------------------

    async def _tap(self) -> None:
        self._wants("tap", ref=self._dice.choice(QUOTES))

    async def _burst(self) -> None:
        """One person wants many things at once, and every process hears of some."""
        who = self._dice.choice(PEOPLE)
        for _ in range(self._dice.randrange(2, 6)):
            if self._dice.random() < _TAPS_OF_A_BURST:
                self._wants("tap", who=who, ref=self._dice.choice(QUOTES))
            else:
                owner = f"wallet:{wallet_of(who)}"
                self._wants("pay out", who=who, ref=owner, amount_minor=self._amount())

    async def _undo(self) -> None:
        who = self._dice.choice(PEOPLE)
        orders = await self._instance.reader.recent_orders(wallet_of(who), 3)
        if not orders:
            return
        order = self._dice.choice(orders)
        if self._dice.random() < _LAST_MOMENT:
            await self._until_nearly_due(order.hold_id)
        self._wants("undo", who=who, ref=order.id)
        await self._sweep()

    async def _until_nearly_due(self, hold_id: UUID) -> None:
        """Undos are dangerous in the last moments before the capture, which chance alone misses."""
        hold = await self._instance.reader.hold(hold_id)
        if hold is not None and hold.state == HoldState.OPEN:
            left_s = (hold.due_at_us - self._instance.clock_us()) / 1_000_000
            await asyncio.sleep(max(0.0, left_s - self._dice.choice(_SHORT_PAUSES_S)))

    async def _accept(self) -> None:
        await self._about_an_order("accept")

    async def _decline(self) -> None:
        await self._about_an_order("decline")

    async def _refund(self) -> None:
        await self._about_an_order("refund")

    async def _about_an_order(self, verb: str) -> None:
        shop = self._dice.choice(SHOPS)
        orders = await self._instance.reader.merchant_orders(shop, 6)
        if orders:
            order = self._dice.choice(orders)
            amount_minor = 0
            if verb == "refund":
                # Often all of it.
                amount_minor = self._dice.choice((order.amount_minor, self._amount()))
            self._wants(verb, who=SELLER, ref=order.id, amount_minor=amount_minor)

    async def _top_up(self) -> None:
        who = self._dice.choice(PEOPLE)
        self._wants("top up", who=who, ref=f"wallet:{wallet_of(who)}", amount_minor=self._amount())

    async def _pay_out(self) -> None:
        who = self._dice.choice((*PEOPLE, SELLER))
        shop = self._dice.choice(SHOPS)
        owner = f"merchant:{shop}" if who == SELLER else f"wallet:{wallet_of(who)}"
        self._wants("pay out", who=who, ref=owner, amount_minor=self._amount())

    async def _decide(self) -> None:
        waiting = await self._instance.reader.pending_funding(5)
        # What the provider ends by itself no admin has in his hands.
        waiting = [request for request in waiting if progress_of(request.code) in _IN_HANDS]
        if waiting:
            verb = self._dice.choice(("confirm", "confirm", "turn down"))
            self._wants(verb, who=SELLER, ref=self._dice.choice(waiting).code)

    async def _send(self) -> None:
        who, whom = self._dice.sample(PEOPLE, 2)
        self._wants("send", who=who, ref=whom, amount_minor=self._amount())

    async def _set_mode(self) -> None:
        mode = self._dice.choice(("frozen", "open", "open"))
        self._wants(mode, who=SELLER, ref=wallet_of(self._dice.choice(PEOPLE)))

    def _amount(self) -> int:
        return self._dice.randrange(1, 1_000)

    def _wants(self, verb: str, who: str = "", ref: str = "", amount_minor: int = 0) -> None:
        """Somebody wants something; at times two processes hear of it at once."""
        self._events += 1
        deed = Deed(
            event_id=f"e{self._events}",
            verb=verb,
            who=who or self._dice.choice(PEOPLE),
            at_us=self._instance.clock_us(),
            ref=ref,
            amount_minor=amount_minor,
        )
        self._instance.unheard[deed.event_id] = deed
        for _ in range(2 if self._dice.random() < _HEARD_TWICE else 1):
            self._deliver(deed)

    def _deliver(self, deed: Deed) -> None:
        process = self._any()
        if process is None:
            return
        self._instance.deliver(deed, process)
        if self._dice.random() < _DIES_OF_IT:
            self._instance.loop.later(self._dice.uniform(0, 0.05), self._instance.kill, process)

    async def _again(self) -> None:
        """Something that was delivered before is delivered once more."""
        instance = self._instance
        deeds = [*instance.chronicle.deeds.values(), *instance.unheard.values()]
        if deeds:
            self._deliver(self._dice.choice(deeds[-_REMEMBERED:]))

    # --- what happens by itself ------------------------------------------------------------------

    async def _sweep(self) -> None:
        living = self._instance.living()
        if living:
            self._instance.sweep(self._dice.choice(living))

    async def _wait(self) -> None:
        pause_s = self._dice.choice((30, 700, 5 * HOUR_S, 25 * HOUR_S))
        self._instance.note(f"{pause_s:g} s pass")
        await asyncio.sleep(pause_s)
        await self._sweep()

    async def _go_on(self) -> None:
        """Nothing but time: what was begun goes on."""

    # --- what goes wrong -------------------------------------------------------------------------

    async def _kill(self) -> None:
        process = self._any()
        if process is not None:
            self._instance.kill(process)

    async def _start(self) -> None:
        for slot in range(len(self._instance.processes)):
            await self._instance.start(slot)

    async def _stand_still(self) -> None:
        """A process is not run for a while, and goes on as if nothing had been."""
        process = self._any()
        if process is not None:
            self._instance.stop(process, self._dice.choice((0.5, 4, 15, 40)))

    async def _break_statement(self) -> None:
        self._faults.break_statement(self._dice.randrange(14))

    async def _kill_at_statement(self) -> None:
        self._faults.kill_at_statement(self._dice.randrange(14))

    async def _lose_answer(self) -> None:
        # As often as the writer tries again, or less often.
        self._faults.lose_answers(self._dice.choice((1, 1, 2, 7)))

    async def _fail_reads(self) -> None:
        self._faults.fail_reads(self._dice.choice((1, 3)))

    async def _database_away(self) -> None:
        for_s = self._dice.choice((0.1, 1, 5))
        self._instance.note(f"the database is away for {for_s:g} s")
        self._faults.take_database_away(for_s)

    async def _store_away(self) -> None:
        for_s = self._dice.choice((1, 12, 60))
        self._instance.note(f"the store of the leases is away for {for_s:g} s")
        self._faults.take_store_away(for_s)

    async def _flush(self) -> None:
        self._instance.note("the store of the leases is emptied")
        self._instance.store.flush()

    async def _steal(self) -> None:
        self._instance.steal(wallet_of(self._dice.choice(PEOPLE)))

    def _any(self) -> Process | None:
        living = self._instance.living()
        return self._dice.choice(living) if living else None

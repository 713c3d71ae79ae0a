"""What happens next: one throw of the dice for each step."""

import asyncio

from wallet_core.simulation.instance import Instance
from wallet_core.simulation.town import PEOPLE, wallet_of
from wallet_core.simulation.wishes import SHORT_PAUSES_S, Wishes

HOUR_S = 3_600.0
_LONG_PAUSES = 0.06
#: How often each wish comes, compared with the others and with what goes wrong.
_WISHES = {
    "tap": 9, "like": 2, "burst": 2, "pay_by": 4, "undo": 7, "accept": 4, "decline": 1,
    "refund": 4, "capture": 5, "release": 1, "claim": 1, "top_up": 2, "pay_out": 3, "decide": 3,
    "send": 3, "ask_rate": 1, "take_rate": 2, "set_mode": 2, "link": 2, "part": 1,
    "use_wallet": 1, "again": 8,
}  # fmt: skip
_HAPPENS = {
    "sweep": 5, "kill": 5, "start": 7, "stand_still": 4, "break_statement": 4,
    "kill_at_statement": 4, "lose_answer": 4, "fail_reads": 4, "database_away": 1,
    "store_away": 1, "flush": 1, "steal": 3, "wait": 3, "go_on": 70,
}  # fmt: skip
_NAMES = [*_WISHES, *_HAPPENS]
_WEIGHTS = [*_WISHES.values(), *_HAPPENS.values()]


class Steps:
    """Takes steps on an instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._faults = instance.faults
        self._dice = instance.dice
        self._wishes = Wishes(instance, self._end_what_is_due)

    async def take(self) -> None:
        """One step, and a moment."""
        (name,) = self._dice.choices(_NAMES, _WEIGHTS)
        if name in _WISHES:
            await getattr(self._wishes, name)()
        else:
            await getattr(self, f"_{name}")()
        if self._dice.random() < _LONG_PAUSES:
            await asyncio.sleep(self._dice.uniform(0.5, 12))
            self._end_what_is_due()
        else:
            await asyncio.sleep(self._dice.choice(SHORT_PAUSES_S))

    # --- what happens by itself ------------------------------------------------------------------

    async def _sweep(self) -> None:
        self._end_what_is_due()

    def _end_what_is_due(self) -> None:
        living = self._instance.living()
        if living:
            self._instance.sweep(self._dice.choice(living))

    async def _wait(self) -> None:
        pause_s = self._dice.choice((30, 700, 5 * HOUR_S, 25 * HOUR_S))
        self._instance.note(f"{pause_s:g} s pass")
        await asyncio.sleep(pause_s)
        self._end_what_is_due()

    async def _go_on(self) -> None:
        """Nothing but time: what was begun goes on."""

    # --- what goes wrong -------------------------------------------------------------------------

    async def _kill(self) -> None:
        process = self._wishes.any_process()
        if process is not None:
            self._instance.kill(process)

    async def _start(self) -> None:
        for slot in range(len(self._instance.processes)):
            await self._instance.start(slot)

    async def _stand_still(self) -> None:
        """A process is not run for a while, and goes on as if nothing had been."""
        process = self._wishes.any_process()
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

"""What goes wrong, and when: all of it decided by one dice."""

import random
from collections.abc import Callable

from wallet_core.errors import StorageUnavailable
from wallet_core.simulation.loop import Killed

Note = Callable[[str, str], None]
"""Hears what happened, and to what; for the trace."""

_ERROR, _KILL = "error", "kill"
_LONG_WAY = 0.04


class Faults:
    """Whatever can fail asks here whether it does. Times are the loop's seconds."""

    def __init__(
        self,
        dice: random.Random,
        clock_s: Callable[[], float],
        note: Note,
        broken: Callable[[str], Exception],
    ) -> None:
        """`broken` makes the error of a database that does not do what it is told."""
        self.note = note
        self._broken = broken
        self._dice = dice
        self._clock_s = clock_s
        self._armed: dict[str, int] = {}
        self._answers_to_lose = 0
        self._reads_to_fail = 0
        self._store_down_until = 0.0
        self._database_down_until = 0.0
        self.healed = False

    # --- what is made to fail -------------------------------------------------------------------

    def break_statement(self, after_count: int) -> None:
        """Let the database fail at the statement that comes after so many."""
        self._armed[_ERROR] = after_count

    def kill_at_statement(self, after_count: int) -> None:
        """Kill whoever sends the statement that comes after so many."""
        self._armed[_KILL] = after_count

    def lose_answers(self, count: int) -> None:
        """Let the next transactions be written, and nobody hear of it."""
        self._answers_to_lose = count

    def fail_reads(self, count: int) -> None:
        """Let the next reads fail."""
        self._reads_to_fail = count

    def take_database_away(self, for_s: float) -> None:
        """No statement reaches the database for a while."""
        self._database_down_until = self._clock_s() + for_s

    def take_store_away(self, for_s: float) -> None:
        """The store of the leases does not answer for a while."""
        self._store_down_until = self._clock_s() + for_s

    def heal(self) -> None:
        """From now on nothing fails any more."""
        self.healed = True

    # --- who asks --------------------------------------------------------------------------------

    def travel_s(self) -> float:
        """How long a question or an answer is under way."""
        if self._dice.random() < _LONG_WAY:
            return self._dice.uniform(0.02, 0.6)
        return self._dice.uniform(0.0001, 0.008)

    def store_is_down(self) -> bool:
        """Whether the store of the leases does not answer."""
        return not self.healed and self._clock_s() < self._store_down_until

    def before_statement(self, sql: str) -> None:
        """Before each statement of a writer's transaction. Raises what the database would."""
        if self.healed:
            return
        if self._clock_s() < self._database_down_until:
            raise self._broken("the database is away")
        for kind, count in list(self._armed.items()):
            if count:
                self._armed[kind] = count - 1
                continue
            del self._armed[kind]
            self.note(f"{kind} at a statement", sql.partition("\n")[0][:60])
            if kind == _KILL:
                raise Killed
            raise self._broken("the disk is gone")

    def after_transaction(self) -> None:
        """After a writer's transaction. Raises `StorageUnavailable` where its answer is lost."""
        if self._answers_to_lose and not self.healed:
            self._answers_to_lose -= 1
            self.note("answer lost", "")
            raise StorageUnavailable("The database did not answer: the connection is gone")

    def before_read(self) -> None:
        """Before a reader's statement. Raises `StorageUnavailable`."""
        if self.healed:
            return
        if self._clock_s() < self._database_down_until:
            raise StorageUnavailable("The database did not answer: it is away")
        if self._reads_to_fail:
            self._reads_to_fail -= 1
            self.note("read failed", "")
            raise StorageUnavailable("The database did not answer: the connection is gone")

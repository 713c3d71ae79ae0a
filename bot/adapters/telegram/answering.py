"""Taps whose button still shows that it is working.

Telegram waits for one short answer to each tap and shows it as a toast; for some seconds it also
takes a private message that only the one who tapped sees, in the middle of a group. Which card
answers which tap is told by their order: all taps of a person are answered one after the other.
What is here may be forgotten: news about money has its own message.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

#: A tap without any private news (a seller accepts) stops showing that it works after this.
GRACE_S = 8.0
#: Telegram takes a private message in a group for 15 seconds after the tap.
PRIVATE_WITHIN_S = 14.0
_PEOPLE_MAX = 5_000
_TAPS_MAX = 2_000
#: What is tapped elsewhere too, and shows on the card that the person has of his own.
_CHANGING_OWN_CARD = "undo"


@dataclass
class OpenTap:
    """A tap on a button of `message_ref` in `room_id`.

    `answered` once its toast was shown; `expected` when that was tried, and will be again.
    """

    query_id: str
    room_id: str = ""
    message_ref: str = ""
    action: str = ""
    event_id: str = ""
    at_s: float = field(default_factory=time.monotonic)
    answered: bool = False
    expected: bool = False

    @property
    def allows_private(self) -> bool:
        """Whether a private message may still stand for its answer."""
        return time.monotonic() - self.at_s < PRIVATE_WITHIN_S


class OpenTaps:
    """The latest taps of each person. `stop_waiting` ends the turning of one without words."""

    def __init__(self, stop_waiting: Callable[[str], Awaitable[None]]) -> None:
        self._stop_waiting = stop_waiting
        self._people: OrderedDict[str, deque[OpenTap]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, person_id: str, tap: OpenTap) -> None:
        """Somebody tapped."""
        if tap.query_id in self._known:
            return
        self._known[tap.query_id] = None
        if len(self._known) > _TAPS_MAX:
            self._known.popitem(last=False)
        taps = self._people.setdefault(person_id, deque(maxlen=20))
        taps.append(tap)
        self._people.move_to_end(person_id)
        if len(self._people) > _PEOPLE_MAX:
            self._people.popitem(last=False)
        self._wait(tap, GRACE_S, more_s=PRIVATE_WITHIN_S)

    def not_heard(self, person_id: str, event_id: str) -> None:
        """A tap could not be kept: it comes again, and nothing said meanwhile answers it."""
        taps = self._people.get(person_id, deque())
        for tap in [tap for tap in taps if tap.event_id == event_id and not tap.answered]:
            taps.remove(tap)
            self._known.pop(tap.query_id, None)
            # Its time runs anew when it comes again.
            tap.answered = True

    def answered_by(self, person_id: str, room_id: str) -> OpenTap | None:
        """The tap that a private card answers: the oldest open one there, or else the newest."""
        taps = [tap for tap in self._people.get(person_id, ()) if tap.room_id == room_id]
        if not taps:
            return None
        return next((tap for tap in taps if not tap.answered), taps[-1])

    def answered_by_edit(self, person_id: str, message_ref: str) -> OpenTap | None:
        """The open tap that a change of the person's own card `message_ref` answers."""
        for tap in self._people.get(person_id, ()):
            own = tap.message_ref == message_ref or tap.action.startswith(_CHANGING_OWN_CARD)
            if own and not tap.answered:
                return tap
        return None

    async def close(self) -> None:
        """Forget all of them."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._people.clear()

    def _wait(self, tap: OpenTap, wait_s: float, *, more_s: float = 0.0) -> None:
        """Give a tap up after `wait_s`, or `more_s` later where its toast is expected."""
        # A timer, not a task: nearly every tap is answered long before.
        loop = asyncio.get_running_loop()
        self._timers[id(tap)] = loop.call_later(wait_s, self._give_up, tap, more_s)

    def _give_up(self, tap: OpenTap, more_s: float) -> None:
        del self._timers[id(tap)]
        if tap.answered:
            return
        if tap.expected and more_s:
            self._wait(tap, more_s)
            return
        tap.answered = True
        task = asyncio.ensure_future(self._stop_waiting(tap.query_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

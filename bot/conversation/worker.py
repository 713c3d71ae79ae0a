"""Hears and works: events go into the inbox, the network is told, then they are answered.

Events of one person are answered in their order, money apart from slow reading: a page that takes
five seconds delays no tap. An event that fails comes again after a pause, and is parked and
reported after several; it never blocks the others. Only what a person does after a tap waits for
that tap: it may take it back, and a tap that came again after its undo would charge.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from bot.adapters.base import Cursor
from bot.events import (
    Event,
    ExternalPaid,
    ExternalRefunded,
    Liked,
    Message,
    PreCheckout,
    Tap,
    Untap,
    decode_event,
    encode_event,
)
from wallet_core.errors import PayontapError
from wallet_core.storage.inbox import Heard, Inbox

_log = structlog.get_logger(__name__)

#: Events in work or waiting in memory; beyond it they stay in the database only.
IN_FLIGHT_MAX = 500
#: How often abandoned events are looked for.
RESCUE_EVERY_S = 1.0
_PAUSE_S_MAX = 20.0
#: An event that was begun this often and never ended, well or badly, kills whoever works on it.
BEGUN_MAX = 25


class Answer(Protocol):
    """Makes the one commit that answers an event."""

    async def __call__(self, event: Event, /, *, again: bool) -> None:
        """Answer it; `again` where it was begun before, and may have been answered."""


Report = Callable[[str, str], Awaitable[None]]


class NeverEnds(PayontapError):
    """An event during which process after process died."""


class _Begun(msgspec.Struct, frozen=True):
    """An event in work; `event` is None where it cannot be read."""

    heard: Heard
    event: Event | None


@dataclass
class Worker:
    """Answers what was heard.

    `report` tells the admins of a parked event (event id, error).
    """

    inbox: Inbox
    answer: Answer
    report: Report
    _lanes: dict[str, deque[_Begun]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _group: asyncio.TaskGroup | None = None

    async def hear(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        """Keep events; when this returns they are durable and will be answered."""
        mine = self._group is not None and len(self._known) < IN_FLIGHT_MAX
        heard = await self.inbox.keep(
            [(event.id, encode_event(event)) for event in events],
            (cursor.network, cursor.value) if cursor else None,
            claim=mine,
        )
        if mine:
            named = {event.id: event for event in events}
            for one in heard:
                self._begin(_Begun(one, named[one.event_id]))

    async def run(self) -> None:
        """Answer until cancelled, including what other processes left behind."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    await self._rescue()
                    await asyncio.sleep(RESCUE_EVERY_S)
            finally:
                self._group = None

    async def _rescue(self) -> None:
        room = IN_FLIGHT_MAX - len(self._known)
        if room <= 0:
            return
        try:
            found = await self.inbox.claim(room)
        except PayontapError as error:
            _log.warning("inbox_unavailable", error=str(error)[:300])
            return
        for heard in found:
            self._begin(_Begun(heard, _read(heard)))

    def _begin(self, begun: _Begun) -> None:
        event_id = begun.heard.event_id
        if self._group is None or event_id in self._known:
            return
        self._known.add(event_id)
        lane = _lane(begun.event)
        waiting = self._lanes.get(lane)
        if waiting is None:
            waiting = self._lanes[lane] = deque()
            self._group.create_task(self._work(lane, waiting), name=f"lane:{lane}")
        waiting.append(begun)

    async def _work(self, lane: str, waiting: deque[_Begun]) -> None:
        while waiting:
            begun = waiting.popleft()
            heard, event = begun.heard, begun.event
            try:
                pause_s = await self._answer(heard, event)
                while pause_s is not None and isinstance(event, Tap):
                    await asyncio.sleep(pause_s)
                    heard = msgspec.structs.replace(heard, tries=heard.tries + 1)
                    pause_s = await self._answer(heard, event)
            finally:
                self._known.discard(heard.event_id)
        del self._lanes[lane]

    async def _answer(self, heard: Heard, event: Event | None) -> float | None:
        """Answer an event; where that failed, how many seconds later it comes again."""
        if heard.tries >= BEGUN_MAX:
            return await self._failed(heard, NeverEnds(f"It was begun {heard.tries} times."))
        try:
            await self.answer(event or decode_event(heard.body), again=heard.tries > 0)
        except Exception as error:  # noqa: BLE001 - whatever it was: it is noted, and comes again
            _log.exception("event_failed", event_id=heard.event_id, tries=heard.tries)
            return await self._failed(heard, error)
        return None

    async def _failed(self, heard: Heard, error: Exception) -> float | None:
        pause_s = min(_PAUSE_S_MAX, 0.5 * 2.0**heard.tries)
        text = f"{type(error).__name__}: {error}"
        try:
            if await self.inbox.failed(heard, text, pause_s):
                await self.report(heard.event_id, text)
                return None
        except Exception:  # noqa: BLE001 - a report that fails must not end the work
            # If the failure was not noted: the claim runs out by itself and the event comes again.
            _log.exception("failure_not_reported", event_id=heard.event_id)
        return pause_s


def _is_command(event: Event) -> bool:
    return isinstance(event, Message) and event.text.lstrip()[:1] in ("/", "!")


def _read(heard: Heard) -> Event | None:
    try:
        return decode_event(heard.body)
    except msgspec.DecodeError:
        return None


def _lane(event: Event | None) -> str:
    if event is None:
        return "unreadable"
    if isinstance(event, PreCheckout):
        # The network waits for seconds only, whatever else this person does.
        return f"ask:{event.id}"
    if isinstance(event, Tap | Untap | Liked | ExternalPaid | ExternalRefunded) or _is_command(
        event
    ):
        return f"tap:{event.network}:{event.person_id}"
    if isinstance(event, Message):
        return f"say:{event.network}:{event.person_id}"
    return f"room:{event.network}:{event.room_id}"

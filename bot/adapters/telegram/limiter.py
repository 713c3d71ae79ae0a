"""Keeps to Telegram's limits, so that Telegram does not have to.

About one message a second in a chat, 20 a minute in a group, 30 a second in all. Answers to taps
and checkouts are bound to seconds and are no messages: they wait behind none. A 429 stops the chat
that it was said about, and no other; one about an answer stops answers only.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

import msgspec

from bot.adapters.base import RateLimited

#: How long a message may wait for its turn in here; beyond it the sender is told to come again.
_WAIT_S_MAX = 1.5
_CHATS_MAX = 10_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls in how many seconds.

    The defaults are those that Telegram names; a few messages at once are let pass in a chat.
    """

    chat: tuple[int, float] = (10, 10.0)
    group: tuple[int, float] = (20, 60.0)
    overall: tuple[int, float] = (30, 1.0)


class Window:
    """At most `count` calls in any `per_s` seconds."""

    def __init__(self, count: int, per_s: float) -> None:
        self._count = count
        self._per_s = per_s
        self._taken: deque[float] = deque()

    def wait_s(self, now_s: float) -> float:
        """How long from now until there is room for one more."""
        while self._taken and self._taken[0] <= now_s - self._per_s:
            self._taken.popleft()
        if len(self._taken) < self._count:
            return 0.0
        return self._taken[0] + self._per_s - now_s

    def take(self, now_s: float) -> None:
        """Count a call that is made now."""
        self._taken.append(now_s)


class Limiter:
    """Gives each call its turn."""

    def __init__(
        self, limits: Limits | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits or Limits()
        self._clock_s = clock_s
        self._overall = Window(*self._limits.overall)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._full_until_s = 0.0
        self._chats: OrderedDict[int, tuple[Window, ...]] = OrderedDict()
        self._closed_until_s: dict[int | None, float] = {}
        self._no_answer_until_s = 0.0

    async def message(self, chat_id: int | None) -> None:
        """Wait for the turn of a message or an edit in a chat; None: a chat that nobody knows.

        Raises `RateLimited` when that takes longer than a moment; the same message comes again.
        """
        own = () if chat_id is None else self._windows(chat_id)
        while True:
            await self._own_turn(chat_id, own)
            await self._common_turn()
            now_s = self._clock_s()
            if self._own_wait_s(chat_id, own, now_s) <= 0 >= self._overall.wait_s(now_s):
                for window in (*own, self._overall):
                    window.take(now_s)
                return

    async def _own_turn(self, chat_id: int | None, own: Sequence[Window]) -> None:
        while (wait_s := self._own_wait_s(chat_id, own, self._clock_s())) > 0:
            if wait_s > _WAIT_S_MAX:
                raise RateLimited(wait_s)
            await asyncio.sleep(wait_s)

    def _own_wait_s(self, chat_id: int | None, own: Sequence[Window], now_s: float) -> float:
        return max(self._pause_s(chat_id, now_s), *(w.wait_s(now_s) for w in own), 0.0)

    async def _common_turn(self) -> None:
        """Wait until there is room among the messages of all chats, in the order of coming."""
        count, per_s = self._limits.overall
        each_s = per_s / count
        now_s = self._clock_s()
        wait_s = self._overall.wait_s(now_s)
        if wait_s <= 0 and not self._waiting:
            return
        if wait_s + self._waiting * each_s > _WAIT_S_MAX:
            # Those who are sent away come again one after the other, not all at once.
            self._full_until_s = max(self._full_until_s, now_s + wait_s) + each_s
            raise RateLimited(self._full_until_s - now_s)
        self._waiting += 1
        try:
            async with self._turn:
                while (wait_s := self._overall.wait_s(self._clock_s())) > 0:  # noqa: ASYNC110 - time passes
                    await asyncio.sleep(wait_s)
        finally:
            self._waiting -= 1

    def answer(self) -> None:
        """Whether a tap, an inline query or a checkout may be answered now.

        Telegram names no limit for answers, so only its own word counts. Raises `RateLimited`.
        """
        wait_s = self._no_answer_until_s - self._clock_s()
        if wait_s > 0:
            raise RateLimited(wait_s)

    def told_not_to_answer(self, retry_after_s: float) -> None:
        """Telegram wants no answer for so long."""
        self._no_answer_until_s = self._clock_s() + retry_after_s

    def told_to_wait(self, chat_id: int | None, retry_after_s: float) -> None:
        """Telegram wants no message in this chat for so long."""
        self._closed_until_s[chat_id] = self._clock_s() + retry_after_s

    def _pause_s(self, chat_id: int | None, now_s: float) -> float:
        until_s = self._closed_until_s.get(chat_id)
        if until_s is None:
            return 0.0
        if until_s <= now_s:
            del self._closed_until_s[chat_id]
            return 0.0
        return until_s - now_s

    def _windows(self, chat_id: int) -> tuple[Window, ...]:
        found = self._chats.get(chat_id)
        if found is None:
            found = (Window(*self._limits.chat),)
            if chat_id < 0:
                found = (*found, Window(*self._limits.group))
            self._chats[chat_id] = found
            if len(self._chats) > _CHATS_MAX:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat_id)
        return found

"""Keeps to Telegram's limits, so that Telegram does not have to.

About one message a second in a chat, 20 a minute in a group, 30 a second in all. Answers to taps
and checkouts are bound to seconds: they have a budget of their own and wait behind no message.
A 429 stops the chat that it was said about, and no other.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable

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
    answers: tuple[int, float] = (30, 1.0)


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
        self._answers = Window(*self._limits.answers)
        self._chats: OrderedDict[int, tuple[Window, ...]] = OrderedDict()
        self._closed_until_s: dict[int | None, float] = {}

    async def message(self, chat_id: int | None) -> None:
        """Wait for the turn of a message or an edit in a chat; None: a chat that nobody knows.

        Raises `RateLimited` when that takes longer than a moment; the same message comes again.
        """
        own = () if chat_id is None else self._windows(chat_id)
        windows = (*own, self._overall)
        while True:
            now_s = self._clock_s()
            wait_s = max(self._pause_s(chat_id, now_s), *(w.wait_s(now_s) for w in windows))
            if wait_s <= 0:
                for window in windows:
                    window.take(now_s)
                return
            if wait_s > _WAIT_S_MAX:
                raise RateLimited(wait_s)
            await asyncio.sleep(wait_s)

    async def answer(self) -> None:
        """Wait for the turn of an answer to a tap, an inline query or a checkout."""
        while (wait_s := self._answers.wait_s(self._clock_s())) > 0:  # noqa: ASYNC110 - time passes
            await asyncio.sleep(wait_s)
        self._answers.take(self._clock_s())

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

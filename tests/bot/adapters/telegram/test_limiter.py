"""The rate limiter: Telegram's limits are kept, and taps wait behind no message."""

import asyncio
import time

import pytest

from bot.adapters.base import RateLimited
from bot.adapters.telegram.limiter import Limiter, Limits, Window


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_window_never_holds_more_than_its_count_in_any_stretch() -> None:
    window = Window(3, 10.0)
    for at_s in (0.0, 1.0, 9.0):
        assert window.wait_s(at_s) == 0
        window.take(at_s)
    assert window.wait_s(9.5) == 0.5
    assert window.wait_s(10.0) == 0
    window.take(10.0)
    assert window.wait_s(10.5) == 0.5


async def test_a_group_gets_twenty_a_minute_and_the_next_is_told_when_to_come() -> None:
    clock = Clock()
    limiter = Limiter(Limits(chat=(100, 1.0)), clock)
    for _ in range(20):
        await limiter.message(-100)
        clock.now_s += 1
    with pytest.raises(RateLimited) as told:
        await limiter.message(-100)
    assert told.value.retry_after_s == 40
    # No other chat hears of it.
    await limiter.message(-200)
    await limiter.message(7)
    clock.now_s += 40
    await limiter.message(-100)


async def test_a_chat_that_was_told_to_wait_delays_no_other_and_no_answer() -> None:
    clock = Clock()
    limiter = Limiter(None, clock)
    limiter.told_to_wait(-100, 30)
    with pytest.raises(RateLimited) as told:
        await limiter.message(-100)
    assert told.value.retry_after_s == 30
    async with asyncio.timeout(1):
        await limiter.message(-200)
        await limiter.message(None)
        limiter.answer()
    clock.now_s += 30
    await limiter.message(-100)


async def test_answers_wait_behind_no_message() -> None:
    clock = Clock()
    limiter = Limiter(Limits(overall=(5, 60.0)), clock)
    for chat_id in range(1, 6):
        await limiter.message(chat_id)
    with pytest.raises(RateLimited):
        await limiter.message(9)
    for _ in range(100):
        limiter.answer()


async def test_answers_pause_for_as_long_as_telegram_says_and_messages_do_not() -> None:
    clock = Clock()
    limiter = Limiter(None, clock)
    limiter.told_not_to_answer(5)
    with pytest.raises(RateLimited) as told:
        limiter.answer()
    assert told.value.retry_after_s == 5
    await limiter.message(7)
    clock.now_s += 5
    limiter.answer()


async def test_those_for_whom_there_is_no_room_come_again_one_after_the_other() -> None:
    clock = Clock()
    limiter = Limiter(Limits(overall=(2, 10.0)), clock)
    for chat_id in (1, 2):
        await limiter.message(chat_id)
    waits_s = []
    for chat_id in (3, 4, 5):
        with pytest.raises(RateLimited) as told:
            await limiter.message(chat_id)
        waits_s.append(told.value.retry_after_s)
    assert waits_s == [15, 20, 25]


async def test_messages_of_all_chats_are_sent_in_the_order_in_which_they_came() -> None:
    limiter = Limiter(Limits(overall=(1, 0.02)))
    sent: list[int] = []

    async def send(chat_id: int) -> None:
        await limiter.message(chat_id)
        sent.append(chat_id)

    async with asyncio.TaskGroup() as group:
        for chat_id in range(1, 11):
            group.create_task(send(chat_id))
    assert sent == list(range(1, 11))


async def test_a_short_wait_is_waited_for() -> None:
    limiter = Limiter(Limits(chat=(1, 0.05)))
    began_s = time.monotonic()
    for _ in range(3):
        await limiter.message(5)
    assert time.monotonic() - began_s >= 0.099

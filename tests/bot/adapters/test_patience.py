"""Outages are waited out with growing pauses; what waiting does not mend is raised."""

import asyncio

import pytest

from bot.adapters.base import AdapterError, NetworkDown, RateLimited
from bot.adapters.patience import Patience


class LoggedOut(AdapterError):
    """For good."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds."""
    made: list[float] = []

    async def sleep(pause_s: float) -> None:
        made.append(pause_s)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return made


async def test_pauses_grow_to_a_bound_and_begin_anew_after_a_step_that_held(
    pauses: list[float],
) -> None:
    faults: list[Exception] = [NetworkDown("no"), ValueError("the inbox"), *[NetworkDown("no")] * 3]

    async def step() -> None:
        if faults:
            raise faults.pop(0)

    bearing = Patience("x", LoggedOut, pause_s_max=3.0)
    assert [await bearing.bears(step) for _ in range(6)] == [False] * 5 + [True]
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]
    faults.append(NetworkDown("again"))
    assert not await bearing.bears(step)
    assert pauses[-1] == 0.5


async def test_too_fast_waits_as_long_as_was_asked_and_a_dead_token_ends_it(
    pauses: list[float],
) -> None:
    async def too_fast() -> None:
        raise RateLimited(7.0)

    async def dead() -> None:
        raise LoggedOut("The token is dead.")

    bearing = Patience("x", LoggedOut)
    assert not await bearing.bears(too_fast)
    assert pauses == [7.0]
    with pytest.raises(LoggedOut):
        await bearing.bears(dead)

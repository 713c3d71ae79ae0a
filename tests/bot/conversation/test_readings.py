"""A crowd that shares one page has it read once, and nobody gets what is too old."""

import asyncio

import pytest

from bot.conversation.readings import Reading, Readings
from bot.links.fetch import Fetched
from bot.links.recognise import Sighting


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Reader:
    """Reads pages, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fault: Exception | None = None

    async def read(self) -> Reading | None:
        self.count += 1
        await self.may_end.wait()
        if self.fault is not None:
            raise self.fault
        return Reading(
            page=page(),
            name=f"page {self.count}",
            url="https://a.example/",
            host="a.example",
            sighting=Sighting("https://a.example/"),
            offers=(),
            picture=None,
            read_at_s=0.0,
        )


def page(body: bytes = b"<p>", url: str = "https://a.example/") -> Fetched:
    return Fetched(url, 200, "text/html", "utf-8", body, ())


async def test_those_who_ask_at_the_same_time_share_one_reading() -> None:
    readings, reader = Readings(), Reader()
    reader.may_end.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(readings.of(page(), reader.read, anew=False)) for _ in range(20)]
        await asyncio.sleep(0)
        reader.may_end.set()
    assert reader.count == 1
    assert all(task.result() is asked[0].result() for task in asked)


async def test_another_page_another_address_and_what_is_asked_anew_are_read_for_themselves() -> (
    None
):
    readings, reader = Readings(), Reader()
    await readings.of(page(), reader.read, anew=False)
    await readings.of(page(b"<b>"), reader.read, anew=False)
    await readings.of(page(url="https://b.example/"), reader.read, anew=False)
    assert reader.count == 3
    await readings.of(page(), reader.read, anew=True)
    assert reader.count == 4
    latest = await readings.of(page(), reader.read, anew=False)
    assert latest is not None
    assert latest.name == "page 4"


async def test_a_reading_is_over_after_a_minute() -> None:
    clock, reader = Clock(), Reader()
    readings = Readings(clock)
    await readings.of(page(), reader.read, anew=False)
    clock.now_s += 59
    await readings.of(page(), reader.read, anew=False)
    assert reader.count == 1
    clock.now_s += 2
    await readings.of(page(), reader.read, anew=False)
    assert reader.count == 2


async def test_a_reading_that_failed_is_told_and_tried_again() -> None:
    readings, reader = Readings(), Reader()
    reader.fault = RuntimeError("the database is away")
    with pytest.raises(RuntimeError):
        await readings.of(page(), reader.read, anew=False)
    reader.fault = None
    assert await readings.of(page(), reader.read, anew=False) is not None


async def test_one_who_gives_up_takes_the_reading_from_nobody_else() -> None:
    readings, reader = Readings(), Reader()
    reader.may_end.clear()
    first = asyncio.create_task(readings.of(page(), reader.read, anew=False))
    second = asyncio.create_task(readings.of(page(), reader.read, anew=False))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    reader.may_end.set()
    assert await second is not None
    assert reader.count == 1

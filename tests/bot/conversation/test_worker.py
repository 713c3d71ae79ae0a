"""Events are durable before the network is told, answered once, and no poison stops the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from bot.adapters.base import Cursor
from bot.conversation import worker as worker_module
from bot.conversation.worker import BEGUN_MAX, Worker
from bot.events import Event, Message, Tap, Untap, encode_event
from tests.bot.conversation.memory_network import MemoryNetwork, at_work
from tests.wallet_core.world import PRICE_MINOR, World, now_us, world_at
from wallet_core.commerce.checkout import TapOn
from wallet_core.errors import StorageUnavailable
from wallet_core.ledger.commits import Commit
from wallet_core.storage import tables as t
from wallet_core.storage.inbox import TRIES_MAX


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody wants to wait out the pauses of production."""
    monkeypatch.setattr(worker_module, "RESCUE_EVERY_S", 0.02)
    monkeypatch.setattr(worker_module, "_PAUSE_S_MAX", 0.01)


def message(name: str, text: str = "hello", who: str = "anna", room_id: str = "lobby") -> Message:
    return Message(
        id=f"web:{name}",
        network="web",
        room_id=room_id,
        person_id=who,
        text=text,
        message_ref=name,
    )


def tap(name: str, who: str = "anna") -> Tap:
    return Tap(
        id=f"web:{name}",
        network="web",
        room_id="lobby",
        person_id=who,
        message_ref="card",
        action="pay:q_1",
        tap_ref=name,
    )


def untap(name: str, tap_ref: str) -> Untap:
    return Untap(
        id=f"web:{name}", network="web", room_id="lobby", person_id="anna", tap_ref=tap_ref
    )


@dataclass
class Office:
    """Answers by closing the event; what it does before can be chosen."""

    world: World
    begun: list[str] = field(default_factory=list)
    begun_again: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    reported: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[Event], Awaitable[None]] | None = None
    report_breaks: bool = False

    async def answer(self, event: Event, /, *, again: bool) -> None:
        self.begun.append(event.id)
        if again:
            self.begun_again.append(event.id)
        if self.before is not None:
            await self.before(event)
        await self.world.writer.commit(Commit(key=f"answer {event.id}", event_id=event.id))
        self.answered.append(event.id)

    async def report(self, event_id: str, error: str) -> None:
        if self.report_breaks:
            raise RuntimeError("no admin can be told")
        self.reported.append((event_id, error))


@asynccontextmanager
async def working(office: Office, world: World | None = None) -> AsyncIterator[Worker]:
    """A worker at work until the block ends."""
    worker = Worker((world or office.world).inbox, office.answer, office.report)
    async with at_work(worker.run()):
        yield worker


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


async def until_answered(world: World) -> None:
    async with asyncio.timeout(20):
        while await world.inbox.waiting_count():  # noqa: ASYNC110 - the inbox tells nobody
            await asyncio.sleep(0.01)


def ids(*names: str) -> list[str]:
    return [f"web:{name}" for name in names]


async def test_what_was_heard_is_durable_when_hear_returns_and_answered_soon(
    office: Office, world: World
) -> None:
    worker = Worker(world.inbox, office.answer, office.report)
    await worker.hear([message("m1")], Cursor("web", "c1"))
    assert await world.inbox.waiting_count() == 1
    assert await world.inbox.load_cursor("web") == "c1"
    assert office.begun == []
    async with working(office):
        await until_answered(world)
    assert office.answered == ids("m1")


async def test_an_event_delivered_three_times_is_answered_once(
    office: Office, world: World
) -> None:
    async with working(office) as worker:
        for _ in range(3):
            await worker.hear([message("m1"), message("m1")])
        await until_answered(world)
        await worker.hear([message("m1")])
        await until_answered(world)
    assert office.begun == ids("m1")
    assert office.begun_again == []


async def test_one_persons_taps_are_answered_in_their_order(office: Office, world: World) -> None:
    async def slower_and_slower(event: Event) -> None:
        await asyncio.sleep(0.02 if event.id == "web:t0" else 0)

    office.before = slower_and_slower
    async with working(office) as worker:
        await asyncio.gather(*(worker.hear([tap(f"t{n}")]) for n in range(10)))
        await until_answered(world)
    assert office.answered == ids(*(f"t{n}" for n in range(10)))


async def test_a_slow_message_delays_neither_a_tap_nor_anybody_else(
    office: Office, world: World
) -> None:
    page = asyncio.Event()

    async def read_slowly(event: Event) -> None:
        if event.id == "web:link":
            await page.wait()

    office.before = read_slowly
    async with working(office) as worker:
        await worker.hear([message("link", "https://slow.example/")])
        await worker.hear([tap("t1"), message("c1", "/balance"), message("b1", who="ben")])
        await worker.hear([untap("u1", "t1")])
        async with asyncio.timeout(30):
            while len(office.answered) < 4:  # noqa: ASYNC110 - the office tells nobody
                await asyncio.sleep(0.01)
        assert set(office.answered) == set(ids("t1", "c1", "b1", "u1"))
        page.set()
        await until_answered(world)


async def test_a_poison_event_is_parked_and_reported_and_blocks_nobody(
    office: Office, world: World
) -> None:
    async def poison(event: Event) -> None:
        if event.id == "web:bad":
            raise ValueError("cannot be answered \x00\ud800")

    office.before = poison
    async with working(office) as worker:
        await worker.hear([message("m1"), message("bad"), message("m2")])
        await worker.hear([message("m3")])
        await until_answered(world)
    assert office.answered == ids("m1", "m2", "m3")
    assert office.begun.count("web:bad") == TRIES_MAX
    ((event_id, error),) = office.reported
    assert event_id == "web:bad"
    assert "ValueError: cannot be answered" in error
    assert await world.count(t.inbox, t.inbox.c.state == "parked") == 1


async def test_an_event_that_fails_for_a_while_is_answered_in_the_end(
    office: Office, world: World
) -> None:
    async def away(event: Event) -> None:
        if office.begun.count(event.id) < 4:
            raise StorageUnavailable("for a moment")

    office.before = away
    async with working(office) as worker:
        await worker.hear([message("m1")])
        await until_answered(world)
    assert office.answered == ids("m1")
    assert office.begun_again == office.begun[1:]
    assert office.reported == []


async def test_an_event_that_kills_process_after_process_is_parked_in_the_end(
    office: Office, world: World
) -> None:
    await world.inbox.keep([("web:deadly", encode_event(message("deadly")))], claim=False)
    async with world.database.write() as connection:
        await connection.execute(sa.update(t.inbox).values(tries=BEGUN_MAX))
    async with working(office):
        await until_answered(world)
    assert office.answered == []
    assert [event_id for event_id, _ in office.reported] == ["web:deadly"]


async def test_a_body_that_nobody_can_read_is_parked_and_reported(
    office: Office, world: World
) -> None:
    await world.inbox.keep([("web:odd", b"{not an event")], claim=False)
    async with working(office) as worker:
        await worker.hear([message("m1")])
        await until_answered(world)
    assert office.answered == ids("m1")
    assert [event_id for event_id, _ in office.reported] == ["web:odd"]


async def test_a_report_that_fails_ends_nothing(office: Office, world: World) -> None:
    async def poison(event: Event) -> None:
        if event.id == "web:bad":
            raise ValueError

    office.before = poison
    office.report_breaks = True
    async with working(office) as worker:
        await worker.hear([message("bad")])
        await until_answered(world)
        await asyncio.sleep(0.1)
        await worker.hear([message("m1")])
        await until_answered(world)
    assert office.answered == ids("m1")


async def test_what_a_dead_process_left_is_answered_by_another(
    office: Office, world: World, database_url: str
) -> None:
    async with world_at(database_url, create=False) as dead:
        gone = Worker(dead.inbox, office.answer, office.report)
        await gone.hear([message(f"m{n}") for n in range(5)])
        await dead.inbox.claim(5)
    async with working(office):
        await asyncio.sleep(0.1)
        assert office.begun == []  # still in the dead one's hands
        async with world.database.write() as connection:
            await connection.execute(sa.update(t.inbox).values(claimed_until_us=1))
        await until_answered(world)
    assert office.answered == ids(*(f"m{n}" for n in range(5)))
    assert office.begun_again == office.answered


async def test_two_workers_share_the_work_and_answer_each_event_once(
    office: Office, world: World, database_url: str
) -> None:
    async with world_at(database_url, create=False) as second:
        names = [f"m{n}" for n in range(40)]
        keeper = Worker(world.inbox, office.answer, office.report)
        await keeper.hear([message(name, who=f"p{n % 7}") for n, name in enumerate(names)])
        async with working(office), working(office, second):
            await until_answered(world)
    assert sorted(office.begun) == sorted(ids(*names))


async def test_a_tap_delivered_again_after_a_crash_pays_once(world: World) -> None:
    """The process died after the commit and before the network was told."""
    await world.open_shop()
    await world.offer()
    await world.quote()
    anna = await world.person("anna", 3 * PRICE_MINOR)
    network = MemoryNetwork()

    async def pay(event: Event) -> None:
        assert isinstance(event, Tap)
        await world.checkout.tap(
            TapOn(
                event_id=event.id,
                quote_id="q_1",
                payer=anna,
                place=world.place(),
                at_us=now_us(),
                tap_ref=event.tap_ref,
            )
        )

    office = Office(world, before=pay)
    for _ in range(3):
        async with working(office) as worker:
            running = asyncio.create_task(network.run(worker.hear))
            await asyncio.sleep(0)
            await network.deliver([tap("t1")])
            await until_answered(world)
            running.cancel()
    assert await world.balance(anna) == (2 * PRICE_MINOR, PRICE_MINOR)
    assert await world.answers() == 1

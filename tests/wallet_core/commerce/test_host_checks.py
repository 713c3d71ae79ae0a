"""Proofs that are looked for again: the rules as a table, and the checks on real databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.peers.tables import create_tables
from wallet_core.commerce.host_checks import (
    BUSY_S,
    CLAIM_S,
    RETRY_S,
    WATCH_LOST_S,
    CheckTerms,
    Failure,
    HostChecks,
    HostLook,
    HostNews,
    Stage,
    judge_host,
    next_look_us,
)
from wallet_core.commerce.merchants import Merchants, Proven
from wallet_core.commerce.records import HostClaim, Merchant, Place, Speech
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Commit, Notice, RowChange
from wallet_core.storage.database import Database
from wallet_core.storage.host_checks import HostCheckRows
from wallet_core.storage.people import People
from wallet_core.storage.readers import Reader
from wallet_core.storage.writer import Writer

HOST = "tea.example"
SECOND_US = 1_000_000
DAY_US = 24 * 3600 * SECOND_US
TERMS = CheckTerms(every_s=24 * 3600, grace_s=7 * 24 * 3600)
START_US = 1_000 * DAY_US
TOKEN = "t" * 32
THERE = HostLook(shown={"well-known": frozenset({TOKEN}), "meta": frozenset(), "dns": frozenset()})
GONE = HostLook(shown={"well-known": frozenset({"other"}), "meta": frozenset()})
AWAY = HostLook(shown={}, unread={"well-known": "It took too long.", "meta": "It took too long."})
OTHER_WAY_AWAY = HostLook(shown={}, unread={"dns": "No name server answered."})
LEADS_AWAY = HostLook(shown={}, hindered={"well-known": "It leads elsewhere."})
BUSY = HostLook(shown={}, busy=True)


def claim(stage: Stage | None = None, since_us: int | None = None) -> HostClaim:
    return HostClaim(
        merchant_id="m_tea",
        host=HOST,
        token=TOKEN,
        verified_host=None if stage is Stage.LOST else HOST,
        method="well-known",
        seen_at_us=START_US - DAY_US,
        check_due_us=START_US,
        stage=stage,
        failure=Failure.GONE if stage else None,
        failing_since_us=since_us,
    )


def at(days: float) -> int:
    return START_US + round(days * DAY_US)


@pytest.mark.parametrize(
    ("before", "look", "days", "after", "news", "found_again"),
    [
        (None, THERE, 0, None, None, False),
        (Stage.FAILING, THERE, 2, None, None, True),
        (Stage.ENDING, THERE, 6.5, None, None, True),
        (Stage.LOST, THERE, 9, None, None, True),
        (None, BUSY, 0, None, None, False),
        (Stage.FAILING, BUSY, 9, Stage.FAILING, None, False),
        (Stage.LOST, BUSY, 9, Stage.LOST, None, False),
        (None, GONE, 0, Stage.FAILING, Stage.FAILING, False),
        (None, AWAY, 0, Stage.FAILING, Stage.FAILING, False),
        (Stage.FAILING, GONE, 1, Stage.FAILING, None, False),
        (Stage.FAILING, AWAY, 5.9, Stage.FAILING, None, False),
        (Stage.FAILING, GONE, 6, Stage.ENDING, Stage.ENDING, False),
        (Stage.ENDING, GONE, 6.9, Stage.ENDING, None, False),
        (Stage.ENDING, AWAY, 7, Stage.LOST, Stage.LOST, False),
        (Stage.FAILING, GONE, 30, Stage.LOST, Stage.LOST, False),
        (Stage.LOST, GONE, 8, Stage.LOST, None, False),
    ],
)
def test_what_a_look_says_and_what_the_owner_hears(
    before: Stage | None,
    look: HostLook,
    days: float,
    after: Stage | None,
    news: Stage | None,
    found_again: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    known = claim(before, START_US if before else None)
    judged = judge_host(known, look, TERMS, at(days))
    assert (judged.claim.stage, judged.news, judged.found_again) == (after, news, found_again)
    proven = after is not Stage.LOST
    assert (judged.claim.verified_host is not None) == proven
    if look is not BUSY:
        assert judged.claim.failing_since_us == (START_US if after else None)
    if look is THERE:
        assert judged.claim.seen_at_us == at(days)
        assert judged.claim.failure is None
    else:
        assert judged.claim.seen_at_us == known.seen_at_us


def test_a_host_that_cannot_be_reached_is_told_from_one_whose_proof_is_gone() -> None:
    for look, failure, why in (
        (GONE, Failure.GONE, ""),
        (AWAY, Failure.UNREACHABLE, "It took too long."),
        # The file was asked for and has no token; that DNS is silent excuses nothing.
        (OTHER_WAY_AWAY, Failure.GONE, ""),
        (LEADS_AWAY, Failure.GONE, "It leads elsewhere."),
    ):
        judged = judge_host(claim(), look, TERMS, START_US)
        assert (judged.claim.failure, judged.why) == (failure, why)


def test_a_missing_proof_is_looked_for_more_often_and_at_each_turning_point() -> None:
    first = judge_host(claim(), GONE, TERMS, START_US).claim
    assert first.check_due_us == START_US + RETRY_S * SECOND_US
    late = judge_host(claim(Stage.FAILING, START_US), GONE, TERMS, at(5.9)).claim
    assert late.check_due_us == at(6)
    last = judge_host(claim(Stage.ENDING, START_US), GONE, TERMS, at(6.9)).claim
    assert last.check_due_us == at(7)
    busy = judge_host(claim(), BUSY, TERMS, START_US).claim
    assert busy.check_due_us == START_US + BUSY_S * SECOND_US


def test_a_lost_proof_is_looked_for_a_while_longer_and_then_no_more() -> None:
    lost = claim(Stage.LOST, START_US)
    assert (judge_host(lost, GONE, TERMS, at(20)).claim.check_due_us or 0) > at(20)
    over = at(7) + WATCH_LOST_S * SECOND_US
    assert judge_host(lost, GONE, TERMS, over).claim.check_due_us is None


def test_without_any_grace_the_first_miss_is_the_loss() -> None:
    judged = judge_host(claim(), GONE, CheckTerms(grace_s=0), START_US)
    assert (judged.claim.verified_host, judged.news) == (None, Stage.LOST)


def test_the_first_miss_is_told_as_such_however_short_the_grace() -> None:
    terms = CheckTerms(grace_s=1)
    judged = judge_host(claim(), GONE, terms, START_US)
    assert judged.news is Stage.FAILING
    again = judge_host(judged.claim, GONE, terms, START_US + SECOND_US)
    assert again.news is Stage.LOST


def test_hosts_that_were_proven_together_do_not_stay_together() -> None:
    due = {next_look_us(f"shop{n}.example", TERMS, START_US) for n in range(200)}
    assert len(due) > 190
    assert all(at(0.9) <= one <= at(1.1) for one in due)


@dataclass
class Looks:
    """What hosts show; a look may wait for somebody."""

    shows: dict[str, HostLook] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)
    waits: asyncio.Event | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self, host: str) -> HostLook:
        self.looked.append(host)
        if self.waits is not None:
            self.begun.set()
            await self.waits.wait()
        return self.shows.get(host, GONE)


@dataclass
class Town:
    """Shops with proven hosts, and the checks of one process."""

    writer: Writer
    reader: Reader
    people: People
    looks: Looks
    checks: HostChecks
    heard: list[HostNews]

    async def write(self, key: str, rows: tuple[RowChange, ...]) -> None:
        await self.writer.commit(Commit(key=key, rows=rows))

    async def shop(self, who: str, *hosts: str) -> Merchant:
        """A shop that has proven its hosts at the beginning."""
        person = await self.people.meet("web", who, f"room of {who}")
        merchants = Merchants(self.reader, self.looks)
        place = Place("web", "kitchen", who)
        opening = merchants.opening(f"open:{who}", f"{who}'s shop", place, person.id, 7)
        await self.write(f"open:{who}", opening.rows)
        for host in hosts:
            claiming = await merchants.claiming(opening.merchant, host)
            await self.write(f"claim:{who}:{host}", claiming.rows)
            self.show(host, claiming.claim.token)
            proof = await merchants.verifying(claiming.claim, START_US)
            assert isinstance(proof, Proven)
            await self.write(f"prove:{who}:{host}", proof.rows)
        self.looks.looked.clear()
        return opening.merchant

    def show(self, host: str, token: str) -> None:
        self.looks.shows[host] = HostLook(shown={"well-known": frozenset({token})})

    async def claim(self, shop: Merchant, host: str = HOST) -> HostClaim:
        claims = await self.reader.host_claims(shop.id)
        return next(claim for claim in claims if claim.host == host)


def _town(database: Database, writer: Writer, looks: Looks) -> Town:
    heard: list[HostNews] = []

    def announce(news: HostNews) -> Speech:
        heard.append(news)
        return tuple(
            Notice(send_id=f"{news.cause}:{place.network_person_id}", network="web",
                   room_id=place.room_id, person_id=place.network_person_id, body=b"{}")
            for place in news.places
        )  # fmt: skip

    checks = HostChecks(writer, HostCheckRows(database), looks, announce, TERMS)
    people = People(database, writer)
    return Town(writer, Reader(database), people, looks, checks, heard)


@pytest.fixture
async def towns(database_url: str) -> AsyncIterator[Sequence[Town]]:
    """Two processes on one database, which look at the same hosts."""
    database, looks = Database(database_url), Looks()
    await create_tables(database)
    async with Writer(database) as one, Writer(database) as other:
        yield [_town(database, one, looks), _town(database, other, looks)]
    await database.close()


async def test_a_proof_that_is_there_is_seen_and_nobody_is_told(towns: Sequence[Town]) -> None:
    town = towns[0]
    shop = await town.shop("mei", HOST)
    assert await town.checks.run_due(at(0.5)) == 0
    assert await town.checks.run_due(at(2)) == 1
    seen = await town.claim(shop)
    assert (seen.verified_host, seen.seen_at_us, seen.stage) == (HOST, at(2), None)
    assert await town.checks.run_due(at(2)) == 0
    assert town.heard == []


async def test_a_proof_is_missed_told_of_lost_and_found_again(towns: Sequence[Town]) -> None:
    town = towns[0]
    shop = await town.shop("mei", HOST)
    token = (await town.claim(shop)).token
    town.looks.shows[HOST] = GONE
    day = 2.0
    while day < 12:
        await town.checks.run_due(at(day))
        day += 0.125
    assert [news.stage for news in town.heard] == [Stage.FAILING, Stage.ENDING, Stage.LOST]
    assert {news.until_us for news in town.heard} == {at(9)}
    assert {news.places for news in town.heard} == {(Place("web", "room of mei", "mei"),)}
    assert await town.reader.merchant_of_host(HOST) is None
    town.show(HOST, token)
    await town.checks.run_due(at(14))
    assert town.heard[-1].stage is None
    assert await town.reader.merchant_of_host(HOST) == shop
    assert (await town.claim(shop)).seen_at_us == at(14)


async def test_each_host_is_looked_at_by_one_process_only(towns: Sequence[Town]) -> None:
    hosts = [f"shop{n}.example" for n in range(6)]
    await towns[0].shop("mei", *hosts)
    await asyncio.gather(*(town.checks.run_due(at(2)) for town in towns for _ in range(3)))
    assert sorted(towns[0].looks.looked) == sorted(hosts)


async def test_what_a_process_that_died_was_looking_at_is_looked_at_by_another(
    towns: Sequence[Town],
) -> None:
    one, other = towns
    shop = await one.shop("mei", HOST)
    one.looks.waits = asyncio.Event()
    dying = asyncio.create_task(one.checks.run_due(at(2)))
    await asyncio.wait_for(one.looks.begun.wait(), 30)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    one.looks.waits = None
    assert await other.checks.run_due(at(2) + (CLAIM_S - 1) * SECOND_US) == 0
    assert await other.checks.run_due(at(2) + CLAIM_S * SECOND_US) == 1
    assert (await other.claim(shop)).seen_at_us == at(2) + CLAIM_S * SECOND_US


async def test_what_the_owner_proves_meanwhile_stands(towns: Sequence[Town]) -> None:
    town = towns[0]
    shop = await town.shop("mei", HOST)
    token = (await town.claim(shop)).token
    town.looks.shows[HOST] = GONE
    await town.checks.run_due(at(2))
    town.looks.waits = asyncio.Event()
    looking = asyncio.create_task(town.checks.run_due(at(30)))
    await asyncio.wait_for(town.looks.begun.wait(), 30)
    late, town.looks.waits = town.looks.waits, None
    town.show(HOST, token)
    proof = await Merchants(town.reader, town.looks).verifying(await town.claim(shop), at(30))
    assert isinstance(proof, Proven)
    await town.write("proven in time", proof.rows)
    town.looks.shows[HOST] = GONE
    late.set()
    await looking
    found = await town.claim(shop)
    assert (found.verified_host, found.stage, found.seen_at_us) == (HOST, None, at(30))


async def test_a_lost_host_that_another_shop_has_proven_stays_that_shops(
    towns: Sequence[Town],
) -> None:
    town = towns[0]
    first = await town.shop("mei", HOST)
    token = (await town.claim(first)).token
    town.looks.shows[HOST] = GONE
    await town.checks.run_due(at(2))
    await town.checks.run_due(at(9.5))
    second = await town.shop("eve", HOST)
    theirs = (await town.claim(second)).token
    town.looks.shows[HOST] = HostLook(shown={"well-known": frozenset({token, theirs})})
    await town.checks.run_due(at(12))
    assert await town.reader.merchant_of_host(HOST) == second
    lost = await town.claim(first)
    assert (lost.verified_host, lost.check_due_us) == (None, None)
    with pytest.raises(Refused):
        await Merchants(town.reader, town.looks).verifying(lost, at(12))


async def test_one_host_that_cannot_be_judged_keeps_no_other_from_its_look(
    towns: Sequence[Town],
) -> None:
    town = towns[0]
    shop = await town.shop("mei", "a.example", "b.example")

    class Odd:
        async def look(self, host: str) -> HostLook:
            if host == "a.example":
                raise RuntimeError(host)
            return await town.looks.look(host)

    town.checks.looks = Odd()
    with pytest.raises(ExceptionGroup):
        await town.checks.run_due(at(2))
    assert (await town.claim(shop, "b.example")).seen_at_us == at(2)
    assert (await town.claim(shop, "a.example")).seen_at_us == START_US

"""Catalogues in the database: claims that only one holds, and pages that fit together."""

from collections.abc import AsyncIterator

import pytest

from tests.peers.tables import create_tables
from wallet_core.commerce.catalogue import CatalogueItem, LostClaim, SourceState
from wallet_core.commerce.catalogue_steps import adding, agreeing, removing, rereading
from wallet_core.commerce.records import Place
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Commit
from wallet_core.storage.catalogues import Catalogues, Claim, Taking, digest_of
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

PLACE = Place("web", "kitchen", "mei")
URL = "https://shop.example/feed.xml"


def item(n: int, price_minor: int = 1000, page: str = "") -> CatalogueItem:
    url = f"https://shop.example/p/{n}"
    return CatalogueItem(
        key=digest_of(str(n)),
        feed_id=str(n),
        url=url,
        page_url=page or url,
        title=f"Tea {n}",
        price_minor=price_minor,
        currency="EUR",
    )


def taking(*items: CatalogueItem, gone: tuple[str, ...] = (), to: str = "f" * 32) -> Taking:
    named = [(one, digest_of(one.url), digest_of(one.page_url)) for one in items]
    return Taking(to=to, items=named, gone=gone, stated={})


class Desk:
    """The store, and the writer by which owners change their sources."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.store = Catalogues(database)
        self.writer = writer
        self.source_id, self.rows = adding("m_1", URL, PLACE, 1)

    async def claim(self, now_us: int = 10, for_us: int = 100) -> Claim | None:
        return await self.store.claim(now_us, now_us + for_us)

    async def claimed(self) -> Claim:
        claim = await self.claim()
        assert claim is not None
        return claim


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = Database(database_url)
    await create_tables(database)
    async with Writer(database) as writer:
        desk = Desk(database, writer)
        await writer.commit(Commit(key="add", rows=desk.rows))
        yield desk
    await database.close()


async def test_a_source_is_claimed_by_one_until_its_time_is_over(desk: Desk) -> None:
    assert await desk.store.claim(0, 100) is None, "it is not due yet"
    first = await desk.claimed()
    assert await desk.claim(50) is None
    second = await desk.claim(111)
    assert second is not None
    assert second.fence == first.fence + 1
    for late in (
        desk.store.renew(first, 500),
        desk.store.settle(first, {"error": "late"}),
        desk.store.begin_reading(first, 500),
        desk.store.stage(first, [item(1)], 500),
        desk.store.take(first, taking(item(1)), 1, 500),
        desk.store.finish_taking(first, {}),
    ):
        with pytest.raises(LostClaim):
            await late
    await desk.store.settle(second, {"due_at_us": None})
    assert await desk.claim(10_000) is None
    assert (await desk.store.page(desk.source_id, "", 10)).to is None


async def test_a_renewed_claim_stands_longer(desk: Desk) -> None:
    claim = await desk.claimed()
    await desk.store.renew(claim, 1_000)
    assert await desk.claim(500) is None
    assert await desk.claim(1_001) is not None


async def test_what_is_staged_twice_is_staged_once(desk: Desk) -> None:
    claim = await desk.claimed()
    assert await desk.store.begin_reading(claim, 200) == 1
    assert await desk.store.stage(claim, [item(1), item(2), item(1, 5)], 200) == 2
    assert await desk.store.stage(claim, [item(2, 7), item(3)], 200) == 1
    page = await desk.store.page(desk.source_id, "", 10)
    assert sorted(one.price_minor for one in page.read.values()) == [1000, 1000, 1000]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_go_through_both_sides_by_the_same_keys(desk: Desk, limit: int) -> None:
    claim = await desk.claimed()
    await desk.store.take(claim, taking(*map(item, range(12))), 1, 200)
    await desk.store.begin_reading(claim, 200)
    await desk.store.stage(claim, [item(n) for n in range(8, 30)], 200)
    listed: list[str] = []
    read: list[str] = []
    after = ""
    while (page := await desk.store.page(desk.source_id, after, limit)).to is not None:
        assert len(page.listed) <= limit
        assert len(page.read) <= limit
        assert all(after < key <= page.to for key in (*page.listed, *page.read))
        listed += page.listed
        read += page.read
        after = page.to
    assert listed == sorted(item(n).key for n in range(12))
    assert read == sorted(item(n).key for n in range(8, 30))


async def test_taking_over_twice_leaves_what_once_leaves(desk: Desk) -> None:
    claim = await desk.claimed()
    await desk.store.take(claim, taking(*map(item, range(3))), 1, 200)
    for _ in range(2):
        await desk.store.take(claim, taking(item(0, 5), gone=(item(1).key,)), 2, 200)
    page = await desk.store.page(desk.source_id, "", 10)
    state = {one.item.feed_id: (one.listed, one.item.price_minor) for one in page.listed.values()}
    assert state == {"0": (True, 5), "1": (False, 1000), "2": (True, 1000)}
    assert await desk.store.listed_count(desk.source_id) == 2
    assert set(await desk.store.known_items(desk.source_id, [item(n).key for n in range(9)])) == {
        item(0).key,
        item(2).key,
    }


async def test_an_address_is_looked_up_before_the_page_that_it_is_on(desk: Desk) -> None:
    claim = await desk.claimed()
    page = "https://shop.example/p"
    await desk.store.take(claim, taking(item(1, page=page), item(2, page=page), item(3)), 1, 200)

    async def found(url: str, merchant_id: str = "m_1") -> list[str]:
        return [one.item.feed_id for one in await desk.store.listings(merchant_id, url)]

    assert await found(item(1).url) == [], "nothing counts before it was read for good"
    await desk.store.settle(claim, {"kind": "csv", "read_at_us": 1})
    assert await found(item(1).url) == ["1"]
    assert sorted(await found(page)) == ["1", "2"]
    assert await found("https://shop.example/elsewhere") == []
    assert await found(item(1).url, "m_2") == []


async def test_an_owners_word_counts_only_on_what_he_saw(desk: Desk) -> None:
    claim = await desk.claimed()
    await desk.store.begin_reading(claim, 200)
    await desk.store.settle(claim, {"state": SourceState.SHOWN, "due_at_us": None})
    source = await desk.store.source(desk.source_id)
    assert source is not None
    with pytest.raises(Refused) as refused:
        await desk.writer.commit(Commit(key="a", rows=agreeing(source, 0, 5, agreed=True)))
    assert refused.value.code == Refusal.CHANGED
    await desk.writer.commit(Commit(key="b", rows=agreeing(source, 1, 5, agreed=True)))
    with pytest.raises(Refused):
        await desk.writer.commit(Commit(key="c", rows=agreeing(source, 1, 5, agreed=False)))
    with pytest.raises(Refused):
        await desk.writer.commit(Commit(key="d", rows=removing(source)))


async def test_a_removed_source_is_nobodys_until_it_begins_anew(desk: Desk) -> None:
    claim = await desk.claimed()
    await desk.writer.commit(Commit(key="a", rows=removing(claim.source)))
    with pytest.raises(LostClaim):
        await desk.store.stage(claim, [item(1)], 200)
    assert await desk.store.sources_of("m_1") == []
    assert await desk.claim(1_000) is None
    removed = await desk.store.source(desk.source_id)
    assert removed is not None
    await desk.writer.commit(Commit(key="b", rows=rereading(removed, PLACE, 1_000)))
    again = await desk.claim(1_000)
    assert again is not None
    assert (again.source.state, again.source.read_at_us) == (SourceState.WAITING, None)

"""Shops and their hosts on real databases; what a host shows stands in a table."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.peers.tables import create_tables
from wallet_core.commerce.host_checks import HostLook
from wallet_core.commerce.merchants import (
    Claiming,
    Merchants,
    NotShown,
    Proven,
    host_name,
    shop_name,
)
from wallet_core.commerce.records import HostClaim, Merchant, Place
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Commit, RowChange
from wallet_core.storage.database import Database
from wallet_core.storage.people import People
from wallet_core.storage.readers import Reader
from wallet_core.storage.writer import Writer

HOST = "tea.example"
KITCHEN = Place("web", "kitchen", "mei")


@dataclass
class Shown:
    """What hosts show; remembers which were looked at."""

    tokens: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)

    async def look(self, host: str) -> HostLook:
        self.looked.append(host)
        return HostLook(shown=self.tokens.get(host, {}))


@dataclass
class Trade:
    writer: Writer
    reader: Reader
    people: People
    proofs: Shown
    merchants: Merchants

    async def write(self, key: str, rows: tuple[RowChange, ...]) -> None:
        await self.writer.commit(Commit(key=key, rows=rows))

    async def open(self, who: str = "mei", name: str = "Tea House") -> Merchant:
        person = await self.people.meet("web", who, "kitchen")
        opening = self.merchants.opening(f"open:{who}", name, KITCHEN, person.id, 7)
        await self.write(f"open:{who}", opening.rows)
        return opening.merchant

    async def claim(self, merchant: Merchant, host: str = HOST) -> HostClaim:
        claiming = await self.merchants.claiming(merchant, host)
        await self.write(f"claim:{merchant.id}:{host}", claiming.rows)
        return claiming.claim

    def show(self, *tokens: str, host: str = HOST, method: str = "well-known") -> None:
        self.proofs.tokens.setdefault(host, {})[method] = frozenset(tokens)


@pytest.fixture
async def trade(database_url: str) -> AsyncIterator[Trade]:
    database = Database(database_url)
    await create_tables(database)
    async with Writer(database) as writer:
        reader, proofs = Reader(database), Shown()
        people = People(database, writer)
        yield Trade(writer, reader, people, proofs, Merchants(reader, proofs))
    await database.close()


async def test_an_opened_shop_has_its_opener_and_its_room(trade: Trade) -> None:
    shop = await trade.open()
    person = await trade.people.meet("web", "mei", "kitchen")
    assert list(await trade.reader.merchants_of(person.id)) == [shop]
    assert await trade.reader.is_member(shop.id, person.id)
    assert (shop.network, shop.room_id, shop.standing_acceptance) == ("web", "kitchen", False)


async def test_the_same_event_opens_the_same_shop(trade: Trade) -> None:
    first = trade.merchants.opening("event", "Tea", KITCHEN, "p_mei", 1)
    again = trade.merchants.opening("event", "Tea", KITCHEN, "p_mei", 2)
    other = trade.merchants.opening("other", "Tea", KITCHEN, "p_mei", 2)
    assert first.merchant == again.merchant
    assert first.merchant.id != other.merchant.id


async def test_a_bad_name_is_refused(trade: Trade) -> None:
    with pytest.raises(Refused) as caught:
        trade.merchants.opening("event", "Tea ✔ bank.example", KITCHEN, "p_mei", 1)
    assert caught.value.code is Refusal.NOT_ALLOWED


async def test_a_claim_has_a_token_of_its_own_and_keeps_it(trade: Trade) -> None:
    shop, other = await trade.open(), await trade.open("eve", "Copy Cat")
    claim = await trade.claim(shop)
    assert len(claim.token) == 32
    assert claim.verified_host is None
    assert await trade.merchants.claiming(shop, HOST) == Claiming(claim=claim, rows=())
    assert (await trade.claim(other)).token != claim.token
    assert (await trade.claim(shop, "cups.example")).token != claim.token


async def test_one_claim_made_twice_at_once_stands_once(trade: Trade) -> None:
    shop = await trade.open()
    first = await trade.merchants.claiming(shop, HOST)
    second = await trade.merchants.claiming(shop, HOST)
    await trade.write("first", first.rows)
    with pytest.raises(Refused) as caught:
        await trade.write("second", second.rows)
    assert caught.value.code is Refusal.TAKEN
    assert list(await trade.reader.host_claims(shop.id)) == [first.claim]


@pytest.mark.parametrize("method", ["well-known", "meta", "dns"])
async def test_a_host_is_proven_by_any_method(trade: Trade, method: str) -> None:
    shop = await trade.open()
    claim = await trade.claim(shop)
    trade.show("somebody-elses", claim.token, method=method)
    outcome = await trade.merchants.verifying(claim, 99)
    assert isinstance(outcome, Proven)
    await trade.write("verify", outcome.rows)
    assert list(await trade.reader.host_claims(shop.id)) == [outcome.claim]
    assert (outcome.claim.verified_host, outcome.claim.method) == (HOST, method)
    assert await trade.reader.merchant_of_host(HOST) == shop
    # Verification covers exactly the host that was proven.
    for near in (f"www.{HOST}", f"{HOST}:8443", "example"):
        assert await trade.reader.merchant_of_host(near) is None


async def test_a_proven_host_is_not_looked_at_again(trade: Trade) -> None:
    shop = await trade.open()
    claim = await trade.claim(shop)
    trade.show(claim.token)
    outcome = await trade.merchants.verifying(claim, 99)
    await trade.write("verify", outcome.rows if isinstance(outcome, Proven) else ())
    (proven,) = await trade.reader.host_claims(shop.id)
    trade.proofs.looked.clear()
    assert await trade.merchants.verifying(proven, 100) == Proven(claim=proven, rows=())
    assert await trade.merchants.claiming(shop, HOST) == Claiming(claim=proven, rows=())
    assert trade.proofs.looked == []


async def test_another_token_proves_nothing(trade: Trade) -> None:
    claim = await trade.claim(await trade.open())
    assert await trade.merchants.verifying(claim, 1) == NotShown(claim=claim, strange=())
    trade.show("other", method="meta")
    trade.show(method="dns")
    trade.show(claim.token, host="elsewhere.example")
    assert await trade.merchants.verifying(claim, 1) == NotShown(claim=claim, strange=("meta",))


async def test_a_host_proven_by_another_is_refused_without_looking(trade: Trade) -> None:
    shop, other = await trade.open(), await trade.open("eve", "Copy Cat")
    claim, late = await trade.claim(shop), await trade.claim(other)
    trade.show(claim.token, late.token)
    outcome = await trade.merchants.verifying(claim, 1)
    assert isinstance(outcome, Proven)
    await trade.write("verify", outcome.rows)
    trade.proofs.looked.clear()
    for attempt in (trade.merchants.verifying(late, 2), trade.merchants.claiming(other, HOST)):
        with pytest.raises(Refused) as caught:
            await attempt
        assert caught.value.code is Refusal.TAKEN
    assert trade.proofs.looked == []


async def test_of_two_proofs_at_the_same_moment_the_first_that_is_written_counts(
    trade: Trade,
) -> None:
    shop, other = await trade.open(), await trade.open("eve", "Copy Cat")
    claim, late = await trade.claim(shop), await trade.claim(other)
    trade.show(claim.token, late.token)
    first = await trade.merchants.verifying(claim, 1)
    second = await trade.merchants.verifying(late, 1)
    assert isinstance(first, Proven)
    assert isinstance(second, Proven)
    await trade.write("first", first.rows)
    with pytest.raises(Refused) as caught:
        await trade.write("second", second.rows)
    assert caught.value.code is Refusal.TAKEN
    assert await trade.reader.merchant_of_host(HOST) == shop


async def test_standing_acceptance_is_switched_as_often_as_wanted(trade: Trade) -> None:
    shop = await trade.open()
    for n, on in enumerate((True, True, False)):
        await trade.write(f"switch:{n}", trade.merchants.accepting(shop, on=on))
        latest = await trade.reader.merchant(shop.id)
        assert latest is not None
        assert latest.standing_acceptance is on


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Tea \n House ", "Tea House"),
        ("🍵 茶馆", "🍵 茶馆"),
        ("Te\u200ba\u202e", "Tea"),
        ("x" * 60, "x" * 60),
        ("x" * 61, None),
        ("", None),
        ("\u200b", None),
        ("!!!", None),
        ("Bank ✅", None),
    ],
)
def test_a_shops_name_is_one_plain_line(typed: str, shown: str | None) -> None:
    assert shop_name(typed) == shown


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Tea.Example", "tea.example"),
        (" tea.example. ", "tea.example"),
        ("https://TEA.example/p/1?a=b#c", "tea.example"),
        ("tea.example:443", "tea.example"),
        ("tea.example:80", "tea.example"),
        ("tea.example:8443/x", "tea.example:8443"),
        ("http://tea.example:80", "tea.example"),
        ("http://tea.example:443", "tea.example:443"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("商店.中国", "xn--czrs0t.xn--fiqs8s"),
        ("http://127.0.0.1:8001/", "127.0.0.1:8001"),
        ("localhost:8001", "localhost:8001"),
        ("[::1]:8001", "[::1]:8001"),
        ("", None),
        ("tea", None),
        ("mei@tea.example", None),
        ("https://mei:secret@tea.example/", None),
        ("ftp://tea.example", None),
        ("mailto:mei@tea.example", None),
        ("tea .example", None),
        ("tea\n.example", None),
        ("tea..example", None),
        ("http://", None),
        ("x" * 64 + ".example", None),
        ("x." * 130 + "example", None),
        ("\ud800.example", None),
    ],
)
def test_a_host_is_read_from_what_people_type(typed: str, host: str | None) -> None:
    assert host_name(typed) == host

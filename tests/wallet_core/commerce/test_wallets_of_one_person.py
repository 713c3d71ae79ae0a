"""One person, several wallets: the same card is paid once, from whichever of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.wallet_core.world import CNY, PRICE_MINOR, Interrupted, World, now_us
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.records import Payer
from wallet_core.ledger.commits import Commit, Insert, Update
from wallet_core.locks import TTL_S, Lease, LeasePort
from wallet_core.money import Money
from wallet_core.storage import tables as t

FUNDS_MINOR = 100_000


@dataclass
class Before:
    """Leases before whose next grant something happens once."""

    inner: LeasePort
    happens: Callable[[], Awaitable[None]] | None

    @asynccontextmanager
    async def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AsyncIterator[Lease]:
        happens, self.happens = self.happens, None
        if happens is not None:
            await happens()
        async with self.inner.hold(*wallet_ids, token=token, wait_s=wait_s, ttl_s=ttl_s) as lease:
            yield lease


@pytest.fixture
async def shop(any_world: World) -> AsyncIterator[World]:
    """An open shop with one offer and one quote, with leases and without."""
    await any_world.open_shop()
    await any_world.offer(stock=10)
    await any_world.quote()
    yield any_world
    assert await any_world.inbox.waiting_count() == 0
    await audit(any_world.database)


async def second_wallet(shop: World, owner: Payer) -> Payer:
    """One more wallet of the same person, with money in it."""
    payer = Payer(owner.person_id, f"{owner.wallet_id}b")
    row = Insert(
        "wallets",
        {"id": payer.wallet_id, "person_id": owner.person_id, "mode": "open", "fence": 0},
    )
    await shop.writer.commit(Commit(key=f"open:{payer.wallet_id}", rows=(row,)))
    await shop.top_up(payer.wallet_id, FUNDS_MINOR, f"start {payer.wallet_id}")
    return payer


async def pass_to(shop: World, wallet: Payer, owner: Payer) -> Payer:
    """A wallet becomes somebody else's, as when two people are joined or part."""
    row = Update(
        table="wallets",
        where={"id": wallet.wallet_id, "person_id": wallet.person_id},
        values={"person_id": owner.person_id},
        add={"fence": 1},
    )
    key = f"pass:{wallet.wallet_id}:{owner.person_id}"
    await shop.writer.commit(Commit(key=key, rows=(row,)))
    return Payer(owner.person_id, wallet.wallet_id)


async def test_what_one_wallet_has_paid_another_does_not_pay_again(shop: World) -> None:
    first = await shop.person("anna", FUNDS_MINOR)
    second = await second_wallet(shop, first)
    await shop.bought(first, "e1")
    assert await shop.tap(second, "e2") == "said"
    assert await shop.balance(second) == (FUNDS_MINOR, 0)
    [card] = await shop.cards()
    assert "Not charged again." in plain_text(card)
    assert await shop.sold() == 1


async def test_taps_from_two_wallets_at_once_pay_once(shop: World) -> None:
    first = await shop.person("anna", FUNDS_MINOR)
    second = await second_wallet(shop, first)
    outcomes = await asyncio.gather(
        *(shop.tap(payer, f"e{n}") for n, payer in enumerate((first, second) * 3))
    )
    assert sorted(outcomes) == ["done", *["said"] * 5]
    held = [(await shop.balance(payer))[1] for payer in (first, second)]
    assert sorted(held) == [0, PRICE_MINOR]
    assert await shop.sold() == 1


async def test_after_an_undo_the_other_wallet_can_pay(shop: World) -> None:
    first = await shop.person("anna", FUNDS_MINOR)
    second = await second_wallet(shop, first)
    for n, payer in enumerate((first, second, first)):
        order = await shop.bought(payer, f"e{n}")
        assert order.wallet_id == payer.wallet_id
        assert await shop.undo(payer, f"u{n}", order) == "done"
    await shop.bought(second, "last")
    assert await shop.tap(first, "once more") == "said"
    async with shop.database.read() as connection:
        numbers = await connection.execute(sa.select(t.attempts.c.n).order_by(t.attempts.c.n))
        assert list(numbers.scalars()) == [1, 2, 3, 4]


async def test_who_parted_pay_each_for_themselves_again(shop: World) -> None:
    anna = await shop.person("anna", FUNDS_MINOR)
    ben = await shop.person("ben", FUNDS_MINOR)
    joined = await pass_to(shop, ben, anna)
    kept = await shop.bought(joined, "e1")
    assert await shop.tap(anna, "e2") == "said"
    ben = await pass_to(shop, joined, ben)
    # What Ben paid while they were one is his alone now.
    own = await shop.bought(anna, "e3")
    assert await shop.tap(ben, "e4") == "said"
    for payer, order in ((anna, own), (ben, kept)):
        assert await shop.undo(payer, f"u {order.id}", order) == "done"
    for payer in (anna, ben):
        await shop.bought(payer, f"again {payer.person_id}")
        assert await shop.tap(payer, f"more {payer.person_id}") == "said"
    assert await shop.sold() == 2


async def test_attempts_of_before_persons_were_kept_with_them_count_too(shop: World) -> None:
    first = await shop.person("anna", FUNDS_MINOR)
    second = await second_wallet(shop, first)
    order = await shop.bought(first, "e1")
    async with shop.database.write() as connection:
        await connection.execute(sa.update(t.attempts).values(person_id=None))
    assert await shop.tap(second, "e2") == "said"
    assert await shop.tap(first, "e3") == "said"
    assert await shop.undo(first, "u1", order) == "done"
    await shop.bought(second, "e4")


async def test_what_was_allowed_beforehand_is_one_sum_for_all_wallets_that_count_together(
    shop: World,
) -> None:
    first = await shop.person("anna", FUNDS_MINOR)
    second = await second_wallet(shop, first)
    rows = [Insert("limit_groups", {"id": "g_anna"})]
    grouped = [
        Update(table="wallets", where={"id": each.wallet_id}, values={"limit_group": "g_anna"})
        for each in (first, second)
    ]
    await shop.writer.commit(Commit(key="group", rows=(*rows, *grouped)))
    for n in range(2, 5):
        await shop.quote(name=f"q_{n}")

    async def tap(payer: Payer, quote_id: str) -> str:
        event_id = f"liked {quote_id}"
        await shop.heard(event_id)
        liked = TapOn(
            event_id=event_id,
            quote_id=quote_id,
            payer=payer,
            place=shop.place(),
            at_us=now_us(),
            day_max=Money(2 * PRICE_MINOR + 1, CNY),
        )
        await shop.checkout.tap(liked)
        return await shop.outcome(event_id)

    outcomes = await asyncio.gather(*(tap((first, second)[n % 2], f"q_{n}") for n in range(1, 5)))
    assert sorted(outcomes) == ["consent_limit", "consent_limit", "done", "done"]
    held = [(await shop.balance(payer))[1] for payer in (first, second)]
    assert sum(held) == 2 * PRICE_MINOR


async def test_a_tap_that_began_before_its_wallet_passed_to_another_pays_no_second_time(
    shop: World,
) -> None:
    anna = await shop.person("anna", FUNDS_MINOR)
    ben = await shop.person("ben", FUNDS_MINOR)
    # Her next attempt has another number than his first.
    assert await shop.undo(anna, "u1", await shop.bought(anna, "e1")) == "done"

    leases = shop.checkout.leases
    # Taps of a wallet take turns in one process: this one comes to another.
    elsewhere = replace(shop.checkout, _turns=WeakValueDictionary())

    async def joined_and_paid() -> None:
        joined = await pass_to(shop, ben, anna)
        await shop.heard("e2")
        await elsewhere.tap(
            TapOn(event_id="e2", quote_id="q_1", payer=joined, place=shop.place(), at_us=now_us())
        )
        assert await shop.outcome("e2") == "done"

    shop.checkout.leases = Before(leases, joined_and_paid)
    assert await shop.tap(ben, "e3") == "said"
    assert await shop.balance(ben) == (FUNDS_MINOR - PRICE_MINOR, PRICE_MINOR)
    assert await shop.sold() == 1
    shop.checkout.leases = leases


async def test_a_tap_whose_wallet_passed_to_another_under_its_lease_is_not_charged(
    shop: World,
) -> None:
    anna = await shop.person("anna", FUNDS_MINOR)
    ben = await shop.person("ben", FUNDS_MINOR)
    leases = shop.checkout.leases
    shop.checkout.leases = Interrupted(leases, lambda: pass_to(shop, ben, anna))
    assert await shop.tap(ben, "e1") == "stale_fence"
    assert await shop.balance(ben) == (FUNDS_MINOR, 0)
    shop.checkout.leases = leases

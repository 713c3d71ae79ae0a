"""Money for the owner of a host that nobody has claimed: held, handed over, or given back."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.wallet_core.world import (
    CNY,
    NETWORK,
    PRICE_MINOR,
    SHOP,
    Interrupted,
    World,
    now_us,
    without_leases,
    world_at,
)
from wallet_core.audit import auditing
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.escrow import EscrowReleases
from wallet_core.commerce.house_terms import HouseTerms, Tariff
from wallet_core.commerce.records import NOBODY, Order, Payer
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Insert
from wallet_core.limits import Limits
from wallet_core.storage import tables as t
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.escrow import EscrowRows

HOST = "shop.example"
CLAIM_S = 3600.0
TERMS = Terms(undo_window_s=60.0, accept_within_s=600.0, claim_within_s=CLAIM_S)


@pytest.fixture
async def street(database_url: str) -> AsyncIterator[World]:
    """An unclaimed page with a quote, where the admin allows escrow."""
    async with world_at(database_url, terms=TERMS) as world:
        await unclaimed(world)
        yield world
        await audit(world.database)
        async with books_of(world.database) as books:
            await auditing.audit(books)


async def unclaimed(world: World) -> None:
    await world.open_shop(standing=False)
    await world.offer(stock=5)
    await world.quote(trust="escrow", merchant_id=None)


async def claim(world: World, host: str = HOST, merchant_id: str = SHOP) -> None:
    """The shop proves a host."""
    row = {"merchant_id": merchant_id, "host": host, "token": "t", "method": "meta"}
    await world.write(Insert("merchant_hosts", {**row, "verified_host": host}))


def releases(world: World) -> EscrowReleases:
    return EscrowReleases(world.writer, EscrowRows(world.database), world.recorder, TERMS)


async def handed_over(world: World, order: Order) -> Order:
    """Whatever is due happens."""
    await releases(world).run_due()
    await world.make_due(order.hold_id)
    await world.endings.run_due()
    return await world.order(order.id)


async def held(world: World, *, balance_minor: int = 50_000) -> tuple[Payer, Order]:
    anna = await world.person("anna", balance_minor)
    return anna, await world.bought(anna, "e1")


async def test_where_it_is_not_allowed_nothing_is_held(database_url: str) -> None:
    async with world_at(database_url) as world:
        await unclaimed(world)
        anna = await world.person("anna", 50_000)
        assert await world.tap(anna, "e1") == "not_allowed"
        assert await world.balance(anna) == (50_000, 0)


async def test_a_tap_holds_the_money_for_the_owner_of_the_host(street: World) -> None:
    anna, order = await held(street)
    assert await street.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)
    assert (order.merchant_id, order.accepted, order.state) == (NOBODY, False, "authorised")
    hold = await street.reader.hold(order.hold_id)
    assert hold is not None
    assert hold.payee_account_id == accounts.escrow(HOST, CNY).id
    assert (hold.ending, await street.sold()) == ("expire", 1)
    assert hold.due_at_us - now_us() > (CLAIM_S - 60) * 1_000_000
    assert await street.earned() == 0
    # It is held once, however often it is tapped.
    assert await street.tap(anna, "e2") == "said"
    assert await street.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)


async def test_nobody_comes_and_the_money_goes_back_by_itself(street: World) -> None:
    anna, order = await held(street)
    await releases(street).run_due()
    await street.make_due(order.hold_id)
    await street.endings.run_due()
    assert (await street.order(order.id)).state == "expired"
    assert await street.balance(anna) == (50_000, 0)
    assert await street.sold() == 0
    assert any(
        f"Nobody claimed {HOST} in time" in plain_text(card) for card in await street.cards()
    )
    # Whoever comes later gets nothing of it.
    await claim(street)
    assert await releases(street).run_due() == 0
    assert await street.earned() == 0


async def test_the_owner_who_proves_the_host_in_time_gets_the_money(street: World) -> None:
    anna, order = await held(street)
    await claim(street)
    paid = await handed_over(street, order)
    assert (paid.state, paid.merchant_id, paid.captured_minor) == ("paid", SHOP, PRICE_MINOR)
    assert await street.balance(anna) == (50_000 - PRICE_MINOR, 0)
    assert await street.earned() == PRICE_MINOR
    assert await street.reader.balance_minor(accounts.escrow(HOST, CNY)) == 0
    (card,) = [c for c in await street.cards() if "has an owner" in c.title]
    assert "Tea House" in plain_text(card)
    shop_room = (t.outbox.c.room_id == "tea-house", t.outbox.c.view == "order")
    assert await street.count(t.outbox, *shop_room, t.outbox.c.edits.is_(None)) == 1


async def test_what_was_handed_over_is_an_order_like_any_other(street: World) -> None:
    anna, order = await held(street)
    seller = await street.person("seller")
    await claim(street)
    paid = await handed_over(street, order)
    assert await street.refund(seller, "r1", paid, PRICE_MINOR) == "done"
    assert await street.balance(anna) == (50_000, 0)
    assert (await street.order(order.id)).state == "refunded"


async def test_the_payer_undoes_as_long_as_nobody_has_come(street: World) -> None:
    anna, order = await held(street)
    assert await street.undo(anna, "u1", order) == "done"
    assert await street.balance(anna) == (50_000, 0)
    assert (await street.order(order.id)).state == "undone"
    await claim(street)
    assert await releases(street).run_due() == 0


async def test_an_undo_in_time_counts_although_the_owner_has_come(street: World) -> None:
    anna, order = await held(street)
    await claim(street)
    await releases(street).run_due()
    # The tap was a moment ago: its undo time is not over, so nothing is captured yet.
    await street.endings.run_due()
    assert await street.undo(anna, "u1", await street.order(order.id)) == "done"
    assert await street.balance(anna) == (50_000, 0)
    assert await street.earned() == 0


@pytest.mark.parametrize("host", ["www.shop.example", "shop.example:8443", "example", "other.org"])
async def test_another_host_gets_nothing(street: World, host: str) -> None:
    anna, _ = await held(street)
    await claim(street, host)
    assert await releases(street).run_due() == 0
    assert await street.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)


async def test_a_quote_from_before_the_claim_holds_nothing_after_it(street: World) -> None:
    anna = await street.person("anna", 50_000)
    await claim(street)
    assert await street.tap(anna, "e1") == "claimed"
    assert await street.balance(anna) == (50_000, 0)
    (card,) = await street.cards()
    assert [button.action for button in card.buttons] == ["again:q_1"]


async def test_a_claim_in_the_middle_of_a_tap_strands_no_money(database_url: str) -> None:
    worlds: list[World] = []

    async def owner_comes() -> None:
        await claim(worlds[0])

    def leases(writer: object) -> Interrupted:
        return Interrupted(without_leases(writer), owner_comes)  # type: ignore[arg-type]

    async with world_at(database_url, terms=TERMS, make_leases=leases) as world:
        worlds.append(world)
        await unclaimed(world)
        _, order = await held(world)
        assert order.merchant_id == NOBODY
        assert (await handed_over(world, order)).state == "paid"
        assert await world.earned() == PRICE_MINOR
        await audit(world.database)


async def test_processes_that_hand_over_at_once_do_it_once(street: World) -> None:
    _, order = await held(street)
    await claim(street)
    await asyncio.gather(*(releases(street).run_due() for _ in range(6)))
    assert (await handed_over(street, order)).state == "paid"
    assert await street.earned() == PRICE_MINOR
    assert len([c for c in await street.cards() if "has an owner" in c.title]) == 1


async def test_at_the_last_moment_either_the_owner_or_the_payer_gets_all_of_it(
    street: World,
) -> None:
    anna, order = await held(street)
    await claim(street)
    await street.make_due(order.hold_id)
    await asyncio.gather(street.endings.run_due(), releases(street).run_due())
    await street.make_due(order.hold_id)
    await street.endings.run_due()
    state = (await street.order(order.id)).state
    spendable, still_held = await street.balance(anna)
    assert still_held == 0
    assert (state, spendable, await street.earned()) in (
        ("expired", 50_000, 0),
        ("paid", 50_000 - PRICE_MINOR, PRICE_MINOR),
    )


async def test_fees_and_pending_time_are_the_same_as_for_every_order(database_url: str) -> None:
    house = HouseTerms(tariff_of=lambda _: Tariff(fee_ppm=10_000), pending_s=3600)
    async with world_at(database_url, terms=TERMS, house=house) as world:
        await unclaimed(world)
        _, order = await held(world)
        await claim(world)
        await handed_over(world, order)
        pending = await world.reader.balance_minor(accounts.pending(SHOP, CNY))
        assert await world.reader.balance_minor(accounts.fees(CNY)) == 199
        assert (pending, await world.earned()) == (PRICE_MINOR - 199, 0)
        await world.make_settlements_due()
        await world.settlements.run_due()
        assert await world.earned() == PRICE_MINOR - 199
        await audit(world.database)


async def test_fees_come_off_where_nothing_is_pending(database_url: str) -> None:
    house = HouseTerms(tariff_of=lambda _: Tariff(fee_ppm=10_000))
    async with world_at(database_url, terms=TERMS, house=house) as world:
        await unclaimed(world)
        _, order = await held(world)
        await claim(world)
        await handed_over(world, order)
        assert await world.earned() == PRICE_MINOR - 199
        await audit(world.database)


async def test_it_counts_against_limits(database_url: str) -> None:
    limits = Limits(payment_max_minor=PRICE_MINOR - 1)
    async with world_at(database_url, terms=TERMS, limits_of=lambda _: limits) as world:
        await unclaimed(world)
        anna = await world.person("anna", 50_000)
        assert await world.tap(anna, "e1") == "payment_limit"
        assert await world.balance(anna) == (50_000, 0)


async def test_the_owner_is_told_what_was_waiting(street: World) -> None:
    await held(street)
    ben = await street.person("ben", 50_000)
    await street.bought(ben, "e2")
    rows = EscrowRows(street.database)
    (waiting,) = await rows.waiting_for(HOST)
    assert (waiting[0], waiting[1].amount_minor) == (2, 2 * PRICE_MINOR)
    assert await rows.waiting_for("other.example") == []


async def test_where_it_was_switched_off_since_what_is_held_is_still_handed_over(
    street: World,
) -> None:
    _, order = await held(street)
    await claim(street)
    off = Terms(undo_window_s=60.0, accept_within_s=600.0)
    street.checkout.terms = off
    await EscrowReleases(street.writer, EscrowRows(street.database), street.recorder, off).run_due()
    assert (await handed_over(street, order)).state == "paid"


async def test_the_books_name_the_host_and_the_network_of_the_payer_is_kept(street: World) -> None:
    _, order = await held(street)
    assert order.place.network == NETWORK
    query = sa.select(t.transfers.c.payee).where(t.transfers.c.id == order.hold_id)
    async with street.database.read() as connection:
        assert (await connection.execute(query)).scalar_one() == f"escrow:{HOST}"

"""Each entry says what it was for and who was on the other side; together they make the balance."""

import pytest

from tests.wallet_core.busy_books import PARTS, convert, earn, sell_in_parts, trade
from tests.wallet_core.world import SHOP, World
from wallet_core.audit.explaining import ExplainedEntry, entry_words
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage import snapshots
from wallet_core.storage.explanations import Explanations


async def entries_of(world: World, account_id: str) -> list[ExplainedEntry]:
    about = Explanations(world.database)
    (account,) = await about.accounts_of(account_id)
    return [entry async for page in about.entries(account) for entry in page]


async def test_a_wallet_is_told_from_top_up_to_refund(world: World) -> None:
    await trade(world)
    anna = await world.person("anna")
    lines = [
        entry_words(entry)
        for entry in await entries_of(world, accounts.wallet(anna.wallet_id, "CNY").id)
    ]
    numbers = {o.state: o.number for o in await world.reader.recent_orders(anna.wallet_id, 9)}
    assert "+CNY 2,000.00  post, from the till of cash · balance CNY 2,000.00" in lines[0]
    held = f"held for wallet {anna.wallet_id} of {anna.person_id}"
    paid = f"−CNY 199.00  held for order {numbers['paid']} “Green tea” (paid), to {held}"
    assert f"{paid} · balance CNY 1,801.00" in lines[1]
    refund = f"+CNY 199.00  refund of order {numbers['refunded']} “Green tea” (refunded)"
    assert f"{refund}, from Tea House ({SHOP}) · balance CNY 1,801.00" in lines[3]
    undone = f"+CNY 199.00  given back from order {numbers['undone']} “Green tea” (undone)"
    assert f"{undone}, from {held}" in lines[5]
    assert [line.partition(".")[0] for line in lines] == [str(n + 1) for n in range(len(lines))]


async def test_shop_held_money_and_withdrawals_have_words_too(world: World) -> None:
    await trade(world)
    ben = await world.person("ben")
    wallet = accounts.wallet(ben.wallet_id, "CNY")
    shop = [entry_words(e) for e in await entries_of(world, accounts.merchant(SHOP, "CNY").id)]
    assert "captured for order" in shop[0]
    assert ", from held for wallet" in shop[0]
    held = [entry_words(e) for e in await entries_of(world, wallet.held.id)]
    assert any("paid out by withdrawal (code " in line for line in held)
    assert any(", to the till of cash · " in line for line in held)


@pytest.mark.parametrize("who", ["wallet", "wallet owner", "person", "network", "account"])
async def test_whoever_is_meant_is_found(world: World, who: str) -> None:
    anna = await world.person("anna", 500)
    account = accounts.wallet(anna.wallet_id, "CNY").id
    names = {
        "wallet": anna.wallet_id,
        "wallet owner": f"wallet:{anna.wallet_id}",
        "person": anna.person_id,
        "network": "web:anna",
        "account": account,
    }
    (found,) = await Explanations(world.database).accounts_of(names[who])
    assert (found.id, found.balance_minor, found.entry_count) == (account, 500, 1)


async def test_merchants_and_providers_are_found_and_nobody_else(world: World) -> None:
    await trade(world)
    about = Explanations(world.database)
    assert [a.name for a in await about.accounts_of(SHOP)] == [f"Tea House ({SHOP})"]
    assert [a.name for a in await about.accounts_of("cash")] == ["the till of cash"]
    assert await about.accounts_of("nobody") == []


async def test_a_transfer_with_many_legs_names_each_with_its_amount(world: World) -> None:
    anna, ben, carl = [await world.person(name) for name in ("anna", "ben", "carl")]
    legs = (
        Leg(accounts.clearing("cash", "CNY"), -300),
        Leg(accounts.wallet(anna.wallet_id, "CNY"), 100),
        Leg(accounts.wallet(ben.wallet_id, "CNY"), 200),
    )
    post = Post(id=named("split"), subject="split", legs=legs)
    await world.writer.commit(Commit(key="split", transfers=(post,)))
    (entry,) = await entries_of(world, accounts.clearing("cash", "CNY").id)
    words = entry_words(entry)
    assert "post split, to wallet" in words
    assert "(CNY 1.00)" in words
    assert "(CNY 2.00)" in words
    assert await Explanations(world.database).accounts_of(carl.wallet_id) == []


async def test_pages_join_without_gap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PAGE_ROWS", 3)
    await trade(world)
    anna = await world.person("anna")
    entries = await entries_of(world, accounts.wallet(anna.wallet_id, "CNY").id)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) > 6


async def test_captures_in_parts_tell_shares_fees_and_what_was_left_over(world: World) -> None:
    await trade(world)
    await sell_in_parts(world)
    anna = await world.person("anna")
    wallet = accounts.wallet(anna.wallet_id, "CNY")
    own = [entry_words(entry) for entry in await entries_of(world, wallet.id)]
    (rest,) = [line for line in own if "left over" in line]
    assert "+CNY 20.00  left over from hold sale, from held for wallet" in rest
    held = [entry_words(entry) for entry in await entries_of(world, wallet.held.id)]
    first, last = [line for line in held if "−CNY 30.00  capture sale" in line]
    assert f"wallet {anna.wallet_id} of {anna.person_id} (CNY 20.00)" in last
    for part in ("fees of the house (CNY 1.20)", f"Tea House ({SHOP}) (CNY 28.80)"):
        assert part in first
    fees = [entry_words(e) for e in await entries_of(world, accounts.fees("CNY").id)]
    assert len(fees) == 3
    assert all("+CNY 1.20  fee sale, from held for wallet" in line for line in fees)


async def test_conversions_gifts_and_escrow_have_words(world: World) -> None:
    await trade(world)
    await convert(world)
    ben = await world.person("ben")
    yuan, dollars = [accounts.wallet(ben.wallet_id, code) for code in ("CNY", "USD")]
    own = "\n".join([entry_words(entry) for entry in await entries_of(world, yuan.id)])
    assert "−CNY 70.00  conversion, to conversions at the rates of ecb (CNY 70.00)" in own
    assert "(USD 9.70)" in own
    assert "+CNY 3.00  post gift, from promotions of the house" in own
    assert "−CNY 4.00  post keep, to escrow for the owner of shop.example" in own
    (bought,) = [entry_words(entry) for entry in await entries_of(world, dollars.id)]
    assert "+USD 9.70  conversion, from " in bought
    assert "conversions at the rates of ecb (USD 9.70)" in bought
    about = Explanations(world.database)
    assert len(await about.accounts_of("ecb")) == 2
    assert [a.balance_minor for a in await about.accounts_of("shop.example")] == [400]
    assert [a.id for a in await about.accounts_of("house:own")] == ["house:own/promotions/CNY"]


async def test_pending_money_that_became_free_is_told_by_its_order(world: World) -> None:
    await earn(world)
    orders = await world.reader.merchant_orders(PARTS, 2)
    (order,) = [order for order in orders if order.quote_id == "q_shipped"]
    pending, free = accounts.pending(PARTS, "CNY"), accounts.merchant(PARTS, "CNY")
    (settled,) = [entry_words(entry) for entry in await entries_of(world, free.id)]
    assert f"+CNY 45.95  settled from order {order.number} “Green parts”" in settled
    assert f"from pending for Tea House ({PARTS})" in settled
    held = accounts.wallet(order.wallet_id, "CNY").held
    lines = "\n".join([entry_words(entry) for entry in await entries_of(world, held.id)])
    assert f"pending for Tea House ({PARTS}) (CNY 45.95)" in lines
    assert len(await entries_of(world, pending.id)) == 4 + 1 + 2

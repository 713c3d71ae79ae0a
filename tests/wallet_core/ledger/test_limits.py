"""Limits hold in the posting itself, whoever asks and however many at once."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.audit import audit
from tests.wallet_core.spending_process import Orders, payment
from tests.wallet_core.world import CNY, SELLER, SHOP, World, world_at
from wallet_core.commerce.records import Payer
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, Update
from wallet_core.ledger.transfers import Capture, Leg, Post, Void, named
from wallet_core.limits import DAY_US, MONTH_US, Limits, WalletLimits

ROOT = Path(__file__).parents[3]
START_US = 1_760_000_000_000_000
SECOND_US = 1_000_000


async def set_limits(world: World, payer: Payer, **limits: int) -> None:
    text = WalletLimits(admin={CNY: Limits(**limits)}).text()
    await world.write(
        Update(table="wallets", where={"id": payer.wallet_id}, values={"limits": text})
    )


async def group(world: World, name: str, *payers: Payer) -> None:
    await world.write(
        Insert("limit_groups", {"id": name}),
        *(
            Update(table="wallets", where={"id": p.wallet_id}, values={"limit_group": name})
            for p in payers
        ),
    )


async def paying(
    world: World, payer: Payer, name: str, amount_minor: int, payee: str = SHOP
) -> str:
    """What came of a payment: `done`, or the refusal's code."""
    hold = payment(name, payer.wallet_id, amount_minor, payee)
    return await written(world, Commit(key=f"spend:{name}", transfers=(hold,)))


async def written(world: World, commit: Commit) -> str:
    try:
        await world.writer.commit(commit)
    except Refused as refused:
        return refused.code.value
    return "done"


async def void(world: World, name: str) -> None:
    hold_id = named("spend", name)
    await world.writer.commit(Commit(transfers=(Void(id=named("void", name), hold_id=hold_id),)))


# --- many at once ------------------------------------------------------------------------------


async def test_200_concurrent_spends_never_exceed_a_day_limit(world: World) -> None:
    anna = await world.person("anna", 1_000_000)
    await set_limits(world, anna, day_max_minor=1_000)
    outcomes = await asyncio.gather(*(paying(world, anna, f"s{n}", 70) for n in range(200)))
    assert Counter(outcomes) == {"done": 14, "day_limit": 186}
    assert await world.balance(anna) == (1_000_000 - 980, 980)


async def test_two_processes_together_never_exceed_a_day_limit(
    database_url: str,
) -> None:
    async with world_at(database_url) as world:
        anna, ben = await world.person("anna", 1_000_000), await world.person("ben", 1_000_000)
        await set_limits(world, anna, day_max_minor=1_000)
        await set_limits(world, ben, day_max_minor=1_000)
        await group(world, "g", anna, ben)
        spends = [(f"s{n}", (anna, ben)[n // 2 % 2].wallet_id, 70) for n in range(200)]
        outcomes = await by_processes(database_url, [spends[::2], spends[1::2]])
        assert Counter(outcomes) == {"done": 14, "day_limit": 186}
        held = [(await world.balance(payer))[1] for payer in (anna, ben)]
        assert sum(held) == 980
        await audit(world.database)


async def by_processes(database_url: str, spends: list[list[tuple[str, str, int]]]) -> list[str]:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.wallet_core.spending_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            limit=2**22,
        )
        for _ in spends
    ]
    pipes = [(p.stdin, p.stdout) for p in processes if p.stdin and p.stdout]
    for (stdin, _), mine in zip(pipes, spends, strict=True):
        stdin.write(msgspec.json.encode(Orders(database_url, mine)) + b"\n")
    for _, stdout in pipes:
        assert await stdout.readline() == b"ready\n"
    for stdin, _ in pipes:
        stdin.write(b"go\n")
    outcomes = [json.loads(await stdout.readline()) for _, stdout in pipes]
    assert [await process.wait() for process in processes] == [0] * len(spends)
    return [outcome for some in outcomes for outcome in some]


async def test_wallets_of_a_group_count_together_whichever_pays(world: World) -> None:
    anna, ben = await world.person("anna", 5_000), await world.person("ben", 5_000)
    await set_limits(world, anna, day_max_minor=1_000)
    await group(world, "g", anna, ben)
    outcomes = await asyncio.gather(
        *(paying(world, (anna, ben)[n % 2], f"s{n}", 300) for n in range(8))
    )
    assert Counter(outcomes) == {"done": 3, "day_limit": 5}
    known = await world.reader.allowance(ben.wallet_id, CNY)
    assert known.day_left_minor == 100
    # Money that only moves within the group is no spending.
    legs = (
        Leg(accounts.wallet(anna.wallet_id, CNY), -2_000),
        Leg(accounts.wallet(ben.wallet_id, CNY), 2_000),
    )
    assert await written(world, Commit(transfers=(Post(id=named("own"), legs=legs),))) == "done"


# --- each limit --------------------------------------------------------------------------------


async def test_one_payment_is_limited_by_itself(world: World) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, payment_max_minor=500)
    assert await paying(world, anna, "a", 501) == "payment_limit"
    assert await paying(world, anna, "b", 500) == "done"
    assert await paying(world, anna, "c", 500) == "done"


async def test_a_payee_has_a_day_limit_of_his_own(world: World) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, payee_day_max_minor=500)
    assert await paying(world, anna, "a", 400) == "done"
    assert await paying(world, anna, "b", 200) == "payee_limit"
    assert await paying(world, anna, "c", 200, "m_other") == "done"
    assert await paying(world, anna, "d", 100) == "done"


async def test_a_void_gives_the_limit_back_and_a_refund_does_not(world: World) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, day_max_minor=1_000)
    assert await paying(world, anna, "a", 800) == "done"
    assert await paying(world, anna, "b", 800) == "day_limit"
    await void(world, "a")
    assert await paying(world, anna, "b2", 800) == "done"
    capture = Capture(id=named("capture"), hold_id=named("spend", "b2"))
    shop, wallet = accounts.merchant(SHOP, CNY), accounts.wallet(anna.wallet_id, CNY)
    refund = Post(id=named("refund"), legs=(Leg(shop, -800), Leg(wallet, 800)))
    assert await written(world, Commit(transfers=(capture, refund))) == "done"
    assert await paying(world, anna, "c", 300) == "day_limit"
    assert await paying(world, anna, "d", 200) == "done"


async def test_what_was_captured_in_part_stays_spent_when_the_rest_is_given_back(
    world: World,
) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, day_max_minor=1_000)
    assert await paying(world, anna, "a", 900) == "done"
    part = Capture(id=named("part"), hold_id=named("spend", "a"), amount_minor=800, last=False)
    assert await written(world, Commit(transfers=(part,))) == "done"
    await void(world, "a")
    assert await world.balance(anna) == (4_200, 0)
    assert await paying(world, anna, "b", 200) == "day_limit"
    assert await paying(world, anna, "c", 100) == "done"


@pytest.mark.parametrize(("captured_minor", "outcome"), [(800, "day_limit"), (0, "done")])
async def test_what_a_commit_gives_back_and_what_it_keeps_counts_for_what_follows_in_it(
    world: World, captured_minor: int, outcome: str
) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, day_max_minor=1_000)
    assert await paying(world, anna, "a", 900) == "done"
    hold_id = named("spend", "a")
    if captured_minor:
        part = Capture(id=named("part"), hold_id=hold_id, amount_minor=captured_minor, last=False)
        assert await written(world, Commit(transfers=(part,))) == "done"
    rest = Void(id=named("void", "a"), hold_id=hold_id)
    next_one = payment("b", anna.wallet_id, 200, SHOP)
    assert await written(world, Commit(transfers=(rest, next_one))) == outcome


async def test_a_frozen_wallet_pays_nothing_and_gets_money(world: World) -> None:
    anna = await world.person("anna", 5_000)
    await world.freeze(anna.wallet_id)
    assert await paying(world, anna, "a", 1) == "wallet_frozen"
    await world.top_up(anna.wallet_id, 100, "more")
    assert (await world.balance(anna))[0] == 5_100


async def test_withdraw_only_pays_out_gets_refunds_and_lets_older_holds_be_captured(
    world: World,
) -> None:
    anna = await world.person("anna", 5_000)
    assert await paying(world, anna, "before", 700) == "done"
    await world.write(
        Update(table="wallets", where={"id": anna.wallet_id}, values={"mode": "withdraw_only"})
    )
    assert await paying(world, anna, "a", 1) == "withdraw_only"
    wallet = accounts.wallet(anna.wallet_id, CNY)
    shop, till = accounts.merchant(SHOP, CNY), accounts.clearing("cash", CNY)
    capture = Capture(id=named("capture"), hold_id=named("spend", "before"))
    refund = Post(id=named("refund"), legs=(Leg(shop, -700), Leg(wallet, 700)))
    payout = Post(id=named("payout"), legs=(Leg(wallet, -5_000), Leg(till, 5_000)))
    for transfer in (capture, refund, payout):
        assert await written(world, Commit(transfers=(transfer,))) == "done"
    assert await world.balance(anna) == (0, 0)


# --- transfers with several legs ---------------------------------------------------------------


def in_lines(name: str, *lines: tuple[Payer, int]) -> Commit:
    """One transfer to the shop, in which each line takes its part from a wallet by itself."""
    shop = accounts.merchant(SHOP, CNY)
    legs: list[Leg] = []
    for payer, minor in lines:
        legs += [Leg(accounts.wallet(payer.wallet_id, CNY), -minor), Leg(shop, minor)]
    return Commit(transfers=(Post(id=named("lines", name), legs=tuple(legs)),))


async def test_a_payment_in_several_legs_counts_as_the_whole_that_it_is(world: World) -> None:
    anna = await world.person("anna", 5_000)
    await set_limits(world, anna, payment_max_minor=700, day_max_minor=1_000)
    assert await written(world, in_lines("a", (anna, 400), (anna, 301))) == "payment_limit"
    assert await written(world, in_lines("b", (anna, 400), (anna, 300))) == "done"
    # What is read back from the entries counts both lines too.
    assert await written(world, in_lines("c", (anna, 200), (anna, 101))) == "day_limit"
    assert await written(world, in_lines("d", (anna, 200), (anna, 100))) == "done"
    assert await paying(world, anna, "e", 1) == "day_limit"
    assert await world.balance(anna) == (4_000, 0)


async def test_wallets_that_count_together_cannot_pay_twice_the_limit_in_one_transfer(
    world: World,
) -> None:
    anna, ben = await world.person("anna", 5_000), await world.person("ben", 5_000)
    await set_limits(world, anna, day_max_minor=1_000)
    await group(world, "g", anna, ben)
    assert await written(world, in_lines("a", (anna, 600), (ben, 401))) == "day_limit"
    assert await written(world, in_lines("b", (anna, 600), (ben, 300))) == "done"
    assert await paying(world, ben, "c", 101) == "day_limit"
    assert await paying(world, ben, "d", 100) == "done"


# --- what somebody sets for himself ------------------------------------------------------------


async def test_wallets_that_pay_each_other_in_two_currencies_evade_no_limit(world: World) -> None:
    anna, ben = await world.person("anna", 10_000), await world.person("ben")
    await world.top_up(ben.wallet_id, 10_000, "dollars", "USD")
    text = WalletLimits(admin={"USD": Limits(day_max_minor=100)}).text()
    await world.write(Update(table="wallets", where={"id": ben.wallet_id}, values={"limits": text}))
    legs = (
        Leg(accounts.wallet(anna.wallet_id, CNY), -500),
        Leg(accounts.wallet(ben.wallet_id, CNY), 500),
        Leg(accounts.wallet(ben.wallet_id, "USD"), -60),
        Leg(accounts.wallet(anna.wallet_id, "USD"), 60),
    )
    swaps = [Post(id=named("swap", n), legs=legs) for n in range(3)]
    outcomes = [await written(world, Commit(transfers=(swap,))) for swap in swaps]
    assert outcomes == ["not_allowed"] * 3
    apart = [Post(id=named("apart", n), legs=legs[2:]) for n in range(3)]
    outcomes = [await written(world, Commit(transfers=(each,))) for each in apart]
    assert outcomes == ["done", "day_limit", "day_limit"]


async def test_payments_in_two_currencies_for_one_payee_are_all_counted(world: World) -> None:
    anna, ben = await world.person("anna", 10_000), await world.person("ben")
    await world.top_up(ben.wallet_id, 10_000, "dollars", "USD")
    await set_limits(world, anna, day_max_minor=100)
    outcomes = []
    for n in range(3):
        legs = (
            Leg(accounts.wallet(anna.wallet_id, CNY), -60),
            Leg(accounts.merchant(SHOP, CNY), 60),
            Leg(accounts.wallet(ben.wallet_id, "USD"), -9),
            Leg(accounts.merchant(SHOP, "USD"), 9),
        )
        post = Post(id=named("both", n), legs=legs)
        outcomes.append(await written(world, Commit(transfers=(post,))))
    assert outcomes == ["done", "day_limit", "day_limit"]
    assert (await world.reader.allowance(anna.wallet_id, CNY)).day_left_minor == 40


@pytest.mark.parametrize("most_to", ["till", "house", "oneself", "sibling"])
async def test_nobody_is_paid_by_a_part_of_what_is_no_spending(world: World, most_to: str) -> None:
    anna, ben = await world.person("anna", 10_000), await world.person("ben", 10_000)
    await set_limits(world, ben, day_max_minor=100)
    await group(world, "g", anna, ben)
    most = {
        "till": accounts.clearing("cash", CNY),
        "house": accounts.fees(CNY),
        "oneself": accounts.wallet(ben.wallet_id, CNY),
        "sibling": accounts.wallet(anna.wallet_id, CNY),
    }[most_to]
    payer, shop = accounts.wallet(ben.wallet_id, CNY), accounts.merchant(SHOP, CNY)
    parted = Post(id=named("parted"), legs=(Leg(payer, -150), Leg(most, 76), Leg(shop, 74)))
    assert await written(world, Commit(transfers=(parted,))) == "not_allowed"
    # The house's fee harms no limit.
    with_fee = Post(
        id=named("with fee"), legs=(Leg(payer, -150), Leg(most, 140), Leg(accounts.tax(CNY), 10))
    )
    assert await written(world, Commit(transfers=(with_fee,))) == "done"


@pytest.mark.parametrize("held_for", ["till", "oneself", "sibling"])
async def test_what_is_held_as_no_spending_is_captured_for_nobody_else(
    world: World, held_for: str
) -> None:
    anna, ben = await world.person("anna", 10_000), await world.person("ben", 10_000)
    await set_limits(world, ben, day_max_minor=100)
    await group(world, "g", anna, ben)
    payee = {
        "till": accounts.clearing("cash", CNY),
        "oneself": accounts.wallet(ben.wallet_id, CNY),
        "sibling": accounts.wallet(anna.wallet_id, CNY),
    }[held_for]
    hold = msgspec.structs.replace(payment("h", ben.wallet_id, 5_000), payee=payee)
    assert await written(world, Commit(transfers=(hold,))) == "done"
    for_shop = (Leg(accounts.merchant(SHOP, CNY), 5_000),)
    capture = Capture(id=named("away"), hold_id=hold.id, shares=for_shop)
    assert await written(world, Commit(transfers=(capture,))) == "not_allowed"
    for_house = (Leg(accounts.fees(CNY), 50),)
    capture = Capture(id=named("with fee"), hold_id=hold.id, shares=for_house)
    assert await written(world, Commit(transfers=(capture,))) == "done"


def test_own_limits_are_stricter_at_once_and_looser_after_a_day() -> None:
    default = Limits(day_max_minor=1_000)
    start = WalletLimits()

    def day(limits: WalletLimits, now_us: int) -> int | None:
        return limits.effective(CNY, default, now_us).day_max_minor

    strict = start.with_own(CNY, Limits(day_max_minor=200), START_US)
    assert day(strict, START_US) == 200
    looser = strict.with_own(CNY, Limits(day_max_minor=500), START_US + 5)
    assert day(looser, START_US + 5) == 200
    assert day(looser, START_US + 4 + DAY_US) == 200
    assert day(looser, START_US + 5 + DAY_US) == 500
    # Asking again does not come sooner, and neither does a detour.
    again = looser.with_own(CNY, Limits(), START_US + DAY_US - 1)
    assert day(again, START_US + DAY_US + 10) == 200
    assert day(again, START_US + 2 * DAY_US) == 1_000
    # Stricter than all that is on its way holds at once, and nothing is on its way any more.
    stop = looser.with_own(CNY, Limits(day_max_minor=50), START_US + 6)
    assert day(stop, START_US + 6) == 50
    assert not stop.loosening
    assert start.with_own(CNY, Limits(), START_US).text() is None
    assert WalletLimits.of_text(looser.text()) == looser


def test_what_an_admin_sets_stands_in_for_the_default_and_bounds_the_own() -> None:
    default = Limits(day_max_minor=1_000, payment_max_minor=300)
    limits = WalletLimits().with_admin(CNY, Limits(day_max_minor=5_000))
    assert limits.effective(CNY, default, 0) == Limits(day_max_minor=5_000)
    own = limits.with_own(CNY, Limits(day_max_minor=9_000), 0)
    assert own.effective(CNY, default, 0).day_max_minor == 5_000
    assert own.with_admin(CNY, None).effective(CNY, default, 0).day_max_minor == 1_000


# --- windows, by a clock that tests turn --------------------------------------------------------


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


Timed = tuple[World, Clock, Payer]


@pytest.fixture
async def timed(tmp_path: Path) -> AsyncIterator[Callable[[Limits], Awaitable[Timed]]]:
    """A shop on SQLite whose clock stands still; every wallet has the limits that are asked for."""
    worlds = []
    clock = Clock()

    async def opened(limits: Limits) -> Timed:
        worlds.append(
            world_at(
                f"sqlite+aiosqlite:///{tmp_path / 'clock.db'}",
                clock_us=clock,
                limits_of=lambda _currency: limits,
            )
        )
        world = await worlds[0].__aenter__()
        return world, clock, await world.person("anna", 1_000_000)

    yield opened
    await worlds[0].__aexit__(None, None, None)


Opened = Callable[[Limits], Awaitable[Timed]]


@pytest.mark.parametrize(
    ("limits", "window_us", "refusal"),
    [
        (Limits(day_max_minor=1_000), DAY_US, "day_limit"),
        (Limits(month_max_minor=1_000), MONTH_US, "month_limit"),
        (Limits(payee_day_max_minor=1_000), DAY_US, "payee_limit"),
    ],
)
async def test_a_window_rolls_and_a_payment_leaves_it_to_the_microsecond(
    timed: Opened, limits: Limits, window_us: int, refusal: str
) -> None:
    world, clock, anna = await timed(limits)
    assert await paying(world, anna, "a", 600) == "done"
    clock.now_us += window_us // 2
    assert await paying(world, anna, "b", 400) == "done"
    assert await paying(world, anna, "c", 1) == refusal
    clock.now_us = START_US + window_us - 1
    assert await paying(world, anna, "d", 1) == refusal
    clock.now_us += 1
    assert await paying(world, anna, "e", 601) == refusal
    assert await paying(world, anna, "f", 600) == "done"
    clock.now_us = START_US + window_us + window_us // 2
    assert await paying(world, anna, "g", 400) == "done"
    assert await paying(world, anna, "h", 1) == refusal


@pytest.mark.parametrize(
    ("limits", "jump_us", "refusal"),
    [
        (Limits(day_max_minor=1_000), 3 * DAY_US, "day_limit"),
        (Limits(month_max_minor=1_000), 2 * MONTH_US, "month_limit"),
        (Limits(payee_day_max_minor=1_000), 3 * DAY_US, "payee_limit"),
    ],
)
async def test_a_clock_that_went_ahead_and_was_set_back_lets_nobody_spend_twice(
    timed: Opened, limits: Limits, jump_us: int, refusal: str
) -> None:
    world, clock, anna = await timed(limits)
    assert await paying(world, anna, "a", 900) == "done"
    clock.now_us += jump_us
    assert await paying(world, anna, "b", 10) == "done"
    clock.now_us = START_US + SECOND_US
    assert await paying(world, anna, "c", 91) == refusal
    assert await paying(world, anna, "d", 90) == "done"
    assert await paying(world, anna, "e", 1) == refusal


async def test_a_new_payee_gets_little_until_he_is_known(timed: Opened) -> None:
    world, clock, anna = await timed(Limits(new_payee_max_minor=100, new_payee_delay_s=3600))
    assert await paying(world, anna, "a", 101) == "new_payee"
    assert await paying(world, anna, "b", 60) == "done"
    assert await paying(world, anna, "c", 60) == "new_payee"
    assert await paying(world, anna, "d", 100, "m_other") == "done"
    # The first contact counts, though it was refused.
    clock.now_us = START_US + 3600 * SECOND_US - 1
    assert await paying(world, anna, "e", 101) == "new_payee"
    clock.now_us += 1
    assert await paying(world, anna, "f", 50_000) == "done"


async def test_what_is_left_and_when_more_is_free_is_told_exactly(timed: Opened) -> None:
    limits = Limits(day_max_minor=1_000, month_max_minor=5_000)
    world, clock, anna = await timed(limits)
    for n, amount_minor in enumerate((300, 200, 400)):
        assert await paying(world, anna, f"s{n}", amount_minor) == "done"
        clock.now_us += 60 * SECOND_US
    known = await world.reader.allowance(anna.wallet_id, CNY)
    assert (known.day_left_minor, known.month_left_minor) == (100, 4_100)
    assert known.free_at_us(100, 1_000, DAY_US) == clock.now_us
    assert known.free_at_us(400, 1_000, DAY_US) == START_US + DAY_US
    assert known.free_at_us(401, 1_000, DAY_US) == START_US + DAY_US + 60 * SECOND_US
    assert known.free_at_us(1_001, 1_000, DAY_US) is None
    at_us = known.free_at_us(600, 1_000, DAY_US)
    assert at_us is not None
    clock.now_us = at_us - 1
    assert await paying(world, anna, "early", 600) == "day_limit"
    clock.now_us = at_us
    assert await paying(world, anna, "then", 600) == "done"


async def test_own_limits_that_were_loosened_hold_in_the_posting_until_their_time(
    timed: Opened,
) -> None:
    world, clock, anna = await timed(Limits(day_max_minor=1_000))
    strict = WalletLimits().with_own(CNY, Limits(day_max_minor=100), clock.now_us)
    looser = strict.with_own(CNY, Limits(), clock.now_us)
    await world.write(
        Update(table="wallets", where={"id": anna.wallet_id}, values={"limits": looser.text()})
    )
    assert await paying(world, anna, "a", 101) == "day_limit"
    clock.now_us += DAY_US
    assert await paying(world, anna, "b", 1_000) == "done"


# --- taps ---------------------------------------------------------------------------------------


async def test_a_tap_that_breaks_a_limit_is_told_what_is_left_and_charges_nothing(
    world: World,
) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote(amount_minor=6_000)
    anna = await world.person("anna", 50_000)
    await set_limits(world, anna, day_max_minor=20_000)
    assert await paying(world, anna, "before", 16_000) == "done"
    assert await world.tap(anna, "e1") == "day_limit"
    (card,) = await world.cards()
    assert card.title == (
        "Not charged. ¥40.00 of your ¥200.00 for 24 hours is left; this needs ¥60.00."
    )
    assert card.lines[0].text.startswith("More is free ")
    assert await world.balance(anna) == (34_000, 16_000)
    # An answer once given stays, whatever becomes of the limit.
    await set_limits(world, anna)
    assert await world.tap(anna, "e1") == "day_limit"
    assert await world.tap(anna, "e2") == "done"


@pytest.mark.parametrize(
    ("limits", "code", "title"),
    [
        (
            {"payment_max_minor": 10_000},
            Refusal.PAYMENT_LIMIT,
            "One payment may be at most ¥100.00; this needs ¥199.00.",
        ),
        (
            {"month_max_minor": 10_000},
            Refusal.MONTH_LIMIT,
            "¥100.00 of your ¥100.00 for 30 days is left; this needs ¥199.00.",
        ),
        (
            {"payee_day_max_minor": 10_000},
            Refusal.PAYEE_LIMIT,
            "¥100.00 of your ¥100.00 for 24 hours with this seller is left; this needs ¥199.00.",
        ),
        (
            {"new_payee_max_minor": 10_000, "new_payee_delay_s": 3600},
            Refusal.NEW_PAYEE,
            (
                "This seller is new to you: at most ¥100.00 can go to him at first; "
                "this needs ¥199.00."
            ),
        ),
    ],
)
async def test_each_limit_says_what_was_wrong_in_one_sentence(
    world: World, limits: dict[str, int], code: Refusal, title: str
) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote()
    anna = await world.person("anna", 50_000)
    await set_limits(world, anna, **limits)
    assert await world.tap(anna, "e1") == code.value
    (card,) = await world.cards()
    assert card.title == f"Not charged. {title}"
    assert card.lines
    assert await world.balance(anna) == (50_000, 0)


async def test_a_wallet_that_can_only_be_paid_out_says_so(world: World) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote()
    anna = await world.person("anna", 50_000)
    await world.write(
        Update(table="wallets", where={"id": anna.wallet_id}, values={"mode": "withdraw_only"})
    )
    assert await world.tap(anna, "e1") == "withdraw_only"
    (card,) = await world.cards()
    assert card.title == "Not charged. Your wallet can only be paid out, it pays nobody."


async def test_refunds_come_in_whatever_the_limits_say(world: World) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote()
    anna = await world.person("anna", 50_000)
    order = await world.paid(anna, "e1")
    await set_limits(world, anna, payment_max_minor=1, day_max_minor=1)
    assert await world.refund(await world.person(SELLER), "e2", order, 5_000) == "done"
    assert await world.balance(anna) == (50_000 - 14_900, 0)

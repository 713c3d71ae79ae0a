"""Hypothesis drives the real writer on real databases against a model that a person can check.

Each example is a town of its own (its owners carry the example's number) in one database, which is
audited as a whole at the end. Commits that are handed in together may be written in any order:
their answers must be those of *some* order of the model.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, permutations
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.audit import audit_books
from tests.wallet_core.model import CONFLICT, KNOWN, NEW, Answer, Model, SetLimits, set_limits
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import (
    AccountRef,
    Purpose,
    clearing,
    escrow,
    merchant,
    pending,
    wallet,
)
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update, Value, Written
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    HoldState,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.ledger.wallets import WalletMode
from wallet_core.limits import DAY_US, MONTH_US, NO_LIMITS, Limits
from wallet_core.storage import tables as t
from wallet_core.storage.append_only import create_all
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

T = TypeVar("T")
HOUR_US = 3_600_000_000
START_US = 1_700_000_000_000_000
#: Anna has two wallets, which count together against limits.
PEOPLE = {"w0": "anna", "w1": "anna", "w2": "ben", "w3": "carl"}
SHOPS = ("m0", "m1")

amounts = st.integers(1, 60)
wallets = st.integers(0, 3)
currencies = st.sampled_from(["CNY", "CNY", "CNY", "USD"])
most = st.none() | st.integers(5, 150)
limits = st.builds(
    Limits,
    payment_max_minor=most,
    day_max_minor=most,
    month_max_minor=most,
    payee_day_max_minor=most,
    new_payee_max_minor=most,
    new_payee_delay_s=st.sampled_from([0, 3600, 24 * 3600, 5 * 24 * 3600]),
)


@dataclass(frozen=True)
class Deed:
    """What somebody wants; numbers pick among what there is in the town at that moment."""

    verb: str
    who: int = 0
    whom: int = 0
    amount_minor: int = 1
    currency: str = "CNY"
    which: int = 0
    part: int | None = None
    shares: tuple[int, ...] = ()
    last: bool = True
    keyed: bool = True
    limits: Limits = NO_LIMITS
    setter: str = "admin"
    mode: WalletMode = WalletMode.OPEN


def deed(*verbs: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Deed]:
    return st.builds(Deed, verb=st.sampled_from(verbs), **fields)


deeds = st.one_of(
    deed("pay", "send", "payout", "escrow", who=wallets, whom=wallets, amount_minor=amounts,
         currency=currencies, shares=st.lists(st.integers(1, 9), max_size=3).map(tuple),
         keyed=st.booleans()),
    deed("authorise", who=wallets, whom=st.integers(0, 1), amount_minor=amounts,
         currency=currencies),
    deed("order", who=wallets, whom=st.integers(0, 1), amount_minor=amounts, currency=currencies),
    deed("capture", which=st.integers(0, 3), part=st.none() | st.integers(1, 50),
         shares=st.lists(st.integers(1, 9), max_size=3).map(tuple), last=st.booleans()),
    deed("void", "expire", which=st.integers(0, 3)),
    deed("refund", which=st.integers(0, 3), amount_minor=amounts),
    deed("top up", who=wallets, amount_minor=st.integers(20, 200), currency=currencies,
         keyed=st.booleans()),
    deed("limit", who=wallets, currency=currencies, limits=limits,
         setter=st.sampled_from(["admin", "self"])),
    deed("mode", who=wallets, mode=st.sampled_from([*WalletMode, WalletMode.OPEN])),
    deed("twice", who=wallets, whom=st.integers(0, 1), amount_minor=amounts),
)  # fmt: skip


class Town:
    """Names of one example, and the commits that its deeds make."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.model = Model({self.wallet_id(name): who for name, who in PEOPLE.items()})
        self.handed_in: list[Commit] = []
        self._serial = count(1)

    def wallet_id(self, name: str) -> str:
        return f"{name}.{self.number}"

    def wallet(self, who: int, currency: str) -> AccountRef:
        return wallet(self.wallet_id(f"w{who}"), currency)

    def shop(self, whom: int, currency: str) -> AccountRef:
        return merchant(f"{SHOPS[whom % 2]}.{self.number}", currency)

    def till(self, currency: str) -> AccountRef:
        return clearing(f"cash.{self.number}", currency)

    def sharers(self, currency: str) -> list[AccountRef]:
        """Who gets a fee, a commission, a tax."""
        return [
            AccountRef(f"house:own.{self.number}", Purpose.FEES, currency),
            pending(f"agent.{self.number}", currency),
            escrow(f"tax.{self.number}", currency),
        ]

    def people(self) -> Commit:
        rows: list[RowChange] = []
        for person in sorted(set(PEOPLE.values())):
            person_id = f"{person}.{self.number}"
            rows += [
                Insert("persons", {"id": person_id, "wallet_id": person_id, "admin": False}),
                Insert("limit_groups", {"id": person_id}),
            ]
        for name, person in PEOPLE.items():
            values: dict[str, Value] = {
                "id": self.wallet_id(name),
                "person_id": f"{person}.{self.number}",
                "mode": "open",
                "fence": 0,
                # Ben and Carl have one wallet each, Carl's in a group of its own.
                "limit_group": None if person == "ben" else f"{person}.{self.number}",
            }
            rows.append(Insert("wallets", values))
        return Commit(key=f"people.{self.number}", rows=tuple(rows))

    def commit_of(self, deed: Deed) -> Commit:
        """A commit that was never handed in before."""
        name = f"{self.number}.{next(self._serial)}"
        transfers, rows = self._made(deed, named(name), name)
        key = name if deed.keyed or rows else ""
        return Commit(key=key, transfers=transfers, rows=rows, result=name if key else "")

    def _made(
        self, deed: Deed, id_: UUID, name: str
    ) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        payer = self.wallet(deed.who, deed.currency)
        match deed.verb:
            case "top up":
                return (self._post(id_, self.till(deed.currency), payer, deed.amount_minor),), ()
            case "pay" | "send" | "payout" | "escrow":
                return (self._payment(id_, payer, deed),), ()
            case "twice":
                # The second of two may break what the first one kept.
                shop, amount = self.shop(deed.whom, "CNY"), deed.amount_minor
                first = self._hold(id_, payer, shop, amount)
                return (first, self._post(named(name, 2), payer, shop, amount)), ()
            case "authorise" | "order":
                shop = self.shop(deed.whom, deed.currency)
                hold = self._hold(id_, payer, shop, deed.amount_minor)
                order = (Insert("orders", self._order(name, hold)),)
                return (hold,), order if deed.verb == "order" else ()
            case "capture" | "void" | "expire":
                return self._ending(deed, id_)
            case "refund":
                return self._refund(deed, id_)
            case "mode":
                return (), (self._wallet_row(deed.who, {"mode": deed.mode.value}),)
            case _:
                return (), (self._limits_row(deed),)

    def _post(self, id_: UUID, source: AccountRef, target: AccountRef, amount_minor: int) -> Post:
        return Post(id=id_, legs=(Leg(source, -amount_minor), Leg(target, amount_minor)))

    def _payment(self, id_: UUID, payer: AccountRef, deed: Deed) -> Post:
        """A price, and on top of it a fee, a commission and a tax, each less than the price."""
        currency = deed.currency
        payees = {
            "pay": self.shop(deed.whom, currency),
            "send": self.wallet((deed.who + 1 + deed.whom % 3) % 4, currency),
            "payout": self.till(currency),
            "escrow": escrow(f"shop.{self.number}", currency),
        }
        price_minor = deed.amount_minor + 10
        extras = [
            Leg(account, amount)
            for account, amount in zip(self.sharers(currency), deed.shares, strict=False)
        ]
        all_minor = price_minor + sum(leg.amount_minor for leg in extras)
        legs = (Leg(payer, -all_minor), Leg(payees[deed.verb], price_minor), *extras)
        return Post(id=id_, legs=legs)

    def _hold(
        self, id_: UUID, payer: AccountRef, payee: AccountRef, amount_minor: int
    ) -> Authorise:
        return Authorise(
            id=id_,
            payer=payer,
            payee=payee,
            amount_minor=amount_minor,
            ending=EndingAction.CAPTURE,
            ends_after_s=8,
        )

    def _ending(self, deed: Deed, id_: UUID) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        hold_id = self._picked_hold(deed.which)
        if deed.verb != "capture":
            state = HoldState.VOIDED if deed.verb == "void" else HoldState.EXPIRED
            return (Void(id=id_, hold_id=hold_id, state=state),), ()
        hold = self.model.holds.get(hold_id)
        currency = hold.payer.currency if hold is not None else "CNY"
        shares = tuple(
            Leg(account, amount)
            for account, amount in zip(self.sharers(currency), deed.shares, strict=False)
        )
        capture = Capture(
            id=id_, hold_id=hold_id, amount_minor=deed.part, shares=shares, last=deed.last
        )
        order_id = self._order_of(hold_id)
        if order_id is None or hold is None:
            return (capture,), ()
        amount = hold.left_minor if deed.part is None else deed.part
        row = Update(
            table="orders",
            where={"id": order_id},
            add={"captured_minor": amount},
            keep_within=(("captured_minor", "amount_minor"),),
            refusal=Refusal.TOO_MUCH,
        )
        return (capture,), (row,)

    def _refund(self, deed: Deed, id_: UUID) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        """Of whatever order: never more than was captured, however many there are at once."""
        orders = list(self.model.orders)
        order_id = orders[deed.which % len(orders)] if orders else "nothing"
        order = self.model.orders.get(order_id, {})
        currency = str(order.get("currency", "CNY"))
        payee = merchant(str(order.get("merchant_id", f"m0.{self.number}")), currency)
        payer = wallet(str(order.get("wallet_id", self.wallet_id("w0"))), currency)
        row = Update(
            table="orders",
            where={"id": order_id},
            add={"refunded_minor": deed.amount_minor},
            keep_within=(("refunded_minor", "captured_minor"),),
            refusal=Refusal.TOO_MUCH,
        )
        return (self._post(id_, payee, payer, deed.amount_minor),), (row,)

    def _limits_row(self, deed: Deed) -> Update:
        wallet_id = self.wallet_id(f"w{deed.who}")
        known = self.model.limits.get(wallet_id, {})
        by_setter = {
            **known,
            deed.setter: {**known.get(deed.setter, {}), deed.currency: deed.limits},
        }
        return self._wallet_row(deed.who, {"limits": msgspec.json.encode(by_setter).decode()})

    def _wallet_row(self, who: int, values: dict[str, str]) -> Update:
        return Update(table="wallets", where={"id": self.wallet_id(f"w{who}")}, values=values)

    def _picked_hold(self, which: int) -> UUID:
        holds = list(self.model.holds)
        return holds[-1 - which % len(holds)] if holds else named("no hold")

    def _order_of(self, hold_id: UUID) -> str | None:
        found = [o for o, row in self.model.orders.items() if row["hold_id"] == hold_id]
        return found[0] if found else None

    def _order(self, name: str, hold: Authorise) -> dict[str, Any]:
        return {
            "id": name,
            "number": named("number", name).hex[:12],
            "quote_id": "q",
            "offer_id": "of",
            "merchant_id": hold.payee.owner.partition(":")[2],
            "wallet_id": hold.payer.wallet_id,
            "hold_id": hold.id,
            "amount_minor": hold.amount_minor,
            "captured_minor": 0,
            "refunded_minor": 0,
            "currency": hold.payer.currency,
            "title": "Green tea",
            "state": "authorised",
            "accepted": True,
            "network": "web",
            "room_id": "lobby",
            "network_person_id": "anna",
            "created_at_us": 1,
        }


class Ground:
    """A database and the writers on it, for one test."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.now_us = START_US
        self.database = Database(url, clock_us=lambda: self.now_us)
        self.writers: list[Writer] = []
        self.towns = count(1)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def open(self) -> None:
        # Two writers, as two processes of an instance have them.
        self.writers = [await Writer(self.database).__aenter__() for _ in range(2)]

    async def close(self) -> None:
        for writer in self.writers:
            await writer.__aexit__()

    async def crash(self) -> None:
        """End the writers without letting them finish anything, and begin anew."""
        for writer in self.writers:
            for task in writer._tasks:
                task.cancel()
            await asyncio.gather(*writer._tasks, return_exceptions=True)
        await self.open()

    async def wallets(self, wallet_ids: Sequence[str]) -> dict[str, tuple[str, SetLimits]]:
        """Mode and limits of each."""
        query = sa.select(t.wallets.c.id, t.wallets.c.mode, t.wallets.c.limits)
        async with self.database.read() as connection:
            rows = await connection.execute(query.where(t.wallets.c.id.in_(wallet_ids)))
            return {row.id: (row.mode, set_limits(row.limits)) for row in rows}

    async def balances(self, account_ids: Sequence[str]) -> dict[str, int]:
        query = sa.select(t.accounts.c.id, t.accounts.c.balance_minor)
        async with self.database.read() as connection:
            rows = await connection.execute(query.where(t.accounts.c.id.in_(account_ids)))
            return {row.id: row.balance_minor for row in rows}


class WalletMachine(RuleBasedStateMachine):
    """One town, driven at random."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.town = Town(next(ground.towns))
        self.town.model.now_us = ground.now_us
        self._answered(self.town.people())
        for n in range(4):
            deed = Deed("top up", who=n, amount_minor=120)
            self._one_by_one(self.town.commit_of(deed))

    @rule(deed=deeds)
    def commit(self, deed: Deed) -> None:
        self._one_by_one(self.town.commit_of(deed))

    @rule(deeds=st.lists(deeds, min_size=2, max_size=4))
    def commit_together(self, deeds: list[Deed]) -> None:
        commits = [self.town.commit_of(deed) for deed in deeds]
        self._some_order(commits, self.ground.run(self._handed_in(commits)))

    @rule(deed=deeds, n=st.integers(2, 6))
    def commit_the_same_many_times_at_once(self, deed: Deed, n: int) -> None:
        commit = self.town.commit_of(deed)
        self._some_order([commit] * n, self.ground.run(self._handed_in([commit] * n)))

    @rule(deeds=st.lists(deeds, min_size=1, max_size=4), turns=st.integers(0, 40))
    def crash_while_commits_are_under_way(self, deeds: list[Deed], turns: int) -> None:
        commits = [self.town.commit_of(deed) for deed in deeds]
        answers = self.ground.run(self._crashed(commits, turns))
        self._some_order(commits, answers, created_is_known=False)

    @rule(which=st.integers(0, 20))
    @precondition(lambda self: self.town.handed_in)
    def repeat(self, which: int) -> None:
        self._one_by_one(self.town.handed_in[-1 - which % len(self.town.handed_in)])

    @rule(which=st.integers(0, 20), deed=deeds)
    @precondition(lambda self: self.town.handed_in)
    def reuse_a_key_for_something_else(self, which: int, deed: Deed) -> None:
        old = self.town.handed_in[-1 - which % len(self.town.handed_in)]
        new = self.town.commit_of(deed)
        if old.key and new.key:
            self._one_by_one(msgspec.structs.replace(new, key=old.key))
        elif old.transfers and new.transfers:
            taken = msgspec.structs.replace(new.transfers[0], id=old.transfers[0].id)
            # A hold that is made twice under one name is not what this is about.
            if not isinstance(taken, Authorise):
                self._one_by_one(msgspec.structs.replace(new, transfers=(taken,)))

    @rule(deed=deeds, who=wallets, behind=st.integers(0, 1))
    def commit_under_a_lease(self, deed: Deed, who: int, behind: int) -> None:
        wallet_id = self.town.wallet_id(f"w{who}")
        fence = self.ground.run(self.ground.writers[0].raise_fence(wallet_id))
        assert fence == self.town.model.raise_fence(wallet_id)
        commit = self.town.commit_of(deed)
        if commit.key:
            fences = {wallet_id: fence - behind}
            self._one_by_one(msgspec.structs.replace(commit, fences=fences))

    @rule(jump_us=st.sampled_from([1, HOUR_US, 10 * HOUR_US, DAY_US, 4 * DAY_US, MONTH_US]))
    @precondition(lambda self: self.ground.database.is_sqlite)
    def time_passes(self, jump_us: int) -> None:
        self.ground.now_us += jump_us
        self.town.model.now_us = self.ground.now_us

    @rule()
    def restart(self) -> None:
        self.ground.run(self.ground.close())
        self.ground.run(self.ground.open())

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        wanted = {ref.id: minor for ref, minor in self.town.model.balances.items()}
        found = self.ground.run(self.ground.balances(list(wanted)))
        assert {i: found.get(i, 0) for i in wanted} == wanted
        assert sum(wanted.values()) == 0

    # --- how it is compared ---------------------------------------------------------------------

    def _one_by_one(self, commit: Commit) -> None:
        got = self._answered(commit)
        wanted = self.town.model.submit(commit)
        assert _agree(got, wanted), f"{commit} → {got}, and the model says {wanted}"
        self.town.handed_in.append(commit)

    def _answered(self, commit: Commit) -> Answer:
        (answer,) = self.ground.run(self._handed_in([commit]))
        return answer

    async def _handed_in(self, commits: Sequence[Commit]) -> list[Answer]:
        writers = self.ground.writers
        work = [_answer_of(writers[n % 2], commit) for n, commit in enumerate(commits)]
        return await asyncio.gather(*work)

    async def _crashed(self, commits: Sequence[Commit], turns: int) -> list[Answer]:
        tasks = [
            asyncio.create_task(_answer_of(self.ground.writers[n % 2], commit))
            for n, commit in enumerate(commits)
        ]
        for _ in range(turns):
            await asyncio.sleep(0)
        await self.ground.crash()
        for task in tasks:
            task.cancel()
        before = await asyncio.gather(*tasks, return_exceptions=True)
        after = [await _answer_of(self.ground.writers[0], commit) for commit in commits]
        for told, again in zip(before, after, strict=True):
            # What somebody was told before the crash stands after it.
            if told in (NEW, KNOWN):
                assert again == KNOWN
        return after

    def _some_order(
        self, commits: Sequence[Commit], got: Sequence[Answer], *, created_is_known: bool = True
    ) -> None:
        tried = []
        modes = self.ground.run(self.ground.wallets(list(self.town.model.people)))
        for order in permutations(range(len(commits))):
            model = self.town.model.copy()
            wanted = {n: model.submit(commits[n]) for n in order}
            if all(
                _agree(got[n], answer) or (not created_is_known and _stands(got[n], answer))
                for n, answer in wanted.items()
            ) and modes == {
                # Of two settings at once the later one holds, and no answer tells which that was.
                wallet_id: (model.modes.get(wallet_id, "open"), model.limits.get(wallet_id, {}))
                for wallet_id in model.people
            }:
                self.town.model = model
                self.town.handed_in += commits
                return
            tried.append(f"{order}: {[wanted[n] for n in range(len(commits))]}")
        told = [f"{commit} → {answer}" for commit, answer in zip(commits, got, strict=True)]
        raise AssertionError("\n".join(["No order gives these answers:", *told, *tried]))


async def _answer_of(writer: Writer, commit: Commit) -> Answer:
    try:
        written: Written = await writer.commit(commit)
    except Refused as refused:
        return frozenset({refused.code})
    except KeyConflict:
        return CONFLICT
    if commit.key:
        assert written.result == commit.result
    return NEW if written.created else KNOWN


def _agree(got: Answer, wanted: Answer) -> bool:
    if isinstance(got, frozenset) and isinstance(wanted, frozenset):
        return got <= wanted
    return got == wanted


def _stands(got: Answer, wanted: Answer) -> bool:
    return {got, wanted} == {NEW, KNOWN}


@pytest.fixture
def ground(database_url: str) -> Iterator[Ground]:
    with asyncio.Runner() as runner:
        ground = Ground(database_url, runner)

        async def begin() -> None:
            async with ground.database.write() as connection:
                await connection.run_sync(create_all)
            await ground.open()

        async def end() -> None:
            await ground.close()
            await ground.database.close()

        ground.run(begin())
        yield ground
        ground.run(end())


def test_the_writer_does_what_the_model_does(ground: Ground) -> None:
    class Machine(WalletMachine):
        def __init__(self) -> None:
            super().__init__(ground)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30 if ground.database.is_sqlite else 10,
            stateful_step_count=25 if ground.database.is_sqlite else 20,
            deadline=None,
            derandomize=True,
            # On two connections not everything repeats itself, so nothing is tried again.
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    ground.run(audit_books(ground.database))

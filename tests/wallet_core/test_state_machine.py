"""Hypothesis drives the real writer on real databases against a model that a person can check.

Each example is a town of its own in one database, which is audited as a whole at the end. Commits
that are handed in together may be written in any order: their answers must be those of *some* order
of the model.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from itertools import count, permutations
from typing import Any, TypeVar

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
from tests.peers.tables import create_tables
from tests.wallet_core.model import CONFLICT, KNOWN, NEW, Answer, SetLimits, set_limits
from tests.wallet_core.model_town import Deed, Town, deeds, wallets
from wallet_core.errors import KeyConflict, Refused
from wallet_core.ledger.commits import Commit, Written
from wallet_core.ledger.transfers import Authorise
from wallet_core.limits import DAY_US, MONTH_US
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

T = TypeVar("T")
HOUR_US = 3_600_000_000
START_US = 1_700_000_000_000_000


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
            await create_tables(ground.database)
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

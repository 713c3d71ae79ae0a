"""One database transaction full of commits: lock, evaluate, write.

A batch is a generator of requests (`requests.py`), so the same lines run on both databases. The
books' part is evaluated in memory by `Books`, the domain's rows by `DomainRows`; what came of them
is written set by set.

Locks are taken in one order by everybody: wallets whose fence counts, holds, accounts, groups of
wallets, domain rows table by table, and the chain at last.
"""

from collections.abc import Generator, Hashable, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Hold, Update, Written
from wallet_core.ledger.posting import Books
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    HoldState,
    Post,
    Transfer,
    Void,
    fingerprint,
)
from wallet_core.ledger.wallets import NeedsSpends, WalletRules
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t
from wallet_core.storage.chain_rows import chained
from wallet_core.storage.domain_rows import DomainRows, key_of
from wallet_core.storage.speech_rows import speech_rows
from wallet_core.storage.spending_rows import SpendingRows, wallets_with_fences

Result = Written | Refused | KeyConflict
Steps = Generator[q.Request, Any, None]


class RaiseFence(msgspec.Struct, frozen=True):
    """Raise the fence of a wallet; the result is its new value, 0 for no such wallet."""

    wallet_id: str


Task = Commit | RaiseFence


class Batch:
    """Writes `tasks` in their order. `careful` looks up keys that it otherwise expects free."""

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        careful: bool = False,
        limits_of: LimitsOf = no_limits,
    ) -> None:
        self.tasks = tasks
        self._commits = [task for task in tasks if isinstance(task, Commit)]
        self._transfers = [x for commit in self._commits for x in commit.transfers]
        self._touched = _accounts_of(self._transfers)
        self._rules = WalletRules(limits_of)
        self._books = Books(0, self._rules)
        self._spending = SpendingRows(self._rules, self._books)
        changes = [change for commit in self._commits for change in commit.rows]
        self._rows = DomainRows(changes, careful=careful)
        self._known: dict[str, tuple[Written, bytes]] = {}
        self._new: list[tuple[Commit, bytes]] = []
        self._fences: dict[str, int] = {}

    def write(self) -> q.Work[list[Result | int]]:
        """A result for each task. Raises `MissingAccounts`, and what its requests raise."""
        yield from self._load_fences()
        yield from self._load_holds()
        refs = self._refs()
        opened: q.Opened = yield q.Open(
            [x.id for x in self._transfers],
            [c.key for c in self._commits if c.key],
            list(refs),
        )
        self._spending.see_accounts(opened.accounts, refs)
        yield from self._spending.load_groups()
        yield from self._rows.load()
        self._books.now_us = opened.now_us
        self._spending.settle_limits()
        self._books.known_transfers = opened.transfers
        self._note_known(opened.commits)
        decided: list[Result | int] = []
        for task in self.tasks:
            while True:
                try:
                    decided.append(self._decide(task))
                    break
                except NeedsSpends as need:
                    yield from self._spending.load_spends(need.payment)
        results = yield from self._look_again(decided)
        yield q.Save(self._writes(results, opened))
        return results

    # --- before: lock and read everything that the tasks touch -------------------------------

    def _load_fences(self) -> Steps:
        fenced = {wallet_id for commit in self._commits for wallet_id in commit.fences}
        fenced.update(task.wallet_id for task in self.tasks if isinstance(task, RaiseFence))
        if fenced:
            # A fence that is checked must not be raised before this transaction ends.
            self._rules.wallets = yield from wallets_with_fences(sorted(fenced))

    def _load_holds(self) -> Steps:
        hold_ids = sorted({x.hold_id for x in self._transfers if isinstance(x, Capture | Void)})
        if not hold_ids:
            return
        columns = tuple(Hold.__struct_fields__)
        for row in (yield q.Ask(q.fetch(t.holds, columns, ("id",), lock=True), (hold_ids,))):
            hold = Hold(**dict(zip(columns, row, strict=True)))
            self._books.holds[hold.id] = msgspec.structs.replace(hold, state=HoldState(hold.state))

    def _refs(self) -> dict[str, AccountRef]:
        """The accounts that are touched, those of the holds among them."""
        refs = self._touched
        for hold in self._books.holds.values():
            payer = AccountRef.of_id(hold.payer_account_id)
            payee = AccountRef.of_id(hold.payee_account_id)
            refs.update({ref.id: ref for ref in (payer, payer.held, payee)})
        return refs

    def _note_known(self, rows: Iterable[tuple[str, bytes, str | None, str, int]]) -> None:
        for key, mark, refusal, result, at_us in rows:
            written = Written(
                key=key,
                created=False,
                refusal=Refusal(refusal) if refusal else None,
                result=result,
                at_us=at_us,
            )
            self._known[key] = (written, bytes(mark))

    # --- decide ------------------------------------------------------------------------------

    def _decide(self, task: Task) -> Result | int:
        if isinstance(task, RaiseFence):
            return self._raise_fence(task.wallet_id)
        mark = mark_of(task) if task.key else b""
        known = self._known.get(task.key) if task.key else None
        if known is not None:
            return _as_known(task, mark, known)
        standing = self._books.known_transfers
        if not task.key and standing and all(x.id.int in standing for x in task.transfers):
            return self._as_known_transfers(task)
        try:
            take_back = self._books.apply(task)
            if task.rows:
                try:
                    self._rows.apply(task.rows)
                except Refused:
                    take_back()
                    raise
        except (Refused, KeyConflict) as refusal:
            return refusal
        now_us = self._books.now_us
        if not task.key:
            return Written(key="", created=True, at_us=now_us)
        written = Written(
            key=task.key, created=True, refusal=task.refusal, result=task.result, at_us=now_us
        )
        self._known[task.key] = (msgspec.structs.replace(written, created=False), mark)
        self._new.append((task, mark))
        return written

    def _raise_fence(self, wallet_id: str) -> int:
        known = self._rules.wallets.get(wallet_id)
        if known is None:
            return 0
        raised = msgspec.structs.replace(known, fence=known.fence + 1)
        self._rules.wallets[wallet_id] = raised
        self._fences[wallet_id] = raised.fence
        return raised.fence

    def _as_known_transfers(self, commit: Commit) -> Result:
        for transfer in commit.transfers:
            if self._books.known_transfers[transfer.id.int] != fingerprint(transfer):
                return KeyConflict(f"Transfer {transfer.id} stands with other parameters.")
        return Written(key="", created=False, at_us=0)

    def _look_again(
        self, results: list[Result | int]
    ) -> Generator[q.Request, Any, list[Result | int]]:
        """What was refused may stand: another process wrote it while this one waited for a lock."""
        refused = [
            task
            for task, result in zip(self.tasks, results, strict=True)
            if isinstance(task, Commit) and isinstance(result, Refused)
        ]
        if not refused:
            return results
        again: q.Opened = yield q.Open(
            [x.id for task in refused if not task.key for x in task.transfers],
            [task.key for task in refused if task.key],
        )
        self._note_known(again.commits)
        self._books.known_transfers.update(again.transfers)
        return [
            self._known_after_all(task, again) or result
            if isinstance(task, Commit) and isinstance(result, Refused)
            else result
            for task, result in zip(self.tasks, results, strict=True)
        ]

    def _known_after_all(self, commit: Commit, again: q.Opened) -> Result | None:
        if not commit.key:
            found = all(x.id.int in again.transfers for x in commit.transfers)
            return self._as_known_transfers(commit) if found else None
        known = self._known.get(commit.key)
        return None if known is None else _as_known(commit, mark_of(commit), known)

    # --- after: what is written ---------------------------------------------------------------

    def _writes(
        self, results: Sequence[Result | int], opened: q.Opened
    ) -> list[q.Insert | q.Change | q.Run]:
        books = self._books
        writes: list[q.Insert | q.Change | q.Run] = [*self._rows.writes()]
        if self._new:
            writes.append(_commit_rows(self._new, books.now_us))
        if books.transfer_rows:
            writes += chained(books, opened)
            writes += _changed_accounts(books)
        writes += _hold_rows(books)
        if self._fences:
            fences = sorted(self._fences.items())
            writes.append(q.Change(t.wallets, ("id",), ("fence",), fences))
        if self._rules.new_payees:
            rows = [(*pair, since_us) for pair, since_us in sorted(self._rules.new_payees.items())]
            columns = ("wallet_id", "payee", "since_us")
            writes.append(q.Insert(t.payees, columns, rows, if_absent=True))
        writes += speech_rows((commit for commit, _ in self._new), books.now_us)
        done = [
            (task.event_id, "done")
            for task, result in zip(self.tasks, results, strict=True)
            if isinstance(task, Commit)
            and task.event_id is not None
            and isinstance(result, Written)
        ]
        if done:
            writes.append(q.Change(t.inbox, ("event_id",), ("state",), done, exactly=False))
        return writes


def touched_by(task: Task) -> frozenset[Hashable]:
    """What a task locks, as far as it can be told beforehand.

    Two tasks that have nothing of it in common can be written side by side.
    """
    if isinstance(task, RaiseFence):
        return frozenset((("wallets", (task.wallet_id,)),))
    touched: set[Hashable] = set()
    for transfer in task.transfers:
        if type(transfer) is Post:
            touched.update([leg.account.id for leg in transfer.legs])
        elif type(transfer) is Authorise:
            touched.update((transfer.payer.id, transfer.id))
        elif isinstance(transfer, Capture | Void):
            touched.add(transfer.hold_id)
            if isinstance(transfer, Capture):
                touched.update([share.account.id for share in transfer.shares])
    for change in task.rows:
        if isinstance(change, Update):
            touched.add((change.table, key_of(change.table, change.where)))
    touched.update([("wallets", (wallet_id,)) for wallet_id in task.fences])
    if task.key:
        touched.add(task.key)
    return frozenset(touched)


def mark_of(commit: Commit) -> bytes:
    """How a reused key is told from a repeated one."""
    return fingerprint([commit.transfers, commit.rows, commit.refusal])


def _as_known(commit: Commit, mark: bytes, known: tuple[Written, bytes]) -> Result:
    written, known_mark = known
    if known_mark != mark:
        return KeyConflict(f"{commit.key} stands with other parameters.")
    return written


def _accounts_of(transfers: Sequence[Transfer]) -> dict[str, AccountRef]:
    """The accounts that transfers touch, as far as they name them; holds name the rest."""
    refs: dict[str, AccountRef] = {}
    made: dict[UUID, AccountRef] = {}
    for transfer in transfers:
        match transfer:
            case Post(legs=legs):
                for leg in legs:
                    refs[leg.account.id] = leg.account
            case Authorise(payer=payer):
                held = payer.held
                refs[payer.id] = payer
                refs[held.id] = held
                made[transfer.id] = transfer.payee
            case Capture(hold_id=hold_id, shares=shares):
                refs.update({share.account.id: share.account for share in shares})
                # A hold that is made and captured in one batch.
                if hold_id in made:
                    refs[made[hold_id].id] = made[hold_id]
            case Void():
                pass
    return refs


def _commit_rows(new: Sequence[tuple[Commit, bytes]], now_us: int) -> q.Insert:
    columns = ("key", "fingerprint", "refusal", "result", "created_at_us")
    return q.Insert(
        t.commits,
        columns,
        [(commit.key, mark, commit.refusal, commit.result, now_us) for commit, mark in new],
    )


def _changed_accounts(books: Books) -> list[q.Change]:
    changed = [account for account in books.accounts.values() if account.changed]
    spent = [
        (a.no, a.balance_minor, a.version, a.spending(books.now_us).pack())
        for a in changed
        if a.spent
    ]
    others = [(a.no, a.balance_minor, a.version) for a in changed if not a.spent]
    balance = ("balance_minor", "version")
    writes = []
    if spent:
        writes.append(q.Change(t.accounts, ("no",), (*balance, "spending"), spent))
    if others:
        writes.append(q.Change(t.accounts, ("no",), balance, others))
    return writes


def _hold_rows(books: Books) -> list[q.Insert | q.Change]:
    columns = tuple(Hold.__struct_fields__)
    new = [msgspec.structs.astuple(books.holds[hold_id]) for hold_id in sorted(books.new_holds)]
    ended = [
        (hold_id, books.holds[hold_id].state, books.holds[hold_id].captured_minor)
        for hold_id in sorted(books.touched_holds - books.new_holds)
    ]
    writes: list[q.Insert | q.Change] = []
    if new:
        writes.append(q.Insert(t.holds, columns, new))
    if ended:
        writes.append(q.Change(t.holds, ("id",), ("state", "captured_minor"), ended))
    return writes

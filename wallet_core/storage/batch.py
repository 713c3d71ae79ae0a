"""One database transaction full of commits: lock, evaluate, write.

A batch is a generator of requests (`requests.py`), so the same lines run on both databases. The
books' part is evaluated in memory by `Books`, the domain's rows by `DomainRows`; what came of them
is written set by set.

Locks are taken in one order by everybody: wallets whose fence counts, holds, accounts, groups of
wallets, domain rows table by table, and the chain at last. The writes come in the same order, new
rows after all others, so that a batch that locks only what it writes meets the rest in it too.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from wallet_core.errors import KeyConflict, Refused
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Hold, Written
from wallet_core.ledger.posting import AccountState, Books
from wallet_core.ledger.transfers import Capture, HoldState, Void, fingerprint
from wallet_core.ledger.wallets import NeedsSpends, WalletMode, WalletRules, WalletState
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t
from wallet_core.storage.book_rows import changed_accounts, changed_holds, commit_rows, new_holds
from wallet_core.storage.chain_rows import chained
from wallet_core.storage.domain_rows import DomainRows
from wallet_core.storage.free_accounts import FreeAccounts, PutOff
from wallet_core.storage.remembered import Standing
from wallet_core.storage.speech_rows import speech_rows
from wallet_core.storage.spending_rows import SpendingRows, wallets_seen, wallets_with_fences
from wallet_core.storage.touching import accounts_of, is_all_new
from wallet_core.storage.written import written_before

Result = Written | Refused | KeyConflict | PutOff
Steps = Generator[q.Request, Any, None]


class Batch:
    """Writes `commits` in their order. `careful` looks up keys that it otherwise expects free.

    `locks` says that what is read stays as it is until the transaction ends. What is written is
    remembered in `standing`; with `recall` commits, all of which must only add, are decided on what
    is remembered there and on the fences that they carry, and nothing is read. `on_decided` is
    called when that has been done.

    Where what is read is locked, `waits_for` are the commits that wait for whoever else has locked
    what they touch; others are `PutOff` where they only add. None: all wait.
    """

    def __init__(
        self,
        commits: Sequence[Commit],
        *,
        careful: bool = False,
        locks: bool = True,
        limits_of: LimitsOf = no_limits,
        standing: Standing | None = None,
        recall: bool = False,
        waits_for: Sequence[Commit] | None = None,
        on_decided: Callable[[], None] = lambda: None,
    ) -> None:
        self._commits = commits
        self._careful = careful
        self._locks = locks
        self._limits_of = limits_of
        self._standing = standing
        self._on_decided = on_decided
        self._recall = recall
        self._waits_for = waits_for if waits_for is not None and is_all_new(commits) else None
        self._transfers = [x for commit in commits for x in commit.transfers]
        self._touched = accounts_of(self._transfers)
        #: Whether all was decided on what is remembered, and only has to be written.
        self.decided = False
        #: Whether it was seen that somebody else writes what the commits touch.
        self.met_others = False
        self._begin()

    def _begin(self) -> None:
        self._rules = WalletRules(self._limits_of)
        self._books = Books(0, self._rules)
        self._spending = SpendingRows(self._rules, self._books)
        changes = [change for commit in self._commits for change in commit.rows]
        self._rows = DomainRows(changes, careful=self._careful)
        self._known: dict[str, tuple[Written, bytes]] = {}
        self._new: list[tuple[Commit, bytes]] = []
        # The answer to all that was written under no key.
        self._plainly: Written | None = None
        # As they were read: the fences that count, and the holds.
        self._fences: dict[str, int] = {}
        self._holds: dict[UUID, Hold] = {}
        # The chain and the clock, once all is written.
        self._end: q.Opened | None = None
        # The accounts that were read for it.
        self._read: list[AccountState] = []
        # Where nobody is waited for.
        self._free: FreeAccounts | None = None

    def write(self) -> q.Work[list[Result]]:
        """A result for each commit.

        Raises `MissingAccounts`, `NeedsLocks`, and what its requests raise.
        """
        if self._recall and self._standing is not None:
            results = yield from self._write_on_memory(self._standing)
            if results is not None:
                return results
            self._begin()
        if self._waits_for is not None and self._standing is not None:
            return (yield from self._write_on_what_is_free(self._standing, self._waits_for))
        return (yield from self._write_on_what_is_read())

    def remember(self) -> None:
        """What was written stands."""
        if self._standing is not None and self._end is not None:
            unlike = self._spending.unlike_others
            plain = [state for state in self._read if state.ref.wallet_id not in unlike]
            self._standing.keep(self._end, plain)

    def forget(self) -> None:
        """Nothing was written, or nobody knows."""
        self.decided = False
        if self._standing is not None:
            self._standing.forget(self._touched)
            self._standing.forget(self._books.accounts)

    def _write_on_memory(
        self, standing: Standing
    ) -> Generator[q.Request, Any, list[Result] | None]:
        """Decide on what is remembered, reading only the accounts that are not.

        None, with nothing written, where somebody would hear no: that is said only of what is true
        now.
        """
        books = self._books
        if not self._suppose_fences():
            return None
        opened, states = standing.recall(self._touched)
        for state in states.values():
            state.begin()
        missing = {}
        if len(states) < len(self._touched):
            missing = {name: ref for name, ref in self._touched.items() if name not in states}
        if missing or opened is None:
            opened = yield q.Open([], [], list(missing))
            self._see(opened, missing)
            if self._spending.unlike_others or opened.changes_no != standing.changes_no:
                self.forget()
                return None
        books.now_us = opened.now_us
        books.accounts.update(states)
        try:
            results = [self._decide(commit) for commit in self._commits]
        except NeedsSpends:
            results = []
        if len(results) < len(self._commits) or set(map(type, results)) != {Written}:
            self.forget()
            return None
        known = [(1, opened.changes_no)]
        check = q.Check(t.wallet_changes, ("one",), ("no",), known, stay=False)
        # Others may be decided on all of this from now on.
        standing.expect(self._read, opened.changes_no)
        self._read = []
        self.decided = True
        self._on_decided()
        yield from self._save(results, opened, check)
        return results

    def _suppose_fences(self) -> bool:
        """Take the fences that commits carry for those of their wallets; the writes check them.

        False where two fences of one wallet are carried.
        """
        carried, wallets = self._fences, self._rules.wallets
        for commit in self._commits:
            for wallet_id, fence in commit.fences.items():
                if carried.setdefault(wallet_id, fence) != fence:
                    return False
                wallets[wallet_id] = WalletState(WalletMode.OPEN, fence)
        return True

    def _see(
        self, opened: q.Opened, refs: Mapping[str, AccountRef], *, all_there: bool = True
    ) -> None:
        self._spending.see_accounts(opened.accounts, refs, all_there=all_there)
        self._read = list(self._books.accounts.values())
        if self._locks and self._standing is not None:
            _, known = self._standing.recall(refs)
            now = self._books.accounts
            self.met_others |= any(
                name in now and now[name].version != state.version for name, state in known.items()
            )

    def _write_on_what_is_free(
        self, standing: Standing, waits_for: Sequence[Commit]
    ) -> q.Work[list[Result]]:
        """Decide those commits whose accounts nobody else is writing, and put off the others."""
        free = FreeAccounts(self._touched, self._books.accounts, standing, self._see)
        opened = yield from free.lock(waits_for)
        if self._spending.unlike_others or opened.changes_no != standing.changes_no:
            raise q.NeedsLocks("what is remembered of wallets is too old")
        free.take(opened)
        self.met_others |= free.met_others
        self._free = free
        self._books.now_us = opened.now_us
        results = yield from self._decide_all()
        yield from self._save(results, opened)
        return results

    def _write_on_what_is_read(self) -> q.Work[list[Result]]:
        yield q.Turn()
        fenced = self._fenced()
        if self._locks:
            # Wallets are locked before all else.
            yield from self._load_fences(fenced)
        yield from self._load_holds()
        refs = self._refs()
        opened: q.Opened = yield q.Open(
            [x.id for x in self._transfers],
            [c.key for c in self._commits if c.key],
            list(refs),
        )
        self._see(opened, refs)
        if fenced and not self._locks:
            self._rules.wallets |= wallets_seen(opened.accounts, refs, fenced)
            yield from self._load_fences(fenced)
        yield from self._spending.load_groups(locks=self._locks)
        yield from self._rows.load()
        self._books.now_us = opened.now_us
        self._spending.settle_limits()
        self._books.known_transfers = opened.transfers
        self._note_known(opened.commits)
        results = yield from self._decide_all()
        yield from self._save(results, opened)
        return results

    def _save(self, results: Sequence[Result], opened: q.Opened, *checks: q.Check) -> Steps:
        writes, head = self._writes(results, opened)
        told_us = yield q.Save([*checks, *writes], checked=bool(checks) or not self._locks)
        self._end = q.Opened(
            told_us or opened.now_us,
            opened.chain_no,
            opened.length if head is None else opened.length + 1,
            opened.head if head is None else head,
            changes_no=opened.changes_no,
        )

    # --- before: lock and read everything that the commits touch -----------------------------

    def _fenced(self) -> set[str]:
        """The wallets whose fence counts."""
        return {wallet_id for commit in self._commits for wallet_id in commit.fences}

    def _load_fences(self, fenced: set[str]) -> Steps:
        wallets = self._rules.wallets
        unknown = sorted(fenced.difference(wallets))
        if unknown:
            # A fence that is checked must not be raised before this transaction ends.
            wallets |= yield from wallets_with_fences(unknown)
        self._fences = {name: wallets[name].fence for name in fenced if name in wallets}

    def _load_holds(self) -> Steps:
        hold_ids = sorted({x.hold_id for x in self._transfers if isinstance(x, Capture | Void)})
        if not hold_ids:
            return
        columns = tuple(Hold.__struct_fields__)
        for row in (yield q.Ask(q.fetch(t.holds, columns, ("id",), lock=True), (hold_ids,))):
            hold = Hold(**dict(zip(columns, row, strict=True)))
            hold = msgspec.structs.replace(hold, state=HoldState(hold.state))
            self._books.holds[hold.id] = self._holds[hold.id] = hold

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
            self._known[key] = (written_before(key, refusal, result, at_us), bytes(mark))

    # --- decide ------------------------------------------------------------------------------

    def _decide_all(self) -> q.Work[list[Result]]:
        """A result for each commit; those that touch what others are writing are put off."""
        decided: list[Result] = []
        for commit in self._commits:
            if self._free is not None and self._free.is_busy(commit):
                decided.append(PutOff.OTHERS_WRITE)
            else:
                decided.append((yield from self._decide_surely(commit)))
        return (yield from self._look_again(decided))

    def _decide_surely(self, commit: Commit) -> q.Work[Result]:
        """Decide a commit, with its payers' single payments read where they are needed."""
        while True:
            try:
                return self._decide(commit)
            except NeedsSpends as need:
                yield from self._spending.load_spends(need.payment)

    def _decide(self, commit: Commit) -> Result:
        mark = b""
        if commit.key:
            mark = mark_of(commit)
            known = self._known.get(commit.key)
            if known is not None:
                return _as_known(commit, mark, known)
        elif self._books.known_transfers and self._stands(commit):
            return self._as_known_transfers(commit)
        books = self._books
        try:
            take_back = books.apply(commit)
            if commit.rows:
                try:
                    self._rows.apply(commit.rows)
                except Refused:
                    take_back()
                    raise
        except (Refused, KeyConflict) as refusal:
            return refusal
        if not commit.key:
            if self._plainly is None:
                self._plainly = Written(key="", created=True, at_us=books.now_us)
            return self._plainly
        written = Written(
            key=commit.key,
            created=True,
            refusal=commit.refusal,
            result=commit.result,
            at_us=books.now_us,
        )
        self._known[commit.key] = (msgspec.structs.replace(written, created=False), mark)
        self._new.append((commit, mark))
        return written

    def _stands(self, commit: Commit) -> bool:
        """Whether all of a commit's transfers are there already."""
        standing = self._books.known_transfers
        # The first one tells, mostly.
        return commit.transfers[0].id.int in standing and all(
            transfer.id.int in standing for transfer in commit.transfers
        )

    def _as_known_transfers(self, commit: Commit) -> Result:
        for transfer in commit.transfers:
            if self._books.known_transfers[transfer.id.int] != fingerprint(transfer):
                return KeyConflict(f"Transfer {transfer.id} stands with other parameters.")
        return Written(key="", created=False, at_us=0)

    def _look_again(self, results: list[Result]) -> q.Work[list[Result]]:
        """What was refused may stand: another process wrote it while this one waited for a lock."""
        refused = [
            commit
            for commit, result in zip(self._commits, results, strict=True)
            if isinstance(result, Refused)
        ]
        if not refused:
            return results
        again: q.Opened = yield q.Open(
            [x.id for commit in refused if not commit.key for x in commit.transfers],
            [commit.key for commit in refused if commit.key],
        )
        self._note_known(again.commits)
        self._books.known_transfers.update(again.transfers)
        for n, (commit, result) in enumerate(zip(self._commits, results, strict=True)):
            if isinstance(result, Refused):
                results[n] = self._known_after_all(commit, again) or result
        return results

    def _known_after_all(self, commit: Commit, again: q.Opened) -> Result | None:
        if not commit.key:
            found = all(x.id.int in again.transfers for x in commit.transfers)
            return self._as_known_transfers(commit) if found else None
        known = self._known.get(commit.key)
        return None if known is None else _as_known(commit, mark_of(commit), known)

    # --- after: what is written ---------------------------------------------------------------

    def _writes(
        self, results: Sequence[Result], opened: q.Opened
    ) -> tuple[list[q.Write], bytes | None]:
        """All that is to be written, and what the chain ends with then, if it grows."""
        books, head = self._books, None
        new_rows, changed_rows = self._rows.writes()
        writes: list[q.Write] = [*self._fence_checks(), *changed_holds(books, self._holds)]
        links: Sequence[q.Write] = ()
        if books.transfer_rows:
            # Before the accounts, which name their newest entries; written behind them.
            links, head = chained(books, opened)
        writes += changed_accounts(books)
        writes += changed_rows
        writes += links
        writes += new_rows
        if self._new:
            writes.append(commit_rows(self._new, books.now_us))
        writes += new_holds(books)
        if self._rules.new_payees:
            rows = [(*pair, since_us) for pair, since_us in sorted(self._rules.new_payees.items())]
            columns = ("wallet_id", "payee", "since_us")
            writes.append(q.Insert(t.payees, columns, rows, if_absent=True))
        # Commits that only add hardly ever say again what was said.
        said = (commit for commit, _ in self._new)
        writes += speech_rows(said, books.now_us, if_absent=not self.decided)
        done = [
            (commit.event_id, "done")
            for commit, result in zip(self._commits, results, strict=True)
            if commit.event_id is not None and isinstance(result, Written)
        ]
        if done:
            writes.append(q.Change(t.inbox, ("event_id",), ("state",), done, exactly=False))
        return writes, head

    def _fence_checks(self) -> list[q.Write]:
        """The fences that must not be raised before this stands."""
        fences = sorted(self._fences.items())
        return [q.Check(t.wallets, ("id",), ("fence",), fences)] if fences else []


def mark_of(commit: Commit) -> bytes:
    """How a reused key is told from a repeated one."""
    return fingerprint([commit.transfers, commit.rows, commit.refusal])


def _as_known(commit: Commit, mark: bytes, known: tuple[Written, bytes]) -> Result:
    written, known_mark = known
    if known_mark != mark:
        return KeyConflict(f"{commit.key} stands with other parameters.")
    return written

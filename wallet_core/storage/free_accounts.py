"""Accounts that others write too: those that are free are locked, and nobody is waited for.

Several processes on the same accounts would wait for each other's whole batches. So a batch that
only adds decides those commits whose accounts are free, and puts the others off (`PutOff`).
"""

from collections.abc import Hashable, Mapping, Sequence
from enum import Enum, auto
from typing import Protocol

from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.posting import AccountState
from wallet_core.storage import requests as q
from wallet_core.storage.remembered import Standing
from wallet_core.storage.touching import accounts_of, touched_by


class PutOff(Enum):
    """The result of a commit that was not looked at, for others are writing what it touches."""

    OTHERS_WRITE = auto()


class See(Protocol):
    """Takes accounts into the books as they were read; `all_there`: none may be missing."""

    def __call__(
        self, opened: q.Opened, refs: Mapping[str, AccountRef], *, all_there: bool = True
    ) -> None:
        """Raises `MissingAccounts`."""


class FreeAccounts:
    """The accounts that a batch touches (`touched`), as far as nobody else has locked them.

    `accounts` are those in the books. What was read anew goes there through `see`, what is
    remembered directly.
    """

    def __init__(
        self,
        touched: Mapping[str, AccountRef],
        accounts: dict[str, AccountState],
        standing: Standing,
        see: See,
    ) -> None:
        self._touched = touched
        self._accounts = accounts
        self._standing = standing
        self._see = see
        self._remembered: Mapping[str, AccountState] = {}
        # What others are writing, and what commits touch that were put off.
        self._busy: set[Hashable] = set()
        #: Whether it was seen that somebody else writes them.
        self.met_others = False

    def lock(self, waits_for: Sequence[Commit]) -> q.Work[q.Opened]:
        """Lock the accounts of `waits_for`, whoever has them, then of the others what is free.

        What has to be waited for comes first, while nothing is locked yet, and in everybody's
        order: so nobody waits in a circle. Gives what those look like that are remembered, for
        `take`. Raises `MissingAccounts` for accounts that are waited for.
        """
        touched = self._touched
        waited = accounts_of([x for commit in waits_for for x in commit.transfers])
        if waited:
            self._see((yield q.Open([], [], list(waited))), waited)
        others = {name: ref for name, ref in touched.items() if name not in waited}
        _, states = self._standing.recall(others)
        if len(states) < len(others):
            unknown = {name: ref for name, ref in others.items() if name not in states}
            opened = yield q.Open([], [], list(unknown), waits=False)
            self._see(opened, unknown, all_there=False)
        self._remembered = states
        free: q.Opened = yield q.OpenFree([state.no for state in states.values()])
        return free

    def take(self, free: q.Opened) -> None:
        """Take those that were remembered into the books, as they are now."""
        by_number = {state.no: (name, state) for name, state in self._remembered.items()}
        accounts = self._accounts
        for no, balance_minor, version, newest_entry_no, spending in free.accounts:
            name, state = by_number[no]
            if version != state.version:
                self.met_others = True
            state.stands(balance_minor, version, newest_entry_no, spending)
            accounts[name] = state
        if len(accounts) < len(self._touched):
            self.met_others = True
            self._busy.update(name for name in self._touched if name not in accounts)

    def is_busy(self, commit: Commit) -> bool:
        """Whether a commit touches what others are writing, or what one put off before it does."""
        if not self._busy:
            return False
        touches = touched_by(commit)
        if self._busy.isdisjoint(touches):
            return False
        self._busy.update(touches)
        return True

"""What a writer remembers of the database, so that it need not ask again.

Nothing is right because it is remembered. A batch that was decided on it says so in its writes: the
version of each account, the length of the chain, and how often the rules of wallets had changed. If
another process was quicker, the database writes nothing, and the batch is decided anew on what is
read then.
"""

import time
from collections.abc import Callable, Iterable

from wallet_core.ledger.posting import AccountState
from wallet_core.storage.requests import Opened

States = dict[str, AccountState]

#: Accounts that are remembered at most; each takes about half a kilobyte.
ACCOUNTS_MAX = 20_000
#: For how long the database's time is counted on from its last word.
_TOLD_S_MAX = 1.0


class RememberedAccounts:
    """Accounts as they were last written or read, for all lanes of a writer.

    Only those whose wallets are open, alone, and without limits of their own. `changes_no` is the
    count of changes to wallets up to which that is known.
    """

    def __init__(self, accounts_max: int = ACCOUNTS_MAX) -> None:
        self.changes_no = 0
        self._states: dict[str, AccountState] = {}
        self._accounts_max = accounts_max

    def recall(self, account_ids: Iterable[str]) -> States:
        """Those of the accounts that are remembered."""
        states = self._states
        return {each: states[each] for each in account_ids if each in states}

    def keep(self, states: Iterable[AccountState], changes_no: int) -> None:
        """Remember accounts that were written or read when wallets had changed `changes_no` times.

        A change to any wallet's rules makes all that was remembered before it worthless.
        """
        if changes_no > self.changes_no:
            self._states.clear()
            self.changes_no = changes_no
        if changes_no == self.changes_no:
            for state in states:
                self._states[state.ref.id] = state
            while len(self._states) > self._accounts_max:
                del self._states[next(iter(self._states))]

    def forget(self, account_ids: Iterable[str]) -> None:
        """Ask the database next time."""
        for account_id in account_ids:
            self._states.pop(account_id, None)


class Standing:
    """What one lane of a writer remembers: accounts, the end of its chain, and the time.

    `clock_us` is the database's clock where that can be read without asking (SQLite's is its
    host's).
    """

    def __init__(
        self, accounts: RememberedAccounts, clock_us: Callable[[], int] | None = None
    ) -> None:
        self._accounts = accounts
        self._clock_us = clock_us
        self._end: Opened | None = None
        self._told_at_s = 0.0

    def recall(self, account_ids: Iterable[str]) -> tuple[Opened | None, States]:
        """What the database would tell of the chain, and of those accounts that are remembered.

        None for the chain: it must be asked.
        """
        states, changes_no = self._accounts.recall(account_ids), self._accounts.changes_no
        end, now_us = self._end, self._now_us()
        if end is None or now_us is None:
            return None, states
        return Opened(now_us, end.chain_no, end.length, end.head, changes_no=changes_no), states

    @property
    def changes_no(self) -> int:
        """The count of changes to wallets up to which accounts are remembered."""
        return self._accounts.changes_no

    def keep(self, end: Opened, states: Iterable[AccountState]) -> None:
        """The chain ends like this as of now, and so the accounts stand."""
        self._end = end
        self._told_at_s = time.monotonic()
        self._accounts.keep(states, end.changes_no)

    def expect(self, states: Iterable[AccountState], changes_no: int) -> None:
        """So these accounts will stand, once a batch is written that is decided."""
        self._accounts.keep(states, changes_no)

    def forget(self, account_ids: Iterable[str]) -> None:
        """Ask the database next time."""
        self._end = None
        self._accounts.forget(account_ids)

    def _now_us(self) -> int | None:
        if self._clock_us is not None:
            return self._clock_us()
        passed_s = time.monotonic() - self._told_at_s
        if self._end is None or passed_s > _TOLD_S_MAX:
            return None
        return self._end.now_us + int(passed_s * 1_000_000)

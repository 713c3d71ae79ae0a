"""Balances, derived anew: entry by entry, account by account."""

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.rows import AccountLine
from wallet_core.errors import PayontapError
from wallet_core.ledger.accounts import AccountRef, Purpose


class AccountCheck:
    """Numbering without gaps, running balances, floors, and the balance that the account states.

    Also whether each entry names the one before it, and the account the newest, since that is how
    they are found. Wants all lines of an account together, by the number of the entry.
    """

    def __init__(self) -> None:
        self.account_count = 0
        self.entry_count = 0
        self._account: AccountLine | None = None
        self._balance_minor = 0
        self._seq = 0
        self._newest_no: int | None = None

    def see(self, row: AccountLine) -> None:
        """Look at the next entry, or at an account without any."""
        if self._account is None or self._account.account_id != row.account_id:
            self._close()
            self._open(row)
        if row.seq is not None:
            self._enter(row, row.seq, row.amount_minor or 0, row.balance_after_minor or 0)

    def end(self) -> None:
        """Look at the last account."""
        self._close()

    def _open(self, row: AccountLine) -> None:
        self._account, self._balance_minor, self._seq = row, 0, 0
        self._newest_no = None
        self.account_count += 1
        try:
            ref = AccountRef.of_id(row.account_id)
        except ValueError as error:
            raise _broken(row, "has a name that is no account's") from error
        if (ref.owner, ref.purpose, ref.currency) != (row.owner, row.purpose, row.currency):
            raise _broken(row, f"says that it is {row.owner}/{row.purpose}/{row.currency}")
        wallet_id = ref.wallet_id if ref.purpose is Purpose.AVAILABLE else None
        if wallet_id != row.wallet_id:
            raise _broken(row, f"says that it is money of the wallet {row.wallet_id}")
        if ref.floor_minor != row.floor_minor:
            raise _broken(row, f"has the floor {row.floor_minor} instead of {ref.floor_minor}")

    def _enter(self, row: AccountLine, seq: int, amount_minor: int, after_minor: int) -> None:
        self._seq += 1
        self.entry_count += 1
        if seq != self._seq:
            raise _broken(row, f"misses entry {self._seq}: the next one there is {seq}")
        if row.before_no != self._newest_no:
            raise _broken(row, f"has an entry {seq} that does not name the one before it")
        self._newest_no = row.no
        if amount_minor == 0:
            raise _broken(row, f"has an entry {seq} that moves nothing")
        self._balance_minor += amount_minor
        if after_minor != self._balance_minor:
            states = amount_words(after_minor, row.currency)
            comes_to = amount_words(self._balance_minor, row.currency)
            raise _broken(
                row, f"states {states} after entry {seq}, but its entries come to {comes_to}"
            )
        if row.floor_minor is not None and after_minor < row.floor_minor:
            below = amount_words(after_minor, row.currency)
            raise _broken(row, f"is below its floor after entry {seq}: {below}")

    def _close(self) -> None:
        account = self._account
        if account is None:
            return
        if account.version != self._seq:
            raise _broken(account, f"counts {account.version} entries and has {self._seq}")
        if account.newest_entry_no != self._newest_no:
            raise _broken(account, "does not name its newest entry")
        if account.balance_minor != self._balance_minor:
            states = amount_words(account.balance_minor, account.currency)
            comes_to = amount_words(self._balance_minor, account.currency)
            raise _broken(account, f"states {states}, but its entries come to {comes_to}")


def _broken(row: AccountLine, what: str) -> PayontapError:
    return BrokenBooks(f"account {row.account_id}", f"Account {row.account_id} {what}.")

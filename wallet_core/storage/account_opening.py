"""Accounts get their row and number when they are first needed.

They get it in a transaction of its own, before the batch that wants them is done again: what a
batch that fails leaves behind is an account on which nothing stands, and no batch holds a new row
that others wait for.
"""

from collections.abc import Mapping

from wallet_core.errors import PayontapError
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_COLUMNS = (
    *("id", "owner", "purpose", "currency", "wallet_id", "floor_minor"),
    *("balance_minor", "version"),
)


class MissingAccounts(PayontapError):
    """A batch touches accounts that are not there yet; nothing of it was written."""

    def __init__(self, refs: Mapping[str, AccountRef]) -> None:
        super().__init__(f"{len(refs)} accounts are not open")
        self.refs = refs


def open_accounts(refs: Mapping[str, AccountRef]) -> q.Work[None]:
    """Open accounts; those that somebody else has opened meanwhile stay as they are.

    With what a wallet can spend comes its account for held money, so that nobody's first tap has to
    wait for that.
    """
    held = [ref.held for ref in refs.values() if _is_spendable(ref)]
    opened = {**refs, **{ref.id: ref for ref in held}}
    rows = [_row(account_id, ref) for account_id, ref in sorted(opened.items())]
    yield q.Save([q.Insert(t.accounts, _COLUMNS, rows, if_absent=True)])


def _is_spendable(ref: AccountRef) -> bool:
    return ref.purpose is Purpose.AVAILABLE and ref.wallet_id is not None


def _row(account_id: str, ref: AccountRef) -> tuple[object, ...]:
    wallet_id = ref.wallet_id if _is_spendable(ref) else None
    return (
        *(account_id, ref.owner, ref.purpose, ref.currency, wallet_id, ref.floor_minor),
        *(0, 0),
    )

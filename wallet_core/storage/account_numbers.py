"""The numbers by which entries name their accounts.

An account's number never changes, so it is remembered; the memory is bounded. An account that
nobody has touched yet gets its row and number in a transaction of its own, before the batch that
wants it: what a batch that fails leaves behind is an account on which nothing stands.
"""

from collections.abc import Iterable, Mapping

import msgspec

from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.journal import text_bytes
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

#: Accounts that are remembered; about 500 bytes each.
REMEMBERED_MAX = 100_000

_COLUMNS = (
    *("id", "owner", "purpose", "currency", "wallet_id", "floor_minor"),
    *("balance_minor", "version"),
)


class NumberedAccount(msgspec.Struct, frozen=True):
    """An account, its number, and its id as it stands in the journal's leaves."""

    no: int
    ref: AccountRef
    floor_minor: int | None
    id_bytes: bytes


class AccountNumbers:
    """Account id → number, as far as they were needed lately."""

    def __init__(self) -> None:
        self._known: dict[str, NumberedAccount] = {}

    def known(self, account_ids: Iterable[str]) -> list[NumberedAccount]:
        """Those of the accounts that are remembered."""
        known = self._known
        return [known[account_id] for account_id in account_ids if account_id in known]

    def unknown(self, refs: Mapping[str, AccountRef]) -> dict[str, AccountRef]:
        """Those of the accounts that `find` has to be asked for."""
        known = self._known
        return {account_id: ref for account_id, ref in refs.items() if account_id not in known}

    def find(self, unknown: Mapping[str, AccountRef]) -> q.Work[dict[str, NumberedAccount]]:
        """Look up the numbers of accounts, and open those that are not there."""
        numbers = yield from _look_up(list(unknown))
        missing = sorted(account_id for account_id in unknown if account_id not in numbers)
        if missing:
            rows = [_row(account_id, unknown[account_id]) for account_id in missing]
            yield q.Save([q.Insert(t.accounts, _COLUMNS, rows, if_absent=True)])
            numbers.update((yield from _look_up(missing)))
        return {
            account_id: NumberedAccount(
                no, unknown[account_id], unknown[account_id].floor_minor, text_bytes(account_id)
            )
            for account_id, no in numbers.items()
        }

    def remember(self, found: Mapping[str, NumberedAccount]) -> None:
        """Keep what `find` has found, once it is committed."""
        if len(self._known) + len(found) > REMEMBERED_MAX:
            self._known.clear()
        self._known.update(found)


def _look_up(account_ids: list[str]) -> q.Work[dict[str, int]]:
    statement = q.fetch(t.accounts, ("id", "no"), ("id",))
    rows = yield q.Ask(statement, (account_ids,))
    return {row[0]: row[1] for row in rows}


def _row(account_id: str, ref: AccountRef) -> tuple[object, ...]:
    wallet_id = ref.wallet_id if ref.purpose is Purpose.AVAILABLE else None
    return (
        *(account_id, ref.owner, ref.purpose, ref.currency, wallet_id, ref.floor_minor),
        *(0, 0),
    )

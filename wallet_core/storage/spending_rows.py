"""What the rules of wallets need from the database: accounts, modes, limits, single payments."""

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.journal import text_bytes
from wallet_core.ledger.posting import AccountState, Books
from wallet_core.ledger.wallets import Payment, WalletMode, WalletRules, WalletState
from wallet_core.limits import MONTH_US, Spend, WalletLimits
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t
from wallet_core.storage.account_opening import MissingAccounts
from wallet_core.storage.entry_paths import path_back

Steps = Generator[q.Request, Any, None]
#: Entries of one account that are read at a time.
_PAGE = 500

_NEWEST = q.fetch(t.accounts, ("newest_entry_no",), ("id",))
_SPENDS_SQL = (
    "SELECT p.before_no, p.amount_minor, m.id, m.kind, m.hold_id, m.payee, m.created_at_us, "
    "h.captured_minor FROM path p JOIN transfers m ON m.id = p.transfer_id "
    "LEFT JOIN holds h ON h.id = m.hold_id ORDER BY p.seq DESC"
)
# A page of an account's entries, newest first, from a given one on.
_SPENDS = q.Statement(
    f"{path_back('($1::bigint[])[1]', '($2::integer[])[1]')} {_SPENDS_SQL}",
    f"{path_back('?1', '?2')} {_SPENDS_SQL}",
    (2, 4),
)


def wallets_with_fences(
    wallet_ids: Sequence[str],
) -> Generator[q.Request, Any, dict[str, WalletState]]:
    """Wallets whose fence cannot be raised before the transaction ends."""
    statement = q.fetch(t.wallets, ("id", "mode", "fence"), ("id",), lock=True)
    rows = yield q.Ask(statement, (wallet_ids,))
    return {row[0]: WalletState(WalletMode(row[1]), row[2]) for row in rows}


def wallets_seen(
    accounts: Sequence[q.Row], refs: Mapping[str, AccountRef], wanted: Collection[str]
) -> dict[str, WalletState]:
    """The wanted wallets whose spendable money is among `accounts`, as `Open` tells of them."""
    seen: dict[str, WalletState] = {}
    for account_id, _, _, _, _, _, mode, fence, *_ in accounts:
        wallet_id = refs[account_id].wallet_id
        if mode is not None and wallet_id in wanted and wallet_id is not None:
            seen[wallet_id] = WalletState(WalletMode(mode), fence)
    return seen


class SpendingRows:
    """Fills the rules of a batch with what is known of its payers."""

    def __init__(self, rules: WalletRules, books: Books) -> None:
        self._rules = rules
        self._books = books
        #: Wallets that are not just open, alone and without limits of their own.
        self.unlike_others: set[str | None] = set()
        self._own: dict[str, WalletLimits] = {}
        self._groups: dict[str, set[str]] = {}

    def see_accounts(
        self, rows: Sequence[q.Row], refs: Mapping[str, AccountRef], *, all_there: bool = True
    ) -> None:
        """Take accounts into the books, and the wallets that they belong to into the rules.

        Raises `MissingAccounts` where one is not open yet, and they should be `all_there`.
        """
        accounts = self._books.accounts
        for account_id, no, balance_minor, version, newest, spending, *wallet in rows:
            mode, fence, limits, group = wallet
            ref = refs[account_id]
            accounts[account_id] = AccountState(
                ref, ref.floor_minor, text_bytes(account_id), no,
                balance_minor, version, version, newest, spending,
            )  # fmt: skip
            # Nothing has to be known of a wallet that is open, alone and without limits of its own.
            if mode is not None and (mode != "open" or limits or group):
                self._see_wallet(ref.wallet_id or "", mode, fence, limits, group)
        if all_there and len(rows) < len(refs):
            raise MissingAccounts({i: ref for i, ref in refs.items() if i not in accounts})

    def _see_wallet(
        self, wallet_id: str, mode: str, fence: int, limits: str | None, group: str | None
    ) -> None:
        """A wallet whose spendable money the batch touches."""
        self.unlike_others.add(wallet_id)
        if wallet_id not in self._rules.wallets:
            self._rules.wallets[wallet_id] = WalletState(WalletMode(mode), fence)
        if limits:
            self._own[wallet_id] = WalletLimits.of_text(limits)
        if group is not None:
            self._groups.setdefault(group, set()).add(wallet_id)

    def load_groups(self, *, locks: bool) -> Steps:
        """The wallets that share limits with those that were seen.

        The group's row is locked: whoever pays from another wallet of it waits, or was waited for.
        Raises `NeedsLocks` where there are `locks` for nothing.
        """
        if self._groups and not locks:
            raise q.NeedsLocks("wallets share limits")
        if self._groups:
            groups = sorted(self._groups)
            yield q.Ask(q.fetch(t.limit_groups, ("id",), ("id",), lock=True), (groups,))
            columns = ("id", "mode", "fence", "limits", "limit_group")
            rows = yield q.Ask(q.fetch(t.wallets, columns, ("limit_group",)), (groups,))
            members: dict[str, list[str]] = {group: [] for group in groups}
            for wallet_id, mode, fence, limits, group in rows:
                self._see_wallet(wallet_id, mode, fence, limits, group)
                members[group].append(wallet_id)
            for group in groups:
                siblings = tuple(sorted(members[group]))
                for wallet_id in siblings:
                    state = self._rules.wallets[wallet_id]
                    self._rules.wallets[wallet_id] = msgspec.structs.replace(
                        state, siblings=siblings
                    )

    def settle_limits(self) -> None:
        """Which limits hold: to be called once the books know what time it is."""
        now_us, defaults = self._books.now_us, self._rules.defaults
        self._rules.limits = {
            (wallet_id, currency): limits.effective(currency, defaults(currency), now_us)
            for wallet_id, limits in self._own.items()
            for currency in limits.currencies
        }

    def load_spends(self, payment: Payment) -> Steps:
        """Single payments that count together with `payment`; since when its payee is known."""
        for account_id in self._rules.accounts_together(payment):
            if account_id not in self._rules.spends:
                spends = yield from self._spends_of(AccountRef.of_id(account_id))
                self._rules.spends[account_id] = spends
        pairs = [
            pair
            for sibling in self._rules.siblings_of(payment.wallet_id)
            if (pair := (sibling, payment.payee)) not in self._rules.payees
        ]
        if pairs:
            columns = ("wallet_id", "payee", "since_us")
            statement = q.fetch(t.payees, columns, ("wallet_id", "payee"))
            rows = yield q.Ask(statement, tuple(zip(*pairs, strict=True)))
            known = {(row[0], row[1]): row[2] for row in rows}
            self._rules.payees.update({pair: known.get(pair) for pair in pairs})

    def _spends_of(self, ref: AccountRef) -> Generator[q.Request, Any, tuple[Spend, ...]]:
        """What was spent from an account: as the database knows it, then in this very batch."""
        (next_no,) = [row[0] for row in (yield q.Ask(_NEWEST, ([ref.id],)))] or [None]
        since_us = self._books.now_us - MONTH_US
        spends: dict[UUID, Spend] = {}
        voided: set[UUID] = set()
        while next_no is not None:
            rows = yield q.Ask(_SPENDS, ([next_no], [_PAGE]))
            for before_no, amount_minor, transfer_id, kind, hold_id, payee, at_us, captured in rows:
                next_no = before_no
                if kind == "void":
                    # What was captured in part stays spent as a whole.
                    if not captured:
                        voided.add(hold_id)
                elif amount_minor < 0 and payee is not None:
                    _add(spends, Spend(transfer_id, at_us, -amount_minor, payee))
            if not rows or rows[-1][6] <= since_us:
                break
        self._add_this_batch(ref, spends, voided)
        return tuple(
            spend
            for spend in spends.values()
            if spend.at_us > since_us
            and spend.transfer_id not in voided
            and self._rules.is_spending(_payment(ref, spend))
        )

    def _add_this_batch(
        self, ref: AccountRef, spends: dict[UUID, Spend], voided: set[UUID]
    ) -> None:
        now_us = self._books.now_us
        for row in self._books.transfer_rows:
            for entry in row.entries:
                if entry.account.ref.id != ref.id:
                    continue
                if row.kind == "void" and row.hold_id is not None:
                    if not self._books.holds[row.hold_id].captured_minor:
                        voided.add(row.hold_id)
                elif entry.amount_minor < 0 and row.payee is not None:
                    _add(spends, Spend(row.id, now_us, -entry.amount_minor, row.payee))


def _add(spends: dict[UUID, Spend], spend: Spend) -> None:
    """Count an entry; a transfer may have taken from the account by several."""
    known = spends.get(spend.transfer_id)
    if known is not None:
        amount_minor = known.amount_minor + spend.amount_minor
        spend = msgspec.structs.replace(spend, amount_minor=amount_minor)
    spends[spend.transfer_id] = spend


def _payment(ref: AccountRef, spend: Spend) -> Payment:
    return Payment(ref.wallet_id or "", ref.id, ref.currency, spend.payee, spend.amount_minor)

"""One database transaction full of commits: lock, evaluate, write.

The books' part is evaluated in memory by `Books` and written set by set. Domain rows go through a
savepoint for each commit, so that one refused commit takes nothing of its neighbours with it.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Hold, Notice, Refresh, Written
from wallet_core.ledger.posting import AccountState, Books, WalletState
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    HoldState,
    Post,
    Transfer,
    Void,
    fingerprint,
)
from wallet_core.storage import tables as t
from wallet_core.storage.rows import apply_row, insert_if_absent, lock_rows

T = TypeVar("T")
Result = Written | Refused | KeyConflict
#: Values in one IN list; SQLite's own limit is far above it.
_IN_MAX = 500


class _Known(msgspec.Struct, frozen=True):
    """What stands under a commit key, and the fingerprint it was written with."""

    written: Written
    fingerprint: bytes


async def read_written(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, _Known]:
    """What stands under `keys`."""
    found: dict[str, _Known] = {}
    for part in _parts(keys):
        for row in await connection.execute(sa.select(t.commits).where(t.commits.c.key.in_(part))):
            found[row.key] = _Known(
                Written(
                    key=row.key,
                    created=False,
                    refusal=Refusal(row.refusal) if row.refusal else None,
                    result=row.result,
                    at_us=row.created_at_us,
                ),
                bytes(row.fingerprint),
            )
    return found


class Batch:
    """Writes `commits` in the transaction of `connection`, in their order."""

    def __init__(self, connection: AsyncConnection, commits: Sequence[Commit], now_us: int) -> None:
        self._connection = connection
        self._commits = commits
        self._books = Books(now_us)
        self._known: dict[str, _Known] = {}
        self._new: list[Commit] = []

    async def write(self) -> list[Result]:
        """All of it; a result for each commit. What is raised instead ends the transaction."""
        if not self._commits:
            return []
        self._known = await read_written(self._connection, [c.key for c in self._commits])
        fresh = [commit for commit in self._commits if commit.key not in self._known]
        await self._load(fresh)
        decided = [await self._decide(commit) for commit in self._commits]
        results = await self._look_again(decided)
        await self._save_books()
        await self._save_speech()
        await self._close_events(
            commit.event_id
            for commit, result in zip(self._commits, results, strict=True)
            if commit.event_id is not None and isinstance(result, Written)
        )
        return results

    async def _decide(self, commit: Commit) -> Result:
        known = self._known.get(commit.key)
        if known is not None:
            return self._as_known(commit, known)
        try:
            await self._apply(commit)
        except (Refused, KeyConflict) as refusal:
            return refusal
        written = Written(
            key=commit.key,
            created=True,
            refusal=commit.refusal,
            result=commit.result,
            at_us=self._books.now_us,
        )
        self._known[commit.key] = _Known(
            msgspec.structs.replace(written, created=False), fingerprint=_mark(commit)
        )
        self._new.append(commit)
        return written

    async def _look_again(self, results: list[Result]) -> list[Result]:
        """What was refused may stand: another process wrote it while this one waited for a lock."""
        pairs = list(zip(self._commits, results, strict=True))
        refused = [c.key for c, result in pairs if isinstance(result, Refused)]
        late = await read_written(self._connection, refused)
        return [
            self._as_known(commit, late[commit.key])
            if isinstance(result, Refused) and commit.key in late
            else result
            for commit, result in pairs
        ]

    @staticmethod
    def _as_known(commit: Commit, known: _Known) -> Result:
        if known.fingerprint != _mark(commit):
            return KeyConflict(f"{commit.key} stands with other parameters.")
        return known.written

    async def _apply(self, commit: Commit) -> None:
        take_back = self._books.apply(commit)
        if not commit.rows:
            return
        try:
            async with self._connection.begin_nested():
                for change in commit.rows:
                    await apply_row(self._connection, change)
        except Refused:
            take_back()
            raise

    # --- before: lock and read everything that the transfers touch ---------------------------

    async def _load(self, commits: Sequence[Commit]) -> None:
        """Lock in one order in all processes: wallets, holds, accounts, then the domain's rows."""
        transfers = [transfer for commit in commits for transfer in commit.transfers]
        await self._load_wallets(commits)
        refs: set[AccountRef] = set()
        hold_ids: set[UUID] = set()
        payees: dict[UUID, AccountRef] = {}
        for transfer in transfers:
            match transfer:
                case Post(legs=legs):
                    refs.update(leg.account for leg in legs)
                case Authorise(payer=payer, payee=payee):
                    refs.update((payer, payer.held))
                    payees[transfer.id] = payee
                case Capture(hold_id=hold_id) | Void(hold_id=hold_id):
                    hold_ids.add(hold_id)
        # A hold that is made and captured in one batch.
        refs.update(payee for hold_id, payee in payees.items() if hold_id in hold_ids)
        await self._load_holds(sorted(hold_ids))
        for hold in self._books.holds.values():
            payer = AccountRef.of_id(hold.payer_account_id)
            refs.update((payer, payer.held, AccountRef.of_id(hold.payee_account_id)))
        if refs:
            await self._load_accounts(sorted(refs, key=lambda ref: ref.id))
        await lock_rows(self._connection, [row for commit in commits for row in commit.rows])
        # Only now: what another process wrote while this one waited for its locks is seen.
        for part in _parts([transfer.id for transfer in transfers]):
            query = sa.select(t.transfers.c.id, t.transfers.c.fingerprint)
            for row in await self._connection.execute(query.where(t.transfers.c.id.in_(part))):
                self._books.known_transfers[row.id] = bytes(row.fingerprint)

    async def _load_wallets(self, commits: Sequence[Commit]) -> None:
        fenced = {wallet_id for commit in commits for wallet_id in commit.fences}
        paying = {
            ref.wallet_id
            for commit in commits
            for transfer in commit.transfers
            for ref in _debited(transfer)
        }
        states: dict[str, WalletState] = {}
        for wallet_ids, lock in ((fenced, True), (paying - fenced - {None}, False)):
            for part in _parts(sorted(str(wallet_id) for wallet_id in wallet_ids)):
                query = (
                    sa.select(t.wallets.c.id, t.wallets.c.frozen, t.wallets.c.fence)
                    .where(t.wallets.c.id.in_(part))
                    .order_by(t.wallets.c.id)
                )
                # A fence that is checked must not be raised before this transaction ends.
                query = query.with_for_update() if lock else query
                for row in await self._connection.execute(query):
                    states[row.id] = WalletState(row.frozen, row.fence)
        self._books.wallets = states

    async def _load_holds(self, hold_ids: Sequence[UUID]) -> None:
        for part in _parts(hold_ids):
            query = sa.select(t.holds).where(t.holds.c.id.in_(part)).order_by(t.holds.c.id)
            for row in await self._connection.execute(query.with_for_update()):
                self._books.holds[row.id] = Hold(**{**row._mapping, "state": HoldState(row.state)})

    async def _load_accounts(self, refs: Sequence[AccountRef]) -> None:
        by_id = {ref.id: ref for ref in refs}
        await self._lock_accounts(by_id)
        missing = {i: ref for i, ref in by_id.items() if i not in self._books.accounts}
        if missing:
            await self._connection.execute(
                insert_if_absent(self._connection, t.accounts),
                [
                    {
                        "id": account_id,
                        "owner": ref.owner,
                        "purpose": ref.purpose,
                        "currency": ref.currency,
                        "floor_minor": ref.floor_minor,
                        "balance_minor": 0,
                        "version": 0,
                    }
                    for account_id, ref in missing.items()
                ],
            )
            await self._lock_accounts(missing)

    async def _lock_accounts(self, by_id: dict[str, AccountRef]) -> None:
        for part in _parts(list(by_id)):
            query = (
                sa.select(t.accounts.c.id, t.accounts.c.balance_minor, t.accounts.c.version)
                .where(t.accounts.c.id.in_(part))
                .order_by(t.accounts.c.id)
                .with_for_update()
            )
            for row in await self._connection.execute(query):
                self._books.accounts[row.id] = AccountState(
                    by_id[row.id], row.balance_minor, row.version
                )

    # --- after: write what came of it, set by set --------------------------------------------

    async def _save_books(self) -> None:
        books = self._books
        await self._insert(
            t.commits,
            [
                {
                    "key": commit.key,
                    "fingerprint": self._known[commit.key].fingerprint,
                    "refusal": commit.refusal,
                    "result": commit.result,
                    "created_at_us": books.now_us,
                }
                for commit in self._new
            ],
        )
        await self._insert(
            t.transfers,
            [
                {
                    "id": row.id,
                    "kind": row.kind,
                    "fingerprint": row.fingerprint,
                    "subject": row.subject,
                    "hold_id": row.hold_id,
                    "commit_key": row.commit_key,
                    "created_at_us": books.now_us,
                }
                for row in books.transfer_rows
            ],
        )
        await self._save_holds()
        await self._save_accounts()

    async def _save_holds(self) -> None:
        new = {row.id for row in self._books.transfer_rows if row.kind == "authorise"}
        touched = [self._books.holds[hold_id] for hold_id in sorted(self._books.touched_holds)]
        await self._insert(
            t.holds, [msgspec.structs.asdict(hold) for hold in touched if hold.id in new]
        )
        ended = [hold for hold in touched if hold.id not in new]
        if ended:
            await self._connection.execute(
                sa.update(t.holds)
                .where(t.holds.c.id == sa.bindparam("hold"))
                .values(state=sa.bindparam("ended")),
                [{"hold": hold.id, "ended": hold.state} for hold in ended],
            )

    async def _save_accounts(self) -> None:
        entry_rows = self._books.entry_rows
        changed = sorted({entry.account_id for entry in entry_rows})
        if not changed:
            return
        accounts = [self._books.accounts[account_id] for account_id in changed]
        await self._connection.execute(
            sa.update(t.accounts)
            .where(t.accounts.c.id == sa.bindparam("account"))
            .values(balance_minor=sa.bindparam("balance"), version=sa.bindparam("entries")),
            [
                {"account": a.ref.id, "balance": a.balance_minor, "entries": a.version}
                for a in accounts
            ],
        )
        await self._insert(
            t.entries,
            [
                {
                    "account_id": entry.account_id,
                    "seq": entry.seq,
                    "transfer_id": entry.transfer_id,
                    "amount_minor": entry.amount_minor,
                    "balance_after_minor": entry.balance_after_minor,
                }
                for entry in entry_rows
            ],
        )

    async def _save_speech(self) -> None:
        notices = [n for c in self._new for n in c.outbox if isinstance(n, Notice)]
        if notices:
            await self._connection.execute(
                insert_if_absent(self._connection, t.outbox),
                [self._outbox_row(notice) for notice in notices],
            )
        for commit in self._new:
            for refresh in commit.outbox:
                if isinstance(refresh, Refresh):
                    await self._refresh(refresh, commit.key)

    async def _close_events(self, event_ids: Iterable[str]) -> None:
        for part in _parts(list(event_ids)):
            await self._connection.execute(
                sa.update(t.inbox).where(t.inbox.c.event_id.in_(part)).values(state="done")
            )

    def _outbox_row(self, notice: Notice) -> dict[str, Any]:
        return {
            **msgspec.structs.asdict(notice),
            "settled": True,
            "state": "due",
            "tries": 0,
            "due_at_us": self._books.now_us,
        }

    async def _refresh(self, refresh: Refresh, commit_key: str) -> None:
        """Put an edit into the outbox for every message that shows the view."""
        shown = t.outbox
        suffix = "#" + blake2b(commit_key.encode(), digest_size=8).hexdigest()
        columns = ["send_id", "network", "room_id", "person_id", "view", "ref", "edits"]
        edits = sa.select(
            shown.c.send_id + suffix,
            *(shown.c[name] for name in columns[1:-1]),
            shown.c.send_id,
            sa.literal(refresh.settled),
            sa.literal("due"),
            sa.literal(0),
            sa.literal(self._books.now_us, sa.BigInteger()),
        ).where(
            shown.c.view == refresh.view,
            shown.c.ref == refresh.ref,
            shown.c.edits.is_(None),
            shown.c.state.in_(("due", "sent")),
        )
        await self._connection.execute(
            insert_if_absent(self._connection, t.outbox).from_select(
                [*columns, "settled", "state", "tries", "due_at_us"], edits
            )
        )

    async def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            await self._connection.execute(sa.insert(table), rows)


def _mark(commit: Commit) -> bytes:
    return fingerprint([commit.transfers, commit.rows, commit.refusal])


def _debited(transfer: Transfer) -> Iterable[AccountRef]:
    match transfer:
        case Post(legs=legs):
            return [leg.account for leg in legs if leg.amount_minor < 0]
        case Authorise(payer=payer):
            return [payer]
        case _:
            return []


def _parts(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[i : i + _IN_MAX] for i in range(0, len(values), _IN_MAX))

"""The one way to write: a `Commit` stands in the database as a whole or not at all.

It carries transfers, changes to domain rows, and what is to be said about them, under a key that
the caller makes (usually the id of the event that caused it). The writer may put many commits in
one database transaction; each has its own result.
"""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

import msgspec

from wallet_core.errors import Refusal
from wallet_core.ledger.transfers import HoldState, Transfer

Value = str | int | bool | bytes | None | UUID


class Insert(msgspec.Struct, frozen=True, tag="insert"):
    """A new row. If its key is taken: `Refused(refusal)`, or nothing where `if_absent`."""

    table: str
    values: Mapping[str, Value]
    if_absent: bool = False
    refusal: Refusal = Refusal.TAKEN


class Update(msgspec.Struct, frozen=True, kw_only=True, tag="update"):
    """Changes exactly one row that still looks as expected; otherwise `Refused(refusal)`.

    `where` are equalities. `add` raises number columns. `keep_within` are pairs (column, bound):
    after the change the column may not be greater than the bound column, which None leaves open.
    """

    table: str
    where: Mapping[str, Value]
    values: Mapping[str, Value] = {}
    add: Mapping[str, int] = {}
    keep_within: tuple[tuple[str, str], ...] = ()
    refusal: Refusal = Refusal.CHANGED


RowChange = Insert | Update


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say, sent at least once under its `send_id`.

    Either `body` is a finished card, or `view` and `ref` name something whose card is made when
    it is sent, from what is true at that moment. `person_id` makes it private. The core reads
    none of it.
    """

    send_id: str
    network: str
    room_id: str
    person_id: str | None = None
    reply_to_ref: str | None = None
    view: str = ""
    ref: str = ""
    body: bytes | None = None


class Refresh(msgspec.Struct, frozen=True, kw_only=True):
    """All cards that show (`view`, `ref`) are to be brought up to date.

    `settled` is False for a passing change, which only networks with cheap edits show; with
    `as_shown` one that was passing is settled, and those networks have nothing to change.
    """

    view: str
    ref: str
    settled: bool = True
    as_shown: bool = False


class Commit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is written together.

    `key`: caller-made and kept for ever; the same key with the same `transfers`, `rows` and
    `refusal` changes nothing. A commit of nothing but transfers needs none: their own ids are kept
    for ever too, and serve as well. `event_id`: the inbox event that is done with this. `fences`:
    wallet id → fence of the lease under which this was decided; a newer grant refuses it.
    `refusal`: this commit records that the answer was no. `result`: short text that a repeated
    request gets back.
    """

    key: str = ""
    transfers: tuple[Transfer, ...] = ()
    rows: tuple[RowChange, ...] = ()
    outbox: tuple[Notice | Refresh, ...] = ()
    event_id: str | None = None
    fences: Mapping[str, int] = {}
    refusal: Refusal | None = None
    result: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for a commit without a name of its own that is more than transfers."""
        if not self.key and (self.rows or self.outbox or self.event_id or not self.transfers):
            raise ValueError("only a commit of nothing but transfers can do without a key")


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What stands under a key (or the transfers' ids); `created` is False if it stood before.

    It tells of the key alone: transfers that stood already move nothing a second time, though the
    commit under whose new key they come again is created.
    """

    key: str
    created: bool
    refusal: Refusal | None = None
    result: str = ""
    at_us: int = 0


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as it stands. Times are microseconds since the epoch by the database's clock."""

    id: UUID
    payer_account_id: str
    payee_account_id: str
    amount_minor: int
    captured_minor: int = 0
    currency: str
    state: HoldState
    ending: str
    due_at_us: int
    subject: str

    @property
    def left_minor(self) -> int:
        """What of an open hold is not captured yet."""
        return self.amount_minor - self.captured_minor


class WriterPort(Protocol):
    """The one way to write."""

    async def commit(self, commit: Commit) -> Written:
        """Write `commit` as a whole.

        Raises `Refused` when a rule forbids it (nothing was written), `KeyConflict` when the key
        or a transfer id stands with other parameters, `Unwritable` for what can never be written
        (nothing was; asking again does not help), `StorageUnavailable` when the database is away
        (unknown; ask again under the same key).
        """

    async def written(self, key: str) -> Written | None:
        """What stands under `key`, or None."""

    async def raise_fence(self, wallet_id: str) -> int:
        """Raise a wallet's fence and give the new value; older leases can commit no more."""

"""The rows that an audit looks at, as the reader joins them. Amounts are in minor units."""

from uuid import UUID

import msgspec


class AccountLine(msgspec.Struct, frozen=True):
    """An account beside one of its entries; the entry's fields are None where it has none."""

    account_id: str
    owner: str
    purpose: str
    currency: str
    wallet_id: str | None
    floor_minor: int | None
    balance_minor: int
    version: int
    newest_entry_no: int | None
    no: int | None
    seq: int | None
    before_no: int | None
    amount_minor: int | None
    balance_after_minor: int | None


class MovementLine(msgspec.Struct, frozen=True):
    """A transfer beside one of its entries and the hold that it made, took from or ended.

    `account_id` and `currency` are None for a transfer without entries, `payer_account_id` and
    what follows for one without a hold.
    """

    transfer_id: UUID
    kind: str
    hold_id: UUID | None
    payee: str | None
    account_id: str | None
    currency: str | None
    amount_minor: int | None
    payer_account_id: str | None
    payee_account_id: str | None
    hold_amount_minor: int | None
    hold_captured_minor: int | None
    hold_currency: str | None
    hold_state: str | None


class HeldLine(msgspec.Struct, frozen=True):
    """An account for held money: what stands on it, and what the open holds' entries come to."""

    account_id: str
    currency: str
    balance_minor: int
    open_minor: int


class SpendingLine(msgspec.Struct, frozen=True):
    """What a wallet's payments of the last day and the last 30 days come to, and what it counts."""

    account_id: str
    currency: str
    spending: bytes | None
    now_us: int
    day_minor: int
    month_minor: int


class JournalLine(msgspec.Struct, frozen=True):
    """A transfer in its place of the journal, beside one of its entries, its batch and its chain.

    The entry's fields are None where it has none, the batch's and the chain's where those are
    missing.
    """

    chain_no: int
    batch_no: int
    place: int
    transfer_id: UUID
    kind: str
    hold_id: UUID | None
    fingerprint: bytes
    subject: str
    payee: str | None
    commit_key: str
    at_us: int
    leaf: bytes
    account_id: str | None
    entry_no: int | None
    seq: int | None
    amount_minor: int | None
    balance_after_minor: int | None
    transfer_count: int | None
    batch_hash: bytes | None
    batch_at_us: int | None
    length: int | None
    head: bytes | None


class OrderLine(msgspec.Struct, frozen=True):
    """An order beside its hold, its offer's host and its quote, and what was given back."""

    id: str
    number: str
    state: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    wallet_id: str
    merchant_id: str
    accepted: bool
    payer_account_id: str | None
    payee_account_id: str | None
    hold_amount_minor: int | None
    hold_captured_minor: int | None
    hold_currency: str | None
    hold_state: str | None
    hold_ending: str | None
    hold_subject: str | None
    host: str | None
    moved_refunded_minor: int
    price_minor: int | None
    price_currency: str | None
    offer_id: str
    quote_offer_id: str | None
    quote_merchant_id: str | None


class StrayLine(msgspec.Struct, frozen=True):
    """A row whose partner is missing; `sentence` says which."""

    row: str
    sentence: str

"""The rows that an audit looks at, as the reader joins them. Amounts are in minor units."""

from uuid import UUID

import msgspec


class AccountLine(msgspec.Struct, frozen=True):
    """An account beside one of its entries; the entry's fields are None where it has none."""

    account_id: str
    owner: str
    purpose: str
    currency: str
    floor_minor: int | None
    balance_minor: int
    version: int
    seq: int | None
    amount_minor: int | None
    balance_after_minor: int | None


class MovementLine(msgspec.Struct, frozen=True):
    """A transfer beside one of its entries and the hold that it made or ended.

    `account_id` and `currency` are None for a transfer without entries, `payer_account_id` and
    what follows for one without a hold.
    """

    transfer_id: UUID
    kind: str
    hold_id: UUID | None
    account_id: str | None
    currency: str | None
    amount_minor: int | None
    payer_account_id: str | None
    payee_account_id: str | None
    hold_amount_minor: int | None
    hold_currency: str | None
    hold_state: str | None


class HeldLine(msgspec.Struct, frozen=True):
    """An account for held money: what stands on it, and what the open holds' entries come to."""

    account_id: str
    currency: str
    balance_minor: int
    open_minor: int


class OrderLine(msgspec.Struct, frozen=True):
    """An order beside its hold, and what the transfers say was captured and given back."""

    id: str
    number: str
    state: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    wallet_id: str
    merchant_id: str
    payer_account_id: str | None
    payee_account_id: str | None
    hold_amount_minor: int | None
    hold_currency: str | None
    hold_state: str | None
    hold_subject: str | None
    moved_captured_minor: int
    moved_refunded_minor: int


class PayoutLine(msgspec.Struct, frozen=True):
    """A request to pay money out beside its hold."""

    code: str
    state: str
    owner: str
    amount_minor: int
    currency: str
    payer_account_id: str | None
    hold_amount_minor: int | None
    hold_state: str | None


class StrayLine(msgspec.Struct, frozen=True):
    """A row whose partner is missing; `sentence` says which."""

    row: str
    sentence: str

"""The rows about trade that an audit looks at, as the reader joins them. Amounts are minor units.

Where a row stands beside the entries of its transfer, `transfer_id` and what follows are None for
one without; `account_id` and `moved_minor` are one entry.
"""

from uuid import UUID

import msgspec


class Moved(msgspec.Struct, frozen=True):
    """An entry of the transfer that carries a row out."""

    transfer_id: UUID | None
    transfer_kind: str | None
    account_id: str | None
    moved_minor: int | None


class SettlementLine(Moved, frozen=True):
    """Pending money of a capture, beside an entry of the transfer that made it available.

    `earned_minor` is what the capture of the same id has put on the merchant's pending account.
    """

    id: UUID
    order_id: str
    merchant_id: str
    currency: str
    amount_minor: int
    state: str
    capture_kind: str | None
    capture_subject: str | None
    earned_minor: int


class EarnedLine(msgspec.Struct, frozen=True):
    """What transfers about one thing have left on a pending account, and its settlements' sum."""

    subject: str
    account_id: str
    currency: str
    moved_minor: int
    settlements_minor: int


class ConversionLine(Moved, frozen=True):
    """A quote for a conversion or one that was carried out, beside an entry of its transfer.

    `price_minor` and `price_currency` are of the quote that it is to pay for, None without one.
    """

    id: str
    wallet_id: str
    quote_id: str | None
    source: str
    rate: str
    spread_ppm: int
    sold_minor: int
    sold_currency: str
    bought_minor: int
    bought_currency: str
    state: str
    price_minor: int | None
    price_currency: str | None


class TopUpLine(Moved, frozen=True):
    """A request to bring money in, beside an entry of its transfer."""

    id: str
    code: str
    kind: str
    state: str
    owner: str
    provider: str
    amount_minor: int
    currency: str


class PayoutLine(msgspec.Struct, frozen=True):
    """A request to pay money out beside its hold."""

    id: str
    code: str
    state: str
    owner: str
    provider: str
    amount_minor: int
    currency: str
    payer_account_id: str | None
    payee_account_id: str | None
    hold_amount_minor: int | None
    hold_captured_minor: int | None
    hold_state: str | None
    hold_ending: str | None
    hold_subject: str | None


class TakenLine(msgspec.Struct, frozen=True):
    """What an order says was taken for the house, beside one account of the house.

    `took_minor` came there by its captures, `returned_minor` went back with its refunds.
    """

    id: str
    number: str
    currency: str
    taken: str | None
    account_id: str | None
    took_minor: int
    returned_minor: int


class ConsentedLine(msgspec.Struct, frozen=True):
    """An order that was paid by a consent, as it is counted; `number` is None without the order."""

    counted_with: str
    n: int
    order_id: str
    number: str | None

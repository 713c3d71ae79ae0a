"""What happened, for whoever has to find words for it.

The core decides and writes; the conversation says. Its `Announcer` turns news into notices before
the commit, so that what is said stands in the same transaction as what was done.
"""

from typing import Protocol

import msgspec

from wallet_core.commerce.conversion import Conversion
from wallet_core.commerce.records import FundingRequest, Merchant, Order, Place, Quote, Speech
from wallet_core.errors import Refusal
from wallet_core.ledger.allowance import Allowance
from wallet_core.money import Money


class Authorised(msgspec.Struct, frozen=True, kw_only=True):
    """A tap holds the money; `standing` tells that capture follows without the merchant.

    `merchant` is None where it is held for whoever proves the host.
    """

    event_id: str
    order: Order
    merchant: Merchant | None
    standing: bool


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A tap on something that this payer has already, or is already paying."""

    event_id: str
    order: Order
    place: Place


class TapRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A tap moved nothing. `balance` and `allowance` are the payer's, where they matter.

    `conversion` offers to pay with another currency, `offered` to pay what it costs by now. `why`
    is one sentence, where the code does not say it all.
    """

    event_id: str
    code: Refusal
    place: Place
    quote: Quote | None = None
    balance: Money | None = None
    allowance: Allowance | None = None
    conversion: Conversion | None = None
    offered: Quote | None = None
    why: str = ""


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An order went on: paid, undone, declined, expired, accepted or refunded.

    `refund` is what this step gave back. `place` is who caused it, if somebody did. `merchant` is
    None where the money was held for whoever proves `host`, and nobody did.
    """

    cause: str
    order: Order
    merchant: Merchant | None
    refund: Money | None = None
    place: Place | None = None
    host: str = ""


class HostClaimed(msgspec.Struct, frozen=True, kw_only=True):
    """An order's money was held for whoever proves `host`, and now `merchant` has."""

    cause: str
    order: Order
    merchant: Merchant
    host: str


class ActionRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Something other than a tap on Pay was refused; nothing moved.

    `request` is the top-up or payout that it was about, as it stands by now.
    """

    event_id: str
    action: str
    code: Refusal
    place: Place
    order: Order | None = None
    money: Money | None = None
    balance: Money | None = None
    request: FundingRequest | None = None
    text: str = ""


class FundingChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A top-up or payout was asked for or has ended, or a payout was taken back or has expired."""

    event_id: str
    request: FundingRequest
    place: Place


News = (
    Authorised | Joined | TapRefused | OrderChanged | HostClaimed | ActionRefused | FundingChanged
)


class Announcer(Protocol):
    """Finds the words. Must be quick and must not fail: it stands between decision and commit."""

    def __call__(self, news: News) -> Speech:
        """What is to be said about `news`."""

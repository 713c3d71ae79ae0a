"""What trade asks of the storage. Readers see committed rows only."""

from collections.abc import Sequence
from typing import Protocol

from wallet_core.commerce.records import (
    ConsentedSum,
    FundingRequest,
    HostClaim,
    Merchant,
    Order,
    TapFacts,
)
from wallet_core.commerce.settlement import PendingMoney
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.allowance import Allowance
from wallet_core.ledger.commits import Hold


class OrderReader(Protocol):
    """Quotes, attempts and orders."""

    async def tap_facts(self, quote_id: str, wallet_id: str) -> TapFacts | None:
        """What a tap of this wallet on a quote is decided on; None for no such quote."""

    async def consented_sum(self, wallet_id: str, currency: str, since_us: int) -> ConsentedSum:
        """What this wallet has paid after `since_us` because that had been allowed beforehand."""

    async def order(self, order_id: str) -> Order | None:
        """One order by its id."""

    async def order_of_tap(self, tap_ref: str, person_id: str) -> Order | None:
        """The order that a tap of this person made."""

    async def merchant(self, merchant_id: str) -> Merchant | None:
        """One merchant."""

    async def is_member(self, merchant_id: str, person_id: str) -> bool:
        """Whether this person acts for the merchant."""

    async def is_heard_and_open(self, until_us: int, but_event_id: str) -> bool:
        """Whether an event that was heard up to then, but this one, waits to be worked on."""

    async def balance_minor(self, account: AccountRef) -> int:
        """An account's balance; 0 for one that has no entries yet."""

    async def pending_of_order(self, order_id: str) -> Sequence[PendingMoney]:
        """What is left on the merchant's pending account of an order's captures, newest first."""

    async def allowance(self, wallet_id: str, currency: str) -> Allowance:
        """What a wallet may still spend of a currency."""


class DueReader(Protocol):
    """What has fallen due."""

    async def due_holds(self, limit: int) -> Sequence[Hold]:
        """Open holds whose ending is due and before which no heard event waits to be worked on."""

    async def hold(self, hold_id: object) -> Hold | None:
        """One hold."""


class MerchantReader(Protocol):
    """Merchants and their hosts."""

    async def merchant_of_host(self, host: str) -> Merchant | None:
        """Who has proven that `host` is his."""

    async def merchants_of(self, person_id: str) -> Sequence[Merchant]:
        """The shops that this person acts for, oldest first."""

    async def host_claims(self, merchant_id: str) -> Sequence[HostClaim]:
        """The hosts that a merchant claims."""


class FundingReader(Protocol):
    """Top-ups and payouts."""

    async def funding_request(self, code: str) -> FundingRequest | None:
        """One request by the code that people read out."""

    async def funding_request_of_hold(self, hold_id: object) -> FundingRequest | None:
        """The payout that a hold belongs to."""

    async def payout_asks(self, code: str) -> Sequence[str]:
        """How the messages stand that ask a network for a payout: `due`, `sent` or `dropped`."""

    async def owns_wallet(self, person_id: str, wallet_id: str) -> bool:
        """Whether a wallet is this person's."""

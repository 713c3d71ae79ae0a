"""What trade is made of. Amounts are in minor units, instants microseconds since the epoch."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from wallet_core.ledger.commits import Notice, Refresh
from wallet_core.money import Money

#: Whose an order is while its money waits for whoever proves the host.
NOBODY = ""


class Place(msgspec.Struct, frozen=True):
    """Where somebody acted, as the network names it. The core only hands it back."""

    network: str
    room_id: str
    network_person_id: str


class Payer(msgspec.Struct, frozen=True):
    """A person and the wallet that he pays from."""

    person_id: str
    wallet_id: str


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """A shop. Its room gets the orders; `standing_acceptance` takes each order at once.

    `commission_ppm`: what the house gets of each payment, in millionths; an admin sets it.
    """

    id: str
    name: str
    network: str
    room_id: str
    standing_acceptance: bool
    commission_ppm: int | None = None


class HostClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant says that `host` is his; it counts once `verified_host` is set.

    `host` carries a port where the address does. Verification covers exactly this host.

    `seen_at_us`: when the proof was last seen. `check_due_us`: when it is looked for again, None
    for never. `stage` says how far the loss of a proof has gone (`host_checks.Stage`; None: all is
    well), `failure` what is wrong with it and `failing_since_us` since when.
    """

    merchant_id: str
    host: str
    token: str
    verified_host: str | None
    method: str | None
    seen_at_us: int | None = None
    check_due_us: int | None = None
    stage: str | None = None
    failure: str | None = None
    failing_since_us: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A product page as it was last seen. `picture` is what the network needs to show it."""

    id: str
    url: str
    host: str
    merchant_id: str | None
    title: str
    sku: str | None
    picture: str | None
    availability: str | None
    stock_total: int | None
    stock_page: int | None
    sold: int

    @property
    def stock_left(self) -> int | None:
        """How many can still be bought; None where nobody counts."""
        return None if self.stock_total is None else max(0, self.stock_total - self.sold)


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen price, and what it is of. `trust` is how far it may be charged, `reason` why.

    `read_at_us`: when the price was read from its page, None where it comes from elsewhere.
    `title`, `sku` and `url` are those of the product as it was then: one offer may have variants,
    and its page changes.
    """

    id: str
    offer_id: str
    merchant_id: str | None
    amount_minor: int | None
    currency: str | None
    trust: str
    reason: str
    seller: str
    created_at_us: int
    expires_at_us: int
    read_at_us: int | None = None
    title: str
    sku: str | None = None
    url: str

    @property
    def price(self) -> Money | None:
        """The amount, where one is known."""
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)

    @property
    def can_be_tapped(self) -> bool:
        """Whether a tap on it may hold money."""
        held = self.trust in ("payable", "hold") or self.waits_for_owner
        return held and self.amount_minor is not None and self.currency is not None

    @property
    def is_payable(self) -> bool:
        """Whether the merchant himself has named the price, so that he has agreed beforehand."""
        return self.trust == "payable"

    @property
    def waits_for_owner(self) -> bool:
        """Whether a tap on it holds money for whoever proves the host."""
        return self.trust == "escrow" and self.merchant_id is None


class OrderState(StrEnum):
    """Where an order stands."""

    AUTHORISED = "authorised"
    PAID = "paid"
    UNDONE = "undone"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUNDED = "refunded"


#: The buyer has it or is about to.
STANDING = (OrderState.AUTHORISED, OrderState.PAID)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Something bought, or being bought: one order has one hold.

    `merchant_id` is `NOBODY` while its money waits for whoever proves the host.
    `taken` is JSON: what was taken of its captures for others, and what of it went back.
    """

    id: str
    number: str
    quote_id: str
    offer_id: str
    merchant_id: str
    wallet_id: str
    hold_id: UUID
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    title: str
    state: str
    accepted: bool
    network: str
    room_id: str
    network_person_id: str
    created_at_us: int
    taken: str | None = None

    @property
    def price(self) -> Money:
        """What was agreed."""
        return Money(self.amount_minor, self.currency)

    @property
    def captured(self) -> Money:
        """What of it was captured."""
        return Money(self.captured_minor, self.currency)

    @property
    def taken_by_account(self) -> Mapping[str, tuple[int, int]]:
        """By account: what was taken of the captures for others, and what of it went back."""
        return _decode_taken(self.taken) if self.taken else {}

    @property
    def fee(self) -> Money:
        """What others than the merchant keep of it: fee, commission and tax."""
        kept = sum(took - returned for took, returned in self.taken_by_account.values())
        return Money(kept, self.currency)

    @property
    def refundable(self) -> Money:
        """What was captured and not yet given back."""
        return Money(self.captured_minor - self.refunded_minor, self.currency)

    @property
    def place(self) -> Place:
        """Where its buyer tapped."""
        return Place(self.network, self.room_id, self.network_person_id)

    @property
    def stands(self) -> bool:
        """Whether the buyer has it or is about to: a further tap is not another purchase."""
        return self.state in STANDING


class ConsentedSum(msgspec.Struct, frozen=True):
    """What was paid lately because its payer had allowed such payments beforehand.

    `n` is the number of the latest such payment among all that are `counted_with` it.
    """

    counted_with: str
    n: int
    spent_minor: int


class TapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a tap is decided on: the quote, what it is for, and what its payer did with it so far.

    `person_id` is whose wallet taps, and all that he has count together. `n` numbers the latest
    attempt, 0 for none; `order` is the one that stands, or else the latest. `fence` is of the
    wallet's newest lease: who takes the next one has seen everything. `host` is the offer's.
    `host_lost`: the merchant's proof of it is lost. `host_claimed`: when the quote was made nobody
    had proven it, and now somebody has. `sold_out`: nothing of it is left.
    """

    quote: Quote
    merchant: Merchant | None
    person_id: str | None
    n: int
    order: Order | None
    fence: int
    host: str = ""
    host_lost: bool = False
    host_claimed: bool = False
    sold_out: bool = False


class ShownOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What the card behind a button shows; `bought_count` people have bought through it.

    `host_lost` and `host_claimed` as in `TapFacts`.
    """

    quote: Quote
    offer: Offer
    bought_count: int
    host_lost: bool = False
    host_claimed: bool = False


_decode_taken = msgspec.json.Decoder(dict[str, tuple[int, int]]).decode


def taken_text(taken: Mapping[str, tuple[int, int]]) -> str | None:
    """What was taken of an order, as its row keeps it; None for nothing."""
    return msgspec.json.encode(taken, order="deterministic").decode() if taken else None


#: Providers whose network tells by events of its own when a payout is done.
NETWORK_SETTLED = frozenset({"telegram-stars"})
#: Providers whose payouts a person hands over once they are confirmed here: till then nobody
#: outside can have paid them. Of any other it is unknown how far a payout is once it was asked.
HANDED_OVER = frozenset({"cash"})
#: The view of the message that asks a network for such a payout; its `ref` is the payout's code.
PAYOUT_ASKED = "payout asked"


class FundingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Money that is to come in (`topup`) or to go out (`payout`) through a provider.

    `quote_id`: what a top-up was asked for, because a tap on it had too little money.
    """

    id: str
    code: str
    kind: str
    provider: str
    owner: str
    amount_minor: int
    currency: str
    state: str
    hold_id: UUID | None
    instructions: str
    network: str
    room_id: str
    network_person_id: str
    created_at_us: int
    quote_id: str | None = None

    @property
    def money(self) -> Money:
        """How much."""
        return Money(self.amount_minor, self.currency)

    @property
    def place(self) -> Place:
        """Where it was asked for."""
        return Place(self.network, self.room_id, self.network_person_id)

    @property
    def is_network_settled(self) -> bool:
        """Whether its network says how it ends, and neither an admin nor the clock."""
        return self.provider in NETWORK_SETTLED

    @property
    def can_be_taken_back(self) -> bool:
        """Whether it is a payout that waits, and that nobody can have paid yet."""
        waits = self.kind == "payout" and self.state == "pending"
        return waits and self.provider in HANDED_OVER


Speech = tuple[Notice | Refresh, ...]

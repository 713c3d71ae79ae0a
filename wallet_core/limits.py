"""How much a wallet may spend: the rules, and what has been spent in rolling windows.

A limit counts what leaves a wallet for somebody else: a merchant, another person, a host's escrow.
Money that goes back to its owner (a payout, a conversion, a transfer between own wallets) is no
spending, and nobody who would be spent on may get a part of it. A payment whose hold ends without
money gives its share of the limit back; a refund does not. Windows roll: a day is the last 24
hours, a month the last 30 days.
"""

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import TypeVar
from uuid import UUID

import msgspec

DAY_US = 24 * 3600 * 1_000_000
MONTH_US = 30 * DAY_US
#: No payee counts as new for longer than the longest window that is kept.
NEW_PAYEE_DELAY_S_MAX = 30 * 24 * 3600


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that may be spent of one currency, in minor units; None: no limit.

    `payment_max_minor` is for one payment, `day_max_minor` and `month_max_minor` for rolling
    windows, `payee_day_max_minor` for one payee in a day. For `new_payee_delay_s` seconds after the
    first contact with a payee, at most `new_payee_max_minor` may go to him.
    """

    payment_max_minor: int | None = None
    day_max_minor: int | None = None
    month_max_minor: int | None = None
    payee_day_max_minor: int | None = None
    new_payee_max_minor: int | None = None
    new_payee_delay_s: int = 0

    @property
    def watches_payees(self) -> bool:
        """Whether it matters since when a payee is known."""
        return self.new_payee_max_minor is not None and self.new_payee_delay_s > 0

    def stricter(self, other: "Limits") -> "Limits":
        """What allows no more than either of the two."""
        least = {
            name: min((a for a in (getattr(self, name), getattr(other, name)) if a is not None),
                      default=None)
            for name in self.__struct_fields__
            if name != "new_payee_delay_s"
        }  # fmt: skip
        delay_s = max(self.new_payee_delay_s, other.new_payee_delay_s)
        return Limits(new_payee_delay_s=delay_s, **least)


NO_LIMITS = Limits()


class Loosening(msgspec.Struct, frozen=True):
    """A person's own limits as they were before he loosened them; they hold until `until_us`."""

    limits: Limits
    until_us: int


class WalletLimits(msgspec.Struct, frozen=True, kw_only=True, rename={"own": "self"}):
    """The limits that were set for one wallet, by currency, as its row keeps them in JSON.

    `admin` holds instead of the defaults. `own` is what its owner wants for himself; it only makes
    stricter. A stricter one holds at once, a looser one after `LOOSENING_DELAY_S`, so that nobody
    who has somebody else's phone, or a weak moment, undoes it on the spot.
    """

    admin: Mapping[str, Limits] = {}
    own: Mapping[str, Limits] = {}
    loosening: Mapping[str, Loosening] = {}

    @classmethod
    def of_text(cls, text: str | None) -> "WalletLimits":
        """The limits in a wallet's row."""
        return _decode(text) if text else cls()

    def text(self) -> str | None:
        """The limits as a row keeps them; None for none at all."""
        return None if self == WalletLimits() else _encode(self).decode()

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies that any of them is about."""
        return frozenset({*self.admin, *self.own, *self.loosening})

    def allowed(self, currency: str, default: Limits) -> Limits:
        """The most that the owner may allow himself."""
        return self.admin.get(currency, default)

    def wanted(self, currency: str, now_us: int) -> Limits:
        """What the owner wants, as far as it holds already."""
        own = self.own.get(currency, NO_LIMITS)
        before = self.loosening.get(currency)
        return own.stricter(before.limits) if before and before.until_us > now_us else own

    def effective(self, currency: str, default: Limits, now_us: int) -> Limits:
        """What holds."""
        return self.allowed(currency, default).stricter(self.wanted(currency, now_us))

    def with_admin(self, currency: str, limits: Limits | None) -> "WalletLimits":
        """The same after an admin has set limits, or has gone back to the defaults (None)."""
        return msgspec.structs.replace(self, admin=_with(self.admin, currency, limits))

    def with_own(self, currency: str, limits: Limits, now_us: int) -> "WalletLimits":
        """The same after its owner has set his own."""
        held = self.wanted(currency, now_us)
        stricter = held.stricter(limits) == limits
        until_us = now_us + LOOSENING_DELAY_S * 1_000_000
        before = None if stricter else Loosening(held, until_us)
        own = None if limits == NO_LIMITS else limits
        return msgspec.structs.replace(
            self,
            own=_with(self.own, currency, own),
            loosening=_with(self.loosening, currency, before),
        )


#: How long a person's own limit still holds after he has loosened it.
LOOSENING_DELAY_S = 24 * 3600

V = TypeVar("V")


def _with(mapping: Mapping[str, V], key: str, value: V | None) -> Mapping[str, V]:
    rest = {name: old for name, old in mapping.items() if name != key}
    return rest if value is None else {**rest, key: value}


_SPENDING = Struct(">6q")
_decode = msgspec.json.Decoder(WalletLimits).decode
_encode = msgspec.json.Encoder(order="deterministic").encode

LimitsOf = Callable[[str], Limits]
"""The limits that hold for every wallet, by currency."""


def no_limits(_currency: str) -> Limits:
    """No wallet has any limit but those that are set for itself."""
    return NO_LIMITS


class Spending(msgspec.Struct, gc=False):
    """What left an account, in two blocks of a day and two of 30 days: an upper bound.

    Two adjoining blocks cover any rolling window, so as long as their sum is within a limit nobody
    has to look at single payments. `day_no` and `month_no` number the newest block since the epoch.
    """

    day_no: int = 0
    day_minor: int = 0
    day_before_minor: int = 0
    month_no: int = 0
    month_minor: int = 0
    month_before_minor: int = 0

    @classmethod
    def unpack(cls, packed: bytes | None) -> "Spending":
        """What `pack` made; None stands for an account that nothing was spent from."""
        return cls(*_SPENDING.unpack(packed)) if packed is not None else cls()

    def pack(self) -> bytes:
        """The six numbers in their order, 8 bytes each, big-endian."""
        return _SPENDING.pack(
            self.day_no,
            self.day_minor,
            self.day_before_minor,
            self.month_no,
            self.month_minor,
            self.month_before_minor,
        )

    def roll(self, at_us: int) -> None:
        """Let blocks that are over fall out."""
        day_no = at_us // DAY_US
        if day_no <= self.day_no:
            # Months begin with a day.
            return
        self.day_before_minor = self.day_minor if day_no == self.day_no + 1 else 0
        self.day_no, self.day_minor = day_no, 0
        month_no = at_us // MONTH_US
        if month_no > self.month_no:
            self.month_before_minor = self.month_minor if month_no == self.month_no + 1 else 0
            self.month_no, self.month_minor = month_no, 0

    def add(self, amount_minor: int) -> None:
        """Count a payment in the newest blocks."""
        self.day_minor += amount_minor
        self.month_minor += amount_minor

    @property
    def day_bound_minor(self) -> int:
        """At least what was spent in the last 24 hours."""
        return self.day_minor + self.day_before_minor

    @property
    def month_bound_minor(self) -> int:
        """At least what was spent in the last 30 days."""
        return self.month_minor + self.month_before_minor


#: What `pack` makes of an account that nothing was spent from.
NOTHING_SPENT = Spending().pack()


class Spend(msgspec.Struct, frozen=True):
    """One payment of the last 30 days that was not given back."""

    transfer_id: UUID
    at_us: int
    amount_minor: int
    payee: str


def spent_minor(spends: Iterable[Spend], since_us: int, payee: str | None = None) -> int:
    """What was spent after `since_us`, all in all or on one payee."""
    return sum(
        spend.amount_minor
        for spend in spends
        if spend.at_us > since_us and (payee is None or spend.payee == payee)
    )

"""Accounts: whose money it is and what it is there for.

A balance is counted from the owner's side: what the system owes to its owner is positive. So
wallets and merchants are credit accounts that may not fall below zero, and the clearing account
of a provider (money that lies outside, at the till or the bank) is a debit account whose balance
is the negative of what lies there. All balances together are zero in each currency, always.
"""

import re
from enum import StrEnum

import msgspec

from wallet_core.once import once

#: The most characters of an account's id, as its row keeps it.
ID_LENGTH_MAX = 200
#: An id: what kind of owner and which, for what, in which currency. Which owner may be in any
#: words but slashes, control characters, line breaks and what is no Unicode.
_ID = re.compile(
    r"[a-z]+:[^/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+/[a-z]+/[A-Z][A-Z0-9]{2,9}"
)


class Purpose(StrEnum):
    """What the money on an account is there for.

    `AVAILABLE` can be spent or withdrawn, `HELD` waits for a capture or a void, `PENDING` is earned
    and not yet free. `ESCROW` is kept for whoever proves that a host is his. `CLEARING` lies with a
    provider. `FEES` and `PROMOTIONS` are the house's own: what it earned, and what it set aside to
    give away. `EXCHANGE` is what conversions have left the house with in a currency, more or less.
    """

    AVAILABLE = "available"
    HELD = "held"
    PENDING = "pending"
    ESCROW = "escrow"
    CLEARING = "clearing"
    FEES = "fees"
    PROMOTIONS = "promotions"
    EXCHANGE = "exchange"


#: What is not owed to anybody but lies somewhere, counted negative here.
_DEBIT = frozenset({Purpose.CLEARING, Purpose.EXCHANGE})
#: On others of a wallet money would be under no mode and no limit.
_PURPOSES_OF_WALLETS = frozenset({Purpose.AVAILABLE, Purpose.HELD})


class AccountRef(msgspec.Struct, frozen=True, order=True, dict=True):
    """Names an account: `owner` is `wallet:…`, `merchant:…`, `provider:…`, `escrow:…`, `house:…`.

    Nobody has to open an account: it is there when it is first needed. A reference may name what is
    no account, such as what an audit reads somewhere; `fault` says so, and no transfer takes it.
    """

    owner: str
    purpose: Purpose
    currency: str

    @once
    def id(self) -> str:
        """The account's key in the database, readable on purpose."""
        return f"{self.owner}/{self.purpose}/{self.currency}"

    @once
    def fault(self) -> str | None:
        """Why this names no account, in one sentence; None where it does."""
        if type(self.purpose) is not Purpose:
            return f"{self.purpose!r} is no purpose of an account."
        if len(self.id) > ID_LENGTH_MAX or _ID.fullmatch(self.id) is None:
            return f"{self.id[:ID_LENGTH_MAX]!r} cannot be an account's name."
        if self.wallet_id is not None and self.purpose not in _PURPOSES_OF_WALLETS:
            return "What a wallet has is available or held."
        return None

    @once
    def why_not_moved(self) -> str | None:
        """Why no transfer but those of holds may name it, in one sentence; None where one may."""
        held = "Held money moves by its hold only."
        return held if self.fault is None and self.purpose is Purpose.HELD else self.fault

    @property
    def floor_minor(self) -> int | None:
        """The lowest balance that the database lets it have; None: no floor."""
        return None if self.purpose in _DEBIT else 0

    @property
    def kind(self) -> str:
        """What kind of owner it has, such as `wallet`, `merchant`, `provider` or `escrow`."""
        return self.owner.partition(":")[0]

    @once
    def wallet_id(self) -> str | None:
        """The wallet it belongs to, if a wallet owns it."""
        kind, _, rest = self.owner.partition(":")
        return rest if kind == "wallet" else None

    @once
    def held(self) -> "AccountRef":
        """The owner's account for held money in the same currency."""
        return AccountRef(self.owner, Purpose.HELD, self.currency)

    @classmethod
    def of_id(cls, account_id: str) -> "AccountRef":
        """The reference back from the database key."""
        owner, purpose, currency = account_id.rsplit("/", 2)
        return cls(owner, Purpose(purpose), currency)


def wallet(wallet_id: str, currency: str) -> AccountRef:
    """What a payer can spend."""
    return AccountRef(f"wallet:{wallet_id}", Purpose.AVAILABLE, currency)


def pending(merchant_id: str, currency: str) -> AccountRef:
    """What a merchant has earned and may not yet withdraw."""
    return AccountRef(f"merchant:{merchant_id}", Purpose.PENDING, currency)


def escrow(host: str, currency: str) -> AccountRef:
    """What is kept for whoever proves that `host` is his."""
    return AccountRef(f"escrow:{host}", Purpose.ESCROW, currency)


def fees(currency: str) -> AccountRef:
    """What the house has earned."""
    return AccountRef("house:own", Purpose.FEES, currency)


def commission(currency: str) -> AccountRef:
    """What the house has earned as merchants' commission."""
    return AccountRef("house:commission", Purpose.FEES, currency)


def tax(currency: str) -> AccountRef:
    """What is set aside for the tax office."""
    return AccountRef("house:tax", Purpose.FEES, currency)


def promotions(currency: str) -> AccountRef:
    """What the house has set aside to give away."""
    return AccountRef("house:own", Purpose.PROMOTIONS, currency)


def exchange(source: str, currency: str) -> AccountRef:
    """What conversions at the rates of `source` have left the house with."""
    return AccountRef(f"exchange:{source}", Purpose.EXCHANGE, currency)


def merchant(merchant_id: str, currency: str) -> AccountRef:
    """What a merchant has earned and not yet withdrawn."""
    return AccountRef(f"merchant:{merchant_id}", Purpose.AVAILABLE, currency)


def clearing(provider: str, currency: str) -> AccountRef:
    """What lies with a funding provider, counted negative."""
    return AccountRef(f"provider:{provider}", Purpose.CLEARING, currency)

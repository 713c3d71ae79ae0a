"""Accounts: whose money it is and what it is there for.

A balance is counted from the owner's side: what the system owes to its owner is positive. So
wallets and merchants are credit accounts that may not fall below zero, and the clearing account
of a provider (money that lies outside, at the till or the bank) is a debit account whose balance
is the negative of what lies there. All balances together are zero in each currency, always.
"""

from enum import StrEnum

import msgspec


class Purpose(StrEnum):
    """What the money on an account is there for."""

    AVAILABLE = "available"
    HELD = "held"
    CLEARING = "clearing"


#: The lowest balance in minor units; None: no floor.
_FLOOR_MINOR: dict[Purpose, int | None] = {
    Purpose.AVAILABLE: 0,
    Purpose.HELD: 0,
    Purpose.CLEARING: None,
}


class AccountRef(msgspec.Struct, frozen=True, order=True):
    """Names an account: `owner` is `wallet:…`, `merchant:…` or `provider:…`.

    An account exists from its first entry on; nobody has to open it.
    """

    owner: str
    purpose: Purpose
    currency: str

    @property
    def id(self) -> str:
        """The account's key in the database, readable on purpose."""
        return f"{self.owner}/{self.purpose}/{self.currency}"

    @property
    def floor_minor(self) -> int | None:
        """The lowest balance that the database lets it have."""
        return _FLOOR_MINOR[self.purpose]

    @property
    def wallet_id(self) -> str | None:
        """The wallet it belongs to, if a wallet owns it."""
        kind, _, rest = self.owner.partition(":")
        return rest if kind == "wallet" else None

    @property
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


def merchant(merchant_id: str, currency: str) -> AccountRef:
    """What a merchant has earned and not yet withdrawn."""
    return AccountRef(f"merchant:{merchant_id}", Purpose.AVAILABLE, currency)


def clearing(provider: str, currency: str) -> AccountRef:
    """What lies with a funding provider, counted negative."""
    return AccountRef(f"provider:{provider}", Purpose.CLEARING, currency)

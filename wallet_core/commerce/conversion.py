"""Conversion between currencies at a quoted rate.

A quote is frozen: so much of one currency for so much of another, for a short time. It is carried
out by one transfer of four legs, through the house's exchange accounts, whose balances show what
conversions have left the house with.

**Rounding.** The rate and the spread are exact fractions, and nothing is rounded but the one amount
that is worked out: what is sold for a wanted amount is rounded up, what is bought for a given one
is rounded down. So the house never loses by rounding, and the customer by less than one smallest
unit, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import msgspec

from wallet_core.commerce.house_terms import MILLION
from wallet_core.errors import MoneyError, Refusal
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Insert, RowChange, Update
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.money import Money, exponent_of

OFFERED, DONE = "offered", "done"


class Rate(msgspec.Struct, frozen=True):
    """One whole unit of `sold` buys `price` of `bought`, says `source`; `as_of` is since when."""

    source: str
    sold: str
    bought: str
    price: Fraction
    as_of: str


class RateSource(Protocol):
    """Where rates come from: a table in the config, or something that asks a market."""

    async def rate(self, sold: str, bought: str) -> Rate | None:
        """The rate at this moment, before any spread; None where the source has none."""


@dataclass(frozen=True)
class TableRates:
    """Rates that somebody wrote down: (sold, bought) → price and date. Each serves both ways."""

    prices: Mapping[tuple[str, str], tuple[Fraction, str]]
    name: str = "table"

    async def rate(self, sold: str, bought: str) -> Rate | None:
        """See `RateSource`."""
        known = self.prices.get((sold, bought))
        if known is not None:
            return Rate(self.name, sold, bought, *known)
        known = self.prices.get((bought, sold))
        if known is None:
            return None
        return Rate(self.name, sold, bought, 1 / known[0], known[1])


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A quote for a conversion, or one that was carried out (`state`).

    `rate` is the exact price, before the spread, of one whole unit sold. `quote_id` is what it is
    to pay for, if anything.
    """

    id: str
    wallet_id: str
    quote_id: str | None
    source: str
    rate: str
    rate_as_of: str
    spread_ppm: int
    sold_minor: int
    sold_currency: str
    bought_minor: int
    bought_currency: str
    state: str
    created_at_us: int
    expires_at_us: int

    @property
    def sold(self) -> Money:
        """What the customer gives."""
        return Money(self.sold_minor, self.sold_currency)

    @property
    def bought(self) -> Money:
        """What the customer gets."""
        return Money(self.bought_minor, self.bought_currency)

    @property
    def valid_s(self) -> int:
        """How long it stands, in seconds."""
        return round((self.expires_at_us - self.created_at_us) / MICROSECONDS)

    @property
    def post(self) -> Post:
        """The transfer that carries it out."""
        return Post(
            id=named("convert", self.id),
            subject=f"conversion:{self.id}",
            legs=(
                Leg(accounts.wallet(self.wallet_id, self.sold_currency), -self.sold_minor),
                Leg(accounts.exchange(self.source, self.sold_currency), self.sold_minor),
                Leg(accounts.exchange(self.source, self.bought_currency), -self.bought_minor),
                Leg(accounts.wallet(self.wallet_id, self.bought_currency), self.bought_minor),
            ),
        )

    @property
    def offering(self) -> RowChange:
        """The row of a quote that somebody may take."""
        return Insert("conversions", msgspec.structs.asdict(self))

    @property
    def taking(self) -> RowChange:
        """The change of that row when it is taken; it refuses with `TAKEN` the second time."""
        return Update(
            table="conversions",
            where={"id": self.id, "state": OFFERED},
            values={"state": DONE},
            refusal=Refusal.TAKEN,
        )


def minor_price(rate: Rate, spread_ppm: int) -> Fraction:
    """How many smallest units of what is bought one smallest unit sold buys, after the spread."""
    scale = Fraction(10) ** (exponent_of(rate.bought) - exponent_of(rate.sold))
    return rate.price * scale * Fraction(MILLION - spread_ppm, MILLION)


def sold_for(bought_minor: int, rate: Rate, spread_ppm: int) -> int:
    """What has to be sold for exactly `bought_minor`: rounded up."""
    exact = bought_minor / minor_price(rate, spread_ppm)
    return -(-exact.numerator // exact.denominator)


def bought_for(sold_minor: int, rate: Rate, spread_ppm: int) -> int:
    """What exactly `sold_minor` buys: rounded down."""
    exact = sold_minor * minor_price(rate, spread_ppm)
    return exact.numerator // exact.denominator


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a quote: `name` makes its id, so that asking again gives the same."""

    name: str
    wallet_id: str
    at_us: int
    quote_id: str | None = None


@dataclass(frozen=True)
class ConversionQuotes:
    """Makes quotes: at the source's rate, with the house's spread, for `valid_s` seconds."""

    rates: RateSource
    spread_ppm: int = 0
    valid_s: int = 60

    async def to_buy(self, wanted: Wanted, bought: Money, sold_currency: str) -> Conversion | None:
        """What `bought` costs in another currency; None where no rate is known."""
        rate = await self._rate(sold_currency, bought.currency)
        if rate is None:
            return None
        sold_minor = sold_for(bought.amount_minor, rate, self.spread_ppm)
        return self._quote(wanted, rate, sold_minor, bought.amount_minor)

    async def to_sell(self, wanted: Wanted, sold: Money, bought_currency: str) -> Conversion | None:
        """What `sold` buys of another currency; None where no rate is known or that is nothing."""
        rate = await self._rate(sold.currency, bought_currency)
        if rate is None:
            return None
        bought_minor = bought_for(sold.amount_minor, rate, self.spread_ppm)
        return self._quote(wanted, rate, sold.amount_minor, bought_minor)

    async def _rate(self, sold: str, bought: str) -> Rate | None:
        if sold == bought or self.spread_ppm >= MILLION:
            return None
        return await self.rates.rate(sold, bought)

    def _quote(
        self, wanted: Wanted, rate: Rate, sold_minor: int, bought_minor: int
    ) -> Conversion | None:
        try:
            Money(sold_minor, rate.sold)
            Money(bought_minor, rate.bought)
        except MoneyError:
            return None
        if sold_minor <= 0 or bought_minor <= 0:
            return None
        name = named("conversion", wanted.name, rate.sold, rate.bought)
        return Conversion(
            id=f"x_{name.hex}",
            wallet_id=wanted.wallet_id,
            quote_id=wanted.quote_id,
            source=rate.source,
            rate=str(rate.price),
            rate_as_of=rate.as_of,
            spread_ppm=self.spread_ppm,
            sold_minor=sold_minor,
            sold_currency=rate.sold,
            bought_minor=bought_minor,
            bought_currency=rate.bought,
            state=OFFERED,
            created_at_us=wanted.at_us,
            expires_at_us=wanted.at_us + self.valid_s * MICROSECONDS,
        )


class NoRates:
    """A source that knows no rate: nothing is converted."""

    async def rate(self, _sold: str, _bought: str) -> Rate | None:
        """See `RateSource`."""
        return None

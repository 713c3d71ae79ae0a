"""The people, shops and prices of a simulation, and what somebody in it may want."""

import random
from collections.abc import Iterator

import msgspec

from wallet_core.commerce.records import Payer, Place
from wallet_core.errors import PayontapError
from wallet_core.funding.base import Progress, Step
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, RowChange
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.limits import Limits
from wallet_core.money import Money

CURRENCY = "CNY"
NETWORK = "web"
#: What a tap is called when it is to be undone.
TAP = "tap "
PEOPLE = ("anna", "ben", "carl", "dora")
SELLER = "seller"
#: The first takes every order at once, the second decides on each.
SHOPS = ("m_tea", "m_books")
OFFERS = ("of_0", "of_1", "of_2")
QUOTES = ("q_0", "q_1", "q_2", "q_3", "q_4")
#: What every wallet may spend.
LIMITS = Limits(payment_max_minor=900, day_max_minor=2_500)
_BEGINNING_MINOR = 3_000
_FAR_US = 10**18


class Wrong(PayontapError):
    """Something that must never be; the text is one sentence that names it."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was heard: who wants what. `ref` is a quote, an order, a request, a wallet."""

    event_id: str
    verb: str
    who: str
    at_us: int
    ref: str = ""
    amount_minor: int = 0

    @property
    def place(self) -> Place:
        """Where it was said."""
        return Place(NETWORK, "lobby", self.who)

    @property
    def payer(self) -> Payer:
        """Who said it."""
        return Payer(f"p_{self.who}", wallet_of(self.who))

    @property
    def money(self) -> Money:
        """The amount it names."""
        return Money(self.amount_minor, CURRENCY)

    def __str__(self) -> str:
        rest = f" {self.ref}" if self.ref else ""
        return f"{self.event_id} {self.verb} by {self.who}{rest}"


def wallet_of(who: str) -> str:
    """A person's wallet."""
    return f"w_{who}"


def limits_of(currency: str) -> Limits:
    """The limits that hold for every wallet."""
    return LIMITS if currency == CURRENCY else Limits()


class TownProvider:
    """A `Provider` that decides by a request's code, and says the same whenever it is asked."""

    name = "cash"

    async def begin_top_up(self, code: str, money: Money) -> Step:
        """Begin to take money in."""
        del money
        return Step(progress_of(code))

    async def begin_payout(self, code: str, money: Money) -> Step:
        """Begin to pay money out."""
        del money
        return Step(progress_of(code))


def progress_of(code: str) -> Progress:
    """What the provider says to a request."""
    kinds = (Progress.PENDING, Progress.PENDING, Progress.UNKNOWN, Progress.DONE, Progress.FAILED)
    return kinds[named("provider", code).int % len(kinds)]


def beginning(dice: random.Random) -> Commit:
    """Everything that is there before anybody wants anything."""
    legs = [
        Leg(accounts.wallet(wallet_of(who), CURRENCY), dice.randrange(_BEGINNING_MINOR))
        for who in PEOPLE
    ]
    legs = [leg for leg in legs if leg.amount_minor]
    all_minor = sum(leg.amount_minor for leg in legs)
    legs.append(Leg(accounts.clearing("cash", CURRENCY), -all_minor))
    money = Post(id=named("beginning"), legs=tuple(legs))
    return Commit(key="beginning", transfers=(money,), rows=tuple(_rows(dice)))


def _rows(dice: random.Random) -> Iterator[RowChange]:
    for who in (*PEOPLE, SELLER):
        person_id, wallet_id = f"p_{who}", wallet_of(who)
        yield Insert("persons", {"id": person_id, "wallet_id": wallet_id, "admin": False})
        yield Insert(
            "wallets", {"id": wallet_id, "person_id": person_id, "mode": "open", "fence": 0}
        )
    for shop in SHOPS:
        yield Insert(
            "merchants",
            {
                "id": shop,
                "name": shop,
                "network": NETWORK,
                "room_id": "shops",
                "standing_acceptance": shop == SHOPS[0],
                "created_at_us": 1,
            },
        )
        yield Insert("merchant_members", {"merchant_id": shop, "person_id": f"p_{SELLER}"})
    for n, offer in enumerate(OFFERS):
        stock = dice.choice([None, 2, 5, 9])
        yield Insert(
            "offers",
            {
                "id": offer,
                "url": f"https://shop.example/{offer}",
                "host": "shop.example",
                "merchant_id": SHOPS[n % 2],
                "title": offer,
                "stock_total": stock,
                "stock_page": stock,
                "sold": 0,
                "seen_at_us": 1,
            },
        )
    for n, quote in enumerate(QUOTES):
        yield Insert(
            "quotes",
            {
                "id": quote,
                "offer_id": OFFERS[n % 3],
                "merchant_id": SHOPS[n % 3 % 2],
                "amount_minor": dice.randrange(100, 1_000),
                "currency": CURRENCY,
                "trust": "hold",
                "reason": "",
                "seller": "",
                "created_at_us": 1,
                "expires_at_us": _FAR_US,
            },
        )

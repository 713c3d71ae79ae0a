"""What is there before anybody wants anything: money, shops, offers and prices."""

import random
from collections.abc import Iterator

from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, RowChange, Value
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.simulation.town import (
    CURRENCY,
    FOREIGN,
    FREE_HOST,
    NETWORK,
    PEOPLE,
    QUOTES,
    SELLER,
    SHOPS,
    person_of,
    wallet_of,
)

#: The most that somebody begins with, by currency.
_BEGINNING_MINOR = {CURRENCY: 3_000, FOREIGN: 400}
#: One person's taps convert unasked, up to this.
CONVERTS, CAP_MINOR = PEOPLE[-1], 120
#: What the house gets of each payment to the first shop.
COMMISSION_PPM = 20_000
_FAR_US = 10**18


def beginning(dice: random.Random) -> Commit:
    """Everything that is there at first."""
    legs: list[Leg] = []
    for currency, most_minor in _BEGINNING_MINOR.items():
        given = [
            Leg(accounts.wallet(wallet_of(who), currency), dice.randrange(most_minor))
            for who in PEOPLE
        ]
        all_minor = sum(leg.amount_minor for leg in given)
        legs += [leg for leg in given if leg.amount_minor]
        legs.append(Leg(accounts.clearing("cash", currency), -all_minor))
    money = Post(id=named("beginning"), legs=tuple(legs))
    rows = (*_people(), *_shops(), *_offers(dice), *_quotes(dice))
    return Commit(key="beginning", transfers=(money,), rows=rows)


def _people() -> Iterator[RowChange]:
    for who in (*PEOPLE, SELLER):
        person_id, wallet_id = person_of(who), wallet_of(who)
        yield Insert("persons", {"id": person_id, "wallet_id": wallet_id, "admin": False})
        yield Insert(
            "wallets", {"id": wallet_id, "person_id": person_id, "mode": "open", "fence": 0}
        )
        yield Insert(
            "identities",
            {
                "network": NETWORK,
                "network_person_id": who,
                "person_id": person_id,
                "room_id": "lobby",
            },
        )
    cap: dict[str, Value] = {
        "wallet_id": wallet_of(CONVERTS),
        "currency": FOREIGN,
        "cap_minor": CAP_MINOR,
    }
    yield Insert("conversion_consents", cap)


def _shops() -> Iterator[RowChange]:
    for shop in SHOPS:
        first = shop == SHOPS[0]
        yield Insert(
            "merchants",
            {
                "id": shop,
                "name": shop,
                "network": NETWORK,
                "room_id": "shops",
                "standing_acceptance": first,
                "created_at_us": 1,
                "commission_ppm": COMMISSION_PPM if first else None,
            },
        )
        yield Insert("merchant_members", {"merchant_id": shop, "person_id": person_of(SELLER)})


def _offers(dice: random.Random) -> Iterator[RowChange]:
    for n in range(3):
        yield _offer(dice, f"of_{n}", "shop.example", SHOPS[n % 2])
    yield _offer(dice, "of_free", FREE_HOST, None)


def _offer(dice: random.Random, offer_id: str, host: str, merchant_id: str | None) -> RowChange:
    stock = dice.choice([None, 2, 5, 9])
    return Insert(
        "offers",
        {
            "id": offer_id,
            "url": f"https://{host}/{offer_id}",
            "host": host,
            "merchant_id": merchant_id,
            "title": offer_id,
            "stock_total": stock,
            "stock_page": stock,
            "sold": 0,
            "seen_at_us": 1,
        },
    )


def _quotes(dice: random.Random) -> Iterator[RowChange]:
    for quote_id in QUOTES:
        free = quote_id == "q_free"
        n = 0 if free else int(quote_id.removeprefix("q_"))
        yield Insert(
            "quotes",
            {
                "id": quote_id,
                "offer_id": "of_free" if free else f"of_{n % 3}",
                "merchant_id": None if free else SHOPS[n % 3 % 2],
                "amount_minor": dice.randrange(100, 1_000),
                "currency": CURRENCY,
                "trust": "escrow" if free else "hold",
                "reason": "",
                "seller": "",
                "created_at_us": 1,
                "expires_at_us": _FAR_US,
                "title": quote_id,
                "url": f"https://goods.example/{quote_id}",
            },
        )

"""What a tap needs to know, for many taps in one query."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from wallet_core.commerce.records import STANDING, Merchant, Order, Quote, TapFacts
from wallet_core.storage.database import Database
from wallet_core.storage.requests import Statement

R = TypeVar("R", bound=msgspec.Struct)
Tapped = tuple[str, str]
"""A quote and a wallet, by their ids."""

_QUOTE = tuple(Quote.__struct_fields__)
_MERCHANT = tuple(Merchant.__struct_fields__)
_ORDER = tuple(Order.__struct_fields__)
#: Where the columns of each begin in a row of the facts.
_HOST_AT = 7
_FIRST = 10
_MERCHANT_AT = _FIRST + len(_QUOTE)
_ORDER_AT = _MERCHANT_AT + len(_MERCHANT)
_WALLETS = "SELECT v.id FROM wallets v WHERE v.person_id = w.person_id"
_STANDING = "IN ('{}', '{}')".format(*STANDING)

#: How the host of an offer `f` stands with a quote `q` on it: whether the merchant's proof of it is
#: lost; whether nobody had proven it, and now somebody has.
HOST_STANDING = ("(h.stage = 'lost' AND h.verified_host IS NULL)", "v.merchant_id IS NOT NULL")


def hosts_of_quote(*, postgres: bool) -> str:
    """The joins that `HOST_STANDING` needs."""
    own = "h.merchant_id = q.merchant_id AND h.host = f.host"
    found = "v.verified_host = f.host AND q.merchant_id IS NULL"
    return (
        f"{_row_of('merchant_hosts', 'h', own, postgres=postgres)} "
        f"{_row_of('merchant_hosts', 'v', found, postgres=postgres)}"
    )


def _row_of(table: str, alias: str, condition: str, *, postgres: bool) -> str:
    """Joins the one row, if any, that a condition on a unique key finds.

    PostgreSQL makes its plan once. While a table is small it likes to read all of it, and goes on
    so when it has grown; a row of its own it looks for by the index.
    """
    if postgres:
        found = f"SELECT * FROM {table} {alias} WHERE {condition} LIMIT 1"  # noqa: S608 - names of our own tables
        return f"LEFT JOIN LATERAL ({found}) {alias} ON true"
    return f"LEFT JOIN {table} {alias} ON {condition}"


def _query(keys: str, in_wallets: str, *, postgres: bool) -> str:
    """The query in one dialect; `in_wallets` says that `b.wallet_id` is one of this person's."""
    his = f"b.quote_id = k.quote_id AND b.wallet_id {in_wallets}"
    # Of a person who was joined with another and parted again, some attempts are in the wallets
    # that he has now, and some under his name in wallets that he has no more: none of their numbers
    # comes again.
    of_person = (
        "SELECT max(b.n) FROM attempts b WHERE b.person_id = w.person_id"
        " AND b.quote_id = k.quote_id"
    )
    # The order that stands, or else the latest.
    state = "SELECT p.state FROM orders p WHERE p.id = b.order_id"
    best_first = f"ORDER BY CASE WHEN ({state}) {_STANDING} THEN 0 ELSE 1 END, b.n DESC"
    attempts = []
    if postgres:
        # Both in one look: mostly there is nothing to be found.
        of_wallets, order_id = "a.n", "a.order_id"
        found = f"max(b.n) AS n, (array_agg(b.order_id {best_first}))[1] AS order_id"
        every = f"SELECT {found} FROM attempts b WHERE {his}"  # noqa: S608 - our own columns
        attempts = [f"LEFT JOIN LATERAL ({every}) a ON true"]
    else:
        of_wallets = f"SELECT max(b.n) FROM attempts b WHERE {his}"  # noqa: S608 - same
        order_id = f"SELECT b.order_id FROM attempts b WHERE {his} {best_first} LIMIT 1"  # noqa: S608 - same
    columns = ", ".join(
        [
            *("k.quote_id", "k.wallet_id", "w.person_id"),
            *(f"({of_person})", f"({of_wallets})", "w.fence"),
            *("f.host", *HOST_STANDING, "f.sold >= f.stock_total"),
            *(f"q.{name}" for name in _QUOTE),
            *(f"m.{name}" for name in _MERCHANT),
            *(f"o.{name}" for name in _ORDER),
        ]
    )
    joins = [
        _row_of("quotes", "q", "q.id = k.quote_id", postgres=postgres),
        _row_of("offers", "f", "f.id = q.offer_id", postgres=postgres),
        _row_of("merchants", "m", "m.id = q.merchant_id", postgres=postgres),
        hosts_of_quote(postgres=postgres),
        _row_of("wallets", "w", "w.id = k.wallet_id", postgres=postgres),
        *attempts,
        _row_of("orders", "o", f"o.id = ({order_id})", postgres=postgres),
    ]
    return f"SELECT {columns} FROM {keys} {' '.join(joins)} WHERE f.id IS NOT NULL"  # noqa: S608 - same


_FACTS = Statement(
    # As an array the wallets lead into the index too.
    _query(
        "unnest($1::text[], $2::text[]) AS k(quote_id, wallet_id)",
        f"= ANY(ARRAY({_WALLETS}))",
        postgres=True,
    ),
    _query("(SELECT ? AS quote_id, ? AS wallet_id) k", f"IN ({_WALLETS})", postgres=False),
)


async def tap_facts(database: Database, taps: Sequence[Tapped]) -> Mapping[Tapped, TapFacts]:
    """The facts of each tap whose quote exists."""
    rows = await database.ask(_FACTS, ([tap[0] for tap in taps], [tap[1] for tap in taps]))
    # Of one query, so that many taps on one quote, or in one shop, see the same.
    quotes: dict[str, Quote] = {}
    merchants: dict[str, Merchant] = {}
    return {(row[0], row[1]): _facts(row, quotes, merchants) for row in rows}


def _facts(
    row: Sequence[Any], quotes: dict[str, Quote], merchants: dict[str, Merchant]
) -> TapFacts:
    quote_id, _, person_id, of_person, of_wallets, fence, host = row[:_HOST_AT]
    lost, claimed, sold_out = row[_HOST_AT:_FIRST]
    quote = quotes.get(quote_id)
    if quote is None:
        values = zip(_QUOTE, row[_FIRST:_MERCHANT_AT], strict=True)
        quote = quotes[quote_id] = Quote(**dict(values))
    merchant = None
    if quote.merchant_id is not None:
        merchant = merchants.get(quote.merchant_id) or _merchant(row[_MERCHANT_AT:_ORDER_AT])
        if merchant is not None:
            merchants[merchant.id] = merchant
    return TapFacts(
        quote=quote,
        merchant=merchant,
        person_id=person_id,
        n=max(of_person or 0, of_wallets or 0),
        # Most taps are on what was not bought yet.
        order=_order(row[_ORDER_AT:]) if row[_ORDER_AT] else None,
        fence=fence or 0,
        host=host,
        host_lost=bool(lost),
        host_claimed=bool(claimed),
        sold_out=bool(sold_out),
    )


def _merchant(row: Sequence[Any]) -> Merchant | None:
    values = dict(zip(_MERCHANT, row, strict=True))
    values["standing_acceptance"] = bool(values["standing_acceptance"])
    return Merchant(**values) if values["id"] is not None else None


def _order(row: Sequence[Any]) -> Order:
    values = dict(zip(_ORDER, row, strict=True))
    if isinstance(values["hold_id"], str):
        values["hold_id"] = UUID(values["hold_id"])
    values["accepted"] = bool(values["accepted"])
    return Order(**values)

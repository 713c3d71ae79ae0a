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

#: How the host of an offer `f` stands with a quote `q` on it: whether the merchant's proof of it is
#: lost; whether nobody had proven it, and now somebody has.
HOSTS_OF_QUOTE = """
LEFT JOIN merchant_hosts h ON h.merchant_id = q.merchant_id AND h.host = f.host
LEFT JOIN merchant_hosts v ON v.verified_host = f.host AND q.merchant_id IS NULL
"""
HOST_STANDING = ("(h.stage = 'lost' AND h.verified_host IS NULL)", "v.merchant_id IS NOT NULL")

_QUOTE = tuple(Quote.__struct_fields__)
_MERCHANT = tuple(Merchant.__struct_fields__)
_ORDER = tuple(Order.__struct_fields__)
_WALLETS = "SELECT v.id FROM wallets v WHERE v.person_id = w.person_id"
_STANDING = "p.state IN ('{}', '{}')".format(*STANDING)


def _query(keys: str, in_wallets: str) -> str:
    """The query in one dialect; `in_wallets` says that `b.wallet_id` is one of this person's."""
    his = f"b.quote_id = k.quote_id AND b.wallet_id {in_wallets}"
    # Of a person who was joined with another and parted again, some attempts are in the wallets
    # that he has now, and some under his name in wallets that he has no more: none of their numbers
    # comes again.
    of_person = (
        "SELECT max(b.n) FROM attempts b WHERE b.person_id = w.person_id"
        " AND b.quote_id = k.quote_id"
    )
    of_wallets = f"SELECT max(b.n) FROM attempts b WHERE {his}"  # noqa: S608 - our own columns
    # The order that stands, or else the latest.
    order_id = (
        "SELECT b.order_id FROM attempts b JOIN orders p ON p.id = b.order_id "  # noqa: S608 - same
        f"WHERE {his} ORDER BY CASE WHEN {_STANDING} THEN 0 ELSE 1 END, b.n DESC LIMIT 1"
    )
    columns = ", ".join(
        [
            *("k.quote_id", "k.wallet_id", "f.title", "w.person_id"),
            *(f"({of_person})", f"({of_wallets})"),
            *("f.host", *HOST_STANDING),
            *(f"q.{name}" for name in _QUOTE),
            *(f"m.{name}" for name in _MERCHANT),
            *(f"o.{name}" for name in _ORDER),
        ]
    )
    return f"""SELECT {columns} FROM {keys}
JOIN quotes q ON q.id = k.quote_id
JOIN offers f ON f.id = q.offer_id
LEFT JOIN merchants m ON m.id = q.merchant_id
{HOSTS_OF_QUOTE}
LEFT JOIN wallets w ON w.id = k.wallet_id
LEFT JOIN orders o ON o.id = ({order_id})
"""  # noqa: S608 - same


_FACTS = Statement(
    # As an array the wallets lead into the index, whatever PostgreSQL believes of the tables.
    _query("unnest($1::text[], $2::text[]) AS k(quote_id, wallet_id)", f"= ANY(ARRAY({_WALLETS}))"),
    _query("(SELECT ? AS quote_id, ? AS wallet_id) k", f"IN ({_WALLETS})"),
)


async def tap_facts(database: Database, taps: Sequence[Tapped]) -> Mapping[Tapped, TapFacts]:
    """The facts of each tap whose quote exists."""
    rows = await database.ask(_FACTS, ([tap[0] for tap in taps], [tap[1] for tap in taps]))
    return {(row[0], row[1]): _facts(row) for row in rows}


def _facts(row: Sequence[Any]) -> TapFacts:
    person_id, of_person, of_wallets = row[3:6]
    quote_at = 9
    merchant_at = quote_at + len(_QUOTE)
    order_at = merchant_at + len(_MERCHANT)
    order_values = dict(zip(_ORDER, row[order_at:], strict=True))
    if isinstance(order_values["hold_id"], str):
        order_values["hold_id"] = UUID(order_values["hold_id"])
    if order_values["accepted"] is not None:
        order_values["accepted"] = bool(order_values["accepted"])
    merchant_values = dict(zip(_MERCHANT, row[merchant_at:order_at], strict=True))
    merchant_values["standing_acceptance"] = bool(merchant_values["standing_acceptance"])
    return TapFacts(
        quote=Quote(**dict(zip(_QUOTE, row[quote_at:merchant_at], strict=True))),
        title=row[2],
        merchant=Merchant(**merchant_values) if merchant_values["id"] is not None else None,
        person_id=person_id,
        n=max(of_person or 0, of_wallets or 0),
        order=Order(**order_values) if order_values["id"] else None,
        host=row[6],
        host_lost=bool(row[7]),
        host_claimed=bool(row[8]),
    )

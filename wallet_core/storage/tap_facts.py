"""What a tap needs to know, for many taps in one query."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from wallet_core.commerce.records import Merchant, Order, Quote, TapFacts
from wallet_core.storage.database import Database
from wallet_core.storage.requests import Statement

R = TypeVar("R", bound=msgspec.Struct)
Tapped = tuple[str, str]
"""A quote and a wallet, by their ids."""

_QUOTE = tuple(Quote.__struct_fields__)
_MERCHANT = tuple(Merchant.__struct_fields__)
_ORDER = tuple(Order.__struct_fields__)
_COLUMNS = ", ".join(
    [
        *("k.quote_id", "k.wallet_id", "f.title", "a.n"),
        *(f"q.{name}" for name in _QUOTE),
        *(f"m.{name}" for name in _MERCHANT),
        *(f"o.{name}" for name in _ORDER),
    ]
)
_REST = """
JOIN quotes q ON q.id = k.quote_id
JOIN offers f ON f.id = q.offer_id
LEFT JOIN merchants m ON m.id = q.merchant_id
"""
# The newest attempt, in each database's own quick way.
_ATTEMPT = "FROM attempts b WHERE b.quote_id = k.quote_id AND b.wallet_id = k.wallet_id"
_POSTGRES = f"""LEFT JOIN LATERAL (SELECT b.n, b.order_id {_ATTEMPT} ORDER BY b.n DESC LIMIT 1) a
  ON true LEFT JOIN orders o ON o.id = a.order_id"""
_SQLITE = f"""LEFT JOIN attempts a ON a.quote_id = k.quote_id AND a.wallet_id = k.wallet_id
  AND a.n = (SELECT max(b.n) {_ATTEMPT}) LEFT JOIN orders o ON o.id = a.order_id"""
_FACTS = Statement(
    f"SELECT {_COLUMNS} FROM unnest($1::text[], $2::text[]) AS k(quote_id, wallet_id)"  # noqa: S608 - names of our own columns
    f"{_REST}{_POSTGRES}",
    f"SELECT {_COLUMNS} FROM (SELECT ? AS quote_id, ? AS wallet_id) k{_REST}{_SQLITE}",  # noqa: S608 - same
)


async def tap_facts(database: Database, taps: Sequence[Tapped]) -> Mapping[Tapped, TapFacts]:
    """The facts of each tap whose quote exists."""
    rows = await database.ask(_FACTS, ([tap[0] for tap in taps], [tap[1] for tap in taps]))
    return {(row[0], row[1]): _facts(row) for row in rows}


def _facts(row: Sequence[Any]) -> TapFacts:
    quote_at = 4
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
        n=row[3] or 0,
        order=Order(**order_values) if row[3] is not None and order_values["id"] else None,
    )

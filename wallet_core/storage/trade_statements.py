"""The statements that a tap and its card ask by keys, in the words of both databases."""

from wallet_core.commerce.records import Merchant, Offer, Order, OrderState, Quote
from wallet_core.ledger.commits import Hold
from wallet_core.ledger.transfers import HoldState
from wallet_core.storage import tables as t
from wallet_core.storage.requests import CLOCK, Statement, uuid_places
from wallet_core.storage.tap_facts import HOST_STANDING, hosts_of_quote

#: Orders that count as bought.
_BOUGHT = ", ".join(f"'{state}'" for state in (OrderState.AUTHORISED, OrderState.PAID))
BOUGHT_COUNT = Statement(
    f"SELECT quote_id, count(*) FROM orders WHERE quote_id = ANY($1::text[]) "  # noqa: S608 - our own words
    f"AND state IN ({_BOUGHT}) GROUP BY quote_id",
    f"SELECT quote_id, count(*) FROM orders WHERE quote_id = ? AND state IN ({_BOUGHT}) "  # noqa: S608 - same
    "GROUP BY quote_id",
)

_HOLD = ", ".join(f"h.{name}" for name in Hold.__struct_fields__)


def _due_holds(now_us: str, limit: str) -> str:
    return (
        f"SELECT {_HOLD} FROM holds h WHERE h.state = '{HoldState.OPEN}' "  # noqa: S608 - same
        f"AND h.due_at_us <= {now_us} AND NOT EXISTS (SELECT 1 FROM inbox i "
        "WHERE i.state = 'waiting' AND i.received_at_us <= h.due_at_us) "
        f"ORDER BY h.due_at_us LIMIT {limit}"
    )


DUE_HOLDS = Statement(
    _due_holds(f"coalesce(($1::bigint[])[1], {CLOCK})", "($2::bigint[])[1]"),
    _due_holds("?1", "?2"),
    uuid_places(t.holds, Hold.__struct_fields__),
)

_OPEN_EVENT = "SELECT 1 FROM inbox WHERE state = 'waiting' AND received_at_us <= "
HEARD_AND_OPEN = Statement(
    f"{_OPEN_EVENT} ($1::bigint[])[1] AND event_id <> ($2::text[])[1] LIMIT 1",
    f"{_OPEN_EVENT} ?1 AND event_id <> ?2 LIMIT 1",
)

_CARD_COLUMNS = ", ".join(
    [
        "q.id",
        f"(SELECT count(*) FROM orders o WHERE o.quote_id = q.id AND o.state IN ({_BOUGHT}))",  # noqa: S608 - same
        *HOST_STANDING,
        *(f"q.{name}" for name in Quote.__struct_fields__),
        *(f"f.{name}" for name in Offer.__struct_fields__),
    ]
)
_CARD_ROWS = f"SELECT {_CARD_COLUMNS} FROM quotes q JOIN offers f ON f.id = q.offer_id"  # noqa: S608 - same
CARD = Statement(
    f"{_CARD_ROWS} {hosts_of_quote(postgres=True)} WHERE q.id = ANY($1::text[])",
    f"{_CARD_ROWS} {hosts_of_quote(postgres=False)} WHERE q.id = ?",
)

_PURCHASE_COLUMNS = ", ".join(
    ["o.id", *(f"o.{name}" for name in Order.__struct_fields__), _HOLD],
)
_PURCHASE_ROWS = f"SELECT {_PURCHASE_COLUMNS} FROM orders o JOIN holds h ON h.id = o.hold_id"  # noqa: S608 - same
PURCHASE_HOLD_AT = 1 + len(Order.__struct_fields__)
PURCHASE = Statement(
    f"{_PURCHASE_ROWS} WHERE o.id = ANY($1::text[])",
    f"{_PURCHASE_ROWS} WHERE o.id = ?",
    (
        *(1 + n for n in uuid_places(t.orders, Order.__struct_fields__)),
        *(PURCHASE_HOLD_AT + n for n in uuid_places(t.holds, Hold.__struct_fields__)),
    ),
)

_OWNER_COLUMNS = ", ".join(f"m.{name}" for name in Merchant.__struct_fields__)
_OWNER_ROWS = (
    f"SELECT h.verified_host, {_OWNER_COLUMNS} FROM merchant_hosts h "  # noqa: S608 - same
    "JOIN merchants m ON m.id = h.merchant_id WHERE h.verified_host"
)
OWNER = Statement(f"{_OWNER_ROWS} = ANY($1::text[])", f"{_OWNER_ROWS} = ?")

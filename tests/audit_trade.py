"""Whether rows about trade fit the transfers that carried them out, read from nothing but rows."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from wallet_core.money import exponent_of
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade

Rows = Sequence[sa.Row[Any]]
Legs = Mapping[UUID, Mapping[str, int]]

#: What `trade_fits` wants to see.
TABLES = (
    *(t.accounts, t.entries, t.transfers, t.orders, t.quotes, t.funding_requests),
    *(trade.settlements, trade.conversions),
)


def trade_fits(rows: Mapping[str, Rows]) -> None:
    """Fails where one contradicts the other."""
    legs: dict[UUID, dict[str, int]] = defaultdict(dict)
    for entry in rows["entries"]:
        legs[entry.transfer_id][entry.account_id] = entry.amount_minor
    about: dict[str, list[UUID]] = defaultdict(list)
    for transfer in rows["transfers"]:
        about[transfer.subject].append(transfer.id)
    _settlements_fit(rows, legs)
    _conversions_fit(rows["conversions"], rows["quotes"], legs, about)
    _top_ups_fit(rows["funding_requests"], legs, about)
    _what_was_taken_fits(rows["orders"], rows["transfers"], legs)


def _settlements_fit(rows: Mapping[str, Rows], legs: Legs) -> None:
    settled = {
        row.commit_key: row.id for row in rows["transfers"] if row.subject.startswith("settlement:")
    }
    kinds = {row.id: row.kind for row in rows["transfers"]}
    left: Counter[str] = Counter()
    for row in rows["settlements"]:
        pending = f"merchant:{row.merchant_id}/pending/{row.currency}"
        free = f"merchant:{row.merchant_id}/available/{row.currency}"
        assert kinds[row.id] == "capture"
        assert 0 <= row.amount_minor <= legs[row.id][pending]
        transfer_id = settled.pop(f"settle:{row.id.hex}", None)
        if row.state == "done" and row.amount_minor:
            assert transfer_id is not None, row.id
            assert legs[transfer_id] == {pending: -row.amount_minor, free: row.amount_minor}
        else:
            assert transfer_id is None, row.id
            left[pending] += row.amount_minor
    assert not settled
    for account in rows["accounts"]:
        if account.purpose == "pending":
            assert account.balance_minor == left.pop(account.id, 0), account.id
    assert not any(left.values())


def _conversions_fit(
    conversions: Rows, quotes: Rows, legs: Legs, about: Mapping[str, list[UUID]]
) -> None:
    prices = {row.id: (row.amount_minor, row.currency) for row in quotes}
    for row in conversions:
        sold, bought = row.sold_currency, row.bought_currency
        scale = Fraction(10) ** (exponent_of(bought) - exponent_of(sold))
        buys = Fraction(row.rate) * scale * (1 - Fraction(row.spread_ppm, 1_000_000))
        if row.quote_id is None:
            assert row.bought_minor == floor(row.sold_minor * buys), row.id
        else:
            assert (row.bought_minor, bought) == prices[row.quote_id], row.id
            assert row.sold_minor == ceil(row.bought_minor / buys), row.id
        moved = [legs[transfer_id] for transfer_id in about.get(f"conversion:{row.id}", ())]
        whole = {
            f"wallet:{row.wallet_id}/available/{sold}": -row.sold_minor,
            f"exchange:{row.source}/exchange/{sold}": row.sold_minor,
            f"exchange:{row.source}/exchange/{bought}": -row.bought_minor,
            f"wallet:{row.wallet_id}/available/{bought}": row.bought_minor,
        }
        assert moved == ([whole] if row.state == "done" else []), row.id
    subjects = {f"conversion:{row.id}" for row in conversions}
    assert {subject for subject in about if subject.startswith("conversion:")} <= subjects


def _top_ups_fit(requests: Rows, legs: Legs, about: Mapping[str, list[UUID]]) -> None:
    top_ups = [row for row in requests if row.kind == "topup"]
    for row in top_ups:
        moved = [legs[transfer_id] for transfer_id in about.get(f"topup:{row.id}", ())]
        whole = {
            f"provider:{row.provider}/clearing/{row.currency}": -row.amount_minor,
            f"{row.owner}/available/{row.currency}": row.amount_minor,
        }
        assert moved == ([whole] if row.state == "done" else []), row.code
    subjects = {f"topup:{row.id}" for row in top_ups}
    assert {subject for subject in about if subject.startswith("topup:")} <= subjects


def _what_was_taken_fits(orders: Rows, transfers: Rows, legs: Legs) -> None:
    taken: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for transfer in transfers:
        kind, _, order_id = transfer.subject.partition(":")
        for account_id, amount_minor in legs[transfer.id].items():
            if kind == "order" and account_id.startswith("house:"):
                both = taken[order_id].setdefault(account_id, [0, 0])
                both[transfer.kind == "post"] += abs(amount_minor)
    for order in orders:
        assert json.loads(order.taken or "{}") == taken.pop(order.id, {}), order.id
    assert not taken

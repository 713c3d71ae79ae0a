"""What became of orders: undos in time, captures in parts, shares, pending money, conversions."""

import json
from collections import Counter, defaultdict
from typing import Any

from wallet_core.commerce.answers import event_key
from wallet_core.commerce.house_terms import MILLION, half_even
from wallet_core.commerce.records import NOBODY
from wallet_core.ledger import accounts
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import named
from wallet_core.simulation.checks import Books
from wallet_core.simulation.goods import CAP_MINOR, COMMISSION_PPM, CONVERTS
from wallet_core.simulation.house import HOUSE, TARIFF, TERMS
from wallet_core.simulation.town import CURRENCY, SHOPS, Deed, Wrong, wallet_of

Row = Any

#: From captures that are at least so large everything that is due can be taken.
_ROUND_SHARES_MINOR = 100


def check_trade(books: Books) -> None:
    """Raises `Wrong` for the first thing that is."""
    for deed in books.chronicle.deeds.values():
        if deed.verb == "undo":
            _undo_in_time_counts(books, deed)
            _only_its_payer_undoes(books, deed)
    _captures_are_what_was_told(books)
    for order in books.orders.values():
        _shares_are_the_houses(books, order)
        if order.merchant_id == NOBODY and order.hold_id in books.captures:
            raise Wrong(f"{order.id} was captured, and nobody has claimed its host.")
        _nothing_is_captured_early(books, order)
    _pending_money_comes_in_its_time(books)
    _conversions_pay(books)
    _conversions_were_agreed_on(books)


def _undo_in_time_counts(books: Books, deed: Deed) -> None:
    """Nothing is captured after an undo that was heard in time from whoever paid.

    In time is what comes before the hold falls due; where the merchant captures parts by himself,
    what comes before the undo window is over.
    """
    order = books.orders.get(deed.ref)
    if order is None or books.chronicle.acted[deed.event_id] != {order.wallet_id}:
        return
    captures = books.captures.get(order.hold_id)
    if captures is None:
        return
    until_us = books.holds[order.hold_id].due_at_us
    if captures != [named("capture", order.hold_id)]:
        until_us = _undo_until_us(order)
    if books.inbox[deed.event_id].received_at_us <= until_us:
        raise Wrong(f"{deed} was heard in time, and {order.id} was charged all the same.")


def _only_its_payer_undoes(books: Books, deed: Deed) -> None:
    order = books.orders.get(deed.ref)
    if order is None or books.commits[event_key(deed.event_id)].refusal:
        return
    if order.wallet_id not in books.chronicle.acted[deed.event_id]:
        raise Wrong(f"{deed} has undone {order.id}, which {order.wallet_id} paid.")


def _nothing_is_captured_early(books: Books, order: Row) -> None:
    """Whoever captures, and however he came to it: the payer has all of his time to undo."""
    until_us = _undo_until_us(order)
    for name in books.captures.get(order.hold_id, ()):
        if books.transfers[name].created_at_us < until_us:
            raise Wrong(f"{order.id} was captured while its payer could still undo it.")


def _undo_until_us(order: Row) -> int:
    until_us: int = order.created_at_us + round(TERMS.undo_window_s * MICROSECONDS)
    return until_us


def _captures_are_what_was_told(books: Books) -> None:
    """Each capture is an ending, or a part that its merchant was told of; of each part one."""
    parts: dict[str, Counter[object]] = defaultdict(Counter)
    for deed in books.done("capture"):
        parts[deed.ref][named("capture", deed.event_id)] += deed.amount_minor
    for order in books.orders.values():
        captures = set(books.captures.get(order.hold_id, ()))
        if captures - {named("capture", order.hold_id)} != set(parts[order.id]):
            raise Wrong(f"{order.id} has other captures than its merchant was told of.")
        told_minor = sum(parts[order.id].values())
        ended = named("capture", order.hold_id) in captures
        if ended and not order.accepted:
            raise Wrong(f"{order.id} was captured, and its merchant never took it.")
        if order.captured_minor != (order.amount_minor if ended else told_minor):
            raise Wrong(f"{order.id} has {order.captured_minor} captured, not {told_minor}.")


def _shares_are_the_houses(books: Books, order: Row) -> None:
    """However many captures there were, the house took what it takes of one."""
    captured_minor = order.captured_minor
    commission_ppm = COMMISSION_PPM if order.merchant_id == SHOPS[0] else 0
    fee_minor = half_even(captured_minor * TARIFF.fee_ppm, MILLION)
    due = {
        accounts.tax(CURRENCY).id: half_even(captured_minor * TARIFF.tax_ppm, MILLION),
        accounts.fees(CURRENCY).id: fee_minor + (TARIFF.fee_fixed_minor if captured_minor else 0),
        accounts.commission(CURRENCY).id: half_even(captured_minor * commission_ppm, MILLION),
    }
    taken = json.loads(order.taken or "{}")
    captures = books.captures.get(order.hold_id, ())
    small = any(books.taken_minor[name] < _ROUND_SHARES_MINOR for name in captures)
    for account_id, due_minor in due.items():
        took_minor, returned_minor = taken.get(account_id, (0, 0))
        if took_minor > due_minor or (took_minor != due_minor and not small):
            raise Wrong(f"{order.id} gave {account_id} {took_minor}, and {due_minor} are due.")
        back_minor = half_even(took_minor * order.refunded_minor, captured_minor or 1)
        if returned_minor != back_minor:
            raise Wrong(f"{account_id} gave {returned_minor} of {order.id} back, not {back_minor}.")


def _pending_money_comes_in_its_time(books: Books) -> None:
    for row in books.settlements:
        if row.state != "done":
            raise Wrong(f"The settlement {row.id} of {row.order_id} never came.")
        settled = books.transfers.get(named("settle", row.id))
        from_us = _undo_until_us(books.orders[row.order_id]) + HOUSE.pending_s * MICROSECONDS
        if settled is not None and settled.created_at_us < from_us:
            raise Wrong(f"The settlement {row.id} of {row.order_id} came too early.")


def _conversions_pay(books: Books) -> None:
    """Whatever was converted to pay a price has paid it, in one and the same commit."""
    paid = {
        (row.commit_key, books.orders[row.subject.removeprefix("order:")].quote_id)
        for row in books.transfers.values()
        if row.kind == "authorise" and row.subject.startswith("order:")
    }
    for row in books.conversions:
        if row.state == "done" and row.quote_id is not None:
            key = books.transfers[named("convert", row.id)].commit_key
            if (key, row.quote_id) not in paid:
                raise Wrong(f"{row.id} was converted for {row.quote_id}, which nobody bought.")


def _conversions_were_agreed_on(books: Books) -> None:
    """Whose money was converted took that offer while it stood, or had allowed so much unasked."""
    by_key = {event_key(deed.event_id): deed for deed in books.chronicle.deeds.values()}
    for row in books.conversions:
        if row.state != "done":
            continue
        deed = by_key[books.transfers[named("convert", row.id)].commit_key]
        if row.wallet_id not in books.chronicle.acted[deed.event_id]:
            raise Wrong(f"{deed} has converted money of {row.wallet_id}, which is another's.")
        if deed.verb in ("pay by", "take rate"):
            if (deed.ref, deed.at_us < row.expires_at_us) != (row.id, True):
                raise Wrong(f"{deed} has taken {row.id}, which stood no more.")
        elif row.wallet_id != wallet_of(CONVERTS) or row.sold_minor > CAP_MINOR:
            raise Wrong(f"{deed} has converted {row.sold_minor}, which nobody has allowed.")

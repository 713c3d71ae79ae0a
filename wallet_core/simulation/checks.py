"""Whether what people were told is what stands in the books, once a simulation is over.

That the books do not contradict themselves is the audit's part; here they are held against the
events that were heard and the messages that were sent. Each check raises `Wrong` with one sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from wallet_core.commerce.answers import event_key
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.transfers import named
from wallet_core.limits import DAY_US
from wallet_core.simulation.chronicle import Chronicle
from wallet_core.simulation.town import CURRENCY, LIMITS, TAP, Deed, Wrong
from wallet_core.simulation.words import CHARGED, NOT_CHARGED, NOT_DONE

Rows = Sequence[Any]

_STANDS = ("authorised", "paid")
#: The names of the transfers that an event can make, whatever commit they stand in.
_MADE_BY = {
    "refund": ("refund",),
    "pay out": ("payout",),
    "send": ("send",),
}


class Books:
    """All rows of an instance, and what was heard and told."""

    def __init__(self, read: Callable[[str], Rows], chronicle: Chronicle) -> None:
        self.chronicle = chronicle
        self.accounts, self.entries = read("accounts"), read("entries")
        self.transfers = {row.id: row for row in read("transfers")}
        self.holds = {row.id: row for row in read("holds")}
        self.commits = {row.key: row for row in read("commits")}
        self.orders = {row.id: row for row in read("orders")}
        self.attempts, self.offers = read("attempts"), read("offers")
        self.requests = read("funding_requests")
        self._by_tap = {
            row.tap_ref.removeprefix(TAP): row.order_id for row in self.attempts if row.tap_ref
        }
        self._held_orders = {
            order.id for order in self.orders.values() if order.hold_id in self.transfers
        }
        self.captured = {row.hold_id for row in self.transfers.values() if row.kind == "capture"}
        self.inbox = {row.event_id: row for row in read("inbox")}
        self.said: dict[str, set[str]] = defaultdict(set)
        for row in read("outbox"):
            if row.edits is None:
                cause, _, word = row.send_id.rpartition("/")
                self.said[cause].add(word)

    def moved(self, deed: Deed) -> bool:
        """Whether an event moved money, under whatever key."""
        if deed.verb == "tap":
            return self._by_tap.get(deed.event_id) in self._held_orders
        names = _MADE_BY.get(deed.verb, ())
        return any(named(name, deed.event_id) in self.transfers for name in names)

    def has_order(self, deed: Deed) -> bool:
        """Whether a tap made an order."""
        return deed.event_id in self._by_tap


def check(books: Books) -> None:
    """Raises `Wrong` for the first thing that is."""
    for deed in books.chronicle.deeds.values():
        _event_is_answered(books, deed)
        _words_are_true(books, deed)
    _nothing_moved_twice(books)
    _undos_in_time_count(books)
    _one_order_an_attempt(books)
    _stock_is_what_orders_took(books)
    _limits_are_kept(books)
    _frozen_wallets_paid_nothing(books)
    _every_hold_has_ended(books)
    _refunds_are_what_was_told(books)


def _event_is_answered(books: Books, deed: Deed) -> None:
    commit = books.commits.get(event_key(deed.event_id))
    if commit is None or books.inbox[deed.event_id].state != "done":
        raise Wrong(f"{deed} was heard and never answered.")
    outcome = commit.refusal or "done"
    for told in books.chronicle.told.get(deed.event_id, ()):
        if told != outcome:
            raise Wrong(f"{deed} was told {told}, and the books say {outcome}.")


def _words_are_true(books: Books, deed: Deed) -> None:
    commit, said = books.commits[event_key(deed.event_id)], books.said[deed.event_id]
    moved = books.moved(deed)
    if moved and (commit.refusal or said & {NOT_CHARGED, NOT_DONE}):
        raise Wrong(f"{deed} was refused, and money moved.")
    if deed.verb != "tap":
        return
    if moved != books.has_order(deed):
        raise Wrong(f"{deed}: there is an order without its hold, or a hold without its order.")
    if moved != (CHARGED in said):
        raise Wrong(f"{deed} was told {sorted(said)}, and money was {'' if moved else 'not '}held.")


def _nothing_moved_twice(books: Books) -> None:
    """Of what a transfer is about only refunds may come more than once."""
    moved = Counter(
        (transfer.subject, transfer.kind)
        for transfer in books.transfers.values()
        if transfer.kind != "post" or not transfer.subject.startswith("order:")
    )
    for (subject, kind), times in moved.items():
        if times > 1:
            raise Wrong(f"{subject} has {times} transfers of the kind {kind}.")


def _undos_in_time_count(books: Books) -> None:
    for deed in books.chronicle.deeds.values():
        order = books.orders.get(deed.ref) if deed.verb == "undo" else None
        if order is None or order.wallet_id != deed.payer.wallet_id:
            continue
        heard_us = books.inbox[deed.event_id].received_at_us
        captured = order.hold_id in books.captured
        if captured and heard_us <= books.holds[order.hold_id].due_at_us:
            raise Wrong(f"{deed} was heard in time, and {order.id} was charged all the same.")


def _one_order_an_attempt(books: Books) -> None:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    standing: Counter[tuple[str, str]] = Counter()
    for attempt in books.attempts:
        pair = (attempt.quote_id, attempt.wallet_id)
        numbers[pair].append(attempt.n)
        standing[pair] += books.orders[attempt.order_id].state in _STANDS
    for pair, found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)) or standing[pair] > 1:
            raise Wrong(f"{pair} has the attempts {found}, of which {standing[pair]} stand.")
    if Counter(attempt.order_id for attempt in books.attempts) != Counter(list(books.orders)):
        raise Wrong("An order belongs to no attempt, or to more than one.")


def _stock_is_what_orders_took(books: Books) -> None:
    taken = Counter(
        order.offer_id for order in books.orders.values() if order.state in (*_STANDS, "refunded")
    )
    for offer in books.offers:
        if offer.sold != taken[offer.id]:
            raise Wrong(f"{offer.id} counts {offer.sold} sold, and orders took {taken[offer.id]}.")
        if offer.sold < 0 or (offer.stock_total is not None and offer.sold > offer.stock_total):
            raise Wrong(f"{offer.id} has sold {offer.sold} of {offer.stock_total}.")


def _payments(books: Books) -> Mapping[str, list[tuple[int, int]]]:
    """Wallet → time and amount of what it spent, without holds that ended without money."""
    wallets = {
        account.no: account.owner
        for account in books.accounts
        if account.purpose == Purpose.AVAILABLE and account.owner.startswith("wallet:")
    }
    payments: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in books.entries:
        transfer = books.transfers[entry.transfer_id]
        spent = entry.amount_minor < 0 and transfer.payee is not None
        if entry.account_no not in wallets or not spent or transfer.payee.startswith("provider:"):
            continue
        hold = books.holds.get(transfer.id)
        if hold is None or hold.state in ("open", "captured"):
            payment = (transfer.created_at_us, -entry.amount_minor)
            payments[wallets[entry.account_no]].append(payment)
    return payments


def _limits_are_kept(books: Books) -> None:
    payment_max, day_max = LIMITS.payment_max_minor or 0, LIMITS.day_max_minor or 0
    for owner, payments in _payments(books).items():
        for at_us, amount_minor in payments:
            day_minor = sum(spent for when, spent in payments if at_us - DAY_US < when <= at_us)
            if amount_minor > payment_max or day_minor > day_max:
                raise Wrong(f"{owner} spent {amount_minor}, and {day_minor} in a day.")


def _frozen_wallets_paid_nothing(books: Books) -> None:
    changes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for deed in books.chronicle.deeds.values():
        commit = books.commits[event_key(deed.event_id)]
        if deed.verb in ("frozen", "open") and not commit.refusal:
            changes[f"wallet:{deed.ref}"].append((commit.created_at_us, deed.verb))
    payments = _payments(books)
    for owner, modes in changes.items():
        modes.sort()
        for (since_us, mode), (until_us, _) in pairwise(modes):
            if mode == "frozen" and any(since_us < at < until_us for at, _ in payments[owner]):
                raise Wrong(f"{owner} paid while it was frozen.")


def _every_hold_has_ended(books: Books) -> None:
    for hold in books.holds.values():
        if hold.state == "open":
            raise Wrong(f"The hold of {hold.subject} never ended.")


def _refunds_are_what_was_told(books: Books) -> None:
    given_back: Counter[str] = Counter()
    for deed in books.chronicle.deeds.values():
        if deed.verb == "refund" and not books.commits[event_key(deed.event_id)].refusal:
            given_back[deed.ref] += deed.amount_minor
    for order in books.orders.values():
        if order.refunded_minor != given_back[order.id]:
            raise Wrong(
                f"{order.id} counts {order.refunded_minor} as given back, and people were told of "
                f"{given_back[order.id]}."
            )


def check_money(books: Books) -> None:
    """What lies outside is what came in and did not go out. Raises `Wrong`."""
    outside = AccountRef("provider:cash", Purpose.CLEARING, CURRENCY).id
    balance = {account.id: account.balance_minor for account in books.accounts}.get(outside, 0)
    begun = [
        entry.amount_minor
        for entry in books.entries
        if entry.transfer_id == named("beginning") and entry.amount_minor < 0
    ]
    signs = {"topup": -1, "payout": 1}
    moved = sum(
        signs[request.kind] * request.amount_minor
        for request in books.requests
        if request.state == "done"
    )
    if balance != sum(begun) + moved:
        raise Wrong(f"{outside} is {balance}, and requests make it {sum(begun) + moved}.")

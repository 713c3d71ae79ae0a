"""Whether what people were told is what stands in the books, once a simulation is over.

That the books do not contradict themselves is the audit's part; here they are held against the
events that were heard and the messages that were sent. Each check raises `Wrong` with one sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from wallet_core.commerce.answers import event_key
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.transfers import named
from wallet_core.simulation.chronicle import Chronicle
from wallet_core.simulation.town import CURRENCY, TAP, Deed, Wrong
from wallet_core.simulation.words import CHARGED, NOT_CHARGED, NOT_DONE

Rows = Sequence[Any]

_STANDS = ("authorised", "paid")
_OFTEN = (("order", "post"), ("order", "capture"), ("settlement", "post"))
#: Taps, with whatever they pay.
_TAPS = ("tap", "like", "pay by")
#: The names of the transfers that an event can make, whatever commit they stand in.
_MADE_BY = {
    "refund": ("refund",),
    "capture": ("capture",),
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
        self.requests, self.settlements = read("funding_requests"), read("settlements")
        self.conversions, self.link_requests = read("conversions"), read("link_requests")
        self.consented = read("consented_payments")
        self.grouped = {row.id for row in read("wallets") if row.limit_group is not None}
        self._by_tap = {
            row.tap_ref.removeprefix(TAP): row.order_id for row in self.attempts if row.tap_ref
        }
        self._held_orders = {
            order.id for order in self.orders.values() if order.hold_id in self.transfers
        }
        self.captures: dict[UUID, list[UUID]] = defaultdict(list)
        self.moving_keys: set[str] = set()
        for row in self.transfers.values():
            self.moving_keys.add(row.commit_key)
            if row.kind == "capture":
                self.captures[row.hold_id].append(row.id)
        # What left the accounts of each transfer together.
        self.taken_minor: Counter[UUID] = Counter()
        for entry in self.entries:
            self.taken_minor[entry.transfer_id] += max(0, -entry.amount_minor)
        self.inbox = {row.event_id: row for row in read("inbox")}
        self.said: dict[str, set[str]] = defaultdict(set)
        for row in read("outbox"):
            if row.edits is None:
                cause, _, word = row.send_id.rpartition("/")
                self.said[cause].add(word)

    def moved(self, deed: Deed) -> bool:
        """Whether an event moved money, under whatever key."""
        if deed.verb in _TAPS:
            return self._by_tap.get(deed.event_id) in self._held_orders
        if event_key(deed.event_id) in self.moving_keys:
            return True
        names = _MADE_BY.get(deed.verb, ())
        return any(named(name, deed.event_id) in self.transfers for name in names)

    def done(self, *verbs: str) -> Iterator[Deed]:
        """The events of these kinds that were not refused."""
        for deed in self.chronicle.deeds.values():
            if deed.verb in verbs and not self.commits[event_key(deed.event_id)].refusal:
                yield deed

    def has_order(self, deed: Deed) -> bool:
        """Whether a tap made an order."""
        return deed.event_id in self._by_tap


def check(books: Books) -> None:
    """Raises `Wrong` for the first thing that is."""
    for deed in books.chronicle.deeds.values():
        _event_is_answered(books, deed)
        _words_are_true(books, deed)
    _nothing_moved_twice(books)
    _one_order_an_attempt(books)
    _stock_is_what_orders_took(books)
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
    if deed.verb not in _TAPS:
        return
    if moved != books.has_order(deed):
        raise Wrong(f"{deed}: there is an order without its hold, or a hold without its order.")
    if moved != (CHARGED in said):
        raise Wrong(f"{deed} was told {sorted(said)}, and money was {'' if moved else 'not '}held.")


def _nothing_moved_twice(books: Books) -> None:
    """Of what a transfer is about only refunds, captures and settlements may come more than once.

    Each of those has a name of its own, which `checks_trade` and the audit look at.
    """
    moved = Counter(
        (transfer.subject, transfer.kind)
        for transfer in books.transfers.values()
        if (transfer.subject.partition(":")[0], transfer.kind) not in _OFTEN
    )
    for (subject, kind), times in moved.items():
        if times > 1:
            raise Wrong(f"{subject} has {times} transfers of the kind {kind}.")


def _one_order_an_attempt(books: Books) -> None:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    standing: Counter[tuple[str, str]] = Counter()
    of_person: Counter[tuple[str, str]] = Counter()
    for attempt in books.attempts:
        pair = (attempt.quote_id, attempt.wallet_id)
        numbers[pair].append(attempt.n)
        stands = books.orders[attempt.order_id].state in _STANDS
        standing[pair] += stands
        of_person[attempt.quote_id, attempt.person_id] += stands
    for pair, found in numbers.items():
        # Wallets that were ever joined share their numbers.
        whole = pair[1] in books.grouped or sorted(found) == list(range(1, len(found) + 1))
        if not whole or standing[pair] > 1:
            raise Wrong(f"{pair} has the attempts {found}, of which {standing[pair]} stand.")
    # Who parted with another has left him what was paid from his wallet, and may buy it himself.
    if not any(books.done("part")) and max(of_person.values(), default=0) > 1:
        raise Wrong(f"Somebody has bought twice with one quote: {of_person.most_common(1)}.")
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


def _every_hold_has_ended(books: Books) -> None:
    for hold in books.holds.values():
        if hold.state == "open":
            raise Wrong(f"The hold of {hold.subject} never ended.")


def _refunds_are_what_was_told(books: Books) -> None:
    given_back: Counter[str] = Counter()
    for deed in books.done("refund"):
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
    (no,) = [account.no for account in books.accounts if account.id == outside]
    begun = [
        entry.amount_minor
        for entry in books.entries
        if entry.transfer_id == named("beginning") and entry.account_no == no
    ]
    signs = {"topup": -1, "payout": 1}
    moved = sum(
        signs[request.kind] * request.amount_minor
        for request in books.requests
        if request.state == "done"
    )
    if balance != sum(begun) + moved:
        raise Wrong(f"{outside} is {balance}, and requests make it {sum(begun) + moved}.")

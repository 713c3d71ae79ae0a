"""What was spent: limits of wallets that count together, frozen wallets, payments by consent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from wallet_core.commerce.answers import event_key
from wallet_core.ledger.accounts import Purpose
from wallet_core.limits import DAY_US
from wallet_core.simulation.checks import Books
from wallet_core.simulation.town import CURRENCY, LIKES_DAY_MAX, LIMITS, Wrong, person_of, wallet_of

_NO_MONEY = ("undone", "declined", "expired")


class Payment(msgspec.Struct, frozen=True):
    """Something that left a wallet, without holds that ended without money."""

    owner: str
    payee: str
    currency: str
    at_us: int
    amount_minor: int


class Groups:
    """Whose wallets counted together, and since when: people who were once joined stay so."""

    def __init__(self, books: Books) -> None:
        joined = []
        sides = {row.id: (row.person_id, row.other_person_id) for row in books.link_requests}
        for deed in books.done("say yes"):
            commit = books.commits[event_key(deed.event_id)]
            if commit.result == "joined":
                joined.append((commit.created_at_us, *sides[deed.ref]))
        self._joined = sorted(joined)

    def with_owner(self, owner: str, at_us: int) -> frozenset[str]:
        """The owners that count together with `owner` at a moment, itself included."""
        people = {_person(owner)}
        before = [pair for when, *pair in self._joined if when < at_us]
        grows = True
        while grows:
            more = {person for pair in before if people & set(pair) for person in pair}
            grows = not more <= people
            people |= more
        return frozenset(_owner(person) for person in people)


def check_spending(books: Books) -> None:
    """Raises `Wrong` for the first thing that is."""
    payments, groups = _payments(books), Groups(books)
    _limits_are_kept(payments, groups)
    _frozen_wallets_paid_nothing(books, payments)
    _likes_are_kept(books, groups)


def _person(owner: str) -> str:
    return person_of(owner.removeprefix(f"wallet:{wallet_of('')}"))


def _owner(person_id: str) -> str:
    return f"wallet:{wallet_of(person_id.removeprefix(person_of('')))}"


def _payments(books: Books) -> Mapping[str, Sequence[Payment]]:
    wallets = {
        account.no: account
        for account in books.accounts
        if account.purpose == Purpose.AVAILABLE and account.owner.startswith("wallet:")
    }
    payments: dict[str, list[Payment]] = defaultdict(list)
    for entry in books.entries:
        transfer, account = books.transfers[entry.transfer_id], wallets.get(entry.account_no)
        if account is None or entry.amount_minor >= 0 or transfer.payee is None:
            continue
        hold = books.holds.get(transfer.id)
        if hold is None or hold.state in ("open", "captured"):
            payments[account.owner].append(
                Payment(
                    account.owner,
                    transfer.payee,
                    account.currency,
                    transfer.created_at_us,
                    -entry.amount_minor,
                )
            )
    return payments


def _limits_are_kept(payments: Mapping[str, Sequence[Payment]], groups: Groups) -> None:
    payment_max, day_max = LIMITS.payment_max_minor or 0, LIMITS.day_max_minor or 0
    for owner, own in payments.items():
        for payment in own:
            together = groups.with_owner(owner, payment.at_us)
            if payment.currency != CURRENCY or not _is_spending(payment, together):
                continue
            day_minor = sum(
                other.amount_minor
                for each in together
                for other in payments.get(each, ())
                if payment.at_us - DAY_US < other.at_us <= payment.at_us
                and other.currency == CURRENCY
                and _is_spending(other, together)
            )
            if payment.amount_minor > payment_max or day_minor > day_max:
                raise Wrong(
                    f"{owner} spent {payment.amount_minor}, and with {sorted(together)} "
                    f"{day_minor} in a day."
                )


def _is_spending(payment: Payment, together: frozenset[str]) -> bool:
    kind = payment.payee.partition(":")[0]
    return kind in ("merchant", "escrow", "wallet") and payment.payee not in together


def _frozen_wallets_paid_nothing(books: Books, payments: Mapping[str, Sequence[Payment]]) -> None:
    changes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for deed in books.done("frozen", "open"):
        commit = books.commits[event_key(deed.event_id)]
        changes[f"wallet:{deed.ref}"].append((commit.created_at_us, deed.verb))
    for owner, modes in changes.items():
        modes.sort()
        # What goes to a provider waits for an admin, who may see that the wallet is frozen.
        times = [
            payment.at_us
            for payment in payments.get(owner, ())
            if not payment.payee.startswith("provider:")
        ]
        for (since_us, mode), (until_us, _) in pairwise(modes):
            if mode == "frozen" and any(since_us < at_us < until_us for at_us in times):
                raise Wrong(f"{owner} paid while it was frozen.")


def _likes_are_kept(books: Books, groups: Groups) -> None:
    """Orders that likes have paid, and were not given back, stay below what likes may come to."""
    liked = [books.orders[row.order_id] for row in books.consented]
    since = {order.id: books.transfers[order.hold_id].created_at_us for order in liked}
    for order in liked:
        at_us = since[order.id]
        together = groups.with_owner(f"wallet:{order.wallet_id}", at_us)
        day_minor = sum(
            other.amount_minor
            for other in liked
            if f"wallet:{other.wallet_id}" in together
            and (since[other.id] < at_us or other is order)
            and other.created_at_us > order.created_at_us - DAY_US
            and other.state not in _NO_MONEY
        )
        if day_minor > LIKES_DAY_MAX.amount_minor:
            raise Wrong(f"Likes of {sorted(together)} came to {day_minor} in a day.")

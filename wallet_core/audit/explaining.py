"""Where each cent of an account came from and went to, in words."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from wallet_core.audit.findings import amount_words
from wallet_core.audit.receipts import instant
from wallet_core.ledger.accounts import AccountRef, Purpose


class Counterpart(msgspec.Struct, frozen=True):
    """Another account that the same transfer touched. `name` is its owner in words."""

    account_id: str
    name: str
    amount_minor: int


class ExplainedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, its transfer, the accounts on the other side, and what it was about."""

    seq: int
    amount_minor: int
    balance_after_minor: int
    currency: str
    transfer_id: UUID
    kind: str
    subject: str
    at_us: int
    counterparts: tuple[Counterpart, ...] = ()
    order_number: str | None = None
    order_title: str | None = None
    order_state: str | None = None
    code: str | None = None


#: Kind of the transfer → what it did, by what it was about.
_ORDER_WORDS: Mapping[str, str] = {
    "authorise": "held for",
    "capture": "captured for",
    "void": "given back from",
    "post": "refund of",
}
_PAYOUT_WORDS: Mapping[str, str] = {
    "authorise": "held for",
    "capture": "paid out by",
    "void": "given back from",
}


def entry_words(entry: ExplainedEntry) -> str:
    """One line: number, time, amount, what for, from or to whom, the balance after it."""
    amount = amount_words(abs(entry.amount_minor), entry.currency)
    sign = "+" if entry.amount_minor > 0 else "−"
    after = amount_words(entry.balance_after_minor, entry.currency)
    return (
        f"{entry.seq}. {instant(entry.at_us)}  {sign}{amount}  {_what(entry)}, "
        f"{_other_side(entry)} · balance {after} · transfer {entry.transfer_id}"
    )


def account_words(account_id: str, name: str) -> str:
    """An account in words, such as `held for wallet w_1 of p_1`. `name` is its owner's."""
    try:
        purpose = AccountRef.of_id(account_id).purpose
    except ValueError:
        return account_id
    return f"held for {name}" if purpose is Purpose.HELD else name


def _what(entry: ExplainedEntry) -> str:
    kind = entry.subject.partition(":")[0]
    if entry.order_number is not None:
        did = _ORDER_WORDS.get(entry.kind, entry.kind)
        return f"{did} order {entry.order_number} “{entry.order_title}” ({entry.order_state})"
    code = f" (code {entry.code})" if entry.code else ""
    if kind == "topup":
        return f"top-up{code}"
    if kind == "payout":
        return f"{_PAYOUT_WORDS.get(entry.kind, entry.kind)} withdrawal{code}"
    return f"{entry.kind} {entry.subject}".strip()


def _other_side(entry: ExplainedEntry) -> str:
    """Those on the other side of this entry; of a transfer with many legs, with their amounts."""
    word = "from" if entry.amount_minor > 0 else "to"
    others = [
        other
        for other in entry.counterparts
        if (other.amount_minor > 0) != (entry.amount_minor > 0)
    ]
    parts = []
    for other in others:
        name = account_words(other.account_id, other.name)
        currency = other.account_id.rpartition("/")[2]
        amount = amount_words(abs(other.amount_minor), currency)
        parts.append(name if len(entry.counterparts) == 1 else f"{name} ({amount})")
    return f"{word} {' and '.join(parts) or 'nobody'}"

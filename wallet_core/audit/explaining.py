"""Where each cent of an account came from and went to, in words."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from wallet_core.audit.findings import amount_words, printable
from wallet_core.audit.receipts import instant
from wallet_core.ledger.accounts import AccountRef, Purpose


class Counterpart(msgspec.Struct, frozen=True):
    """Another account that the same transfer touched. `name` is its owner in words."""

    account_id: str
    name: str
    amount_minor: int


class ExplainedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, its transfer, the accounts on the other side, and what it was about."""

    account_id: str
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
    "rest": "left over from",
    "fee": "fee of",
    "settle": "settled from",
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
    return printable(
        f"{entry.seq}. {instant(entry.at_us)}  {sign}{amount}  {_what(entry)}, "
        f"{_other_side(entry)} · balance {after} · transfer {entry.transfer_id}"
    )


#: What the money on an account is there for → the account in words; `{}` is its owner's name.
_PURPOSE_WORDS: Mapping[Purpose, str] = {
    Purpose.AVAILABLE: "{}",
    Purpose.HELD: "held for {}",
    Purpose.PENDING: "pending for {}",
    Purpose.ESCROW: "escrow for the owner of {}",
    Purpose.CLEARING: "{}",
    Purpose.FEES: "fees of {}",
    Purpose.PROMOTIONS: "promotions of {}",
    Purpose.EXCHANGE: "conversions at the rates of {}",
}


def account_words(account_id: str, name: str) -> str:
    """An account in words, such as `held for wallet w_1 of p_1`. `name` is its owner's."""
    try:
        purpose = AccountRef.of_id(account_id).purpose
    except ValueError:
        return account_id
    return printable(_PURPOSE_WORDS[purpose].format(name))


def _what(entry: ExplainedEntry) -> str:
    kind = entry.subject.partition(":")[0]
    if entry.order_number is not None:
        did = _ORDER_WORDS.get(_did(entry), entry.kind)
        return f"{did} order {entry.order_number} “{entry.order_title}” ({entry.order_state})"
    code = f" (code {entry.code})" if entry.code else ""
    if kind == "topup":
        return f"top-up{code}"
    if kind == "payout":
        return f"{_PAYOUT_WORDS.get(entry.kind, entry.kind)} withdrawal{code}"
    accounts = _accounts(entry)
    if any(account.purpose is Purpose.EXCHANGE for account in accounts):
        return "conversion"
    did = {"rest": "left over from hold", "fee": "fee"}.get(_did(entry), entry.kind)
    return f"{did} {entry.subject}".strip()


def _did(entry: ExplainedEntry) -> str:
    """The kind of the entry's transfer, told apart where it did more than one thing."""
    own, *others = _accounts(entry)
    if own.purpose is Purpose.FEES and entry.amount_minor > 0:
        return "fee"
    if entry.kind == "capture" and entry.amount_minor > 0 and own.held in others:
        return "rest"
    if entry.kind == "post" and not any(account.wallet_id for account in (own, *others)):
        return "settle" if entry.order_number is not None else "post"
    return entry.kind


def _accounts(entry: ExplainedEntry) -> list[AccountRef]:
    """The entry's own account, then those on the other side."""
    ids = (entry.account_id, *(other.account_id for other in entry.counterparts))
    return [AccountRef.of_id(account_id) for account_id in ids]


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

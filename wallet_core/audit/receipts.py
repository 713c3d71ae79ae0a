"""Receipts that a third party can check without asking the instance.

A receipt tells the price, who was paid, which transfers did it, and what the payer consented to:
the frozen quote with its digest, and the digest of the tap under which the payment stands. It
names no payer and carries no secret.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from wallet_core.audit.findings import amount_words, printable
from wallet_core.audit.signing import NotProven, PublicKey, SigningKey, opened
from wallet_core.commerce.records import Order, Quote
from wallet_core.iso4217 import EXPONENTS
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.money import EXPONENT_MAX, exponent_of

KIND = "payontap-receipt"

_encode = msgspec.json.Encoder(order="sorted").encode


class Movement(msgspec.Struct, frozen=True):
    """A transfer of an order. `commit_key` is the name of the commit in which it stands."""

    id: UUID
    kind: str
    commit_key: str
    at_us: int


class ReceiptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the books know of a paid order; its transfers in their order."""

    order: Order
    quote: Quote
    host: str
    merchant_name: str
    movements: Sequence[Movement]
    now_us: int


class Price(msgspec.Struct, frozen=True):
    """`amount_minor` units of 10 to the power of -`exponent` of `currency`."""

    amount_minor: int
    currency: str
    exponent: int


class Payee(msgspec.Struct, frozen=True):
    """Who was paid: the shop, and the host on which it offered what was bought."""

    name: str
    host: str
    merchant_id: str


class Consent(msgspec.Struct, frozen=True):
    """What the payer agreed to by one tap, and the digest of the tap's event.

    `quote` is the JSON of the quote with all its fields, of whatever version its writer was: the
    digest is of all of them, known here or not.
    """

    quote: dict[str, object]
    quote_sha256: str
    tap_blake2b: str
    tapped_at: str


class Step(msgspec.Struct, frozen=True):
    """One transfer."""

    id: str
    kind: str
    at: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a receipt. Times are UTC in ISO 8601."""

    v: int = 1
    order: str
    title: str
    price: Price
    payee: Payee
    consent: Consent
    transfers: tuple[Step, ...]
    captured_minor: int
    refunded_minor: int
    issued_at: str


class Stated(msgspec.Struct, frozen=True):
    """What a receipt is compared with in its quote."""

    id: str
    amount_minor: int | None
    currency: str | None
    merchant_id: str | None = None


def quote_digest(quote: Mapping[str, object]) -> str:
    """SHA-256 over the quote as JSON with sorted keys and no blanks, in hex."""
    return sha256(_encode(quote)).hexdigest()


def receipt_of(facts: ReceiptFacts) -> Receipt:
    """What the receipt of a paid order says."""
    order = facts.order
    made = next(m for m in facts.movements if m.id == order.hold_id)
    quote = msgspec.to_builtins(facts.quote)
    return Receipt(
        order=order.number,
        title=order.title,
        price=Price(order.amount_minor, order.currency, exponent_of(order.currency)),
        payee=Payee(facts.merchant_name, facts.host, order.merchant_id),
        consent=Consent(
            quote=quote,
            quote_sha256=quote_digest(quote),
            tap_blake2b=made.commit_key.rpartition(":")[2],
            tapped_at=instant(order.created_at_us),
        ),
        transfers=tuple(Step(str(m.id), m.kind, instant(m.at_us)) for m in facts.movements),
        captured_minor=order.captured_minor,
        refunded_minor=order.refunded_minor,
        issued_at=instant(facts.now_us),
    )


def signed_receipt(key: SigningKey, facts: ReceiptFacts) -> str:
    """The receipt as a compact JWS."""
    return key.sign(KIND, receipt_of(facts))


def opened_receipt(text: str, known: PublicKey | None = None) -> tuple[Receipt, PublicKey]:
    """A receipt that holds, and the key that signed it.

    Raises `NotProven` when it was changed, contradicts itself, or was signed by another key than
    `known`.
    """
    receipt, key = opened(text, KIND, Receipt, known)
    if quote_digest(receipt.consent.quote) != receipt.consent.quote_sha256:
        raise NotProven("The quote in it is not the one whose digest it states.")
    quote = _stated(receipt)
    if (quote.amount_minor, quote.currency) != (receipt.price.amount_minor, receipt.price.currency):
        raise NotProven("The price is not the one that the quote states.")
    if quote.merchant_id not in (None, receipt.payee.merchant_id):
        raise NotProven("The payee is not the one that the quote states.")
    _check_exponent(receipt.price)
    _check_sums(receipt)
    return receipt, key


def _stated(receipt: Receipt) -> Stated:
    try:
        return msgspec.convert(receipt.consent.quote, Stated)
    except msgspec.ValidationError as error:
        raise NotProven("The quote in it is none that this program can read.") from error


def _check_sums(receipt: Receipt) -> None:
    """Nothing comes back that was not paid, and nothing is paid above the price."""
    captured, refunded = receipt.captured_minor, receipt.refunded_minor
    if not 0 <= refunded <= captured <= receipt.price.amount_minor:
        raise NotProven(
            f"It states {_words(receipt, captured)} paid and {_words(receipt, refunded)} come "
            f"back of {_words(receipt, receipt.price.amount_minor)}, which cannot be."
        )


def _check_exponent(price: Price) -> None:
    """What a point of a community's is worth only the receipt can tell; of others all know it."""
    exponent = EXPONENTS.get(price.currency, price.exponent)
    if price.exponent != exponent or not 0 <= exponent <= EXPONENT_MAX:
        raise NotProven(f"It states {price.exponent} decimals for {price.currency!r}.")


def receipt_words(receipt: Receipt, key: PublicKey, *, key_is_known: bool) -> list[str]:
    """In plain words what a receipt proves, and what it does not; one line each."""
    quote = _stated(receipt)
    lines = [
        _key_words(key, key_is_known=key_is_known),
        (
            f"Order {receipt.order}: “{receipt.title}” for "
            f"{_words(receipt, receipt.price.amount_minor)}, paid to {receipt.payee.name} "
            f"({receipt.payee.merchant_id}) for an offer on {receipt.payee.host}."
        ),
        (
            f"The payer tapped at {receipt.consent.tapped_at} on the quote {quote.id}, which "
            f"states this price; its digest is {receipt.consent.quote_sha256}."
        ),
        f"The tap's event has the digest {receipt.consent.tap_blake2b}.",
        (
            f"{_words(receipt, receipt.captured_minor)} was paid for it, whatever shares of "
            f"that were for others, and {_words(receipt, receipt.refunded_minor)} had come "
            f"back when the receipt was made at {receipt.issued_at}."
        ),
    ]
    lines += [f"Transfer {step.id} ({step.kind}) at {step.at}." for step in receipt.transfers]
    lines.append("It does not say who paid, nor what happened after it was made.")
    return [printable(line) for line in lines]


def _words(receipt: Receipt, amount_minor: int) -> str:
    """An amount with the decimals that the receipt states: its currency may be a community's."""
    return amount_words(amount_minor, receipt.price.currency, receipt.price.exponent)


def instant(at_us: int) -> str:
    """An instant in UTC, to the second: `2026-05-01T10:00:00Z`."""
    return f"{datetime.fromtimestamp(at_us // MICROSECONDS, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> int:
    """The microseconds since 1970 of what `instant` wrote. Raises `ValueError`."""
    return int(datetime.fromisoformat(text).timestamp()) * MICROSECONDS


def _key_words(key: PublicKey, *, key_is_known: bool) -> str:
    if key_is_known:
        return f"The signature is good, and it was made with the key that you named ({key.text})."
    return (
        f"The signature is good for the key {key.text}, so nothing was changed since. Whose key "
        "that is the receipt cannot prove: ask the instance for its public key and name it with "
        "--key."
    )

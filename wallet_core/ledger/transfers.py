"""Transfers: the four ways in which money moves.

`Post` moves it at once. `Authorise` holds it, `Capture` gives what is held to somebody, `Void`
gives it back. Each has an `id` that the caller makes (`named`): the same id with the same
parameters is the same transfer, whoever asks and however often.

Held money is its hold's: no other transfer may name an account for it, or else a hold could not be
given back any more.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

import msgspec

from wallet_core.errors import MoneyError
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.money import AMOUNT_MINOR_MAX, Money


def named(*parts: object) -> UUID:
    """A transfer id made from a name: equal parts give the equal id, on every machine."""
    return UUID(int=_number_of(parts))


def named_digits(*parts: object) -> str:
    """The hexadecimal digits of what `named` makes of `parts`, without making it."""
    return blake2b(_joined(parts), digest_size=16).hexdigest()


def _number_of(parts: tuple[object, ...]) -> int:
    return int.from_bytes(blake2b(_joined(parts), digest_size=16).digest(), "big")


def _joined(parts: tuple[object, ...]) -> bytes:
    return "\x1f".join(map(str, parts)).encode()


def timed(at_us: int, *parts: object) -> UUID:
    """An id like `named` makes, with the time before it, as UUID version 7 has it (RFC 9562).

    Rows that are made one after the other then stand side by side in an index, and a write touches
    few of its pages. `at_us` is a part of the name: another time gives another id.
    """
    rest = _number_of((at_us, *parts))
    milliseconds, fraction_us = divmod(at_us, 1000)
    head = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 7 << 12 | fraction_us << 2
    return UUID(int=head << 64 | 2 << 62 | rest & 0x3FFF_FFFF_FFFF_FFFF)


# `gc=False`, here and for other things that come and go with each transfer: nothing that they hold
# leads back to them, so the collector need not look at them.
class Leg(msgspec.Struct, frozen=True, gc=False):
    """`amount_minor` arrives at `account` (positive) or leaves it (negative)."""

    account: AccountRef
    amount_minor: int


class EndingAction(StrEnum):
    """What becomes of a hold when its time is over."""

    CAPTURE = "capture"
    EXPIRE = "expire"


class HoldState(StrEnum):
    """Where a hold stands. One of which a part was captured ends `CAPTURED`, whatever goes back."""

    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class _Transfer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", gc=False):
    """What all transfers share. `subject` says in the books what it was for (`order:…`)."""

    id: UUID
    subject: str = ""


_HELD = Purpose.HELD
_LEAST_MINOR = -AMOUNT_MINOR_MAX
#: No ending is further away than this.
ENDS_AFTER_S_MAX = 100 * 366 * 24 * 3600


def _balance(legs: Sequence[Leg]) -> bool:
    if len(legs) == 2:  # noqa: PLR2004 - nearly all are two, and need no sums
        one, other = legs
        if one.account.currency == other.account.currency:
            return one.amount_minor == -other.amount_minor
    sums: dict[str, int] = {}
    for leg in legs:
        currency = leg.account.currency
        sums[currency] = sums.get(currency, 0) + leg.amount_minor
    return bool(sums) and not any(sums.values())


def _is_amount(amount_minor: int) -> bool:
    return type(amount_minor) is int and 0 < amount_minor <= AMOUNT_MINOR_MAX


def _check_account(account: AccountRef) -> None:
    if account.fault is not None:
        raise MoneyError(account.fault)


class Post(_Transfer, frozen=True, kw_only=True, tag="post", gc=False):
    """Moves money at once; the legs sum to zero in each currency."""

    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        """Raise `MoneyError` for legs that do not balance, move nothing or may not be moved."""
        legs = self.legs
        for leg in legs:
            amount_minor = leg.amount_minor
            if (
                type(amount_minor) is not int
                or not _LEAST_MINOR <= amount_minor <= AMOUNT_MINOR_MAX
                or not amount_minor
            ):
                raise MoneyError(f"A leg cannot move {amount_minor}.")
            if leg.account.why_not_moved is not None:
                raise MoneyError(leg.account.why_not_moved)
        if not _balance(legs):
            raise MoneyError("The legs of a transfer must sum to zero in each currency.")


class Authorise(_Transfer, frozen=True, kw_only=True, tag="authorise", gc=False):
    """Holds money on the payer's side; the hold has the transfer's id.

    After `ends_after_s` seconds `ending` falls due, counted from the commit by the database's
    clock. `payee` is who a capture credits.
    """

    payer: AccountRef
    payee: AccountRef
    amount_minor: int
    ending: EndingAction
    ends_after_s: float

    def __post_init__(self) -> None:
        """Raise `MoneyError` for what cannot be held, by whom or for whom, or not for so long."""
        if not _is_amount(self.amount_minor):
            raise MoneyError(f"{self.amount_minor} cannot be held.")
        _check_account(self.payer)
        _check_account(self.payee)
        if self.payer.currency != self.payee.currency:
            raise MoneyError("A hold is captured in the currency it was made in.")
        if self.payer.purpose is _HELD or self.payee.purpose is _HELD:
            raise MoneyError("A hold takes from no held money, and none comes of it.")
        if type(self.ending) is not EndingAction:
            raise MoneyError(f"No hold ends by {self.ending!r}.")
        # What is no number is within no bounds either.
        if not -ENDS_AFTER_S_MAX <= self.ends_after_s <= ENDS_AFTER_S_MAX:
            raise MoneyError(f"No hold ends after {self.ends_after_s} seconds.")

    @property
    def money(self) -> Money:
        """What is held."""
        return Money(self.amount_minor, self.payer.currency)


class Capture(_Transfer, frozen=True, kw_only=True, tag="capture", gc=False):
    """Gives what an open hold holds to its payee: all that is left of it, or `amount_minor`.

    `shares` are taken from it for others, in one and the same transfer: a fee, a commission, a
    tax; the payee gets the rest. The last capture ends the hold, and what it leaves goes back to
    the payer; one with `last` false keeps the hold open for further ones.
    """

    hold_id: UUID
    amount_minor: int | None = None
    shares: tuple[Leg, ...] = ()
    last: bool = True

    def __post_init__(self) -> None:
        """Raise `MoneyError` for an amount or a share that cannot be captured."""
        if self.amount_minor is not None and not _is_amount(self.amount_minor):
            raise MoneyError(f"{self.amount_minor} cannot be captured.")
        for share in self.shares:
            if not _is_amount(share.amount_minor):
                raise MoneyError("A share of a capture is more than nothing.")
            _check_account(share.account)
            if share.account.purpose is _HELD:
                raise MoneyError("No share of a capture is held.")


class Void(_Transfer, frozen=True, kw_only=True, tag="void", gc=False):
    """Gives all that is left of an open hold back to its payer; `state` says why it ended."""

    hold_id: UUID
    state: HoldState = HoldState.VOIDED

    def __post_init__(self) -> None:
        """Raise `MoneyError` for a state that is no ending without money."""
        if self.state not in (HoldState.VOIDED, HoldState.EXPIRED):
            raise MoneyError(f"A void cannot leave a hold {self.state}.")


Transfer = Post | Authorise | Capture | Void

_encode = msgspec.json.Encoder(order="deterministic").encode
# A copy is made more quickly than a new one.
_nothing_yet = blake2b(digest_size=16)


def fingerprint(value: object) -> bytes:
    """16 bytes that differ when the parameters do: how a reused id is told from a repeated one."""
    digest = _nothing_yet.copy()
    digest.update(_encode(value))
    return digest.digest()

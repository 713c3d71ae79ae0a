"""What is taken from a payment when it is captured, and when the rest belongs to the merchant.

The merchant bears all of it: the payer pays the price and nothing else. The house's fee (a share
and a fixed part), the merchant's commission and the tax that is set aside are each counted on
everything that was captured of an order so far, rounded half to even, less what earlier captures
took: an order that is captured in ten parts costs what it costs in one. What rounding leaves over
is the merchant's, and no capture takes more than itself.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.transfers import Leg

#: Shares are counted in millionths: 1.5 % are 15,000.
MILLION = 1_000_000


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """The house's fee and the tax in one currency."""

    fee_ppm: int = 0
    fee_fixed_minor: int = 0
    tax_ppm: int = 0


Taken = Mapping[str, tuple[int, int]]
"""By account: what was taken of an order's captures, and what of it has gone back with refunds."""

TariffOf = Callable[[str], Tariff]


def no_tariff(_currency: str) -> Tariff:
    """Nobody takes anything."""
    return Tariff()


class HouseTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`pending_s`: how long captured money is pending before the merchant can withdraw it.

    `fees_refunded`: whether the house gives its share back with a refund; if not, the merchant
    bears it.
    """

    tariff_of: TariffOf = no_tariff
    pending_s: int = 0
    fees_refunded: bool = False


NO_HOUSE_TERMS = HouseTerms()


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number of a ratio of positive ones; a half goes to the even neighbour."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole % 2 == 1))


def shares_of(
    tariff: Tariff, commission_ppm: int, currency: str, before_minor: int, amount_minor: int
) -> tuple[Leg, ...]:
    """What others get of a capture of `amount_minor`, after `before_minor` was captured already."""
    before = _taken(tariff, commission_ppm, currency, before_minor)
    after = _taken(tariff, commission_ppm, currency, before_minor + amount_minor)
    left_minor, legs = amount_minor, []
    for account, taken_minor in after.items():
        share_minor = min(taken_minor - before[account], left_minor)
        if share_minor > 0:
            legs.append(Leg(account, share_minor))
            left_minor -= share_minor
    return tuple(legs)


def _taken(
    tariff: Tariff, commission_ppm: int, currency: str, captured_minor: int
) -> Mapping[AccountRef, int]:
    """What is taken of everything captured so far, and no more than that.

    What comes first is taken first, so a fixed part that a first capture is too small for is taken
    of the next ones.
    """
    fixed_minor = tariff.fee_fixed_minor if captured_minor else 0
    wanted = {
        accounts.tax(currency): half_even(captured_minor * tariff.tax_ppm, MILLION),
        accounts.fees(currency): fixed_minor + half_even(captured_minor * tariff.fee_ppm, MILLION),
        accounts.commission(currency): half_even(captured_minor * commission_ppm, MILLION),
    }
    left_minor, taken = captured_minor, {}
    for account, wanted_minor in wanted.items():
        taken[account] = min(wanted_minor, left_minor)
        left_minor -= taken[account]
    return taken


def with_taken(taken: Taken, shares: Iterable[Leg]) -> Taken:
    """What was taken of an order, after one more capture."""
    after = dict(taken)
    for share in shares:
        took_minor, returned_minor = after.get(share.account.id, (0, 0))
        after[share.account.id] = (took_minor + share.amount_minor, returned_minor)
    return after


def given_back(taken: Taken, refunded_minor: int, captured_minor: int) -> tuple[Leg, ...]:
    """What the house gives back when `refunded_minor` of `captured_minor` has gone back in all."""
    legs = []
    for account_id, (took_minor, returned_minor) in sorted(taken.items()):
        due_minor = half_even(took_minor * refunded_minor, captured_minor) - returned_minor
        if due_minor > 0:
            legs.append(Leg(AccountRef.of_id(account_id), -due_minor))
    return tuple(legs)


def with_returned(taken: Taken, back: Iterable[Leg]) -> Taken:
    """What was taken of an order, after `back` (of `given_back`) has gone back."""
    after = dict(taken)
    for leg in back:
        took_minor, returned_minor = after[leg.account.id]
        after[leg.account.id] = (took_minor, returned_minor - leg.amount_minor)
    return after

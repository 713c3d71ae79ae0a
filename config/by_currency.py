"""Settings that stand once for each currency, or pair of currencies: `[limits.CNY]`."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from config.section import Amount, Percentage, Rate, Seconds, Section, Whole


class OwnCurrency(Section):
    """A currency of the instance's own, such as a community's points."""

    exponent: Annotated[Whole, Field(ge=0, le=4)]
    name: Annotated[str, Field(min_length=1, max_length=40)]


class CurrencyLimits(Section):
    """The most that any wallet may spend of a currency, until an admin says otherwise for it."""

    payment_max: Amount | None = None
    day_max: Amount | None = None
    month_max: Amount | None = None
    payee_day_max: Amount | None = None
    new_payee_max: Amount | None = None
    new_payee_delay_s: Annotated[Seconds, Field(le=30 * 24 * 3600)] = 0


class CurrencyFees(Section):
    """What the house and the tax office get of each payment in a currency."""

    percent: Percentage = Decimal(0)
    fixed: Amount = "0"
    tax_percent: Percentage = Decimal(0)


class PairRate(Section):
    """How much of the second currency one whole unit of the first costs, and on which day."""

    rate: Rate
    as_of: date

"""What all sections of the settings share, and how numbers and amounts are written in them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

_AMOUNT = re.compile(r"\d{1,16}(\.\d{1,8})?", re.ASCII)
#: More than any market says; the exact price and its inverse then have room in their column.
_RATE_DIGITS_MAX = 18
#: Decimals of a percentage: a ten-thousandth of a percent is a millionth.
_PERCENT_DECIMALS = 4


def refuse_bool(value: object) -> object:
    """A number is no truth value, whatever Python says."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "it must be a number, not true or false")
    return value


def _exact(value: object) -> object:
    """A number as text, so that nothing is rounded on the way."""
    refuse_bool(value)
    if isinstance(value, float):
        raise PydanticCustomError(
            "exact", 'a number with decimals must stand in quotes, such as "12.50"'
        )
    return str(value) if isinstance(value, int) else value


def _amount(value: object) -> object:
    text = _exact(value)
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise PydanticCustomError("amount", 'it must be an amount, such as 200 or "12.50"')
    return text


def _percentage(value: object) -> object:
    number = _decimal(value)
    if not 0 <= number <= 100 or number.as_tuple().exponent < -_PERCENT_DECIMALS:  # type: ignore[operator] # noqa: PLR2004 - a hundred per cent; a finite number's exponent is an int
        raise PydanticCustomError(
            "percentage", "it must be a percentage from 0 to 100 with at most 4 decimals"
        )
    return number


def _rate(value: object) -> object:
    number = _decimal(value)
    if number <= 0:
        raise PydanticCustomError("rate", "a rate must be more than zero")
    if (
        len(number.as_tuple().digits) > _RATE_DIGITS_MAX
        or abs(number.adjusted()) > _RATE_DIGITS_MAX
    ):
        raise PydanticCustomError(
            "rate", "a rate must have at most 18 digits, before the decimal point and in all"
        )
    return number


def _decimal(value: object) -> Decimal:
    text = _exact(value)
    try:
        number = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise PydanticCustomError("exact", 'it must be a number, such as 7 or "7.1023"')
    return number


Whole = Annotated[int, BeforeValidator(refuse_bool)]
Amount = Annotated[str, BeforeValidator(_amount)]
"""An amount of money as people write it; of which currency, the key says."""
Percentage = Annotated[Decimal, BeforeValidator(_percentage)]
Rate = Annotated[Decimal, BeforeValidator(_rate)]
Seconds = Annotated[Whole, Field(ge=0)]


class Section(BaseModel):
    """A group of settings; it never changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

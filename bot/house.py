"""The settings about money, as the core wants them: exact, in minor units, checked.

What the settings alone cannot tell, such as how many decimals a currency has, is found out here,
before anything else starts. Each function raises `MoneyError` with one sentence.
"""

from config.settings import Settings
from wallet_core.errors import MoneyError
from wallet_core.money import define_currency, exponent_of


def define_currencies(settings: Settings) -> None:
    """Make the instance's own currencies known; nothing may read an amount before."""
    for code, currency in settings.currencies.items():
        define_currency(code, currency.exponent, currency.name)
    for code in (settings.currency, *settings.limits, *settings.fees, *_rated(settings)):
        try:
            exponent_of(code)
        except MoneyError as error:
            raise MoneyError(f"The settings name a currency that does not exist: {error}") from None


def _rated(settings: Settings) -> list[str]:
    return [code for pair in settings.rates for code in pair.split("_")]

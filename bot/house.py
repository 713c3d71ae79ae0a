"""The settings about money, as the core wants them: exact, in minor units, checked.

What the settings alone cannot tell, such as how many decimals a currency has, is found out here,
before anything else starts. Each function raises `MoneyError` with one sentence.
"""

from decimal import Decimal
from fractions import Fraction

from config.by_currency import CurrencyFees, CurrencyLimits
from config.settings import Settings
from wallet_core.commerce.arbitrage import find_arbitrage
from wallet_core.commerce.conversion import ConversionQuotes, TableRates
from wallet_core.commerce.house_terms import HouseTerms, Tariff
from wallet_core.errors import MoneyError
from wallet_core.limits import NO_LIMITS, Limits, LimitsOf
from wallet_core.money import Money, define_currency, exponent_of


def define_currencies(settings: Settings) -> None:
    """Make the instance's own currencies known; nothing may read an amount before."""
    for code, currency in settings.currencies.items():
        define_currency(code, currency.exponent, currency.name)
    for code in (settings.currency, *settings.limits, *settings.fees, *_rated(settings)):
        try:
            exponent_of(code)
        except MoneyError as error:
            raise MoneyError(f"The settings name a currency that does not exist: {error}") from None


def limits_of(settings: Settings) -> LimitsOf:
    """What every wallet may spend of each currency, until an admin says otherwise for it."""
    known = {code: _limits(code, limits) for code, limits in settings.limits.items()}
    return lambda currency: known.get(currency, NO_LIMITS)


def house_terms(settings: Settings) -> HouseTerms:
    """What is taken from payments, and when the rest is the merchant's."""
    known = {code: _tariff(code, fees) for code, fees in settings.fees.items()}
    return HouseTerms(
        tariff_of=lambda currency: known.get(currency, Tariff()),
        pending_s=settings.settlement.pending_s,
        fees_refunded=settings.settlement.fees_refunded,
    )


def conversion_quotes(settings: Settings) -> ConversionQuotes:
    """Quotes at the rates that the settings name, with which nobody can make money."""
    prices = {}
    for pair, known in settings.rates.items():
        sold, _, bought = pair.partition("_")
        prices[sold, bought] = (Fraction(known.rate), known.as_of.isoformat())
    spread_ppm = _ppm(settings.conversion.spread_percent)
    won = find_arbitrage({pair: price for pair, (price, _) in prices.items()}, spread_ppm)
    if won is not None:
        way = " to ".join(won.currencies)
        raise MoneyError(
            f"The rates contradict each other: 100 {won.currencies[0]}, converted {way}, come to "
            f"{float(100 * won.comes_to):.6g}; mend the rates, or raise conversion.spread_percent."
        )
    return ConversionQuotes(TableRates(prices), spread_ppm, settings.conversion.quote_valid_s)


def _tariff(code: str, fees: CurrencyFees) -> Tariff:
    return Tariff(
        fee_ppm=_ppm(fees.percent),
        fee_fixed_minor=_minor(f"fees.{code}.fixed", fees.fixed, code),
        tax_ppm=_ppm(fees.tax_percent),
    )


def _ppm(percent: Decimal) -> int:
    """Millionths; the settings allow four decimals of a per cent, so nothing is rounded."""
    return int(percent.scaleb(4))


def _limits(code: str, limits: CurrencyLimits) -> Limits:
    def minor(name: str) -> int | None:
        text = getattr(limits, name)
        return None if text is None else _minor(f"limits.{code}.{name}", text, code)

    return Limits(
        payment_max_minor=minor("payment_max"),
        day_max_minor=minor("day_max"),
        month_max_minor=minor("month_max"),
        payee_day_max_minor=minor("payee_day_max"),
        new_payee_max_minor=minor("new_payee_max"),
        new_payee_delay_s=limits.new_payee_delay_s,
    )


def _minor(setting: str, text: str, currency: str) -> int:
    try:
        return Money.parse(text, currency).amount_minor
    except MoneyError as error:
        raise MoneyError(f"{setting} cannot be used: {error}") from None


def _rated(settings: Settings) -> list[str]:
    return [code for pair in settings.rates for code in pair.split("_")]

from fractions import Fraction
from pathlib import Path

import pytest

from bot.house import conversion_quotes, define_currencies, house_terms, limits_of
from config.by_currency import CurrencyLimits, OwnCurrency
from config.settings import Settings
from wallet_core.commerce.house_terms import Tariff
from wallet_core.errors import MoneyError
from wallet_core.limits import NO_LIMITS, Limits
from wallet_core.money import exponent_of


def test_own_currencies_are_known_once_the_settings_are_read() -> None:
    settings = Settings(
        data_dir=Path("x"),
        currency="KUDOS",
        currencies={"KUDOS": OwnCurrency(exponent=0, name="kudos")},
    )
    define_currencies(settings)
    define_currencies(settings)
    assert exponent_of("KUDOS") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"currencies": {"CNY": OwnCurrency(exponent=2, name="yuan")}},
        {"currency": "DUCATS"},
        {"limits": {"DUCATS": CurrencyLimits()}},
    ],
)
def test_a_currency_that_cannot_be_ends_the_start_in_one_sentence(wrong: dict[str, object]) -> None:
    with pytest.raises(MoneyError) as refused:
        define_currencies(Settings.model_validate({"data_dir": Path("x"), **wrong}))
    assert str(refused.value).endswith(".")


def test_amounts_and_shares_become_exact_numbers() -> None:
    settings = Settings.model_validate(
        {
            "data_dir": Path("x"),
            "limits": {"JPY": {"day_max": 5000}, "KWD": {"payment_max": "1.250"}},
            "fees": {"CNY": {"percent": "1.5", "fixed": "0.30", "tax_percent": "0.0001"}},
            "settlement": {"pending_s": 60, "fees_refunded": True},
        }
    )
    limits = limits_of(settings)
    assert limits("JPY") == Limits(day_max_minor=5000)
    assert limits("KWD") == Limits(payment_max_minor=1250)
    assert limits("CNY") == NO_LIMITS
    terms = house_terms(settings)
    assert terms.tariff_of("CNY") == Tariff(fee_ppm=15_000, fee_fixed_minor=30, tax_ppm=1)
    assert terms.tariff_of("JPY") == Tariff()
    assert (terms.pending_s, terms.fees_refunded) == (60, True)


def test_an_amount_that_its_currency_does_not_have_names_its_setting() -> None:
    settings = Settings.model_validate(
        {"data_dir": Path("x"), "limits": {"JPY": {"day_max": "0.5"}}}
    )
    with pytest.raises(MoneyError) as refused:
        limits_of(settings)
    assert str(refused.value).startswith("limits.JPY.day_max cannot be used: JPY has 0 decimals")


async def test_rates_of_the_settings_serve_both_ways() -> None:
    settings = Settings.model_validate(
        {
            "data_dir": Path("x"),
            "rates": {"USD_CNY": {"rate": "7.1023", "as_of": "2026-11-25"}},
            "conversion": {"spread_percent": "1.5"},
        }
    )
    quotes = conversion_quotes(settings)
    assert (quotes.spread_ppm, quotes.valid_s) == (15_000, 60)
    there, back = await quotes.rates.rate("USD", "CNY"), await quotes.rates.rate("CNY", "USD")
    assert there is not None
    assert back is not None
    assert there.price == Fraction("7.1023") == 1 / back.price
    assert there.as_of == "2026-11-25"


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        (
            {"USD_CNY": "7.1023", "CNY_USD": "0.15"},
            (
                "The rates contradict each other: 100 USD, converted USD to CNY to USD, come to "
                "104.414; mend the rates, or raise conversion.spread_percent."
            ),
        ),
        (
            {"USD_CNY": "7.1023", "EUR_CNY": "7.70", "EUR_USD": "1.16"},
            (
                "The rates contradict each other: 100 USD, converted USD to CNY to EUR to USD, "
                "come to 103.818; mend the rates, or raise conversion.spread_percent."
            ),
        ),
    ],
)
def test_rates_with_which_anybody_could_make_money_end_the_start(
    rates: dict[str, str], sentence: str
) -> None:
    named = {pair: {"rate": rate, "as_of": "2026-11-25"} for pair, rate in rates.items()}
    settings = Settings.model_validate({"data_dir": Path("x"), "rates": named})
    with pytest.raises(MoneyError) as refused:
        conversion_quotes(settings)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("rate", ["1e-19", "1e19", "1e999999", "0.1234567890123456789"])
def test_a_rate_that_no_column_has_room_for_is_refused(rate: str) -> None:
    named = {"USD_CNY": {"rate": rate, "as_of": "2026-11-25"}}
    with pytest.raises(ValueError, match="at most 18 digits"):
        Settings.model_validate({"data_dir": Path("x"), "rates": named})


@pytest.mark.parametrize("rate", ["9.99999999999999999e-18", "9.99999999999999999e18", "7"])
async def test_the_longest_rates_and_their_inverses_fit_into_their_column(rate: str) -> None:
    named = {"USD_CNY": {"rate": rate, "as_of": "2026-11-25"}}
    quotes = conversion_quotes(Settings.model_validate({"data_dir": Path("x"), "rates": named}))
    for sold, bought in (("USD", "CNY"), ("CNY", "USD")):
        known = await quotes.rates.rate(sold, bought)
        assert known is not None
        assert len(str(known.price)) <= 80

from pathlib import Path

import pytest

from bot.house import define_currencies
from config.by_currency import CurrencyLimits, OwnCurrency
from config.settings import Settings
from wallet_core.errors import MoneyError
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

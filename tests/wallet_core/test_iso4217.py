"""The list of currencies against CLDR's."""

from babel.core import get_global

from wallet_core.iso4217 import EXPONENTS

#: ISO 4217 (published list, 2024) where CLDR's display digits differ from it.
ISO_DIFFERS = {
    "AFN": 2, "ALL": 2, "AMD": 2, "COP": 2, "CRC": 2, "GYD": 2, "HUF": 2, "IDR": 2, "IQD": 3,
    "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2, "MUR": 2, "MNT": 2, "NOK": 2,
    "PKR": 2, "RSD": 2, "SEK": 2, "SLE": 2, "SOS": 2, "SYP": 2, "TWD": 2, "TZS": 2, "UZS": 2,
    "YER": 2, "ZMW": 2, "CZK": 2, "UYW": 4, "CLF": 4, "UGX": 0, "VUV": 0,
}  # fmt: skip


def test_every_currency_of_cldr_is_listed_with_the_decimals_of_iso_4217() -> None:
    assert set(EXPONENTS) >= set(get_global("all_currencies"))
    fractions = get_global("currency_fractions")
    for code in get_global("all_currencies"):
        shown = fractions.get(code, fractions["DEFAULT"])[0]
        assert EXPONENTS[code] == ISO_DIFFERS.get(code, shown), code

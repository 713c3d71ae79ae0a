"""The list of legal tender against CLDR's, on the day it was drawn."""

from datetime import date

from babel.core import get_global
from babel.numbers import get_territory_currencies

from bot.links.recognise.legaltender import TENDER

DRAWN = date(2026, 11, 26)


def test_every_country_of_cldr_has_its_currencies() -> None:
    for country in get_global("territory_currencies"):
        listed = get_territory_currencies(country, start_date=DRAWN, end_date=DRAWN)
        assert TENDER.get(country, frozenset()) == set(listed), country

"""What a simulated house takes, how long things may take there, and at which rates it converts."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.conversion import Rate
from wallet_core.commerce.house_terms import HouseTerms, Tariff
from wallet_core.simulation.town import CURRENCY, FOREIGN

TERMS = Terms(undo_window_s=8.0, accept_within_s=600.0, claim_within_s=7_200.0)
TARIFF = Tariff(fee_ppm=25_000, fee_fixed_minor=3, tax_ppm=60_000)
HOUSE = HouseTerms(tariff_of=lambda _currency: TARIFF, pending_s=1_800, fees_refunded=True)
SPREAD_PPM = 10_000
_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class TownRates:
    """A `RateSource` whose rate is another one each hour."""

    clock_us: Callable[[], int]

    async def rate(self, sold: str, bought: str) -> Rate | None:
        """See `RateSource`."""
        hour = self.clock_us() // _HOUR_US
        price = Fraction(70 + hour % 5, 10)
        as_of = str(hour)
        if (sold, bought) == (FOREIGN, CURRENCY):
            return Rate("town", sold, bought, price, as_of)
        if (sold, bought) == (CURRENCY, FOREIGN):
            return Rate("town", sold, bought, 1 / price, as_of)
        return None

"""Cash: an admin takes it or hands it over, and confirms."""

from wallet_core.funding.base import Progress, Step
from wallet_core.money import Money


class Cash:
    """The till. Every request waits for an admin's `/admin confirm CODE`."""

    name = "cash"

    async def begin_top_up(self, code: str, money: Money) -> Step:
        """Wait for an admin who has the cash in his hand."""
        return Step(
            Progress.PENDING,
            f"Hand {money.format()} to an admin and name the code {code}. "
            "It is yours once it is confirmed.",
        )

    async def begin_payout(self, code: str, money: Money) -> Step:
        """Wait for an admin who hands the cash over."""
        return Step(
            Progress.PENDING,
            f"An admin hands you {money.format()} for the code {code}. "
            "Until then it is held; nobody can spend it.",
        )

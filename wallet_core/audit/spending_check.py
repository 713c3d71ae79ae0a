"""What wallets count as spent, against their payments: limits must never let more through."""

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.rows import SpendingLine
from wallet_core.limits import Spending


class SpendingCheck:
    """What is counted is an upper bound of what was spent in the last day and the last 30 days."""

    def see(self, row: SpendingLine) -> None:
        """Look at the next account that something was spent from lately."""
        counted = Spending.unpack(row.spending)
        counted.roll(row.now_us)
        for days, bound_minor, spent_minor in (
            ("day", counted.day_bound_minor, row.day_minor),
            ("30 days", counted.month_bound_minor, row.month_minor),
        ):
            if bound_minor < spent_minor:
                counts = amount_words(bound_minor, row.currency)
                spent = amount_words(spent_minor, row.currency)
                raise BrokenBooks(
                    f"account {row.account_id}",
                    f"Account {row.account_id} counts {counts} as spent in the last {days}, "
                    f"but its payments come to {spent}.",
                )

    def end(self) -> None:
        """Nothing is left to look at."""

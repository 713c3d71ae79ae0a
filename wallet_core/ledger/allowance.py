"""What a wallet may still spend, for telling people: the rules themselves count in the posting."""

from collections.abc import Mapping

import msgspec

from wallet_core.ledger.wallets import WalletMode
from wallet_core.limits import (
    DAY_US,
    MONTH_US,
    Limits,
    Spend,
    WalletLimits,
    spent_minor,
)

_SECOND_US = 1_000_000


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet's limits for one currency and what was spent, as the database stood at `now_us`.

    `limits` is what holds, with those of wallets that count together; `set_for` what was set for
    this wallet alone; `default` what holds where nothing is set. `spends` are those of the last 30
    days, of all wallets together. `payees` says since when payees are known.
    """

    currency: str
    mode: WalletMode
    limits: Limits
    set_for: WalletLimits
    default: Limits
    spends: tuple[Spend, ...]
    payees: Mapping[str, int]
    now_us: int

    @property
    def day_left_minor(self) -> int | None:
        """What may still be spent in the last 24 hours' place; None for no limit."""
        return self._left(self.limits.day_max_minor, DAY_US)

    @property
    def month_left_minor(self) -> int | None:
        """The same for 30 days."""
        return self._left(self.limits.month_max_minor, MONTH_US)

    def _left(self, most_minor: int | None, window_us: int) -> int | None:
        if most_minor is None:
            return None
        return max(0, most_minor - spent_minor(self.spends, self.now_us - window_us))

    def free_at_us(
        self, amount_minor: int, most_minor: int, window_us: int, payee: str | None = None
    ) -> int | None:
        """When enough payments have left the window for `amount_minor` to fit; None for never."""
        if amount_minor > most_minor:
            return None
        counted = sorted(
            (spend.at_us, spend.amount_minor)
            for spend in self.spends
            if spend.at_us > self.now_us - window_us and payee in (None, spend.payee)
        )
        spent = sum(minor for _, minor in counted)
        free_us = self.now_us
        for at_us, minor in counted:
            if spent + amount_minor <= most_minor:
                break
            spent -= minor
            free_us = at_us + window_us
        return free_us

    def known_at_us(self, payee: str) -> int | None:
        """When a payee stops being new; None where he was never met, or that matters not."""
        since_us = self.payees.get(payee)
        if since_us is None or not self.limits.watches_payees:
            return None
        return since_us + self.limits.new_payee_delay_s * _SECOND_US

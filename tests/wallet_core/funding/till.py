"""A provider for tests, which answers as it is told."""

import asyncio
from dataclasses import dataclass, field

from wallet_core.funding.base import Progress, Step
from wallet_core.money import Money


class ProviderBrokeError(Exception):
    """Stands for a crash between the request and the provider's answer."""


@dataclass
class Till:
    """A provider whose next answers can be chosen; it remembers what it was asked."""

    name: str = "cash"
    progress: Progress = Progress.PENDING
    breaks: int = 0
    asked: list[tuple[str, str, Money]] = field(default_factory=list)
    pause_s: float = 0.0

    async def begin_top_up(self, code: str, money: Money) -> Step:
        return await self._begin("topup", code, money)

    async def begin_payout(self, code: str, money: Money) -> Step:
        return await self._begin("payout", code, money)

    async def _begin(self, kind: str, code: str, money: Money) -> Step:
        self.asked.append((kind, code, money))
        if self.breaks:
            self.breaks -= 1
            raise ProviderBrokeError
        await asyncio.sleep(self.pause_s)
        return Step(self.progress, f"Name the code {code}.")

"""Taps: from the update that Telegram brings to the toast that says it is paid."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from benchmarks.conversation_cases.bot_api import BotApi
from benchmarks.conversation_cases.posting import Webhook
from benchmarks.conversation_cases.town import Town, message_id, person, quote_id
from benchmarks.conversation_cases.updates import Updates

_ANSWERED_WITHIN_S = 60.0


class NotPaid(Exception):
    """A tap was answered with something else than that it is paid, or not at all."""


@dataclass
class Tapping:
    """One tap after the other, each of somebody on a card that he has not bought yet."""

    api: BotApi
    webhook: Webhook
    updates: Updates
    town: Town
    taps: Iterator[tuple[int, int]]

    async def tap(self) -> UUID:
        """Tap and wait for the toast. Raises `NotPaid`."""
        try:
            who, card = next(self.taps)
        except StopIteration:
            raise NotPaid("Everybody has bought everything: take a larger town.") from None
        query_id, update = self.updates.tap(
            person(who), self.town.group_of(card), message_id(card), f"pay:{quote_id(card)}"
        )
        toast: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.api.toasts[query_id] = toast
        await self.webhook.bring(update)
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN_S):
                said = await toast
        except TimeoutError:
            raise NotPaid(f"No toast within {_ANSWERED_WITHIN_S:g} s.") from None
        if not said.startswith("Paid "):
            raise NotPaid(f"A tap was answered “{said}”.")
        return uuid4()

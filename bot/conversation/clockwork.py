"""What happens by itself: holds that are due get their ending, owners what was held for them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.adapters.base import Adapter
from wallet_core.commerce.escrow import EscrowReleases
from wallet_core.commerce.fulfilment import Endings
from wallet_core.commerce.settlement import Settlements
from wallet_core.errors import StorageUnavailable

_log = structlog.get_logger(__name__)

#: What is due is ended a few at a time: whoever taps meanwhile waits behind all of them.
EVERY_S = 0.05
#: How long captures wait after a start for networks to tell what happened in the meantime.
CATCH_UP_S = 60.0
_LOOK_AGAIN_S = 0.05
#: The longest pause between two looks where the last ones failed.
_PAUSE_S_MAX = 5.0


@dataclass
class Clockwork:
    """Runs the endings.

    After a start it waits until the networks have caught up and what they told is answered, so
    that an undo that was made while the bot was away still counts. `backlog` counts the heard
    events that wait for their answer. Money that has found its owner is handed over first, so that
    it does not expire in the same moment.
    """

    endings: Endings
    adapters: Sequence[Adapter]
    backlog: Callable[[], Awaitable[int]]
    settlements: Settlements | None = None
    escrow: EscrowReleases | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        await self._catch_up()
        pause_s = EVERY_S
        while True:
            try:
                if self.escrow is not None:
                    await self.escrow.run_due()
                await self.endings.run_due()
                if self.settlements is not None:
                    await self.settlements.run_due()
                pause_s = EVERY_S
            except* StorageUnavailable as errors:
                _log.warning("endings_delayed", error=str(errors.exceptions[0])[:300])
                pause_s = min(2 * pause_s, _PAUSE_S_MAX)
            except* Exception:  # noqa: BLE001 - one odd hold must not silence the whole bot
                _log.exception("holds_not_ended")
                pause_s = min(2 * pause_s, _PAUSE_S_MAX)
            await asyncio.sleep(pause_s)

    async def _catch_up(self) -> None:
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await asyncio.gather(*(adapter.caught_up() for adapter in self.adapters))
                await self._answered()
        except TimeoutError:
            _log.warning("networks_not_caught_up", waited_s=CATCH_UP_S)

    async def _answered(self) -> None:
        while True:
            try:
                if not await self.backlog():
                    return
            except StorageUnavailable as error:
                _log.warning("endings_delayed", error=str(error)[:300])
                await asyncio.sleep(1)
            await asyncio.sleep(_LOOK_AGAIN_S)

"""How an adapter that asks for news goes on through outages: any adapter may use it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.adapters.base import AdapterError, RateLimited

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_PAUSE_S_MIN = 0.5


class Patience:
    """Takes one step of reading after the other, with growing pauses while they fail.

    `pause_s_max` bounds the pauses. `for_good` is the fault that waiting does not mend.
    """

    def __init__(
        self, network: str, for_good: type[AdapterError], *, pause_s_max: float = 60.0
    ) -> None:
        self._network = network
        self._for_good = for_good
        self._pause_s_max = pause_s_max
        self._pause_s = min(_PAUSE_S_MIN, pause_s_max)

    async def bears(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Take a step; False, after a pause, where it failed. Raises `for_good`."""
        try:
            await step()
        except self._for_good:
            raise
        except RateLimited as error:
            log.warning("network_waits", network=self._network, wait_s=error.retry_after_s)
            await asyncio.sleep(error.retry_after_s)
        except AdapterError as error:
            reason = str(error)[:300]
            log.warning("network_waits", network=self._network, wait_s=self._pause_s, reason=reason)
            await self._pause()
        except Exception:
            # The inbox did not take them, most likely: the same events are read again.
            log.exception("events_not_heard", network=self._network, wait_s=self._pause_s)
            await self._pause()
        else:
            self._pause_s = min(_PAUSE_S_MIN, self._pause_s_max)
            return True
        return False

    async def _pause(self) -> None:
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, self._pause_s_max)

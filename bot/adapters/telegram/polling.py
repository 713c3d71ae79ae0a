"""Reading by polling: the offset moves once the events stand in the inbox.

Telegram keeps the offset: what was not confirmed is delivered again, and the inbox knows it.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import structlog

from bot.adapters.base import AdapterError, RateLimited
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.faults import AnotherReader, TokenRefused
from bot.adapters.telegram.intake import Intake
from bot.adapters.telegram.wire import KINDS

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_BATCH_MAX = 100
_PAUSE_S_MIN = 0.5
_PAUSE_S_MAX = 30.0
#: How long Telegram holds a poll when nothing happens.
_POLL_S = 30
#: How much longer than the poll itself its answer may take.
_SLACK_S = 10.0


async def poll(api: BotApi, intake: Intake, caught_up: Callable[[], None]) -> NoReturn:
    """Read until cancelled; outages and other readers are waited out.

    `caught_up` is called once nothing is left of what happened before. Raises `TokenRefused`.
    """
    offset = 0
    behind = True
    pause_s = _PAUSE_S_MIN
    while True:
        try:
            # The first rounds only ask what is there already.
            updates = await _next(api, offset, 0 if behind else _POLL_S)
            if updates:
                await intake.batch(updates)
                offset = max(offset, int(updates[-1]["update_id"]) + 1)
        except TokenRefused:
            raise
        except RateLimited as error:
            log.warning("telegram_polling_waits", wait_s=error.retry_after_s)
            await asyncio.sleep(error.retry_after_s)
            continue
        except AnotherReader as error:
            log.warning("telegram_is_read_by_somebody_else", wait_s=pause_s, reason=str(error))
        except AdapterError as error:
            log.warning("telegram_polling_waits", wait_s=pause_s, reason=str(error))
        except Exception:
            # The inbox did not take them, most likely: the same updates come again.
            log.exception("telegram_updates_not_heard", wait_s=pause_s)
        else:
            if behind and len(updates) < _BATCH_MAX:
                behind = False
                caught_up()
            pause_s = _PAUSE_S_MIN
            continue
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _PAUSE_S_MAX)


async def _next(api: BotApi, offset: int, wait_s: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.call(
        "getUpdates",
        timeout_s=wait_s + _SLACK_S,
        offset=offset,
        limit=_BATCH_MAX,
        timeout=wait_s,
        allowed_updates=list(KINDS),
    )
    return found

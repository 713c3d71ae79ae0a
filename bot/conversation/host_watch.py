"""Looks for the proofs of hosts by itself, again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from wallet_core.commerce.host_checks import HostChecks
from wallet_core.errors import StorageUnavailable

_log = structlog.get_logger(__name__)

#: How often it is looked which hosts are due.
EVERY_S = 30.0


@dataclass(frozen=True)
class HostWatch:
    """Runs the checks that are due; `now_us` is the clock."""

    checks: HostChecks
    now_us: Callable[[], int]

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                while await self.checks.run_due(self.now_us()):
                    pass
            except* StorageUnavailable as errors:
                _log.warning("hosts_not_checked", error=str(errors.exceptions[0])[:300])
            except* Exception:  # noqa: BLE001 - one odd host must not end the watch
                _log.exception("hosts_not_checked")

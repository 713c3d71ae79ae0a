"""Works on what is due, a few sources side by side, each in one process only.

Some take hours: a sitemap of thousands of pages, a server that answers drop by drop. They make
room for the others, and no shop has more than a few under way.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from bot.catalogue.importing import Importer
from wallet_core.errors import StorageUnavailable
from wallet_core.storage.catalogues import Claim

_log = structlog.get_logger(__name__)

#: How often is looked whether a source is due.
EVERY_S = 2.0
#: Sources that one process reads side by side; one that has gone on for so long counts no more.
AT_ONCE = 3
SLOW_AFTER_S = 60.0
#: How many it reads at all, and of one shop.
AT_ALL_MAX = 32
OF_A_SHOP_MAX = 3
_FAULT = "A fault of this bot came in between; its owner finds it in the log."


class _Work(NamedTuple):
    """Whose source is worked on, and since when by the event loop's clock."""

    merchant_id: str
    began_s: float


@dataclass
class Schedule:
    """Runs the importer until it is cancelled."""

    importer: Importer
    every_s: float = EVERY_S
    slow_after_s: float = SLOW_AFTER_S
    _running: dict[asyncio.Task[None], _Work] = field(default_factory=dict)

    async def run(self) -> None:
        """Work until cancelled."""
        swept = False
        try:
            while True:
                try:
                    if not swept:
                        await self.importer.store.sweep()
                        swept = True
                    await self._begin_due()
                except StorageUnavailable as error:
                    _log.warning("catalogues_delayed", error=str(error)[:300])
                await asyncio.sleep(self.every_s)
        finally:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _begin_due(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._has_room(clock()):
            shops = Counter(work.merchant_id for work in self._running.values())
            full = [shop for shop, count in shops.items() if count >= OF_A_SHOP_MAX]
            claim = await self.importer.staging.claim(but_for=full)
            if claim is None:
                return
            task = asyncio.create_task(self._work(claim))
            self._running[task] = _Work(claim.source.merchant_id, clock())
            task.add_done_callback(self._running.pop)

    def _has_room(self, now_s: float) -> bool:
        young = sum(work.began_s > now_s - self.slow_after_s for work in self._running.values())
        return young < AT_ONCE and len(self._running) < AT_ALL_MAX

    async def _work(self, claim: Claim) -> None:
        try:
            await self.importer.work(claim)
        except StorageUnavailable as error:
            _log.warning("catalogues_delayed", error=str(error)[:300])
        except Exception:  # noqa: BLE001 - one odd catalogue must not end all others
            _log.exception("catalogue_not_worked_on", source=claim.source.id)
            await self._note_fault(claim)

    async def _note_fault(self, claim: Claim) -> None:
        try:
            await self.importer.failed(claim, _FAULT)
        except StorageUnavailable as error:
            # The claim runs out by itself, and then the source is due again.
            _log.warning("catalogues_delayed", error=str(error)[:300])

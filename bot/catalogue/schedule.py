"""Works on what is due, a few sources side by side, each in one process only."""

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.catalogue.importing import Importer
from wallet_core.errors import StorageUnavailable
from wallet_core.storage.catalogues import Claim

_log = structlog.get_logger(__name__)

#: How often is looked whether a source is due.
EVERY_S = 2.0
#: Sources that one process reads side by side.
AT_ONCE = 3
_FAULT = "A fault of this bot came in between; its owner finds it in the log."


@dataclass
class Schedule:
    """Runs the importer until it is cancelled."""

    importer: Importer
    every_s: float = EVERY_S
    _running: set[asyncio.Task[None]] = field(default_factory=set)

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
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _begin_due(self) -> None:
        while len(self._running) < AT_ONCE:
            claim = await self.importer.staging.claim()
            if claim is None:
                return
            task = asyncio.create_task(self._work(claim))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

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

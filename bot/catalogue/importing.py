"""From a claimed source to what is listed: read, stage, compare, take over, and say so.

Every step may be interrupted: what was staged counts for nothing until it is taken over, a page is
taken over in one transaction, and the next claim begins again or goes on where the last one was.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from bot.cards import Card
from bot.catalogue import words
from bot.catalogue.reading import Fetches, SourceReader
from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.staging import Staging
from bot.links.fetch import FetchError
from wallet_core.commerce.catalogue import CatalogueItem, CatalogueSource, LostClaim, SourceState
from wallet_core.commerce.records import HostClaim
from wallet_core.errors import StorageUnavailable
from wallet_core.storage.catalogues import Catalogues, Claim

_log = structlog.get_logger(__name__)

_SIGN_OF_LIFE_S = 30.0
_MICROSECONDS = 1_000_000
#: After so many failures in a row the owner is told.
FAILURES_TOLD = 3
_FIRST_RETRY_S = 300
_RETRY_S_MAX = 24 * 3600
_JITTER = 0.1
#: The longest that a reading may take; twenty thousand pages take some six hours.
READING_S_MAX = 24 * 3600.0

Tell = Callable[[CatalogueSource, str, Card], Awaitable[None]]
"""Says a card to the owner of a source; the text is a key under which it is said once."""


class HostClaims(Protocol):
    """Who knows the hosts that a merchant claims."""

    async def host_claims(self, merchant_id: str) -> Iterable[HostClaim]:
        """The hosts that a merchant claims."""


async def proven_hosts(claims: HostClaims, merchant_id: str) -> frozenset[str]:
    """The hosts that a merchant has proven."""
    claimed = await claims.host_claims(merchant_id)
    return frozenset(c.verified_host for c in claimed if c.verified_host is not None)


@dataclass(frozen=True)
class Importer:
    """Works on one claimed source at a time. `interval_s`: how often sources are read."""

    staging: Staging
    claims: HostClaims
    fetches: Fetches
    tell: Tell
    interval_s: int

    @property
    def store(self) -> Catalogues:
        """Where sources and items are kept."""
        return self.staging.store

    def now_us(self) -> int:
        """The clock, in microseconds since the epoch."""
        return self.staging.now_us()

    async def work(self, claim: Claim) -> None:
        """Do for a source what is due, and give the claim up."""
        try:
            async with self._alive(claim):
                if claim.source.state == SourceState.APPROVED:
                    await self._approved(claim)
                else:
                    async with asyncio.timeout(READING_S_MAX):
                        await self._read(claim)
        except (FetchError, UnreadableCatalogue) as error:
            await self.failed(claim, str(error))
        except TimeoutError:
            await self.failed(claim, "The shop's server is so slow that a day is not enough.")
        except LostClaim:
            _log.info("catalogue_claim_lost", source=claim.source.id)

    # --- what is due -------------------------------------------------------------------------

    async def _read(self, claim: Claim) -> None:
        source = claim.source
        hosts = await proven_hosts(self.claims, source.merchant_id)
        host = urlsplit(source.url).netloc
        if host not in hosts:
            raise UnreadableCatalogue(f"{host} is not proven to be this shop's.")

        async def known(keys: Iterable[str]) -> "dict[str, CatalogueItem]":
            return dict(await self.store.known_items(source.id, list(keys)))

        reader = SourceReader(self.fetches, hosts, known)
        if not source.loud and not await reader.has_changed(source.validators):
            await self._settle(claim, self._read_well(claim, source.item_count))
            await self._said_well(source)
            return
        number = await self.store.begin_reading(claim, self.staging.until_us)
        reading = await self.staging.stage(claim, reader.read(source.url))
        tally = await self.staging.compared(source.id)
        listed = await self.store.listed_count(source.id)
        doubt = tally.doubt(listed)
        if source.state != SourceState.ACTIVE or doubt is not None:
            # No validators: what the owner turns down is to be read again, and shown again.
            shown = {"state": SourceState.SHOWN, "kind": reader.kind, "validators": None}
            asked = {"failures": 0, "error": doubt, "due_at_us": None, "loud": False}
            await self._settle(claim, {**shown, **asked})
            card = words.dry_run_card(source, number, reading, tally, doubt)
            await self.tell(source, f"shown:{number}", card)
            return
        if tally.total:
            await self.staging.take(claim)
        seen = {"kind": reader.kind, "validators": reader.validators}
        values = {**self._read_well(claim, reading.items), **seen}
        await self._settle(claim, values, taken=True)
        if source.loud:
            await self.tell(source, f"read:{number}", words.taken_card(source, reading, tally))
        else:
            await self._said_well(source)

    async def _approved(self, claim: Claim) -> None:
        source = claim.source
        await self.staging.take(claim, after=claim.taken_to)
        count = await self.store.listed_count(source.id)
        # What was agreed to may be old by now, so it is read again soon.
        values = {
            **self._read_well(claim, count),
            "state": SourceState.ACTIVE,
            "due_at_us": None if source.is_file else self._soon_us(_FIRST_RETRY_S),
        }
        await self.store.finish_taking(claim, values)
        card = words.applied_card(source, count, self.interval_s)
        await self.tell(source, f"applied:{source.reading}", card)

    async def _settle(
        self, claim: Claim, values: Mapping[str, object], *, taken: bool = False
    ) -> None:
        """Note how it went; what the owner has asked for in the meantime stays due."""
        now = await self.store.source(claim.source.id)
        if now is not None and now.loud and not claim.source.loud:
            values = {n: v for n, v in values.items() if n not in ("loud", "due_at_us")}
        settle = self.store.finish_taking if taken else self.store.settle
        await settle(claim, values)

    def _read_well(self, claim: Claim, count: int) -> dict[str, object]:
        source = claim.source
        return {
            "failures": 0,
            "error": None,
            "loud": False,
            "read_at_us": self.now_us(),
            "item_count": count,
            "due_at_us": None if source.is_file else self._soon_us(self.interval_s),
        }

    async def _said_well(self, source: CatalogueSource) -> None:
        """Who was told that it fails is told that it works again."""
        if source.failures >= FAILURES_TOLD:
            key = f"well:{source.reading}:{source.failures}"
            await self.tell(source, key, words.well_again_card(source))

    async def failed(self, claim: Claim, why: str) -> None:
        """Note that it could not be read and when it is tried again, and give the claim up."""
        source = claim.source
        failures = source.failures + 1
        _log.info("catalogue_not_read", source=source.id, url=source.url[:300], error=why[:300])
        first = source.state == SourceState.WAITING
        pause_s = min(_FIRST_RETRY_S * 2 ** min(failures - 1, 16), _RETRY_S_MAX)
        values: dict[str, object] = {
            "failures": failures,
            "error": why[:500],
            "loud": False,
            # A first reading is repeated by the one who asked for it, once he has mended it.
            "due_at_us": None if first else self._soon_us(pause_s),
        }
        with contextlib.suppress(LostClaim):
            await self._settle(claim, values)
            if first or source.loud or failures == FAILURES_TOLD:
                card = words.failed_card(source, why, failures)
                await self.tell(source, f"failed:{self.now_us()}", card)

    def _soon_us(self, wait_s: float) -> int:
        """A moment in about `wait_s`, spread so that not all sources are due at once."""
        spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
        return self.now_us() + round(wait_s * spread * _MICROSECONDS)

    @asynccontextmanager
    async def _alive(self, claim: Claim) -> AsyncIterator[None]:
        """Renew the claim while the block runs, however long a server takes."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(_SIGN_OF_LIFE_S)
                try:
                    await self.store.renew(claim, self.staging.until_us)
                except (LostClaim, StorageUnavailable) as error:
                    # A claim that is lost shows at the next thing that is written.
                    _log.info(
                        "catalogue_claim_not_renewed", source=claim.source.id, error=str(error)
                    )

        task = asyncio.create_task(renew())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

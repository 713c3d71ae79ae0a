"""From a claimed source to what is listed: read, stage, compare, take over, and say so.

Every step may be interrupted: what was staged counts for nothing until it is taken over, a page is
taken over in one transaction, and the next claim begins again or goes on where the last one was.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from bot.cards import Card
from bot.catalogue import words
from bot.catalogue.differences import Kind, Tally, differences
from bot.catalogue.reading import Fetches, SourceReader
from bot.catalogue.record import Found, Problem, UnreadableCatalogue
from bot.links.canonical import identity_of
from bot.links.fetch import FetchError
from bot.links.page_name import as_owned
from wallet_core.commerce.catalogue import CatalogueItem, CatalogueSource, LostClaim, SourceState
from wallet_core.commerce.records import HostClaim
from wallet_core.storage.catalogues import Catalogues, Claim, PageOfBoth, Taking, digest_of

_log = structlog.get_logger(__name__)

#: Keys of one transaction.
PAGE_KEYS = 500
#: How long a claim stands without a sign of life.
CLAIM_S = 120
_SIGN_OF_LIFE_S = 30.0
_MICROSECONDS = 1_000_000
#: After so many failures in a row the owner is told.
FAILURES_TOLD = 3
_FIRST_RETRY_S = 300
_RETRY_S_MAX = 24 * 3600
_JITTER = 0.1

Tell = Callable[[CatalogueSource, str, Card], Awaitable[None]]
"""Says a card to the owner of a source; the text is a key under which it is said once."""


class HostClaims(Protocol):
    """Who knows the hosts that a merchant claims."""

    async def host_claims(self, merchant_id: str) -> Iterable[HostClaim]:
        """The hosts that a merchant claims."""


@dataclass
class Reading:
    """What a reading found: how many items, and what is wrong with others."""

    items: int = 0
    twice: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def note(self, found: Iterable[Found]) -> list[CatalogueItem]:
        """Keep the first problems and give the items."""
        items: list[CatalogueItem] = []
        for one in found:
            if isinstance(one, Problem):
                self.problem_count += 1
                if len(self.problems) < words.PROBLEMS_SHOWN:
                    self.problems.append(one)
            else:
                items.append(one)
        return items


@dataclass(frozen=True)
class Importer:
    """Works on one claimed source at a time. `interval_s`: how often sources are read."""

    store: Catalogues
    claims: HostClaims
    fetches: Fetches
    tell: Tell
    now_us: Callable[[], int]
    interval_s: int
    items_max: int

    async def claim(self, source_id: str | None = None) -> Claim | None:
        """The right to work on what is due, or on one source; None for nothing."""
        return await self.store.claim(self.now_us(), self.until_us, source_id=source_id)

    @property
    def until_us(self) -> int:
        """Until when a claim that is renewed now stands."""
        return self.now_us() + CLAIM_S * _MICROSECONDS

    async def work(self, claim: Claim) -> None:
        """Do for a source what is due, and give the claim up."""
        try:
            async with self._alive(claim):
                if claim.source.state == SourceState.APPROVED:
                    await self._approved(claim)
                else:
                    await self._read(claim)
        except (FetchError, UnreadableCatalogue) as error:
            await self.failed(claim, str(error))
        except LostClaim:
            _log.info("catalogue_claim_lost", source=claim.source.id)

    async def hosts_of(self, merchant_id: str) -> frozenset[str]:
        """The hosts that a merchant has proven."""
        claims = await self.claims.host_claims(merchant_id)
        return frozenset(c.verified_host for c in claims if c.verified_host is not None)

    # --- steps -------------------------------------------------------------------------------

    async def stage(self, claim: Claim, batches: AsyncGenerator[list[Found]]) -> Reading:
        """Stage all that is read. Raises `UnreadableCatalogue` where nothing of it can be used."""
        reading = Reading()
        async with aclosing(batches):
            async for batch in batches:
                items = reading.note(batch)
                new = await self.store.stage(claim, items, self.until_us)
                reading.items += new
                reading.twice += len(items) - new
                if reading.items > self.items_max:
                    raise UnreadableCatalogue(f"It lists more than {self.items_max:,} products.")
        if not reading.items:
            first = reading.problems[0].sentence() if reading.problems else ""
            raise UnreadableCatalogue(f"It lists no product that can be used. {first}".strip())
        return reading

    async def compared(self, source_id: str) -> Tally:
        """What taking over what is staged would change."""
        tally = Tally(self.now_us())
        async for page in self._pages(source_id, ""):
            for difference in differences(page.listed, page.read):
                tally.add(difference)
        return tally

    async def take(self, claim: Claim, *, after: str = "") -> Tally:
        """Take over what is staged, page by page, behind the key `after`."""
        tally = Tally(self.now_us())
        async for page in self._pages(claim.source.id, after):
            taking = _taking(page, tally)
            await self.store.take(claim, taking, self.now_us(), self.until_us)
        return tally

    async def _pages(self, source_id: str, after: str) -> AsyncIterator[PageOfBoth]:
        while True:
            page = await self.store.page(source_id, after, PAGE_KEYS)
            if page.to is None:
                return
            yield page
            after = page.to

    # --- what is due -------------------------------------------------------------------------

    async def _read(self, claim: Claim) -> None:
        source = claim.source
        hosts = await self.hosts_of(source.merchant_id)
        host = urlsplit(source.url).netloc
        if host not in hosts:
            raise UnreadableCatalogue(f"{host} is not proven to be this shop's.")

        async def known(keys: Iterable[str]) -> "dict[str, CatalogueItem]":
            return dict(await self.store.known_items(source.id, list(keys)))

        reader = SourceReader(self.fetches, hosts, known)
        if not source.loud and not await reader.has_changed(source.validators):
            await self.store.settle(claim, self._read_well(claim, source.item_count))
            await self._said_well(source)
            return
        number = await self.store.begin_reading(claim, self.until_us)
        reading = await self.stage(claim, reader.read(source.url))
        tally = await self.compared(source.id)
        seen = {"kind": reader.kind, "validators": reader.validators}
        listed = await self.store.listed_count(source.id)
        doubt = tally.doubt(listed)
        if source.state != SourceState.ACTIVE or doubt is not None:
            values: dict[str, object] = {"state": SourceState.SHOWN, "failures": 0, "error": doubt}
            await self.store.settle(claim, {**values, **seen, "due_at_us": None, "loud": False})
            card = words.dry_run_card(source, number, reading, tally, doubt)
            await self.tell(source, f"shown:{number}", card)
            return
        if tally.total:
            await self.take(claim)
        values = {**self._read_well(claim, reading.items), **seen}
        await self.store.finish_taking(claim, values)
        if source.loud:
            await self.tell(source, f"read:{number}", words.taken_card(source, reading, tally))
        else:
            await self._said_well(source)

    async def _approved(self, claim: Claim) -> None:
        source = claim.source
        await self.take(claim, after=claim.taken_to)
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
            await self.store.settle(claim, values)
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
                with contextlib.suppress(LostClaim):
                    # A claim that is lost shows at the next thing that is written.
                    await self.store.renew(claim, self.until_us)

        task = asyncio.create_task(renew())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _taking(page: PageOfBoth, tally: Tally) -> Taking:
    items: list[tuple[CatalogueItem, str, str]] = []
    gone: list[str] = []
    stated: dict[str, str | None] = {}
    for difference in differences(page.listed, page.read):
        tally.add(difference)
        if difference.kind == Kind.GONE and difference.old is not None:
            gone.append(difference.old.key)
            if _is_alone(difference.old):
                stated.setdefault(difference.old.url, "Discontinued")
        if difference.new is not None:
            item = difference.new
            items.append((item, _name(item.url), _name(item.page_url)))
            if _is_alone(item):
                stated[item.url] = item.availability
    assert page.to is not None  # noqa: S101 - the caller has looked
    return Taking(to=page.to, items=items, gone=gone, stated=stated)


def _name(url: str) -> str:
    return digest_of(identity_of(as_owned(url)))


def _is_alone(item: CatalogueItem) -> bool:
    """Whether nothing else is sold at its address, as far as can be told."""
    return item.variant is None or item.url != item.page_url

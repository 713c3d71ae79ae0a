"""Staging what was read, comparing it with what is listed, and taking it over."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.catalogue import words
from bot.catalogue.differences import Kind, Tally, differences
from bot.catalogue.record import Found, Problem, UnreadableCatalogue
from bot.links.canonical import identity_of
from bot.links.page_name import as_owned
from bot.links.recognise.values import DISCONTINUED
from wallet_core.commerce.catalogue import CatalogueItem
from wallet_core.storage.catalogues import Catalogues, Claim, PageOfBoth, Taking, digest_of

#: Keys of one transaction.
PAGE_KEYS = 500
#: How long a claim stands without a sign of life.
CLAIM_S = 120
_MICROSECONDS = 1_000_000


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
class Staging:
    """The steps on a claimed source. `items_max`: how many items it may list."""

    store: Catalogues
    now_us: Callable[[], int]
    items_max: int

    @property
    def until_us(self) -> int:
        """Until when a claim that is made or renewed now stands."""
        return self.now_us() + CLAIM_S * _MICROSECONDS

    async def claim(
        self, source_id: str | None = None, *, but_for: Sequence[str] = ()
    ) -> Claim | None:
        """The right to work on what is due, or on one source; None for nothing.

        Nothing of the merchants `but_for`.
        """
        now_us, until_us = self.now_us(), self.until_us
        return await self.store.claim(now_us, until_us, source_id=source_id, but_for=but_for)

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


def _taking(page: PageOfBoth, tally: Tally) -> Taking:
    items: list[tuple[CatalogueItem, str, str]] = []
    gone: list[str] = []
    stated: dict[str, str | None] = {}
    over: dict[str, tuple[str, str]] = {}
    for difference in differences(page.listed, page.read):
        tally.add(difference)
        if difference.kind == Kind.GONE and difference.old is not None:
            gone.append(difference.old.key)
            if _is_alone(difference.old):
                over[difference.old.url] = (_name(difference.old.url), DISCONTINUED)
        if difference.new is not None:
            item = difference.new
            items.append((item, _name(item.url), _name(item.page_url)))
            if _is_alone(item):
                stated[item.url] = item.availability
    assert page.to is not None  # noqa: S101 - the caller has looked
    return Taking(to=page.to, items=items, gone=gone, stated=stated, over=over)


def _name(url: str) -> str:
    return digest_of(identity_of(as_owned(url)))


def _is_alone(item: CatalogueItem) -> bool:
    """Whether nothing else is sold at its address, as far as can be told."""
    return item.variant is None or item.url != item.page_url

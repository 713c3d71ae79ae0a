"""What pages say, remembered for a while: a crowd that shares one link has it looked at once."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from bot.links.fetch import Fetched, Fetcher, Kind
from bot.links.recognise import Sighting

#: How long the same bytes count as saying the same, in seconds; they may name other pages too.
_VALID_S = 60.0
_KNOWN_MAX = 256


@dataclass(frozen=True)
class Reading:
    """What a page says, whoever shares it.

    `page` is the one on the shop's main host, `name` its identity. `offers` are the signed offers
    in it, unchecked. `read_at_s`: when the oldest of the answers that it is made of was given.
    """

    page: Fetched
    name: str
    url: str
    host: str
    sighting: Sighting
    offers: tuple[str, ...]
    picture: str | None
    read_at_s: float


@dataclass
class DatedAnswers:
    """Fetches for one reading, and knows when the oldest answer was given.

    A shop's endpoint may have been kept for longer than the page beside it.
    """

    fetcher: Fetcher
    oldest_s: float

    async def get(self, url: str, *, accept: Kind = "html", fresh: bool = False) -> Fetched:
        """See `Fetcher.get`."""
        answer = await self.fetcher.get(url, accept=accept, fresh=fresh)
        self.oldest_s = min(self.oldest_s, answer.read_at_s)
        return answer


class Readings:
    """By the page's bytes and address; those who ask for one at the same time share one reading."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._known: OrderedDict[bytes, tuple[float, asyncio.Task[Reading | None]]] = OrderedDict()
        # Of pages that are at hand the digest need not be made again.
        self._digests: OrderedDict[int, tuple[Fetched, bytes]] = OrderedDict()

    async def of(
        self,
        page: Fetched,
        read: Callable[[], Coroutine[None, None, Reading | None]],
        *,
        anew: bool,
    ) -> Reading | None:
        """What this page says; `read` finds it out, and what it raises is raised here.

        `anew`: whatever is remembered does not count.
        """
        digest, now_s = self._digest(page), self._clock_s()
        until_s, reading = self._known.get(digest, (0.0, None))
        if anew or reading is None or until_s <= now_s or _failed(reading):
            reading = asyncio.create_task(read(), name="page reading")
            self._known[digest] = now_s + _VALID_S, reading
            self._known.move_to_end(digest)
            if len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)
        return reading.result() if reading.done() else await asyncio.shield(reading)

    def _digest(self, page: Fetched) -> bytes:
        known = self._digests.get(id(page))
        if known is not None and known[0] is page:
            return known[1]
        digest = hashlib.sha256(page.url_final.encode() + b"\n" + page.body).digest()
        self._digests[id(page)] = page, digest
        if len(self._digests) > _KNOWN_MAX // 4:
            self._digests.popitem(last=False)
        return digest


def _failed(reading: "asyncio.Task[Reading | None]") -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)

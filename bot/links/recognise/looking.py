"""Look at a fetched page, and ask its shop's own endpoint where the page names no price."""

import asyncio
from typing import Protocol

import structlog

from bot.links.fetch import Fetched, FetchError, Kind
from bot.links.recognise.recogniser import PageReader
from bot.links.recognise.sighting import Sighting

_log = structlog.get_logger(__name__)
_ASKED_MAX = 2


class Fetches(Protocol):
    """Whoever fetches safely; `bot.links.fetch.Fetcher` does."""

    async def get(self, url: str, *, accept: Kind = "html", fresh: bool = False) -> Fetched:
        """What stands at `url`. Raises `FetchError`."""


async def look(page: Fetched, fetcher: Fetches, *, fresh: bool = False) -> Sighting:
    """What `page` sells.

    At most two endpoints of its own host are asked, and only for want of a price in the page's
    data; that one of them does not answer is no error.
    """
    reader = await read_with_endpoints(page, fetcher, fresh=fresh)
    return await asyncio.to_thread(reader.sighting)


async def read_with_endpoints(
    page: Fetched, fetcher: Fetches, *, fresh: bool = False
) -> PageReader:
    """The page's reader, told what its endpoints say where the page itself names no price."""
    reader = await asyncio.to_thread(PageReader, page.body, page.url_final, charset=page.charset)
    if not await asyncio.to_thread(lambda: reader.wants_endpoints):
        return reader
    for endpoint in reader.endpoints[:_ASKED_MAX]:
        try:
            answer = await fetcher.get(endpoint.url, accept="json", fresh=fresh)
        except FetchError as error:
            _log.info("endpoint_not_read", url=endpoint.url[:300], code=error.code)
            continue
        if reader.hear_endpoint(endpoint, answer.body, answer.url_final):
            break
    return reader

"""Large files that the owner of a host asks to have read, such as a catalogue.

The guard on addresses, the ports and the pace are those of every request; robots.txt has no say,
since the owner asks, and no other host than his own is asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from bot.links.canonical import usable_url
from bot.links.exchange import Exchange, Opened
from bot.links.fetch_types import FetchError, FetchLimits

_PAUSE_S = 0.5


@asynccontextmanager
async def opened(
    exchange: Exchange,
    url: str,
    hosts: frozenset[str],
    validators: dict[str, str],
    limits: FetchLimits,
) -> AsyncIterator[Opened]:
    """The answer for `url`, redirects followed; see `Fetcher.open`. Raises `FetchError`."""
    target = url
    for _ in range(limits.redirects_max + 1):
        usable = usable_url(target)
        if usable is None:
            raise FetchError("bad_url", "This is no web address that can be opened.")
        target = usable
        host = urlsplit(target).netloc
        if host not in hosts:
            raise FetchError("bad_url", f"It leads to {host}, which the shop has not proven.")
        await _turn(exchange, target, limits)
        async with exchange.open(
            target, validators, bytes_max=limits.file_bytes_max, total_s=limits.file_total_s
        ) as answer:
            if answer.location is None:
                yield answer
                return
            following = usable_url(answer.location, base=target) if answer.location else None
        if following is None:
            raise FetchError("bad_response", "The address leads to something that is no web page.")
        if target.startswith("https:") and not following.startswith("https:"):
            raise FetchError("bad_url", "It leads from https to http, which can be altered.")
        target = following
    raise FetchError("too_many_redirects", "The address leads on and on to others.")


async def _turn(exchange: Exchange, target: str, limits: FetchLimits) -> None:
    until = time.monotonic() + limits.file_total_s
    while True:
        try:
            await exchange.admit(target)
        except FetchError as error:
            if error.code != "busy" or time.monotonic() > until:
                raise
        else:
            return
        await asyncio.sleep(_PAUSE_S)

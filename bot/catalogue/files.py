"""A catalogue's file: fetched into a temporary file, unpacked, and what it is by its content."""

import asyncio
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import BinaryIO, Protocol, cast

import msgspec

from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.texts import PIECE_BYTES, encoding_of
from bot.catalogue.xml_events import root_name
from bot.links.exchange import Opened
from bot.links.fetch_types import DEFAULT_LIMITS, FetchError

_GZIP = b"\x1f\x8b"
#: Parts of a packed file; programs that pack in blocks make some thousands.
_MEMBERS_MAX = 100_000
_HEAD_BYTES = 65_536
_IN_MEMORY_BYTES = 1_000_000
_NOT_MODIFIED = 304
_STATUS_OK = range(200, 300)
#: A table's first line names one of these at least.
_COLUMNS = ("price", "title", "link")
#: Answers to an address at which there is nothing.
_GONE = frozenset({400, 404, 410})
#: Answers of a server that has too much to do, and how long it is left alone then.
_BUSY = frozenset({429, 503})
_PAUSES_S = (5.0, 20.0)
_PAUSE_S_MAX = 60.0


class Opens(Protocol):
    """Whoever opens what an owner asks to have read; `bot.links.fetch.Fetcher` does."""

    def open(
        self, url: str, *, hosts: frozenset[str], validators: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Opened]:
        """The answer for `url`; see `Fetcher.open`."""


class Tried(msgspec.Struct, frozen=True):
    """What an address answered with; no file where it has nothing new, or nothing at all."""

    file: BinaryIO | None
    charset: str | None
    validators: dict[str, str]


@asynccontextmanager
async def fetched(opens: Opens, url: str, hosts: frozenset[str]) -> AsyncIterator[Tried]:
    """What stands at `url`, unpacked, in a file that goes with the block.

    No file where the server says that there is nothing. Raises `FetchError` and
    `UnreadableCatalogue`.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spooled:
        file = cast("BinaryIO", spooled)
        got = await _patiently(opens, url, hosts, file)
        if got is None:
            yield Tried(None, None, {})
            return
        file.seek(0)
        checks = {
            "If-None-Match": got.freshness.etag,
            "If-Modified-Since": got.freshness.last_modified,
        }
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as plain:
            unpacked = cast("BinaryIO", plain)
            packed = await asyncio.to_thread(unpack, file, unpacked)
            chosen = unpacked if packed else file
            chosen.seek(0)
            yield Tried(chosen, got.charset, {n: v for n, v in checks.items() if v})


async def _patiently(
    opens: Opens, url: str, hosts: frozenset[str], file: BinaryIO
) -> Opened | None:
    """Write what stands at `url` into `file`; None for nothing. A busy server is asked again."""
    for pause_s in (*_PAUSES_S, None):
        async with opens.open(url, hosts=hosts) as answer:
            if answer.status in _GONE:
                return None
            if answer.status in _STATUS_OK:
                async for part in answer.parts:
                    await asyncio.to_thread(file.write, part)
                return answer
            if pause_s is None or answer.status not in _BUSY:
                raise FetchError(
                    "status",
                    f"The shop's server answered with status {answer.status}.",
                    status=answer.status,
                )
            asked_s = answer.retry_after_s
        await asyncio.sleep(pause_s if asked_s is None else min(asked_s, _PAUSE_S_MAX))
    raise AssertionError("the last pause is none")


async def unchanged(
    opens: Opens, url: str, hosts: frozenset[str], validators: dict[str, str]
) -> bool:
    """Whether the server says that `url` is what it was. Raises `FetchError`."""
    async with opens.open(url, hosts=hosts, validators=validators) as answer:
        return bool(validators) and answer.status == _NOT_MODIFIED


def kind_of(file: BinaryIO, charset: str | None) -> str | None:
    """`google-xml`, `google-tsv`, `csv`, `sitemap`, `shopify`, `woocommerce`, or None for none.

    By its first bytes; the file stands at its beginning again.
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    text = head.decode(encoding_of(head, charset), "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        roots = {"rss": "google-xml", "feed": "google-xml", "rdf": "google-xml"}
        return (roots | {"urlset": "sitemap", "sitemapindex": "sitemap"}).get(
            root_name(head, charset) or ""
        )
    if text.startswith("{"):
        return "shopify" if '"products"' in text[:200] else None
    if text.startswith("["):
        return "woocommerce"
    first = text.partition("\n")[0].lower()
    if not any(name in first for name in _COLUMNS) or not any(mark in first for mark in "\t,;"):
        return None
    # Google's text has its currency in each price.
    return "google-tsv" if "\t" in first and "currency" not in first else "csv"


def whole(file: BinaryIO, bytes_max: int) -> bytes:
    """All of a small file. Raises `UnreadableCatalogue` for one of more than `bytes_max`."""
    body = file.read(bytes_max + 1)
    if len(body) > bytes_max:
        raise UnreadableCatalogue("One page of the list is too large.")
    return body


def unpack(file: BinaryIO, target: BinaryIO) -> bool:
    """Unpack a gzip file into `target`; False, and nothing is done, where it is none."""
    magic = file.read(len(_GZIP))
    file.seek(0)
    if magic != _GZIP:
        return False
    size = 0
    for piece in unpacked(file):
        size += len(piece)
        if size > DEFAULT_LIMITS.file_bytes_max:
            raise UnreadableCatalogue("Unpacked, the file is too large.")
        target.write(piece)
    return True


def unpacked(file: BinaryIO) -> Iterator[bytes]:
    """A gzip file's content in bounded pieces. Raises `UnreadableCatalogue`.

    All of its members: files that were packed one by one and put together are one such file.
    """
    piece, members = file.read(PIECE_BYTES), 1
    decoder = zlib.decompressobj(wbits=31)
    try:
        while members <= _MEMBERS_MAX:
            plain = decoder.decompress(piece, PIECE_BYTES)
            if plain:
                yield plain
            if not decoder.eof:
                piece = decoder.unconsumed_tail or file.read(PIECE_BYTES)
                if not piece and not plain:
                    break
                continue
            piece = decoder.unused_data
            if len(piece) < len(_GZIP):
                piece += file.read(PIECE_BYTES)
            if not piece.startswith(_GZIP):
                return
            decoder, members = zlib.decompressobj(wbits=31), members + 1
    except zlib.error:
        raise UnreadableCatalogue("The file is packed in a way that cannot be undone.") from None
    raise UnreadableCatalogue("The packed file breaks off.")

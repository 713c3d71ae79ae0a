"""What the bot sees in a page or a message, for merchants and machines."""

import asyncio
import gzip
import io
import os
import select
import sys
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bot.links.advice import advice_for, other_file
from bot.links.canonical import canonical_url, host_of
from bot.links.fetch import Fetched, Fetcher
from bot.links.lookalikes import host_warning, shown_elsewhere_warning
from bot.links.offer_keys import keys_of
from bot.links.recognise import Sighting
from bot.links.recognise.looking import read_with_endpoints
from bot.links.recognise.recogniser import PageReader
from bot.links.scan import FoundLink, find_links
from bot.links.share_codes import find_share_codes
from bot.links.signed_offers import (
    OfferRefused,
    SignedOffer,
    as_offered,
    best_offer,
    offer_in_link,
    offers_in_page,
)
from bot.links.trust import judge
from wallet_core.errors import PayontapError

_PAGE_BYTES_MAX = 8_000_000
_GZIP_MARK = b"\x1f\x8b"
#: The target that stands for what is piped in.
STANDARD_INPUT = "-"
#: How long a pipe may have no writer.
_WRITER_WAIT_S = 5

_SHOWN = ("url", "price", "list_price", "availability", "stock", "sku", "brand", "gtin", "image",
          "seller", "variants")  # fmt: skip

Inspection = dict[str, Any]
#: A link or a share code.
Found = dict[str, Any]


class _Signed(msgspec.Struct, frozen=True):
    """A page's signed offer, if it counts, and what is told of it."""

    shown: dict[str, Any] | None = None
    offer: SignedOffer | None = None


class InspectError(PayontapError):
    """A file that cannot be read as a page; the text is one sentence for people."""


async def inspect(target: str, *, url: str | None, fetcher: Fetcher | None) -> Inspection:
    """What stands in the page `target`: a web address, a file (plain or gzipped), or `-`.

    `-` is standard input. `url` is the address that a file's page was found at. A web address is
    fetched with `fetcher`, or with one of its own, and so is its shop's endpoint where the page
    names no price. No domain counts as verified. Raises `FetchError` and `InspectError`.
    """
    strange = None
    if target.lower().startswith(("http://", "https://")):
        if fetcher is None:
            async with Fetcher() as own:
                return await inspect(target, url=url, fetcher=own)
        reader, signed = await _at_address(target, url, fetcher)
    else:
        if "://" in target:
            raise InspectError("Only addresses with http:// or https:// can be opened.")
        body = await asyncio.to_thread(_read_page, target)
        reader = await asyncio.to_thread(PageReader, body, url or "")
        signed, strange = _unchecked(offers_in_page(body)), other_file(body)
    seen = await asyncio.to_thread(reader.sighting)
    if signed.offer is not None:
        seen = as_offered(seen, signed.offer)
    shown = {**_as_dict(reader, seen), "signed_offer": signed.shown}
    if strange is not None:
        shown["advice"] = msgspec.to_builtins([strange])
    return shown


def saved_from(url: str) -> str:
    """The address that somebody says a file was saved from. Raises `InspectError` for no such."""
    if canonical_url(url) is None:
        raise InspectError(f"“{url}” is no web address such as https://shop.example/tea.")
    return url


def inspection_lines(inspection: Inspection, target: str | None = None) -> str:
    """The same for people: a line for each field, with where it came from, then what to mend.

    `target` is named first, where there are several.
    """
    sources: dict[str, str] = inspection["sources"]
    confidence: dict[str, float] = inspection["confidence"]
    title = str(inspection["title"] or inspection["url"] or "(no title)")
    lines = [title if target is None else f"{target}: {title}"]
    fields = {
        **inspection,
        "price": _price_text(inspection, "price_minor"),
        "list_price": _price_text(inspection, "list_price_minor"),
        "variants": len(inspection["variants"]) or None,
    }
    for name in _SHOWN:
        value = fields[name]
        if value is not None:
            sure = f", {confidence[name]:.0%} sure" if name in confidence else ""
            origin = f"  ({sources[name]}{sure})" if name in sources else ""
            lines.append(f"  {name.replace('_', ' '):13}{value}{origin}")
    signed = inspection.get("signed_offer")
    if signed is not None:
        said = f"{signed['price']} until {signed['until']}. " if signed["counts"] else "refused. "
        lines.append(f"  {'signed offer':13}{said}{signed['reason']}")
    lines.append(f"  {'trust':13}{inspection['trust']}: {inspection['reason']}")
    for advice in inspection["advice"]:
        mark = "!" if advice["blocks"] else "-"
        lines.append(f"  {mark} {advice['problem']} {advice['mend']} ({advice['docs']})")
    if inspection["url"] is None:
        lines.append("  - A file does not tell its address. Name it with --url.")
    return "\n".join(lines)


def links_line(text: str) -> list[Found]:
    """The links of one message: `text` as written, canonical `url`, offsets in code points.

    A doubtful link also has `warnings`, which say why the bot would show no button: its host
    imitates another, or its text names another host than it leads to.
    """
    found = map(_link, find_links(text))
    return [
        link if link["warnings"] else {key: link[key] for key in link if key != "warnings"}
        for link in found
    ]


def findings(text: str) -> list[Found]:
    """Links and share codes, each with its `kind` and its `warnings`, in their order.

    A share code has no `url`; its warning says that it is not supported.
    """
    found = [{"kind": "link", **_link(link)} for link in find_links(text)]
    for code in find_share_codes(text):
        span = {"text": code.text, "url": None, "start": code.start, "end": code.end}
        found.append({"kind": "share_code", **span, "app": code.app, "warnings": [code.sentence]})
    return sorted(found, key=lambda finding: finding["start"])


def _link(link: FoundLink) -> Found:
    doubts = [
        host_warning(host_of(link.url) or ""),
        shown_elsewhere_warning(link.shown, link.url) if link.shown else None,
    ]
    return {
        "text": link.text,
        "url": link.url,
        "start": link.start,
        "end": link.end,
        "warnings": [doubt for doubt in doubts if doubt is not None],
    }


async def _at_address(target: str, url: str | None, fetcher: Fetcher) -> tuple[PageReader, _Signed]:
    page = await fetcher.get(target)
    if url is not None:
        page = msgspec.structs.replace(page, url_final=url)
    linked = offer_in_link(target)
    texts = offers_in_page(page.body) if linked is None else [linked]
    signed = await _checked(texts, page, fetcher)
    return await read_with_endpoints(page, fetcher), signed


async def _checked(texts: list[str], page: Fetched, fetcher: Fetcher) -> _Signed:
    """What the signed offer in a page or its link says, or why it does not count."""
    if not texts:
        return _Signed()
    try:
        keys = await keys_of(fetcher, urlsplit(canonical_url(page.url_final) or "").netloc)
        offer = best_offer(texts, page, keys, time.time())
    except OfferRefused as refused:
        return _Signed({"counts": False, "reason": str(refused)})
    until = datetime.fromtimestamp(offer.exp, UTC).isoformat().replace("+00:00", "Z")
    shown = {
        "counts": True,
        "reason": "It is signed with a key that the host publishes.",
        "title": offer.title,
        "price_minor": offer.amount_minor,
        "currency": offer.currency,
        "price": offer.price.format(),
        "sku": offer.sku,
        "until": until,
    }
    return _Signed(shown, offer)


def _unchecked(texts: list[str]) -> _Signed:
    if not texts:
        return _Signed()
    why = "The signed offer of a saved page cannot be checked: its host's keys are not in the file."
    return _Signed({"counts": False, "reason": why})


def _read_page(target: str) -> bytes:
    """The bytes of a file's page, or of the one on standard input."""
    name = "standard input" if target == STANDARD_INPUT else target
    try:
        body = _bytes_in(target)
        if body.startswith(_GZIP_MARK) and len(body) <= _PAGE_BYTES_MAX:
            with gzip.open(io.BytesIO(body)) as page:
                body = page.read(_PAGE_BYTES_MAX + 1)
    except FileNotFoundError:
        is_address = any(link.text == target for link in find_links(target))
        hint = f"; for a page on the web write https://{target} instead" if is_address else ""
        raise InspectError(f"There is no file {target}{hint}.") from None
    except IsADirectoryError:
        raise InspectError(f"{target} is a folder. Name the files in it.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InspectError(f"{name} cannot be read: {error}.") from error
    if len(body) > _PAGE_BYTES_MAX:
        raise InspectError(f"{name} is larger than {_PAGE_BYTES_MAX // 1_000_000} MB.")
    return body


def _bytes_in(target: str) -> bytes:
    """What stands there, up to a byte more than a page may have; read once, as pipes can be."""
    if target == STANDARD_INPUT:
        if sys.stdin is None:
            raise InspectError("Standard input is closed.")
        return sys.stdin.buffer.read(_PAGE_BYTES_MAX + 1)
    path = Path(target)
    if path.is_fifo():
        return _bytes_of_pipe(path)
    with path.open("rb") as file:
        return file.read(_PAGE_BYTES_MAX + 1)


def _bytes_of_pipe(path: Path) -> bytes:
    # Not the plain way, which waits for a writer, if need be for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb", buffering=0) as pipe:  # noqa: PTH123 - it is open already
        coming, first = select.poll(), None
        coming.register(pipe, select.POLLIN)
        if not coming.poll(_WRITER_WAIT_S * 1000):
            first = pipe.read(1)
            # A writer who is silent makes it None.
            if first == b"":
                raise InspectError(f"Nobody writes to the pipe {path}.")
        os.set_blocking(descriptor, True)
        return (first or b"") + io.BufferedReader(pipe).read(_PAGE_BYTES_MAX + 1)


def _as_dict(reader: PageReader, seen: Sighting) -> Inspection:
    trust, reason = judge(seen, host_verified=False)
    return {
        "url": seen.url or None,
        "title": seen.title,
        "price_minor": seen.price_minor,
        "currency": seen.currency,
        "exponent": seen.exponent,
        "availability": seen.availability,
        "sku": seen.sku,
        "brand": seen.brand,
        "gtin": seen.gtin,
        "image": seen.image,
        "sources": seen.sources,
        "trust": trust.value,
        "reason": reason,
        "list_price_minor": seen.list_price_minor,
        "stock": seen.stock,
        "seller": seen.seller,
        "variants": list(msgspec.to_builtins(seen.variants)),
        "confidence": seen.confidence,
        "disagreements": list(seen.disagreements),
        "structured": seen.structured,
        "advice": msgspec.to_builtins(advice_for(reader, seen)),
    }


def _price_text(inspection: Inspection, field: str) -> str | None:
    minor: int | None = inspection[field]
    exponent: int | None = inspection["exponent"]
    if minor is None or exponent is None:
        return None
    digits = str(minor).rjust(exponent + 1, "0")
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    amount = f"{whole}.{fraction}" if fraction else whole
    return f"{amount} {inspection['currency'] or '(currency unknown)'}"

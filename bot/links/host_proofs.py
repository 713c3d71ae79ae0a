"""What a host shows about whose it is: a file, a tag on its front page, a DNS record."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import structlog
from dns.rdtypes.ANY.TXT import TXT
from selectolax.lexbor import LexborHTMLParser

from bot.links.canonical import canonical_url
from bot.links.fetch import Fetched, Fetcher, FetchError, Kind

_log = structlog.get_logger(__name__)

PROOF_PATH = "/.well-known/payontap.txt"
META_NAME = "payontap"
DNS_LABEL = "_payontap"
DNS_VALUE_PREFIX = "payontap="
DNS_TIMEOUT_S = 3.0


class TextRecords(Protocol):
    """Answers DNS questions for TXT records."""

    async def texts(self, name: str) -> Sequence[str]:
        """The texts at `name`; none where there is no such name or nobody answers."""


class DnsTexts:
    """Asks the resolvers of this machine, for at most `timeout_s` seconds a question."""

    def __init__(
        self,
        timeout_s: float = DNS_TIMEOUT_S,
        make_resolver: Callable[[], dns.asyncresolver.Resolver] = dns.asyncresolver.Resolver,
    ) -> None:
        self._timeout_s = timeout_s
        self._make_resolver = make_resolver

    async def texts(self, name: str) -> Sequence[str]:
        """The texts at `name`; see `TextRecords`."""
        try:
            # Made for each question: a machine without a resolver is no reason not to start.
            answer = await self._make_resolver().resolve(name, "TXT", lifetime=self._timeout_s)
        except (dns.exception.DNSException, OSError) as error:
            _log.info("texts_not_read", name=name, error=str(error)[:300])
            return []
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in answer
            if isinstance(record, TXT)
        ]


class WebProofs:
    """`HostProofs` on the web and in DNS. A way that fails shows nothing."""

    def __init__(self, fetcher: Fetcher, records: TextRecords | None = None) -> None:
        self._fetcher = fetcher
        self._records = records or DnsTexts()

    async def shown(self, host: str) -> Mapping[str, frozenset[str]]:
        """Method → the tokens that `host` (with a port where it has one) shows by it now."""
        in_file, in_page, in_dns = await asyncio.gather(
            self._well_known(host), self._meta(host), self._dns(host)
        )
        return {"well-known": in_file, "meta": in_page, "dns": in_dns}

    async def _well_known(self, host: str) -> frozenset[str]:
        page = await self._read(host, PROOF_PATH, "text")
        return tokens_in_file(page.body) if page else frozenset()

    async def _meta(self, host: str) -> frozenset[str]:
        page = await self._read(host, "/", "html")
        return await asyncio.to_thread(tokens_in_page, page.body) if page else frozenset()

    async def _dns(self, host: str) -> frozenset[str]:
        name = urlsplit(f"//{host}").hostname
        if name is None or _is_address(name) or name == "localhost":
            return frozenset()
        answers = await asyncio.gather(
            self._records.texts(f"{DNS_LABEL}.{name}"), self._records.texts(name)
        )
        return frozenset(
            text.removeprefix(DNS_VALUE_PREFIX).strip()
            for texts in answers
            for text in texts
            if text.startswith(DNS_VALUE_PREFIX)
        )

    async def _read(self, host: str, path: str, kind: Kind) -> Fetched | None:
        """What stands at `path` on exactly this host, or None."""
        for scheme in _schemes(host):
            url = f"{scheme}://{host}{path}"
            try:
                # The merchant has just put it there: what was seen before does not count.
                page = await self._fetcher.get(url, accept=kind, fresh=True, invited=True)
            except FetchError as error:
                _log.info("proof_not_read", url=url, code=error.code)
                continue
            # Verification covers exactly the host that is proven, so a proof that is kept
            # elsewhere says something about elsewhere.
            final = canonical_url(page.url_final)
            if final is not None and urlsplit(final).netloc == host:
                return page
            _log.info("proof_elsewhere", url=url, final=page.url_final[:300])
        return None


def tokens_in_file(body: bytes) -> frozenset[str]:
    """The tokens of a proof file: one a line; `#` begins a comment."""
    lines = (
        line.partition("#")[0].strip() for line in body.decode("utf-8-sig", "replace").splitlines()
    )
    return frozenset(line for line in lines if line)


def tokens_in_page(body: bytes) -> frozenset[str]:
    """The tokens in a page's head. Tags in its body do not count: visitors may have written it."""
    head = LexborHTMLParser(body).head
    if head is None:
        return frozenset()
    tags = head.css(f'meta[name="{META_NAME}" i]')
    contents = ((tag.attributes.get("content") or "").strip() for tag in tags)
    return frozenset(content for content in contents if content)


def _schemes(host: str) -> tuple[str, ...]:
    """First https; on loopback, where only an exempted shop is reached, nothing but http."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or (_is_address(name) and ip_address(name).is_loopback):
        return ("http",)
    return ("https", "http")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

"""What a host shows about whose it is: a file, a tag on its front page, a DNS record."""

import asyncio
import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
import structlog
from dns.rdtypes.ANY.TXT import TXT

from bot.links.canonical import canonical_url
from bot.links.fetch import Fetched, Fetcher, FetchError, Kind
from bot.links.recognise.tree import page_tree
from wallet_core.commerce.host_checks import HostLook
from wallet_core.errors import PayontapError

_log = structlog.get_logger(__name__)

PROOF_PATH = "/.well-known/payontap.txt"
META_NAME = "payontap"
#: No page has a longer head, but for one that is made to be slow.
_HEAD_BYTES_MAX = 200_000
DNS_LABEL = "_payontap"
DNS_VALUE_PREFIX = "payontap="
DNS_TIMEOUT_S = 3.0
#: Lines of the proof file that name a key for signed offers, and are no token.
KEY_PREFIX = "offer-key="
#: The host was not heard: nothing that it says or does not say follows from it.
_UNREAD = frozenset({"timeout", "unreachable", "tls", "forbidden_address", "busy"})
#: Answers of a server that is in trouble, or lets no reader in: they deny no proof.
_UNWILLING = frozenset({401, 403, 429})
_SERVER_ERROR = 500
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: There is no such record, or no such name can be.
_NO_SUCH_TEXTS = (
    dns.resolver.NXDOMAIN,
    dns.resolver.NoAnswer,
    dns.name.EmptyLabel,
    dns.name.LabelTooLong,
    dns.name.NameTooLong,
)


class NoDnsAnswer(PayontapError):
    """No resolver answered; whether there is such a record is not known."""


class TextRecords(Protocol):
    """Answers DNS questions for TXT records."""

    async def texts(self, name: str) -> Sequence[str]:
        """The texts at `name`; none where there is no such name. Raises `NoDnsAnswer`."""


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
        except _NO_SUCH_TEXTS as error:
            _log.info("no_texts", name=name, error=str(error)[:300])
            return []
        except (dns.exception.DNSException, OSError) as error:
            _log.info("texts_not_read", name=name, error=str(error)[:300])
            raise NoDnsAnswer("The name servers of the domain did not answer.") from error
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in answer
            if isinstance(record, TXT)
        ]


@dataclass(frozen=True)
class _Seen:
    """The tokens that one way shows, or why it shows none; see `HostLook`."""

    tokens: frozenset[str] = frozenset()
    unread: str | None = None
    hindered: str | None = None
    busy: bool = False


class WebProofs:
    """`HostLooks` on the web and in DNS. A way that fails shows nothing."""

    def __init__(self, fetcher: Fetcher, records: TextRecords | None = None) -> None:
        self._fetcher = fetcher
        self._records = records or DnsTexts()

    async def look(self, host: str) -> HostLook:
        """What `host` (with a port where it has one) shows now; see `HostLooks`."""
        in_file, in_page, in_dns = await asyncio.gather(
            self._well_known(host), self._meta(host), self._dns(host)
        )
        seen = {"well-known": in_file, "meta": in_page, "dns": in_dns}
        return HostLook(
            shown={method: one.tokens for method, one in seen.items()},
            unread={method: one.unread for method, one in seen.items() if one.unread},
            hindered={m: one.hindered for m, one in seen.items() if one.hindered},
            busy=any(one.busy for one in seen.values()),
        )

    async def _well_known(self, host: str) -> _Seen:
        page = await self._read(host, PROOF_PATH, "text")
        return page if isinstance(page, _Seen) else _Seen(tokens_in_file(page.body))

    async def _meta(self, host: str) -> _Seen:
        page = await self._read(host, "/", "html")
        if isinstance(page, _Seen):
            return page
        return _Seen(await asyncio.to_thread(tokens_in_page, page.body))

    async def _dns(self, host: str) -> _Seen:
        name = urlsplit(f"//{host}").hostname
        if name is None or not has_dns(host):
            return _Seen()
        answers = await asyncio.gather(
            self._records.texts(f"{DNS_LABEL}.{name}"),
            self._records.texts(name),
            return_exceptions=True,
        )
        unread = None
        tokens: set[str] = set()
        for texts in answers:
            if isinstance(texts, NoDnsAnswer):
                unread = str(texts)
            elif isinstance(texts, BaseException):
                raise texts
            else:
                tokens.update(
                    text.removeprefix(DNS_VALUE_PREFIX).strip()
                    for text in texts
                    if text.startswith(DNS_VALUE_PREFIX)
                )
        return _Seen(frozenset(tokens), unread)

    async def _read(self, host: str, path: str, kind: Kind) -> Fetched | _Seen:
        """What stands at `path` on exactly this host, or that nothing does."""
        troubles: list[FetchError] = []
        elsewhere: str | None = None
        for url in (f"{scheme}://{host}{path}" for scheme in schemes_of(host)):
            try:
                # The merchant has just put it there: what was seen before does not count.
                page = await self._fetcher.get(url, accept=kind, fresh=True, invited=True)
            except FetchError as error:
                _log.info("proof_not_read", url=url, code=error.code)
                troubles.append(error)
                continue
            if is_on(page, host):
                return page
            _log.info("proof_elsewhere", url=url, final=page.url_final[:300])
            elsewhere = urlsplit(page.url_final).netloc
        if elsewhere is not None:
            return _Seen(hindered=f"It leads to {elsewhere}, and each host is proven by itself.")
        heard = [error for error in troubles if not _is_unread(error)]
        if heard:
            return _Seen(hindered=_hindrance(heard[0], kind))
        busy = any(error.code == "busy" for error in troubles)
        return _Seen(unread=troubles[0].message, busy=busy)


def is_on(page: Fetched, host: str) -> bool:
    """Whether a page was found on exactly this host in the end.

    Verification covers exactly the host that is proven, so what is kept elsewhere says something
    about elsewhere.
    """
    final = canonical_url(page.url_final)
    return final is not None and urlsplit(final).netloc == host


def _is_unread(error: FetchError) -> bool:
    if error.code == "status" and error.status is not None:
        return error.status >= _SERVER_ERROR or error.status in _UNWILLING
    return error.code in _UNREAD


def _hindrance(error: FetchError, kind: Kind) -> str | None:
    """Why an answer shows nothing; None where there simply is no such file."""
    if error.code == "content_type":
        served = "text/plain" if kind == "text" else "text/html"
        return f"It is not served as {served} but as something else."
    return None if error.is_gone else error.message


def lines_in_file(body: bytes) -> list[str]:
    """The lines of a proof file without comments, which begin with `#`, and without blanks.

    In UTF-8, or in the UTF-16 with a mark that Windows' own tools write.
    """
    charset = "utf-16" if body.startswith(_UTF16_MARKS) else "utf-8-sig"
    text = body.decode(charset, "replace")
    return [line for line in (row.partition("#")[0].strip() for row in text.splitlines()) if line]


def tokens_in_file(body: bytes) -> frozenset[str]:
    """The tokens of a proof file: one a line; `#` begins a comment.

    A line that names a key (`offer-key=…`) is no token.
    """
    return frozenset(line for line in lines_in_file(body) if not line.startswith(KEY_PREFIX))


def tokens_in_page(body: bytes) -> frozenset[str]:
    """The tokens in a page's head. Tags in its body do not count: visitors may have written it."""
    head = page_tree(body[:_HEAD_BYTES_MAX]).head
    if head is None:
        return frozenset()
    tags = head.css(f'meta[name="{META_NAME}" i]')
    contents = ((tag.attributes.get("content") or "").strip() for tag in tags)
    return frozenset(content for content in contents if content)


def has_dns(host: str) -> bool:
    """Whether a host, with a port or without, is a name that DNS can say something about."""
    name = urlsplit(f"//{host}").hostname
    return name is not None and name != "localhost" and not _is_address(name)


def schemes_of(host: str) -> tuple[str, ...]:
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

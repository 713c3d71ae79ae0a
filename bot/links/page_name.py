"""The name of a page among all the addresses that it is shown at: mobile, AMP, with campaigns.

A page names itself by `rel=canonical` or `og:url`. It is believed only about itself: the name must
be on the same host, but for the ways to show it (`www`, `m`, `amp`), and be about the same thing.
"""

import html
import re
from urllib.parse import unquote

from bot.links.canonical import canonical_url, host_and_port, identity_of, usable_url
from bot.links.fetch_types import Fetched
from bot.links.lookalikes import host_as_owned

_HEAD_BYTES = 262_144
_TAG = re.compile(r"<(?:link|meta)\s([^<>]{0,4000})>", re.IGNORECASE)
_TAGS_MAX = 400
_ATTRIBUTE = re.compile(
    r"([a-z:-]{1,20})\s*+=\s*+(?:\"([^\"]{0,3000})\"|'([^']{0,3000})'|([^\s\"'>]{1,3000}))",
    re.IGNORECASE,
)
#: Parameters that choose among what one page sells; a name without them would mix the prices.
_CHOOSES = re.compile(
    r"(?:.*[_-])?(?:variant|variation|sku|skuid|color|colour|size|style|option|model|edition|pid"
    r"|id|item|itemid|product|productid|goods|goodsid|offer|seller)(?:_?id)?\Z",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"(?:\.amp)?(?:\.[a-z]{3,5})?\Z", re.IGNORECASE)
_AMP = frozenset({"amp", ""})


def page_name(page: Fetched) -> str:
    """What is the same for all the ways to reach this page; for comparing only."""
    final = canonical_url(page.url_final) or page.url_final
    named = _named(page)
    if named is None or not _is_about_itself(named, final):
        return identity_of(as_owned(final))
    address, mark, query = final.partition("?")
    del address
    kept = [pair for pair in query.split("&") if _CHOOSES.match(pair.partition("=")[0])]
    missing = [pair for pair in kept if mark and pair not in named]
    if missing:
        named += ("&" if "?" in named else "?") + "&".join(missing)
    return identity_of(as_owned(named))


def home_address(page: Fetched) -> str | None:
    """Where a mobile or AMP host's page says it is at home; None for one that is at home.

    The price there is the one that counts: a shop proves its main host, seldom the others.
    """
    final = canonical_url(page.url_final) or page.url_final
    named = _named(page)
    if named is None or not _is_about_itself(named, final):
        return None
    ours, theirs = host_and_port(final), host_and_port(named)
    return named if ours and theirs and ours[0] != theirs[0] else None


def _named(page: Fetched) -> str | None:
    """The address that the page gives itself, in canonical form."""
    names: dict[str, str] = {}
    head = page.body[:_HEAD_BYTES].decode("utf-8", "replace")
    for count, tag in enumerate(_TAG.finditer(head)):
        if count >= _TAGS_MAX:
            break
        said = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in _ATTRIBUTE.finditer(tag[1])}
        if "canonical" in said.get("rel", "").lower().split():
            names.setdefault("canonical", said.get("href", ""))
        elif said.get("property", "").lower() == "og:url":
            names.setdefault("og:url", said.get("content", ""))
    for source in ("canonical", "og:url"):
        address = html.unescape(names.get(source, "")).strip()
        absolute = usable_url(address, base=page.url_final) if address else None
        if absolute is not None:
            return canonical_url(absolute)
    return None


def _is_about_itself(named: str, final: str) -> bool:
    ours, theirs = host_and_port(final), host_and_port(named)
    if ours is None or theirs is None or host_as_owned(ours[0]) != host_as_owned(theirs[0]):
        return False
    here, there = _last_part(final), _last_part(named)
    if not there:
        return not here  # a shop's front page is the name of nothing but itself
    return there in unquote(final).lower() or (bool(here) and here in unquote(named).lower())


def _last_part(url: str) -> str:
    """The last telling part of a path: `tea` of `/products/tea/amp` and of `/p/tea.amp.html`."""
    path = unquote(url.partition("?")[0].partition("://")[2].partition("/")[2])
    parts = [part for part in path.lower().split("/") if part not in _AMP]
    return _EXTENSION.sub("", parts[-1], count=1) if parts else ""


def as_owned(url: str) -> str:
    """A canonical address with the host that stands for all the ways to show it; to compare."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.partition(":") if authority[:1] != "[" else (authority, "", "")
    return f"{scheme}://{host_as_owned(host)}{colon}{port}{slash}{path}"

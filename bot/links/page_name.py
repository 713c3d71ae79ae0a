"""The name of a page among all the addresses that it is shown at: mobile, AMP, with campaigns.

A page names itself by `rel=canonical` or `og:url`. It is believed only about itself: the name must
be on the same host, but for the ways to show it (`www`, `m`, `amp`), and be about the same thing.
What shops get wrong most often are names that are the same for all pages: the front page in some
language, a category, the address without the parameter that chooses.
"""

import html
import re
from urllib.parse import unquote

from bot.links.canonical import canonical_url, host_and_port, identity_of, usable_url
from bot.links.choosing import choices, value_of
from bot.links.fetch_types import Fetched
from bot.links.lookalikes import host_as_owned

_HEAD_BYTES = 262_144
_TAG = re.compile(r"<(?:link|meta)\s([^<>]{0,4000})>", re.IGNORECASE)
_TAGS_MAX = 400
_ATTRIBUTE = re.compile(
    r"([a-z:-]{1,20})\s*+=\s*+(?:\"([^\"]{0,3000})\"|'([^']{0,3000})'|([^\s\"'>]{1,3000}))",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"(?:\.amp)?(?:\.[a-z]{3,5})?\Z", re.IGNORECASE)
_UNTELLING = frozenset({"amp", "index", ""})
#: What a word is parted from others by in the last part of a path.
_MARKS = re.compile(r"[\W_]+")
#: Fewer characters with a digit in them are a number of something: `tea-50`.
_ID_LENGTH_MIN = 3


def page_name(page: Fetched) -> str:
    """What is the same for all the ways to reach this page; for comparing only."""
    final = canonical_url(page.url_final) or page.url_final
    return identity_of(as_owned(_believed(page, final) or final))


def home_address(page: Fetched) -> str | None:
    """Where a mobile or AMP host's page says it is at home; None for one that is at home.

    The price there is the one that counts: a shop proves its main host, seldom the others. What
    chooses among several that one page sells is chosen there as well.
    """
    final = canonical_url(page.url_final) or page.url_final
    named = _believed(page, final)
    if named is None:
        return None
    ours, theirs = host_and_port(final), host_and_port(named)
    return named if ours and theirs and ours[0] != theirs[0] else None


def _believed(page: Fetched, final: str) -> str | None:
    """The address that the page gives itself, with what `final` chooses; None if not believed."""
    named = _named(page)
    if named is None or not _is_about_itself(named, final):
        return None
    there = choices(named.partition("?")[2])
    missing: list[str] = []
    for name, pairs in choices(final.partition("?")[2]).items():
        if name not in there:
            missing += [pair for pair in pairs if not _ends_with(named, value_of(pair))]
        elif set(map(value_of, there[name])) != set(map(value_of, pairs)):
            return None
    if not missing:
        return named
    return f"{named}{'&' if '?' in named else '?'}{'&'.join(missing)}"


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
    here, there = _parts(final), _parts(named)
    if not there:
        # A shop's front page is the name of nothing but itself.
        return not here and "?" not in final
    if here and here[-1] == there[-1]:
        return True
    if _goes_on_untelling(here, there[-1]):
        return True
    if any(_ends_with(named, value_of(pair)) for pair in final.partition("?")[2].split("&")):
        return True
    return bool(here) and (_has_id(there[-1], here[-1]) or _has_id(here[-1], there[-1]))


def _parts(url: str) -> list[str]:
    """The telling parts of a path: `p` and `tea` of `/p/tea/amp` and of `/p/tea.amp.html`."""
    path = unquote(url.partition("?")[0].partition("://")[2].partition("/")[2]).lower()
    parts = [part for part in path.split("/") if part]
    if parts:
        parts[-1] = _EXTENSION.sub("", parts[-1], count=1)
    return [part for part in parts if part not in _UNTELLING] or parts


def _goes_on_untelling(parts: list[str], last: str) -> bool:
    """Whether only parameters follow `last` in a path: `/dp/b0001/ref=1`, not `/tea/500g`."""
    return last in parts and all("=" in part for part in parts[parts.index(last) + 1 :])


def _ends_with(url: str, value: str) -> bool:
    """Whether the path says already what a parameter says: `/p/12345` for `id=12345`."""
    parts, said = _parts(url), value.lower()
    return bool(parts) and (parts[-1] == said or _has_id(parts[-1], said))


def _has_id(part: str, number: str) -> bool:
    """Whether `part` has the number of an article in it, as a word: `green-tea-12345`, `12345`."""
    is_number = len(number) >= _ID_LENGTH_MIN and any(char.isdigit() for char in number)
    return is_number and number in _MARKS.split(part)


def as_owned(url: str) -> str:
    """A canonical address with the host that stands for all the ways to show it; to compare."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.partition(":") if authority[:1] != "[" else (authority, "", "")
    return f"{scheme}://{host_as_owned(host)}{colon}{port}{slash}{path}"

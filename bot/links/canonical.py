"""One name for one page: the canonical form of a web address.

Addresses are parsed as browsers parse them (WHATWG's URL standard, by ada). The parser is asked
once for the whole address in its normal form, which is then cut at its own separators: in that
form they are unambiguous, and each question to the parser costs as much as the parsing itself.
"""

import re
from functools import lru_cache

from ada_url import URL

from bot.links.amp_cache import publisher_url
from bot.links.tracking import without_tracking

_URL_LENGTH_MAX = 4096
_HOST_LENGTH_MAX = 253
_LABEL_LENGTH_MAX = 63
_CONTROL_OR_BLANK = re.compile(r"[\x00-\x20\x7f]")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Addresses whose normal form has the host in lower case and a slash behind it, and no other
#: change: most that people write. No punycode, no number for a host, no dots in the path, nothing
#: to escape, no query.
_PLAIN = re.compile(
    r"(https?://(?![^/]{254}|[^/]*xn--)(?:[a-z0-9\-]{1,63}\.)+[a-z]{2,24})(/[a-z0-9/_\-]*+)?",
    re.IGNORECASE | re.ASCII,
)


def canonical_url(url: str) -> str | None:
    """`url` as browsers would write it, without tracking parameters, fragment or default port.

    An AMP cache's address becomes the publisher's. None when it is no usable web address: another
    scheme than http or https, credentials in it, an impossible host, blanks inside, or more than
    4,096 characters.
    """
    plain = _PLAIN.fullmatch(url)
    if plain and len(url) <= _URL_LENGTH_MAX:
        return plain[1].lower() + (plain[2] or "/")
    normal = _normal(url)
    if normal is None:
        return None
    while (publisher := publisher_url(normal)) is not None:
        normal = publisher
    address, mark, query = normal.partition("?")
    if mark:
        query = without_tracking(query)
    return f"{address}?{query}" if query else address


def usable_url(url: str, *, base: str | None = None) -> str | None:
    """`url` (relative to `base`) made absolute for fetching: every parameter kept, no fragment.

    None under the same conditions as `canonical_url`.
    """
    return _normal(url, base)


def identity_of(url: str) -> str:
    """What is the same for all ways to write the address of one page.

    `url` is canonical. Without the scheme, the slash at the end, the order of the parameters and
    the ways to escape a letter: no shop sells two things by these differences. For comparing only,
    never for fetching.
    """
    if "%" in url:
        url = _ESCAPED.sub(_escaped_alike, url)
    address, _, query = url.partition("?")
    address = address.partition("://")[2].rstrip("/")
    return f"{address}?{'&'.join(sorted(query.split('&')))}" if query else address


def _escaped_alike(escaped: re.Match[str]) -> str:
    letter = chr(int(escaped[1], 16))
    plain = letter.isascii() and (letter.isalnum() or letter in "-._~")
    return letter if plain else escaped[0].upper()


@lru_cache(maxsize=512)
def host_of(url: str) -> str | None:
    """The host of a web address in lower-case punycode, None when `canonical_url` has none."""
    found = host_and_port(url)
    return found[0] if found else None


def host_and_port(url: str) -> tuple[str, int] | None:
    """Host (as `host_of` gives it) and port, with the scheme's own port where none is written."""
    normal = _normal(url)
    if normal is None:
        return None
    scheme, _, rest = normal.partition("://")
    host, port = _host_port(rest.partition("/")[0])
    return host, int(port or _DEFAULT_PORTS[scheme])


def _normal(url: str, base: str | None = None) -> str | None:
    """The address in WHATWG's normal form without its fragment, if it can be a web page's."""
    trimmed = url.strip()
    if len(trimmed) > _URL_LENGTH_MAX or _CONTROL_OR_BLANK.search(trimmed):
        return None
    try:
        parsed = URL(trimmed, base)
    except (ValueError, UnicodeEncodeError):
        return None
    normal = parsed.href.partition("#")[0]
    if len(normal) > _URL_LENGTH_MAX:
        return None
    scheme, mark, rest = normal.partition("://")
    if not mark or scheme not in _DEFAULT_PORTS:
        return None
    authority, _, path = rest.partition("/")
    if "@" in authority:
        return None
    host, port = _host_port(authority)
    if not _is_possible(host):
        return None
    if authority.startswith(f"{host}."):
        return f"{scheme}://{host}{f':{port}' if port else ''}/{path}"
    return normal


def _host_port(authority: str) -> tuple[str, str]:
    """Host without a trailing dot, and the port's digits; `authority` is in normal form."""
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, ""
    return host.rstrip("."), port


def _is_possible(host: str) -> bool:
    if host[:1] in {"", "."} or ".." in host:
        return False
    if len(host) <= _LABEL_LENGTH_MAX:
        return True
    return len(host) <= _HOST_LENGTH_MAX and all(
        len(label) <= _LABEL_LENGTH_MAX for label in host.split(".")
    )

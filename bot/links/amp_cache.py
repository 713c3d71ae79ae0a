"""Addresses of AMP caches and viewers, taken apart: whose page is shown there.

A cache (`https://shop-example.CACHE/c/s/shop.example/p`) names the publisher's host twice, in its
own name and in the path; a viewer (`/amp/s/shop.example/p`) in the path. Both are forms that AMP
defines, so no cache has to be known by name.
"""

import re

from bot.links.tlds import is_tld

_VIEWED = re.compile(r"https?://[^/]+/amp/s/([^/?]+)(/[^?]*)?(\?.*)?\Z")
_CACHED = re.compile(r"https?://([a-z0-9-]+)\.[^/]+/[cv]/(s/)?([^/?]+)(/[^?]*)?(\?.*)?\Z")
_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")


def publisher_url(url: str) -> str | None:
    """The publisher's address behind `url` (canonical), if `url` is an AMP cache's or viewer's.

    It is shorter than `url` always.
    """
    if "/s/" not in url and "/c/" not in url and "/v/" not in url:
        return None
    viewed = _VIEWED.match(url)
    if viewed:
        return _address("s/", viewed[1], viewed[2], viewed[3])
    cached = _CACHED.match(url)
    if cached and cached[1] == cached[3].replace("-", "--").replace(".", "-"):
        return _address(cached[2], cached[3], cached[4], cached[5])
    return None


def _address(secure: str | None, host: str, path: str | None, query: str | None) -> str | None:
    if not _HOST.fullmatch(host) or not is_tld(host.rpartition(".")[2]):
        return None
    return f"http{'s' if secure else ''}://{host}{path or '/'}{query or ''}"

"""A sitemap (sitemaps.org, protocol 0.9): its pages, or the sitemaps that it leads to."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from bot.catalogue.xml_events import elements

_PLACES = {"url": "page", "sitemap": "sitemap"}
_CHANGED_CHARS_MAX = 60
_WANTED = frozenset({"loc", "lastmod"})


class Place(msgspec.Struct, frozen=True):
    """A page, or with `is_sitemap` a further sitemap; `changed` is its lastmod as written."""

    url: str
    changed: str | None
    is_sitemap: bool


def read_sitemap(file: BinaryIO, charset: str | None = None) -> Iterator[Place]:
    """What the sitemap lists, as it comes. Raises `UnreadableCatalogue`."""
    inside: dict[int, dict[str, str]] = {}
    for element in elements(file, charset):
        children = inside.pop(element.depth + 1, {})
        if element.local in _PLACES:
            if children.get("loc"):
                changed = children.get("lastmod", "")[:_CHANGED_CHARS_MAX] or None
                yield Place(children["loc"], changed, element.local == "sitemap")
        elif element.local in _WANTED:
            inside.setdefault(element.depth, {}).setdefault(element.local, element.text)


def telling(sitemaps: list[Place]) -> list[Place]:
    """Those that are about products by their names, if any is; shop software names them so."""
    about = [place for place in sitemaps if "product" in place.url.rpartition("/")[2].lower()]
    return about or sitemaps

"""What every reader of a page may need to know of it, found out when it is first asked for."""

import re
from urllib.parse import unquote_plus

from ada_url import URL

from bot.links.recognise.currencies import page_regions
from bot.links.recognise.markup import Markup, all_text
from bot.links.recognise.seek import find
from bot.links.recognise.values import path_of, squeezed
from wallet_core.once import once

#: Behind a page's name stands what it says of its topic: behind a heading soon, without one later.
_BEHIND_BYTES = 6_000
_NAMELESS_BYTES = 30_000
_PARAMETER_MARKS = re.compile("[?#&;]")
#: Parameters whose values are never the number of a product or of a variant.
_OTHER_PARAMETERS = frozenset(
    {"page", "paged", "limit", "offset", "per_page", "pagesize", "q", "s", "query", "search",
     "sort", "order", "qty", "quantity", "amount", "price", "year", "ref", "source", "affiliate",
     "gclid", "fbclid", "msclkid", "dclid", "srsltid", "ver", "ts"}
)  # fmt: skip
_OTHER_PREFIXES = ("utm_", "mc_", "pf_", "ga_")


class PageFacts:
    """A page's address, its names and where it is at home."""

    def __init__(self, url: str, markup: Markup) -> None:
        self.url = url
        self.markup = markup

    @once
    def path(self) -> str:
        """Host and path of the page's address, for comparing it with others."""
        return path_of(self.url, "")

    @property
    def is_front_page(self) -> bool:
        """Whether the page stands where a host's front page does, and asks for nothing."""
        return not self.path.partition("/")[2] and not self.parameters

    @once
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The names, in lower case, and values that the page's address asks for.

        Those that are known to mean no product, such as the page of a list, are left out.
        """
        _, *parts = _PARAMETER_MARKS.split(self.url)
        pairs = (part.partition("=")[::2] for part in parts)
        named = ((unquote_plus(name).lower(), unquote_plus(value)) for name, value in pairs)
        return tuple((name, value) for name, value in named if value and not _is_other(name))

    @once
    def asked_for(self) -> frozenset[str]:
        """The values of these parameters, whole."""
        return frozenset(value for _, value in self.parameters)

    @once
    def og_title(self) -> str:
        """What Open Graph calls the page."""
        return self._metas.get("og:title", "")

    @once
    def description(self) -> str:
        """What the page says of itself."""
        return self._metas.get("og:description") or self._metas.get("description") or ""

    @once
    def kind(self) -> str:
        """Open Graph's type of the page, in lower case, without the name of whose type it is."""
        return self._metas.get("og:type", "").lower().rpartition(":")[2]

    @once
    def is_published(self) -> bool:
        """Whether the page has a time at which it was published, as what is read has."""
        return self.markup.head_holds(b"article:published_time")

    @once
    def language(self) -> str:
        """The page's own language tag."""
        return self.markup.language or self._metas.get("og:locale", "")

    @once
    def regions(self) -> tuple[str, ...]:
        """The countries that the page names, by their ISO 3166 codes."""
        address = URL(self.url) if URL.can_parse(self.url) else None
        return page_regions(
            address.hostname if address else "",
            address.pathname if address else "",
            (self.markup.language, self._metas.get("og:locale", "")),
        )

    @property
    def heading(self) -> str:
        """The text of the page's own heading."""
        return self.markup.heading

    @once
    def titles(self) -> tuple[str, ...]:
        """What the page is called, by Open Graph, its heading and its title."""
        return tuple(filter(None, (self.og_title, self.markup.heading, self.markup.title)))

    @once
    def beside_name(self) -> bytes:
        """The markup behind the page's heading.

        Without one, more of it: behind what its title calls it, or else from its beginning.
        """
        stretches, place = self.markup.stretches, self.markup.heading_place
        if place >= 0:
            return stretches.seen_from(place, _BEHIND_BYTES)
        start = self.markup.name_place or max(0, find(self.markup.page, b"<body"))
        return stretches.seen_from(start, _NAMELESS_BYTES)

    @once
    def behind_name(self) -> str:
        """The text of the same."""
        return all_text(self.beside_name)

    def is_called(self, name: str) -> bool:
        """Whether one of the page's titles is `name`; the costlier ones are asked for last."""
        wanted = squeezed(name)
        if wanted in (squeezed(self.og_title), squeezed(self.markup.title)):
            return True
        return wanted == squeezed(self.heading)

    @once
    def _metas(self) -> dict[str, str]:
        # Of tags that come twice the last counts here.
        return dict(self.markup.metas)


def _is_other(parameter: str) -> bool:
    return parameter in _OTHER_PARAMETERS or parameter.startswith(_OTHER_PREFIXES)

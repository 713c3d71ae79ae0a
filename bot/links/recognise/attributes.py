"""The attributes of single tags, read without a tree."""

import re

from bot.links.recognise.seek import find

_ATTRIBUTE = re.compile(
    rb"([A-Za-z_:@][\w:.\-]{0,60})"
    rb"(?:\s*+=\s*+(?:\"([^\"]{0,5000})\"|'([^']{0,5000})'|([^\s\"'>]{0,2000})))?"
)
#: The attributes of most tags: names in lower case, and each value in double quotes.
_PLAIN_INSIDE = re.compile(
    rb"[ \n\r\t]*+(?:[a-z][a-z0-9:_-]{0,59}+(?:=\"[^\"]{0,5000}+\")?+(?:[ \n\r\t]++|(?=/?\Z)))*+/?"
)
_PLAIN_ATTRIBUTE = re.compile(rb"([a-z][a-z0-9:_-]*+)(?:=\"([^\"]*+)\")?+")
#: A tag from behind its name to its end; what is quoted may hold the mark that ends it.
_INSIDE = re.compile(rb"(?:[^\"'<>]++|\"[^\"]{0,5000}+\"|'[^']{0,5000}+'|[\"'])*+")
_TAG_BYTES_MAX = 10_000

#: Names in lower case, values as written.
Attributes = dict[bytes, bytes]


def attributes_at(page: bytes, position: int) -> tuple[Attributes, int]:
    """The attributes of the tag whose name ends at `position`, and where they end.

    Of two attributes of one name the first counts.
    """
    stop = position + _TAG_BYTES_MAX
    end = find(page, b">", position, stop)
    if end >= 0 and _PLAIN_INSIDE.fullmatch(page, position, end) is not None:
        return dict(reversed(_PLAIN_ATTRIBUTE.findall(page, position, end))), end
    inside = page[position : end if end >= 0 else stop]
    if end < 0 or not is_plain(inside):
        # What is quoted may hold the mark that ends a tag.
        found = _INSIDE.match(page, position, stop)
        end = found.end() if found else position
        inside = page[position:end]
    found = reversed(_ATTRIBUTE.findall(inside))
    return {name.lower(): double or single or bare for name, double, single, bare in found}, end


def is_plain(tag: bytes) -> bool:
    """Whether nothing but double quotes quotes in `tag`, and each of them is closed."""
    return b"'" not in tag and not tag.count(b'"') % 2

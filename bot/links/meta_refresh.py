"""Pages that lead on by themselves: a short link's page whose only news is another address."""

import html
import re

#: Only pages of a few words: in a shop's page a refresh is a clock, not a way.
_BODY_BYTES_MAX = 16_384
_SECONDS_MAX = 5
_META = re.compile(rb"<meta\s[^<>]{0,4000}>", re.IGNORECASE)
_IS_REFRESH = re.compile(r"http-equiv\s*+=\s*+[\"']?\s*+refresh", re.IGNORECASE)
_CONTENT = re.compile(r"content\s*+=\s*+(?:\"([^\"]{0,3000})\"|'([^']{0,3000})')", re.IGNORECASE)
_SECONDS_AND_URL = re.compile(
    r"\s*+([0-9]{1,3})(?:\.[0-9]*+)?\s*+[;,]\s*+(?:url\s*+=\s*+)?[\"']?([^\"']+)", re.IGNORECASE
)


def refresh_target(body: bytes) -> str | None:
    """The address that a small page sends its reader to within five seconds, as written."""
    if len(body) > _BODY_BYTES_MAX:
        return None
    for meta in _META.finditer(body):
        tag = meta.group().decode("utf-8", "replace")
        content = _CONTENT.search(tag) if _IS_REFRESH.search(tag) else None
        if content is None:
            continue
        found = _SECONDS_AND_URL.match(html.unescape(content[1] or content[2] or ""))
        if found and int(found[1]) <= _SECONDS_MAX:
            return found[2].strip()
    return None

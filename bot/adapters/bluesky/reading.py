"""What a person wrote, taken out of a post: the words, and the links.

Facets mark stretches of the text by UTF-8 bytes; anybody can make them up, so they are cut to
what is there.
"""

from collections.abc import Sequence

import msgspec
from atproto import models  # type: ignore[import-untyped]

from bot.events import MarkedLink


class Written(msgspec.Struct, frozen=True):
    """A text without the mentions of the bot and without what is shown for links."""

    text: str
    links: tuple[MarkedLink, ...]


def read_text(
    text: str, facets: Sequence[models.AppBskyRichtextFacet.Main] | None, own_did: str
) -> Written:
    """The words and the marked links of a text with facets."""
    body = text.encode("utf-8", "replace")
    links: list[MarkedLink] = []
    kept = bytearray(body)
    for facet in facets or ():
        start, end = facet.index.byte_start, facet.index.byte_end
        if not 0 <= start < end <= len(body):
            continue
        for feature in facet.features:
            if isinstance(feature, models.AppBskyRichtextFacet.Link):
                shown = body[start:end].decode("utf-8", "ignore")
                links.append(MarkedLink(feature.uri, shown))
                _blank(kept, start, end)
            elif _mentions(feature, own_did):
                _blank(kept, start, end)
    lines = kept.decode("utf-8", "ignore").split("\n")
    words = "\n".join(" ".join(line.split()) for line in lines)
    return Written(words.strip(), tuple(links))


def read_post(record: models.AppBskyFeedPost.Record, own_did: str) -> Written:
    """The same of a post, with the link of the card below it."""
    written = read_text(record.text, record.facets, own_did)
    embed = record.embed
    if isinstance(embed, models.AppBskyEmbedExternal.Main):
        shown = MarkedLink(embed.external.uri, embed.external.title)
        if shown.url not in {link.url for link in written.links}:
            return Written(written.text, (*written.links, shown))
    return written


def _mentions(feature: object, did: str) -> bool:
    return isinstance(feature, models.AppBskyRichtextFacet.Mention) and feature.did == did


def _blank(text: bytearray, start: int, end: int) -> None:
    text[start:end] = b" " * (end - start)

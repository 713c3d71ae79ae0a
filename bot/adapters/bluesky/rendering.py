"""A card as a post or a message: plain text, and facets for its links, in UTF-8 bytes.

Only facets make links and mentions here, so nothing in a card's words can become one.
"""

import re
from typing import NamedTuple

from atproto import models  # type: ignore[import-untyped]

from bot.cards import Button, Card, plain_text

#: The longest thumbnail that a card below a post may have, in bytes.
THUMB_BYTES_MAX = 950_000
_DESCRIPTION_MAX = 300
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Text(NamedTuple):
    """A text and what is marked in it."""

    text: str
    facets: list[models.AppBskyRichtextFacet.Main]


def text_of(card: Card) -> Text:
    """The card's lines, and a line for each link that it offers, whose words lead there."""
    text = _clean(plain_text(card))
    facets = []
    for button in card.buttons:
        if button.url:
            label = _clean(button.label)
            text = f"{text}\n{label}" if text else label
            facets.append(_link(text, label, button.url))
    return Text(text, facets)


def pay_link(card: Card) -> Button | None:
    """The first button that leads somewhere, which a card below the post shows."""
    return next((button for button in card.buttons if button.url), None)


def external(card: Card, url: str) -> models.AppBskyEmbedExternal.External:
    """The card below a post."""
    lines = " · ".join(line.text for line in card.lines)
    return models.AppBskyEmbedExternal.External(
        uri=url,
        title=_clean(card.title or plain_text(card))[:_DESCRIPTION_MAX],
        description=_clean(lines)[:_DESCRIPTION_MAX],
    )


def _link(text: str, label: str, url: str) -> models.AppBskyRichtextFacet.Main:
    """A link on the last words of a text."""
    end = len(text.encode())
    return models.AppBskyRichtextFacet.Main(
        features=[models.AppBskyRichtextFacet.Link(uri=url)],
        index=models.AppBskyRichtextFacet.ByteSlice(
            byte_start=end - len(label.encode()), byte_end=end
        ),
    )


def _clean(text: str) -> str:
    """Without control characters and half surrogates."""
    return _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))

"""A card as a message of Weibo's: an article where it leads somewhere, else a text."""

from typing import Any
from urllib.parse import quote

import msgspec

from bot.cards import Card, plain_text

_TITLE_MAX = 64
_SUMMARY_MAX = 200


class Words(msgspec.Struct, frozen=True):
    """A message: its `type`, and its `content` as the documents describe it for that type."""

    type: str
    content: dict[str, Any]

    @property
    def json(self) -> str:
        """The content as JSON."""
        return msgspec.json.encode(self.content).decode()

    @property
    def encoded(self) -> str:
        """The content as an answer to a push carries it: JSON, percent-encoded."""
        return quote(self.json, safe="")


def words_of(card: Card, picture_root: str) -> Words:
    """The message for a card. `picture_root` is the address below which pictures are shown."""
    link = next((button.url for button in card.buttons if button.url), None)
    if link is None:
        return Words("text", {"text": plain_text(card)})
    article = {
        "display_name": _cut(card.title or plain_text(card), _TITLE_MAX),
        "summary": _cut("\n".join(line.text for line in card.lines), _SUMMARY_MAX),
        "image": "",
        "url": link,
    }
    if card.picture is not None and picture_root:
        article["image"] = f"{picture_root}/{card.picture.digest}"
    return Words("articles", {"articles": [article]})


def _cut(text: str, length_max: int) -> str:
    """The text, or as much of it as may be shown, which says that it was cut."""
    return text if len(text) <= length_max else text[: length_max - 1].rstrip() + "…"

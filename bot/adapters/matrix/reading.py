"""What a person wrote, taken out of a Matrix message: the text, and the links marked in it."""

import re

from bot.adapters.markup import Start, pieces
from bot.adapters.matrix.wire import MessageContent
from bot.events import MarkedLink

_HTML = "org.matrix.custom.html"
_EVENT_ID = re.compile(r"\$[!-~]{1,254}")
_LINK = re.compile(r"https?://", re.IGNORECASE)
# A mention of a person or room is a link too, and leads nowhere but into the client.
_MENTION = re.compile(r"https?://matrix\.to(?:[/?#]|$)", re.IGNORECASE)
# The variation selector that asks for a colourful emoji, and the five skin tones: clients add
# and drop them, and they change nothing about what a person meant.
_UNMEANT = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")


def is_event_id(text: str) -> bool:
    """Whether `text`, which anybody can make up, has the form of an event id."""
    return _EVENT_ID.fullmatch(text) is not None


def reaction_key(key: str) -> str:
    """The emoji of a reaction without variation selector and skin tone."""
    return _UNMEANT.sub("", key)


def own_words(content: MessageContent) -> str:
    """The text without the quotation that older clients put in front of a reply."""
    relation = content.relates_to
    is_reply = relation is not None and relation.in_reply_to is not None
    if not is_reply or not content.body.startswith("> <"):
        return content.body
    lines = content.body.split("\n")
    quoted = 0
    while quoted < len(lines) and lines[quoted].startswith(">"):
        quoted += 1
    if quoted < len(lines) and not lines[quoted].strip():
        quoted += 1
    return "\n".join(lines[quoted:])


def marked_links(content: MessageContent) -> tuple[MarkedLink, ...]:
    """The web links of the formatted text, each with what is shown for it, without mentions.

    What stands in quoted replies is another's.
    """
    if content.format != _HTML or not content.formatted_body:
        return ()
    links: list[MarkedLink] = []
    quotes = 0
    url: str | None = None
    shown: list[str] = []
    for piece in pieces(content.formatted_body):
        if isinstance(piece, str):
            shown.append(piece)
        elif piece.name == "mx-reply":
            quotes = quotes + 1 if isinstance(piece, Start) else max(quotes - 1, 0)
        elif piece.name == "a":
            if url is not None:
                links.append(MarkedLink(url, "".join(shown).strip()))
            url, shown = None, []
            if isinstance(piece, Start) and not quotes:
                url = _web_address(piece)
    if url is not None:
        links.append(MarkedLink(url, "".join(shown).strip()))
    return tuple(links)


def _web_address(anchor: Start) -> str | None:
    url = anchor.attributes.get("href", "").strip()
    return url if _LINK.match(url) and not _MENTION.match(url) else None

"""What a person wrote, taken out of a Matrix message: the text, and the links marked in it."""

import re
from html.parser import HTMLParser

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
    """The web links of the formatted text, each with what is shown for it, without mentions."""
    if content.format != _HTML or not content.formatted_body:
        return ()
    collector = _Anchors()
    try:
        collector.feed(content.formatted_body)
        collector.close()
    except AssertionError:
        # The parser's answer to markup declarations that no client would write.
        return ()
    return tuple(collector.links)


class _Anchors(HTMLParser):
    """Collects the anchors outside quoted replies."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[MarkedLink] = []
        self._quotes = 0
        self._url: str | None = None
        self._shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "mx-reply":
            self._quotes += 1
        elif tag == "a":
            self._finish()
            url = (dict(attrs).get("href") or "").strip()
            if not self._quotes and _LINK.match(url) and not _MENTION.match(url):
                self._url = url

    def handle_endtag(self, tag: str) -> None:
        if tag == "mx-reply":
            self._quotes = max(self._quotes - 1, 0)
        elif tag == "a":
            self._finish()

    def handle_data(self, data: str) -> None:
        if self._url is not None:
            self._shown.append(data)

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        if self._url is not None:
            self.links.append(MarkedLink(self._url, "".join(self._shown).strip()))
        self._url, self._shown = None, []

"""What a person wrote, taken out of a post's HTML: the words, the links, who was mentioned."""

import re
from html.parser import HTMLParser

import msgspec

from bot.events import MarkedLink

_LINK = re.compile(r"https?://", re.IGNORECASE)
_BLOCKS = frozenset({"br", "p", "li", "blockquote", "div"})
#: What Mastodon calls the parts of an address that it does not show.
_INVISIBLE = "invisible"
_NO_BOT = re.compile(r"#\s*nobot\b", re.IGNORECASE)


class Written(msgspec.Struct, frozen=True):
    """A post in plain terms. `mentions` are addresses of profiles.

    `text` is without mentions, and without what is shown for links: they are shortened there.
    """

    text: str
    links: tuple[MarkedLink, ...]
    mentions: frozenset[str]


def read_post(content: str) -> Written:
    """The parts of a post's HTML."""
    reader = _Reader()
    try:
        reader.feed(content)
        reader.close()
    except AssertionError:
        # The parser's answer to markup declarations that no server would write.
        return Written("", (), frozenset())
    text = "\n".join(" ".join(line.split()) for line in "".join(reader.text).split("\n"))
    return Written(text.strip(), tuple(reader.links), frozenset(reader.mentions))


def refuses_bots(note: str, fields: list[str]) -> bool:
    """Whether somebody's profile asks bots to stay away."""
    return any(_NO_BOT.search(_without_tags(part)) for part in (note, *fields))


def _without_tags(content: str) -> str:
    return re.sub(r"<[^>]*>", "", content)


class _Reader(HTMLParser):
    """Collects text, and anchors by what they are."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.links: list[MarkedLink] = []
        self.mentions: list[str] = []
        self._in_anchor = False
        self._url: str | None = None
        self._shown: list[str] = []
        self._silent = False
        #: The open spans, each with whether clients show what is in it.
        self._spans: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "span":
            self._spans.append(_INVISIBLE not in (dict(attrs).get("class") or "").split())
        if tag in _BLOCKS:
            self._break(tag)
        if tag != "a":
            return
        self._finish()
        given = dict(attrs)
        url = (given.get("href") or "").strip()
        classes = (given.get("class") or "").split()
        hashtag = "hashtag" in classes or "tag" in (given.get("rel") or "").split()
        self._in_anchor = True
        if hashtag or not _LINK.match(url):
            return
        self._silent = True
        if "mention" in classes:
            self.mentions.append(url)
        else:
            self._url = url

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._finish()
        elif tag == "span" and self._spans:
            self._spans.pop()
        elif tag in _BLOCKS:
            self._break(tag)

    def _break(self, tag: str) -> None:
        self.text.append("\n")
        if tag != "br":
            # No span goes on behind the block in which it was opened.
            self._spans.clear()

    def handle_data(self, data: str) -> None:
        if self._url is not None and all(self._spans):
            self._shown.append(data)
        if not self._silent:
            self.text.append(data)

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        if self._url is not None:
            self.links.append(MarkedLink(self._url, "".join(self._shown).strip()))
        if self._in_anchor:
            self.text.append(" ")
        self._in_anchor = self._silent = False
        self._url, self._shown = None, []

"""What a person wrote, taken out of a post's HTML: the words, the links, who was mentioned."""

import re

import msgspec

from bot.adapters.markup import Start, pieces, text_of
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
    reader.read(content)
    text = "\n".join(" ".join(line.split()) for line in "".join(reader.text).split("\n"))
    return Written(text.strip(), tuple(reader.links), frozenset(reader.mentions))


def refuses_bots(note: str, fields: list[str]) -> bool:
    """Whether somebody's profile asks bots to stay away."""
    return any(_NO_BOT.search(text_of(part)) for part in (note, *fields))


class _Reader:
    """Collects text, and anchors by what they are."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.links: list[MarkedLink] = []
        self.mentions: list[str] = []
        self._in_anchor = False
        self._url: str | None = None
        self._shown: list[str] = []
        self._silent = False
        #: The open spans, each with whether clients show what is in it.
        self._spans: list[bool] = []

    def read(self, content: str) -> None:
        """Take in a whole post."""
        for piece in pieces(content):
            if isinstance(piece, str):
                self._words(piece)
            elif isinstance(piece, Start):
                self._open(piece)
            else:
                self._close(piece.name)
        self._finish()

    def _open(self, tag: Start) -> None:
        if tag.name == "span":
            self._spans.append(_INVISIBLE not in tag.classes)
        if tag.name in _BLOCKS:
            self._break(tag.name)
        if tag.name != "a":
            return
        self._finish()
        url = tag.attributes.get("href", "").strip()
        hashtag = "hashtag" in tag.classes or "tag" in tag.attributes.get("rel", "").split()
        self._in_anchor = True
        if hashtag or not _LINK.match(url):
            return
        self._silent = True
        if "mention" in tag.classes:
            self.mentions.append(url)
        else:
            self._url = url

    def _close(self, name: str) -> None:
        if name == "a":
            self._finish()
        elif name == "span" and self._spans:
            self._spans.pop()
        elif name in _BLOCKS:
            self._break(name)

    def _break(self, name: str) -> None:
        self.text.append("\n")
        if name != "br":
            # No span goes on behind the block in which it was opened.
            self._spans.clear()

    def _words(self, words: str) -> None:
        if self._url is not None and all(self._spans):
            self._shown.append(words)
        if not self._silent:
            self.text.append(words)

    def _finish(self) -> None:
        if self._url is not None:
            self.links.append(MarkedLink(self._url, "".join(self._shown).strip()))
        if self._in_anchor:
            self.text.append(" ")
        self._in_anchor = self._silent = False
        self._url, self._shown = None, []

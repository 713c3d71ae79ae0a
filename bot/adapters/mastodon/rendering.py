"""A card as the text of a post.

Servers make mentions, tags and links out of text by themselves, and a card's words come from
others: what could become one of these is broken up.
"""

import re

from bot.cards import Card, plain_text

# A joiner has no width and stands in no name, so the word reads the same and calls nobody.
_JOINER = "\u2060"
_CALLS = re.compile(r"([@#＠＃!])(?=\w)")
_SCHEME = re.compile(r"(\w:)(//)")
# Some servers make links of bare names of hosts, too: "www.shop.example".
_BARE_HOST = re.compile(r"(?<=\w\.)(?=[^\W\d_]{2})")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def post_text(card: Card, mention: str) -> str:
    """The mention, the card's lines, and a line for each link that it offers."""
    body = tame(plain_text(card))
    links = (f"{tame(button.label)}: {button.url}" for button in card.buttons if button.url)
    return "\n".join((f"{mention} {body}".strip(), *links))


def tame(text: str) -> str:
    """The text without anything that a server would make a mention, a tag or a link of."""
    clean = _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    clean = _SCHEME.sub(rf"\1{_JOINER}\2", clean)
    clean = _BARE_HOST.sub(_JOINER, clean)
    return _CALLS.sub(rf"\1{_JOINER}", clean)

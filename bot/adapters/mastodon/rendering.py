"""A card as the text of a post.

Servers make mentions, tags and links out of text by themselves; some read Markdown in it, and some
pass HTML on as it is. A card's words come from others: what could become any of this is broken up.
No escape is understood by all servers, so signs that mark something get a joiner behind them, which
has no width, or are replaced by signs that look like them.
"""

import re

from bot.cards import Card, plain_text

_JOINER = "\u2060"
#: Emphasis and code can be opened in the midst of a word, and a tag has no other beginning.
LOOKALIKES = {"*": "\u2217", "`": "\u02cb", "#": "\ufe5f", "\uff03": "\ufe5f"}
_REPLACED = str.maketrans(LOOKALIKES)
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
#: Between which two signs a joiner keeps them from meaning something together.
_BROKEN_UP = re.compile(
    r"(?<=[<&\\])(?=\S)"  # a tag, an entity, an escape
    r"|(?<=[@＠!])(?=\w)"  # a mention, also of a group
    r"|(?<=\w:)(?=//)"  # an address
    r"|(?<=\w\.)(?=[^\W\d_]{2})"  # a bare host, of which some servers make a link, too
    r"|(?<=\])(?=[(\[])"  # a link in Markdown
    r"|(?<=~)(?=~)"
    r"|(?<=:)(?=\w+:)"  # an emoji of the server
    r"|(?<![^\W_])(?=_)|(?<=_)(?![^\W_])"  # emphasis, which underscores in a word are not
    r"|^(?=[>+=|-])",  # a quotation or a list
    re.MULTILINE,
)
#: What a post may have more than its card, so that it is never too long for Mastodon.
_MORE_MAX = 60
_WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "<>&@!:/.[]()~_\\|=+-"}


def post_text(card: Card, mention: str) -> str:
    """The mention, the card's lines, and a line for each link that it offers."""
    body = tame(plain_text(card))
    links = (f"{tame(button.label)}: {button.url}" for button in card.buttons if button.url)
    return "\n".join((f"{mention} {body}".strip(), *links))


def tame(text: str) -> str:
    """The text without anything that a server would make a mention, a tag, a link or markup of."""
    clean = _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    clean = clean.translate(_REPLACED)
    broken = _BROKEN_UP.sub(_JOINER, clean)
    # Somebody who fills a title with such signs gets wide ones, which mean nothing either.
    return broken if len(broken) - len(clean) <= _MORE_MAX else clean.translate(_WIDE)

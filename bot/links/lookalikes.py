"""Doubts about a host that a reader may take for another one.

After Unicode's UTS 39 and the rules by which browsers decide to show punycode: scripts that no
writing mixes, letters of one script that look like another's, strokes that look like a slash, and
a well-known ending in the middle of a name.
"""

import unicodedata
from functools import cache, lru_cache

from bot.links.canonical import host_of
from bot.links.scan import find_links

#: Cyrillic, Greek, Armenian, Lisu and Cherokee letters that are hard to tell from Latin ones.
_LATIN_LOOKALIKES = frozenset(
    "аеорсухіѕјԁһԛԝьгпкмтвнзґѵүӏґһҝҡҳοανικρτυχωϲϳεηβγօսոհպզցլꓐꓑꓒꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓤꓦꓪꓫꓬꓰꓲꓳꓴꭺꭼꮃꮋꮐꮓꮢꮪꮤꮩꮮꮯꮲ"
)
#: Letters that Unicode calls Latin and that read as plain ones.
_ODD_LATIN = frozenset("ıɑɡɩʟʏɢɴʀʙʜɪꞌʼƿⅼⅰⅴⅹȷɫɨɵƅƽǀǃꜱᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ")
#: Strokes and dots that pass for a slash, a dot or a hyphen among Latin letters.
_LIKE_SEPARATORS = frozenset("ノンソゾ丶丿〳〵一ー八卜・ᐟ⼁｜〡꓿ꓸ·٠۰๐০")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
#: Endings that people read as the end of a name.
_ENDINGS = frozenset({"com", "net", "org"})
#: Names before a shop's host that say how the same shop is shown, not whose it is.
#: A crowd shares the same few links.
_REMEMBERED_MAX = 512
_PRESENTATIONS = frozenset({"www", "m", "mobile", "amp", "wap", "touch", "h5"})


@lru_cache(maxsize=_REMEMBERED_MAX)
def host_warning(host: str) -> str | None:
    """Why a reader may take `host` (Unicode or punycode) for another one; None if he will not.

    A port behind it does not matter.
    """
    name = host.lower() if host.startswith("[") else host.lower().partition(":")[0]
    labels = [unicode_label(label) for label in name.split(".")]
    at_home = labels[-1] is not None and not labels[-1].isascii()
    for label in labels:
        if label is None:
            return "The address has a part that no browser can show."
        doubt = None if label.isascii() else _doubt(label, at_home=at_home)
        if doubt is not None:
            return doubt
    return _borrowed_ending([label for label in labels if label is not None])


@lru_cache(maxsize=_REMEMBERED_MAX)
def shown_elsewhere_warning(shown: str, url: str, url_final: str | None = None) -> str | None:
    """Why the text `shown` of a link misleads: it names another host than the link leads to.

    `url` is the link's target, `url_final` where its redirects end: a short link may show its end.
    None for a text that names no host, or the right one.
    """
    named = next((host_of(found.url) for found in find_links(shown.strip())), None)
    if named is None:
        return None
    targets = {
        host_as_owned(host_of(target) or "") for target in (url, url_final) if target is not None
    }
    if host_as_owned(named) in targets:
        return None
    return f"The link shows {named} but leads to {host_of(url_final or url)}."


def host_as_owned(host: str) -> str:
    """`host` without what only says how it is shown: `www.`, `m.`, `amp.` and the like."""
    first, dot, rest = host.partition(".")
    return rest if dot and first in _PRESENTATIONS and "." in rest else host


def unicode_label(label: str) -> str | None:
    """A label of a host as it is read; None for punycode that means nothing."""
    if not label.startswith("xn--"):
        return label
    try:
        shown = label[4:].encode("ascii").decode("punycode")
        shown.encode("utf-8")
    except UnicodeError:
        return None
    return shown


def _doubt(label: str, *, at_home: bool) -> str | None:
    letters = {char for char in label if char.isalpha()}
    scripts = {_script(char) for char in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return f"The address mixes alphabets in “{label}” and may imitate another one."
    foreign = {char for char in letters if not char.isascii()}
    # Under a top-level domain in the same alphabet such a name is at home: сор.рф is Russian.
    imitates = bool(foreign) and not at_home and foreign <= _LATIN_LOOKALIKES
    if letters & _ODD_LATIN or imitates:
        return f"The letters of “{label}” look like Latin ones and may imitate another address."
    others = {char for char in label if not char.isascii()}
    if others & _LIKE_SEPARATORS and len(others) == 1 and scripts & {"LATIN"}:
        return f"A letter of “{label}” looks like a mark and may imitate another address."
    return None


def _borrowed_ending(labels: list[str]) -> str | None:
    """The warning for `shop.com.elsewhere.top`, which is not shop.com's."""
    for index in range(1, len(labels) - 2):
        if labels[index] in _ENDINGS:
            begins, owner = ".".join(labels[: index + 1]), ".".join(labels[index + 1 :])
            return f"The address begins like {begins} but belongs to {owner}."
    return None


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").partition(" ")[0]

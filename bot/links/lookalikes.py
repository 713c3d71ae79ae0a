"""Doubts about a host that a reader may take for another one.

After Unicode's UTS 39 and the rules by which browsers decide to show punycode: scripts that no
writing mixes, letters of one script that look like another's, strokes that look like a slash, and
a well-known ending in the middle of a name.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from bot.links.canonical import host_of
from bot.links.scan import find_links
from bot.links.tlds import is_tld

#: Cyrillic, Greek, Armenian, Lisu and Cherokee letters that are hard to tell from Latin ones.
_LATIN_LOOKALIKES = frozenset(
    "аеорсухіѕјԁһԛԝьгпкмтвнзґѵүӏґһҝҡҳοανικρτυχωϲϳεηβγօսոհպզցլꓐꓑꓒꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓤꓦꓪꓫꓬꓰꓲꓳꓴꭺꭼꮃꮋꮐꮓꮢꮪꮤꮩꮮꮯꮲ"
)
#: Letters that Unicode calls Latin and that read as plain ones.
_ODD_LATIN = frozenset("ıɑɡɩʟʏɢɴʀʙʜɪꞌʼƿⅼⅰⅴⅹȷɫɨɵƅƽǀǃꜱᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ")
#: Letters that pass for a slash, a dot or a hyphen where no other of their script is near.
_LIKE_SEPARATORS = frozenset("ノンソゾ丶丿〳〵一ー八卜・ᐟ⼁｜〡꓿ꓸ٠۰๐০")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
#: Punctuation, signs of mathematics and other drawings, which pass for those too.
_MARKS = frozenset({"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sk", "Sm", "So"})
#: Pictures, which pass for no stroke and stand in honest names: `i❤.ws`. Among them are bars and
#: heavy slashes, which do.
_PICTURES = re.compile(
    r"[\u231a\u231b\u2328\u23e9-\u23fa\u2600-\u2757\u2763-\u27bf\u2b05-\u2b55"
    r"\U0001f000-\U0001f64f\U0001f680-\U0001faff]"
)
#: Unicode's class of marks that are drawn across the letter before: `com̸x`.
_DRAWN_ACROSS = 1
#: Catalan's double l, the one mark that words are written with.
_WRITTEN_MARK = "l·l"
#: Where the letter ı is at home.
_DOTLESS = "ı"
_DOTLESS_TLDS = frozenset({"tr", "az"})
#: Endings that people read as the end of a name.
_ENDINGS = frozenset({"com", "net", "org"})
_COUNTRY_LENGTH = 2
#: One of them at the beginning of a longer label. Only these two: honest names begin with `net-`
#: and `org-` (net-a-porter.com), hardly any with `com-`.
_HYPHENED = re.compile(r"(com|co\.[a-z]{2})-")
#: What people read as a host's dot.
_DOTS_SEEN = re.compile(r"(?<=[0-9A-Za-z])[。｡](?=[0-9A-Za-z])")
_CREDENTIALS_SEEN = re.compile(r"(://[^\s/@]{0,256})@")
#: Beside a host these make no link of it, but people read it all the same: `shop.com(official)`.
_SIGNS_BESIDE = re.compile(r"(?<!\S)[@＠#＃$＄%&~+/\\]++(?=\w)|\+(?!\S)")
_BRACKET_BEHIND = re.compile(r"(?<![\w./\-])([\w\-]++(?:\.[\w\-]++)++)(?=\()")
_PIECE_LENGTH = 256
#: From here on people read from right to left.
_TURNED = "\u202e"
#: A crowd shares the same few links.
_REMEMBERED_MAX = 512
#: One text may stand for several links.
_SEEN_MAX = 16
#: Names before a shop's host that say how the same shop is shown, not whose it is.
_PRESENTATIONS = frozenset({"www", "m", "mobile", "amp", "wap", "touch", "h5"})
#: Under these of a country everybody has a name: mobile.co.uk and touch.co.uk are two owners'.
_SHARED = re.compile(r"(?:ac|co|com|edu|gov|ltd|ne|net|or|org|plc)\.[a-z]{2}")


@lru_cache(maxsize=_REMEMBERED_MAX)
def host_warning(host: str) -> str | None:
    """Why a reader may take `host` (Unicode or punycode) for another one; None if he will not.

    A port behind it does not matter.
    """
    name = host.lower() if host.startswith("[") else host.lower().partition(":")[0]
    labels = [unicode_label(label) for label in name.split(".")]
    for label in labels:
        if label is None:
            return "The address has a part that no browser can show."
        doubt = None if label.isascii() else _doubt(label, labels[-1] or "")
        if doubt is not None:
            return doubt
    return _borrowed_ending([label for label in labels if label is not None])


@lru_cache(maxsize=_REMEMBERED_MAX)
def shown_elsewhere_warning(shown: str, url: str, url_final: str | None = None) -> str | None:
    """Why the text `shown` of a link misleads: it names another host than the link leads to.

    `url` is the link's target, `url_final` where its redirects end: a short link may show its end.
    None for a text that names no host, or the right one.
    """
    targets = {
        host_as_owned(host_of(target) or "") for target in (url, url_final) if target is not None
    }
    for named in _hosts_seen(shown):
        if host_as_owned(named) not in targets:
            return f"The link shows {named} but leads to {host_of(url_final or url)}."
    return None


def names_a_host(text: str) -> bool:
    """Whether people read a web address in `text`."""
    return bool(_hosts_seen(text))


@lru_cache(maxsize=_SEEN_MAX)
def _hosts_seen(shown: str) -> Sequence[str]:
    """The hosts that people read in a text, however its letters, dots and marks are made up."""
    seen = shown
    if not shown.isascii():
        seen = "".join(char for char in shown if unicodedata.category(char) != "Cf")
        # Piece by piece: the time for accents in a row grows with the square of their number.
        starts = range(0, len(seen), _PIECE_LENGTH)
        parts = (unicodedata.normalize("NFKC", seen[at : at + _PIECE_LENGTH]) for at in starts)
        seen = _DOTS_SEEN.sub(".", "".join(parts))
    # What stands before an @ is meant to be taken for the host.
    seen = _SIGNS_BESIDE.sub(" ", _CREDENTIALS_SEEN.sub(r"\1 ", seen)).strip()
    seen = _BRACKET_BEHIND.sub(r"\1 ", seen)
    texts = (seen, seen[::-1]) if _TURNED in shown else (seen,)
    hosts = (host_of(found.url) for text in texts for found in find_links(text, cut=True))
    return tuple(dict.fromkeys(host for host in hosts if host is not None))


def host_as_owned(host: str) -> str:
    """`host` without what only says how it is shown: `www.`, `m.`, `amp.` and the like."""
    first, dot, rest = host.partition(".")
    is_shown = dot and first in _PRESENTATIONS and "." in rest and not _SHARED.fullmatch(rest)
    return rest if is_shown else host


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


def _doubt(label: str, tld: str) -> str | None:
    at_home = not tld.isascii()
    if tld in _DOTLESS_TLDS:
        label = label.replace(_DOTLESS, "i")
    letters = {char for char in label if char.isalpha()}
    scripts = {_script(char) for char in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return f"The address mixes alphabets in “{label}” and may imitate another one."
    foreign = {char for char in letters if not char.isascii()}
    # Under a top-level domain in the same alphabet such a name is at home: сор.рф is Russian.
    imitates = bool(foreign) and not at_home and foreign <= _LATIN_LOOKALIKES
    if letters & _ODD_LATIN or imitates:
        return f"The letters of “{label}” look like Latin ones and may imitate another address."
    others = {char for char in label if not char.isascii() and _script(char) != "LATIN"}
    alone = others & _LIKE_SEPARATORS if len(others) == 1 else set()
    if (alone or _marks(label)) and "LATIN" in scripts:
        return f"A letter of “{label}” looks like a mark and may imitate another address."
    return None


def _marks(label: str) -> set[str]:
    """Punctuation, signs and strokes outside ASCII in a label."""
    words = _PICTURES.sub("", label.replace(_WRITTEN_MARK, "ll"))
    return {
        char
        for char in words
        if not char.isascii()
        and (unicodedata.category(char) in _MARKS or unicodedata.combining(char) == _DRAWN_ACROSS)
    }


def _borrowed_ending(labels: list[str]) -> str | None:
    """The warning for `shop.com.elsewhere.top` or `shop.com-elsewhere.top`: not shop.com's."""
    for index in range(1, len(labels) - 1):
        ends = _ending(labels, index)
        if ends is not None and ends < len(labels) - 1:
            return _begins_like(labels[:ends], labels[ends:])
        ending = _HYPHENED.match(".".join(labels[index : index + 2]))
        if ending and labels[index - 1] not in _PRESENTATIONS:
            return _begins_like([*labels[:index], ending[1]], labels[index:])
    return None


def _begins_like(begins: list[str], owner: list[str]) -> str:
    return f"The address begins like {'.'.join(begins)} but belongs to {'.'.join(owner)}."


def _ending(labels: list[str], index: int) -> int | None:
    """Behind which label the ending stands that begins at `index`: `com`, or `co.uk`."""
    if labels[index] in _ENDINGS:
        return index + 1
    country = labels[index + 1]
    is_shared = labels[index] == "co" and len(country) == _COUNTRY_LENGTH and is_tld(country)
    return index + 2 if is_shared else None


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").partition(" ")[0]

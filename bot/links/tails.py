"""What follows a host: port, path, query and fragment, cut where a sentence takes over."""

import re

_PORT = re.compile(r":[0-9]{1,5}+(?![0-9])")
#: The root's dot behind a host, which ends no sentence: `shop.example./tea`.
_ROOT_DOT = re.compile(r"\.(?=/|:[0-9])")
#: ASCII that URLs are made of, and letters of scripts that put blanks between words. Chinese,
#: Japanese, Korean and Thai text that touches a link is the sentence around it.
_WORD_SCRIPTS = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u036f\u0370-\u037d\u037f-\u0386\u0388-\u0588\u0591-\u05bd"
    r"\u05bf\u05c1\u05c2\u05d0-\u05ea\u0620-\u0669\u066e-\u06d3\u06d5-\u06ff\u0900-\u0963"
    r"\u0966-\u0dff\u10a0-\u10ff\u1e00-\u1fff\u2013"
)
_CHARS = rf"[0-9A-GI-Za-gi-z\-._~:/?#@!$&'*+,;=%|^{_WORD_SCRIPTS}]*+"
#: Chinese, Japanese or Korean words belong to a link where it visibly goes on behind them:
#: `?q=绿茶&page=2`, `/分类/茶/1`.
_ENCLOSED = (
    r"(?<=[/=])[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]{1,40}"
    r"(?=[/&?=][0-9A-Za-z%\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3])"
)
#: An `h` ends a link where the next one is glued to a letter or digit: `a.com/xhttps://b.com/y`.
_PLAIN = re.compile(
    rf"{_CHARS}(?:(?:(?<![0-9A-Za-z])[Hh]|[Hh](?!(?i:ttps?://))|{_ENCLOSED}){_CHARS})*+"
)
_OPENS = {")": "(", "]": "[", "}": "{"}
_BRACKETS = frozenset("()[]{}")
#: Deeper nesting is no link of anybody's; the bound keeps the scan linear.
_DEPTH_MAX = 8
_SENTENCE_END = ".,:;!?'\"*~$%@|^"
_WRAPPERS = "_*~"


def tail_end(text: str, host_end: int, *, before: str) -> int:
    """Where the link ends whose host ends at `host_end`; `before` is the character before it."""
    if _ROOT_DOT.match(text, host_end):
        host_end += 1
    port = _PORT.match(text, host_end)
    start = port.end() if port else host_end
    if text[start : start + 1] not in {"/", "?", "#"}:
        return start
    end = _balanced_end(text, start)
    end = _without_pipe(text, start, end)
    end = _trimmed_end(text, start, end)
    if end > start and before and before in _WRAPPERS and text[end - 1] == before:
        end = _trimmed_end(text, start, start + len(text[start:end].rstrip(_WRAPPERS)))
    return end


def _trimmed_end(text: str, start: int, end: int) -> int:
    tail = text[start:end].rstrip(_SENTENCE_END)
    if tail.endswith("'s"):
        tail = tail[:-2].rstrip(_SENTENCE_END)
    return start + len(tail)


def _balanced_end(text: str, start: int) -> int:
    """Where the link's characters end, or a bracket stands that has no partner in the link."""
    open_at: list[int] = []
    position = start
    while True:
        plain = _PLAIN.match(text, position)
        position = plain.end() if plain else position
        bracket = text[position : position + 1]
        if bracket not in _BRACKETS or len(open_at) > _DEPTH_MAX:
            return open_at[0] if open_at else position
        opener = _OPENS.get(bracket)
        if opener is None:
            open_at.append(position)
        elif open_at and text[open_at[-1]] == opener:
            open_at.pop()
        else:
            return open_at[0] if open_at else position
        position += 1


def _without_pipe(text: str, start: int, end: int) -> int:
    """A bar belongs to a query; in a path it is a table's."""
    query = text.find("?", start, end)
    bar = text.find("|", start, end if query < 0 else query)
    return end if bar < 0 else bar

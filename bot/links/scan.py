"""Find web addresses in what people write.

One pass from left to right: every character is looked at a bounded number of times, so the
time is linear in the length of the message. Most messages hold no link and end at the first
search, which costs about a microsecond.
"""

import re
from collections.abc import Iterator

import msgspec

from bot.links.canonical import canonical_url
from bot.links.hosts import HOST_CHAR, bare_hosts, host_after_scheme
from bot.links.markdown import shown_texts
from bot.links.tails import tail_end
from bot.links.tlds import is_tld

#: What may be the end of a host without a scheme: most messages have none, and are done with.
#: It begins with the dot, which the search finds fastest.
_DOTTED = re.compile(r"\.(?:([A-Za-z]{2,63})|[^\x00-\x7f])")
_START = re.compile(
    rf"(?P<scheme>https?://)|(?<!{HOST_CHAR})(?P<run>{HOST_CHAR}++(?:\.{HOST_CHAR}++)++)",
    re.IGNORECASE,
)
#: The same right behind a link, where a run may begin in the middle of a word.
_RESTART = re.compile(
    rf"(?P<scheme>https?://)|(?P<run>{HOST_CHAR}++(?:\.{HOST_CHAR}++)++)", re.IGNORECASE
)
_RUN = re.compile(rf"{HOST_CHAR}++(?:\.{HOST_CHAR}++)*+")
#: A sentence's marks, which browsers take for a host's dots, and strokes, which they take for its
#: letters. Between Latin letters they part nothing: `https://shop.com⁄x.elsewhere.top`.
_DOTS_TO_BROWSERS = str.maketrans("．。｡", "...")
_JOINS = frozenset("．。｡⁄⁁‐‑⁃⹊")
_JOINED_RUN = re.compile(
    rf"{HOST_CHAR}++(?:(?:\.|(?<=[0-9A-Za-z])[{''.join(sorted(_JOINS))}](?=[0-9A-Za-z])){HOST_CHAR}++)*+"
)
_NUMERIC_HOST = re.compile(
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|localhost|\[[0-9A-Fa-f:.]{2,45}\])(?![\w.\-])", re.IGNORECASE
)
_SCHEME_AT_END = re.compile(r"https?\Z", re.IGNORECASE)
#: Names and passwords are ASCII, and no brackets: `(https://a.com)(b@c.com)` has none.
_CREDENTIALS = re.compile(r"[0-9A-Za-z\-._~%!$&'*+,;=:\\|^]{1,256}@")

#: Before a link with a scheme these make it part of a tag or a name.
_BARS_SCHEME = "@＠#＃$＄"
#: Before a bare host these make it a path, an address or a symbol.
_BARS_BARE = "@＠#＃$＄/\\.+%&~"
#: After a bare host these make it an e-mail address, a call or a longer word.
_BARS_AFTER = "@＠+(\\"


#: Marks that nobody sees. Between letters they hide that these are one word, of which no host is
#: cut out: `sho\u200bp.com` is not p.com.
_HIDDEN = r"[\u00ad\u200b-\u200d\u2060\ufeff]"
_LETTER = r"[0-9A-Za-z\-À-ÖØ-öø-\u052f]"
_WORD_BEFORE = re.compile(rf"{_LETTER}{_HIDDEN}{{1,4}}\Z")
_WORD_BEHIND = re.compile(rf"{_HIDDEN}{{1,4}}\.?{_LETTER}")
_HIDDEN_REACH = 5
_WITH_TAIL = re.compile(r"(?:https?://)?+[^/?#]++[/?#]", re.IGNORECASE)
#: Marks in the middle of a link that hold words together, look like its own or are Markdown's:
#: what is read as one address (`/tea\u2060-500g`, `/tea‑500g`, `/tea\_500g`) is no link to what its
#: beginning leads to. U+200B is a blank that nobody sees, and ends a link as any other does.
_GOES_ON = re.compile(
    r"(?:[\u00ad\u200c\u200d\u2060\ufeff]{1,4}|(?<=[0-9A-Za-z])[‐‑⁃⁄]|\\(?=[_~\-]))(?!(?i:https?://))[0-9A-Za-z/?&=%_~+\-]"
)


class FoundLink(msgspec.Struct, frozen=True):
    """A web address in a text; `start` and `end` count code points, `end` is exclusive.

    `shown` is the text of a Markdown link, which people see in its stead.
    """

    text: str
    url: str
    start: int
    end: int
    shown: str | None = None


def find_links(text: str, *, cut: bool = False) -> list[FoundLink]:
    """Every web address in `text`, in order, each as written and in canonical form.

    `cut`: also the beginnings of those that a mark in them cuts; for what host people read.
    """
    if "://" in text or _may_hold_host(text):
        return [link for link in _links(text) if cut or not _is_cut(text, link)]
    return []


def _is_cut(text: str, link: FoundLink) -> bool:
    """Whether a link with a path is read on behind its end."""
    return bool(_GOES_ON.match(text, link.end)) and _WITH_TAIL.match(link.text) is not None


def _may_hold_host(text: str) -> bool:
    for dotted in _DOTTED.finditer(text):
        if dotted[1] is None or dotted[1].lower() == "xn" or is_tld(dotted[1]):
            return True
    return False


def _links(text: str) -> Iterator[FoundLink]:
    position = 0
    known: dict[str, str | None] = {}
    shown = shown_texts(text)
    while start := _RESTART.match(text, position) or _START.search(text, position):
        scheme = start["scheme"] is not None
        spans, position = _after_scheme(text, start) if scheme else _bare(text, start)
        for begin, end in spans:
            written = text[begin:end]
            if written not in known:
                known[written] = canonical_url(written if scheme else f"https://{written}")
            url = known[written]
            if url is not None:
                yield FoundLink(written, url, begin, end, shown.get(begin) if scheme else None)


def _after_scheme(text: str, scheme: re.Match[str]) -> tuple[list[tuple[int, int]], int]:
    """The link at `scheme`, if it is one, and where to go on looking."""
    begin, host_start = scheme.span()
    before = text[begin - 1 : begin]
    credentials = _CREDENTIALS.match(text, host_start)
    if credentials:
        return [], _run_end(text, credentials.end())
    numeric = _NUMERIC_HOST.match(text, host_start)
    run = _RUN.match(text, host_start)
    if numeric:
        host_end, run_end = numeric.end(), numeric.end()
    elif run:
        host_end, run_end = _host_and_run(text, host_start, run.end())
    else:
        return [], host_start
    if host_end == host_start or (before and before in _BARS_SCHEME):
        return [], run_end
    if text[host_end : host_end + 1] in {"@", "＠"} or _WORD_BEHIND.match(text, host_end):
        return [], run_end
    end = tail_end(text, host_end, before=before) if host_end == run_end else host_end
    return [(begin, end)], end


def _host_and_run(text: str, start: int, run_end: int) -> tuple[int, int]:
    """Where the host ends that begins at `start` behind a scheme, and the run that it is in."""
    if text[run_end : run_end + 1] in _JOINS:
        joined = _JOINED_RUN.match(text, start)
        joined_end = joined.end() if joined else run_end
        joined_end -= _scheme_tail(text, start, joined_end)
        seen = text[start:joined_end].translate(_DOTS_TO_BROWSERS)
        host_end = start + host_after_scheme(seen)
        if host_end > run_end:
            return host_end, joined_end
    run_end -= _scheme_tail(text, start, run_end)
    return start + host_after_scheme(text[start:run_end]), run_end


def _bare(text: str, match: re.Match[str]) -> tuple[list[tuple[int, int]], int]:
    """The links without a scheme in the run at `match`, and where to go on looking."""
    run_start, run_end = match.span()
    run_end -= _scheme_tail(text, run_start, run_end)
    run = text[run_start:run_end]
    spans: list[tuple[int, int]] = []
    position = run_end
    for start, end in bare_hosts(run, path_follows=text[run_end : run_end + 1] == "/"):
        begin, host_end = run_start + start, run_start + end
        before = text[begin - 1 : begin]
        after = text[host_end : host_end + 1]
        if (start == 0 and before and before in _BARS_BARE) or (after and after in _BARS_AFTER):
            continue
        if _is_within_word(text, begin, host_end):
            continue
        if before == "." and text[run_start - 1 : run_start] in {"@", "＠"}:
            continue  # the end of an e-mail address in another writing: foo@例子.a.com
        link_end = tail_end(text, host_end, before=before) if host_end == run_end else host_end
        spans.append((begin, link_end))
        position = max(position, link_end)
    return spans, position


def _is_within_word(text: str, begin: int, end: int) -> bool:
    """Whether a host without a scheme begins earlier, or goes on, past marks that hide it."""
    reach = text[max(0, begin - _HIDDEN_REACH) : begin]
    return bool(_WORD_BEFORE.search(reach) or _WORD_BEHIND.match(text, end))


def _scheme_tail(text: str, start: int, end: int) -> int:
    """How many characters at the end of a run are the scheme of the next link."""
    if not text.startswith("://", end):
        return 0
    scheme = _SCHEME_AT_END.search(text, max(start, end - 5), end)
    return end - scheme.start() if scheme else 0


def _run_end(text: str, position: int) -> int:
    run = _RUN.match(text, position)
    return run.end() if run else position

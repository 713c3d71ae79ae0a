"""Which part of a run of host characters is a host: pure decisions about labels."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from bot.links.tlds import is_tld, known_tlds, longest_foreign_tld

#: Characters that no host contains and that end one in a sentence: blanks, controls,
#: zero-width and direction marks, punctuation of Latin, CJK, Arabic and Indic writing.
_ENDS_HOST = (
    r"\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xa9\xab-\xb6\xb8\xb9\xbb-\xbf\xd7\xf7"
    r"\u037e\u0387\u0589\u05be\u05c0\u05c3\u060c\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965"
    r"\u1680\u180e\u2000-\u206f\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d"
    r"\ufe10-\ufe1f\ufe30-\ufe6f\ufeff\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
    r"\ufff0-\uffff\ue000-\uf8ff"
)
HOST_CHAR = rf"[^{_ENDS_HOST}]"

#: Letters of scripts that part words by blanks: what touches a host in them belongs to it, so that
#: no host is cut out of another one that mixes its letters. Latin is the one most hosts are in.
_SPACED = r"0-9A-Za-z_\-À-ÖØ-öø-\u02af\u0370-\u052f\u0531-\u0dff\u10a0-\u10ff\u1e00-\u1fff"
_CHUNK = re.compile(rf"[{_SPACED}]++(?:\.[{_SPACED}]++)*+")
#: What most of them are like; the general rules below say the same of it, more slowly.
_PLAIN_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,9}([a-z]{2,24})")
#: Hebrew or Arabic letters before Latin ones in one label, as in `ב-shop.example`: no host is
#: written so (RFC 5893), but these languages write their particles so.
_PARTICLE = re.compile(r"[\u0590-\u08ff]++-?(?=[0-9\-]*+[A-Za-z])")
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff"
    r"\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_TLD_THEN_FOREIGN = re.compile(r"([A-Za-z]{2,24})(?=[^\x00-\x7f])")
_LABEL_LENGTH_MAX = 63
_REMEMBERED_LENGTH_MAX = 64
_LABELS_MIN = 2
_LABELS_MAX = 127

#: Top-level domains that are endings of file names more often than bare web addresses.
_FILE_TLDS = frozenset({"md", "py", "rs", "sh", "zip", "mov", "ps", "cab", "cc", "mk", "pm", "mm"})
#: Other endings in capitals begin a sentence whose blank is missing: `Yes.It is`.
_TITLED_TLDS = frozenset({"Com", "Net", "Org", "Info", "Biz", "Edu", "Gov", "Shop", "Store"})
#: Behind a number others are rather an hour or a unit: `10.am`, `5.kg`.
_NUMBERED_TLDS = frozenset({"com", "net", "org", "cn", "co", "io", "app", "shop"})
_FILE_ENDING = re.compile(r"[a-z0-9]{1,5}\Z")
#: Set aside for documentation and tests; behind a scheme they are meant as addresses.
_RESERVED_TLDS = frozenset({"example", "test", "localhost"})
_HAN_COUNTRY_TLDS = frozenset({"中国", "中國", "香港", "台灣", "台湾", "新加坡", "澳門", "한국"})
_SHORT_NUMBER = re.compile(r"\d{1,2}\Z")


def host_after_scheme(run: str) -> int:
    """How many characters of `run`, which follows `http://`, are the host; 0 for none."""
    labels = run.split(".")
    if not is_tld(labels[-1]) and labels[-1].lower() not in _RESERVED_TLDS:
        return _cut(labels)
    return len(run) if _well_formed(labels) else 0


def bare_hosts(run: str, *, path_follows: bool) -> Sequence[tuple[int, int]]:
    """The hosts that stand in `run` without a scheme, as (start, end) offsets in it."""
    if len(run) <= _REMEMBERED_LENGTH_MAX:
        return _remembered_hosts(run, path_follows=path_follows)
    return list(_bare_hosts(run, path_follows=path_follows))


@lru_cache(maxsize=2048)
def _remembered_hosts(run: str, *, path_follows: bool) -> Sequence[tuple[int, int]]:
    """The same, for runs that come again: people share the same shops."""
    return tuple(_bare_hosts(run, path_follows=path_follows))


def _bare_hosts(run: str, *, path_follows: bool) -> Iterator[tuple[int, int]]:
    plain = _PLAIN_HOST.fullmatch(run)
    if plain and is_tld(plain[1]) and (path_follows or not _is_casual(run.split("."))):
        yield 0, len(run)
        return
    found = False
    for chunk in _CHUNK.finditer(run):
        start, end = chunk.span()
        particle = _PARTICLE.match(run, start, end)
        start = particle.end() if particle else start
        followed = end == len(run) and path_follows
        length = _foreign_ending(run, start, end) or _spaced_host(run[start:end], path=followed)
        if length:
            found = True
            yield start, start + length
    if not found and _is_foreign_host(run, path_follows=path_follows):
        yield 0, len(run)


def _spaced_host(chunk: str, *, path: bool) -> int:
    labels = chunk.split(".")
    if len(labels) == 1 or len(labels[0]) > _LABEL_LENGTH_MAX:
        return 0
    if not is_tld(labels[-1]):
        return _cut(labels) if not chunk.isascii() else _cut_sentence(labels)
    if not _well_formed(labels) or (not path and _is_casual(labels)):
        return 0
    return len(chunk)


def is_casual_name(text: str) -> bool:
    """Whether `text` is nothing but a name that `bare_hosts` takes for no host: `README.md`."""
    plain = _PLAIN_HOST.fullmatch(text.lower())
    return plain is not None and is_tld(plain[1]) and _is_casual(text.split("."))


def _is_casual(labels: list[str]) -> bool:
    """Whether a name without scheme or path is rather a file, an hour or a missing blank."""
    name, tld = labels[-2], labels[-1]
    if labels[0].lower() == "www":
        return False
    if tld.istitle() and (not name[:1].isupper() or tld not in _TITLED_TLDS):
        return True
    if _SHORT_NUMBER.match(name):
        return tld.lower() not in _NUMBERED_TLDS
    return tld.lower() in _FILE_TLDS


def _cut(labels: list[str]) -> int:
    """Where a host ends that runs into the text after it, as in `example.comだよ`."""
    length = len(labels[0])
    for index, label in enumerate(labels[1:_LABELS_MAX], start=1):
        before = labels[:index]
        ascii_part = _TLD_THEN_FOREIGN.match(label)
        if ascii_part and is_tld(ascii_part[1]) and _well_formed([*before, ascii_part[1]]):
            return length + 1 + ascii_part.end()
        foreign = _foreign_tld_length(label)
        if foreign and _well_formed([*before, label[:foreign]]):
            return length + 1 + foreign
        length += 1 + len(label)
    return _cut_sentence(labels)


def _cut_sentence(labels: list[str]) -> int:
    """Where a host ends when the blank after a full stop is missing: `example.com.Thanks`."""
    for index in range(min(len(labels), _LABELS_MAX) - 1, 1, -1):
        begins_sentence = labels[index][:1].isupper() and not _FILE_ENDING.match(labels[-1])
        before = labels[:index]
        if begins_sentence and is_tld(before[-1]) and _well_formed(before):
            casual = _is_casual(before)
            return 0 if casual else sum(map(len, before)) + len(before) - 1
    return 0


def _foreign_ending(run: str, start: int, end: int) -> int:
    """The length of a host from `start` whose top-level domain outside ASCII follows `end`."""
    if run[end : end + 1] != ".":
        return 0
    # No longer than a label can be, so that many hosts in one run stay linear.
    label = run[end + 1 : end + 2 + _LABEL_LENGTH_MAX].split(".", 1)[0]
    length = _foreign_tld_length(label)
    if not length or not _well_formed([*run[start:end].split("."), label[:length]]):
        return 0
    return end - start + 1 + length


def _foreign_tld_length(label: str) -> int:
    """The length of the top-level domain outside ASCII that `label` is or begins with.

    Only writing without blanks between words may go on behind it.
    """
    if label.isascii():
        return 0
    if is_tld(label):
        return len(label)
    if not _SPACELESS.match(label):
        return 0
    tlds = known_tlds()
    for length in range(min(len(label), longest_foreign_tld()), 1, -1):
        if label[:length] in tlds:
            return length
    return 0


def _is_foreign_host(run: str, *, path_follows: bool) -> bool:
    labels = run.split(".")
    tld = labels[-1]
    if run.isascii() or tld.isascii() or not is_tld(tld) or not _well_formed(labels):
        return False
    if not _is_written(run):
        return False
    # In Chinese the dot of `买了.手机` is a slip; a country's domain hardly ever is.
    return path_follows or tld in _HAN_COUNTRY_TLDS or not _SPACELESS.search(tld)


def _is_written(run: str) -> bool:
    """Whether `run` has only letters, their marks, digits, dots and hyphens."""
    bare = run.replace(".", "").replace("-", "")
    return bare.isalnum() or all(unicodedata.category(char)[0] in "LMN" for char in bare)


def _well_formed(labels: list[str]) -> bool:
    if not _LABELS_MIN <= len(labels) <= _LABELS_MAX or "_" in labels[-1] or "_" in labels[-2]:
        return False
    for label in labels:
        if not label or label[0] in "-_" or label[-1] in "-_" or len(label) > _LABEL_LENGTH_MAX:
            return False
        if not label.isascii() and label[:4].lower() == "xn--":
            return False
    return True

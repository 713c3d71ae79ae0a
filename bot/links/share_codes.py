"""Share codes of shopping apps (Taobao's 淘口令, JD's 京口令): named, never guessed.

A code is a name in the app's own directory. What it stands for can be asked only there, so whoever
reads a product out of the words around it guesses. All that is done here is to recognise one.
"""

import re
from typing import Literal

import msgspec

App = Literal["Taobao", "JD"]

#: Money signs in pairs: nobody writes prices so.
_IN_MONEY_SIGNS = re.compile(r"([￥¥€₤₳₴₰¢₲₵])([0-9A-Za-z]{8,20})([￥¥€₤₳₴₰¢₲₵])")
#: Pairs that also stand around ordinary words; only beside words about copying into an app.
_IN_OTHER_SIGNS = re.compile(
    r"(?<![0-9A-Za-z\-_.~=?&%#])(?!(?<=/)/)([！!（(《$%/])([0-9A-Za-z]{10,20})([！!）)《》$%/])(?![0-9A-Za-z])"
)
_PARTNERS = {
    "（": "）)",
    "(": ")）",
    "！": "！!",
    "!": "!！",
    "《": "《》",
    "￥": "￥¥",
    "¥": "¥￥",
}
_CUE = re.compile(
    r"复制|複製|復制|口令|打开|打開|淘|京东|京東|置这|制这|至这|tao\b|\bAPP\b", re.IGNORECASE
)
_JD_CUE = re.compile(r"京东|京東|京口令|\bJD\b", re.IGNORECASE)
_KINDS = (re.compile(r"[0-9]"), re.compile(r"[a-z]"), re.compile(r"[A-Z]"))
_HINT = re.compile(r"[￥¥€₤₳₴₰¢₲₵！!（(《$%/][0-9A-Za-z]{8}")


class ShareCode(msgspec.Struct, frozen=True):
    """A code in a text; `start` and `end` count code points, `end` is exclusive."""

    text: str
    app: App
    start: int
    end: int

    @property
    def sentence(self) -> str:
        """What a person is told about it."""
        return (
            f"“{self.text}” is a share code that only the {self.app} app can open, so I cannot see "
            "the product. Nothing was charged. Please send the product's web address instead."
        )


def find_share_codes(text: str) -> list[ShareCode]:
    """Every share code in `text`, in order. Digits alone are an amount, letters alone a word."""
    if _HINT.search(text) is None:
        return []
    app: App = "JD" if _JD_CUE.search(text) else "Taobao"
    found = [
        _code(match, app)
        for match in _IN_MONEY_SIGNS.finditer(text)
        if _is_pair(match) and _kinds(match[2]) > 1
    ]
    if not found and _CUE.search(text):
        found = [
            _code(match, "JD" if match[1] in "！!" else app)
            for match in _IN_OTHER_SIGNS.finditer(text)
            if _is_pair(match) and _kinds(match[2]) == len(_KINDS)
        ]
    return found


def _kinds(token: str) -> int:
    """How many of digits, small and capital letters a token has."""
    return sum(kind.search(token) is not None for kind in _KINDS)


def _is_pair(match: re.Match[str]) -> bool:
    return match[3] in _PARTNERS.get(match[1], match[1])


def _code(match: re.Match[str], app: App) -> ShareCode:
    return ShareCode(text=match.group(), app=app, start=match.start(), end=match.end())

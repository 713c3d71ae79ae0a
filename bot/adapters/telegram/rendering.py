"""A card as text, entities and buttons.

Emphasis and links are entities beside the text, never markup in it: whatever a title says, it
stays a title. Lengths and offsets count UTF-16 code units, as Telegram does.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from bot.cards import Button, Card, Line, Role, Style, plain_text

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024
TOAST_UNITS_MAX = 200
INVOICE_TITLE_MAX = 32
INVOICE_DESCRIPTION_MAX = 255
_ROW_BUTTONS_MAX = 2
_KEYBOARD_BUTTONS_MAX = 100
_LABEL_UNITS_MAX = 64

# Control characters, and those that turn the direction of everything behind them around.
_UNWANTED = re.compile("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# Telegram makes links of these by itself: nobody's title shall call people or write commands.
_CALLING = re.compile(r"(?<!\w)([@#$])(?=\w)")
_COMMANDING = re.compile(r"(?<![\w/<>])/(?=[A-Za-z0-9_])")
_JOINER = "\u2060"
_LINK = re.compile(r"https?://", re.IGNORECASE)
_EMPHASIS = {
    Role.PRICE: "bold",
    Role.WARNING: "bold",
    Role.STATUS: "italic",
    Role.HINT: "italic",
    Role.CODE: "code",
}
_FOREIGN = (Role.SELLER,)
_STYLES = {Style.PAY: "success", Style.DANGER: "danger"}
_ELLIPSIS = "…"
_ESSENTIAL = (Role.PRICE, Role.HINT)


class Shown(msgspec.Struct, frozen=True):
    """A card in Telegram's form. `keyboard` is None without buttons."""

    text: str
    entities: list[dict[str, Any]]
    keyboard: dict[str, Any] | None


def shown(card: Card, units_max: int = TEXT_UNITS_MAX) -> Shown:
    """The card in at most `units_max` UTF-16 units; price and hints are kept to the last."""
    linked = card.link_url is not None and _LINK.match(card.link_url) is not None
    title = _calm(card.title, commands=True)
    if not linked:
        # An address in a name would lead wherever it says.
        title = title.replace("://", f":{_JOINER}//")
    lines = [
        Line(_calm(line.text, commands=line.role in _FOREIGN), line.role) for line in card.lines
    ]
    title, kept = _within(title, [line for line in lines if line.text], units_max)
    entities: list[dict[str, Any]] = []
    offset = 0
    if title:
        length = utf16_length(title)
        entities.append({"type": "bold", "offset": 0, "length": length})
        if linked:
            entities.append(
                {"type": "text_link", "offset": 0, "length": length, "url": card.link_url}
            )
        offset = length + 1
    for line in kept:
        length = utf16_length(line.text)
        emphasis = _EMPHASIS.get(line.role)
        if emphasis:
            entities.append({"type": emphasis, "offset": offset, "length": length})
        offset += length + 1
    text = "\n".join([title, *(line.text for line in kept)] if title else [x.text for x in kept])
    # A message of nothing but a picture's button still needs a letter.
    return Shown(text or _ELLIPSIS, entities, keyboard(card.buttons))


def keyboard(buttons: Sequence[Button]) -> dict[str, Any] | None:
    """The buttons in rows: what pays has a row of its own, first; others stand two in a row."""
    usable = [button for button in buttons if button.url or button.action]
    paying = [[_button(button)] for button in usable if button.style is Style.PAY]
    others = [_button(button) for button in usable if button.style is not Style.PAY]
    rows = paying + [
        others[n : n + _ROW_BUTTONS_MAX] for n in range(0, len(others), _ROW_BUTTONS_MAX)
    ]
    return {"inline_keyboard": rows[: _KEYBOARD_BUTTONS_MAX // _ROW_BUTTONS_MAX]} if rows else None


def toast(card: Card) -> str:
    """The card's words in the 200 characters that a toast holds."""
    return cut(_UNWANTED.sub(" ", plain_text(card)).strip(), TOAST_UNITS_MAX)


def preview(card: Card) -> dict[str, Any]:
    """The link preview: that of the product, or none at all."""
    if card.link_url is None or not _LINK.match(card.link_url):
        return {"is_disabled": True}
    return {"url": card.link_url, "prefer_large_media": True, "show_above_text": True}


def clean(text: str) -> str:
    """One line of plain text for places without entities."""
    return _UNWANTED.sub(" ", _whole(text)).replace("\n", " ").strip()


def cut(text: str, units_max: int) -> str:
    """The text in at most so many UTF-16 units, with an ellipsis where something is missing."""
    if utf16_length(text) <= units_max:
        return text
    kept = text.encode("utf-16-le")[: 2 * max(0, units_max - 1)].decode("utf-16-le", "ignore")
    return kept.rstrip() + _ELLIPSIS


def utf16_length(text: str) -> int:
    """How many UTF-16 code units Telegram counts."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, offset: int, length: int) -> str:
    """The part of a text that an entity speaks of; empty where it speaks of nothing in it."""
    if offset < 0 or length <= 0:
        return ""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "ignore")


def _button(button: Button) -> dict[str, Any]:
    made: dict[str, Any] = {"text": cut(clean(button.label), _LABEL_UNITS_MAX) or _ELLIPSIS}
    if button.url is not None:
        made["url"] = button.url
    else:
        made["callback_data"] = button.action
    if button.style in _STYLES:
        made["style"] = _STYLES[button.style]
    return made


@lru_cache(maxsize=512)
def _calm(text: str, *, commands: bool) -> str:
    """Without what would turn directions, call somebody, or become a command by itself."""
    calm = _CALLING.sub(rf"\1{_JOINER}", _UNWANTED.sub(" ", _whole(text)))
    calm = _COMMANDING.sub(f"/{_JOINER}", calm) if commands else calm
    # Telegram cuts white space off at both ends, and then all offsets would be wrong.
    return "\n".join(part.strip() for part in calm.split("\n") if part.strip())


def _whole(text: str) -> str:
    """Without half surrogates, which no request could carry."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _within(title: str, lines: list[Line], units_max: int) -> tuple[str, list[Line]]:
    """Title and lines, a line break between each two, in at most `units_max` units."""
    if 2 * (len(title) + sum([len(line.text) + 1 for line in lines])) < units_max:
        # As most are; no character takes more than two units.
        return title, lines
    whole = sum(utf16_length(line.text) + 1 for line in lines if line.role in _ESSENTIAL)
    others = sum(utf16_length(line.text) + 1 for line in lines if line.role not in _ESSENTIAL)
    if whole >= units_max:
        return cut(title or (lines[0].text if lines else ""), units_max), []
    room = units_max - whole
    title = cut(title, min(room, max(units_max // 2, room - others)))
    room -= utf16_length(title)
    kept: list[Line] = []
    for line in lines:
        if line.role in _ESSENTIAL:
            kept.append(line)
        elif room > 1:
            text = cut(line.text, room - 1)
            kept.append(Line(text, line.role))
            room -= utf16_length(text) + 1
    return title, kept

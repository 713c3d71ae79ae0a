"""The documented limits, checked on each request."""

import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from tests.peers.telegram_api.descriptions import dumped, types
from tests.peers.telegram_api.json_value import Json
from tests.peers.telegram_api.refusals import bad, too_many

TEXT_MAX = 4096
CAPTION_MAX = 1024
TOAST_MAX = 200
STYLES = {None, "danger", "success", "primary"}
#: What Telegram's FAQ for bots names: a message a second in a chat (a few at once are let pass),
#: 20 a minute in a group, 30 a second in all.
_PACES: dict[str, tuple[int, float]] = {
    "chat": (11, 9.6),
    "group": (20, 59.0),
    "overall": (30, 0.9),
}


def utf16(text: str) -> int:
    """How Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def checked_text(
    text: str, entities: Sequence[types.MessageEntity] | None, longest: int, name: str
) -> tuple[str, list[dict[str, Any]]]:
    """The text as it is kept, and its entities. Raises `Refused`."""
    text.encode("utf-8")
    if not text.strip():
        raise bad(f"{name} is empty")
    if text != text.strip():
        # The real server cuts it, and moves every offset behind it.
        raise bad(f"{name} begins or ends with white space, so its offsets are not what they say")
    if len(text) > longest or utf16(text) > longest:
        raise bad(f"{name} is too long")
    kept = []
    for entity in entities or ():
        if entity.offset < 0 or entity.length <= 0 or entity.offset + entity.length > utf16(text):
            raise bad(f"entity {entity.type} reaches outside of the text")
        if entity.type == "text_link" and not entity.url:
            raise bad("entity text_link has no url")
        kept.append(dumped(entity))
    return text, kept


def checked_keyboard(markup: object, *, invoice: bool = False) -> list[list[dict[str, Any]]]:
    """The rows of buttons. Raises `Refused`."""
    if markup is None:
        return []
    if not isinstance(markup, types.InlineKeyboardMarkup):
        raise bad("a card has an inline keyboard or none")
    rows = markup.inline_keyboard
    if sum(map(len, rows)) > 100 or any(len(row) > 8 for row in rows):
        raise bad("REPLY_MARKUP_TOO_LONG")
    for y, row in enumerate(rows):
        for x, button in enumerate(row):
            _check_button(button, first=(x, y) == (0, 0), invoice=invoice)
    return [[dumped(button) for button in row] for row in rows]


def _check_button(button: Json, *, first: bool, invoice: bool) -> None:
    if not button.text.strip():
        raise bad("can't parse inline keyboard button: text must be non-empty")
    if button.style not in STYLES:
        raise bad("BUTTON_STYLE_INVALID")
    actions = [button.url, button.callback_data, button.pay, button.web_app, button.login_url]
    if sum(action is not None for action in actions) != 1:
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.callback_data is not None and not 1 <= len(button.callback_data.encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if button.url is not None and not button.url.startswith(("http://", "https://", "tg://")):
        raise bad(f"inline keyboard button URL '{button.url}' is invalid: Wrong HTTP URL")
    if button.pay is not None and not (first and invoice):
        raise bad("BUTTON_TYPE_INVALID")


class Paces:
    """Counts messages and says 429 as Telegram does. `refused` counts how often it had to."""

    def __init__(self) -> None:
        self.refused = 0
        self._sent: dict[tuple[str, int], deque[float]] = defaultdict(deque)

    def count(self, chat_id: int | None) -> None:
        """One more message (or edit) in a chat. Raises `Refused`."""
        now_s = time.monotonic()
        kinds: list[tuple[str, int]] = [("overall", 0)]
        if chat_id is not None:
            kinds.append(("chat", chat_id))
            if chat_id < 0:
                kinds.append(("group", chat_id))
        for kind in kinds:
            most, within_s = _PACES[kind[0]]
            sent = self._sent[kind]
            while sent and sent[0] <= now_s - within_s:
                sent.popleft()
            if len(sent) >= most:
                self.refused += 1
                raise too_many(max(1, round(sent[0] + within_s - now_s)))
        for kind in kinds:
            self._sent[kind].append(now_s)

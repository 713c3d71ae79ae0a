"""Updates as Telegram delivers them: what is written in groups, and taps."""

import itertools
import time
from typing import Any

import msgspec

from benchmarks.conversation_cases.bot_api import BOT

_encode = msgspec.json.Encoder().encode
_TEXTS = (
    "Did anybody see the match yesterday? I could not watch it.",
    "I'll be ten minutes late, please start without me!",
    "明天下午三点开会，大家别忘了带材料。",
    "Sounds good 👍 see you on Thursday then",
    "No idea, ask Bob. He has been there last summer and liked it a lot.",
)


class Updates:
    """Makes updates with numbers of their own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(700_000_001)

    def message(self, person_id: int, group_id: int, text: str | None = None) -> bytes:
        """Something written in a group, without a link unless `text` is one."""
        number = next(self._numbers)
        said = text or _TEXTS[number % len(_TEXTS)]
        body: dict[str, Any] = {
            "message_id": number % 1_000_000,
            "from": user(person_id),
            "chat": group(group_id),
            "date": int(time.time()),
            "text": said,
        }
        if text is not None:
            body["entities"] = [{"type": "url", "offset": 0, "length": len(text)}]
        return _encode({"update_id": number, "message": body})

    def tap(self, person_id: int, group_id: int, message_id: int, action: str) -> tuple[str, bytes]:
        """A tap on a card of the bot's; gives the query's id too."""
        number = next(self._numbers)
        card = {
            "message_id": message_id,
            "from": BOT,
            "chat": group(group_id),
            "date": int(time.time()) - 60,
            "text": "Green tea\n¥19.90\n✓ Tea House · shop.example\n999 in stock",
            "entities": [
                {"type": "bold", "offset": 0, "length": 9},
                {"type": "bold", "offset": 10, "length": 6},
            ],
            "reply_markup": {
                "inline_keyboard": [[{"text": "Pay ¥19.90", "callback_data": action}]]
            },
        }
        query = {
            "id": f"44{number}",
            "from": user(person_id),
            "message": card,
            "chat_instance": "-3842374837423",
            "data": action,
        }
        return f"44{number}", _encode({"update_id": number, "callback_query": query})


def user(person_id: int) -> dict[str, Any]:
    """Somebody."""
    return {
        "id": person_id,
        "is_bot": False,
        "first_name": "Anna",
        "last_name": "Example",
        "username": f"anna{person_id}",
        "language_code": "en",
    }


def group(group_id: int) -> dict[str, Any]:
    """A group."""
    return {"id": group_id, "title": "Tea and other things", "type": "supergroup"}

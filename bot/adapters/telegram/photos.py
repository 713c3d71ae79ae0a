"""Pictures: uploaded once, then named by the id that Telegram gave them."""

from typing import Any

from telegram import InputFile

from bot.adapters.base import PictureSource
from bot.cards import Picture

_KNOWN_MAX = 1_000
#: What `sendPhoto` takes as a photograph.
_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})


class Photos:
    """What to hand to `sendPhoto` for a picture."""

    def __init__(self, pictures: PictureSource) -> None:
        self._pictures = pictures
        self._file_ids: dict[str, str] = {}

    async def of(self, picture: Picture) -> str | InputFile | None:
        """The id of the uploaded file, or the file itself; None when it is no longer kept."""
        known = self._file_ids.get(picture.digest)
        if known is not None:
            return known
        if picture.mime not in _TYPES:
            return None
        loaded = await self._pictures.load_picture(picture.digest)
        if loaded is None:
            return None
        mime, body = loaded
        return InputFile(body, filename=f"picture.{mime.partition('/')[2]}")

    def sent(self, picture: Picture, message: Any) -> None:  # noqa: ANN401 - JSON
        """Remember the id under which Telegram keeps the picture."""
        sizes = message.get("photo") or []
        if not sizes:
            return
        if len(self._file_ids) >= _KNOWN_MAX:
            self._file_ids.clear()
        self._file_ids[picture.digest] = sizes[-1]["file_id"]

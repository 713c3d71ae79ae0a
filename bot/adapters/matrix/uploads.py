"""Pictures in the homeserver's media repository, each put there once."""

from collections import OrderedDict
from typing import Any

import msgspec

from bot.adapters.base import PictureSource
from bot.adapters.matrix.homeserver import Homeserver
from bot.cards import Picture

_PICTURES_MAX = 1_000


class Uploaded(msgspec.Struct, frozen=True):
    """Where a picture lies (`mxc:`), its size, and the keys to it where it is encrypted."""

    uri: str
    size_bytes: int
    keys: dict[str, Any] = {}


class Uploads:
    """Uploads the bot's pictures, and remembers which."""

    def __init__(self, pictures: PictureSource) -> None:
        self._pictures = pictures
        self._known: OrderedDict[tuple[str, bool], Uploaded] = OrderedDict()

    async def find(self, home: Homeserver, picture: Picture, *, encrypted: bool) -> Uploaded | None:
        """The picture in the repository; None when the bot no longer has it.

        Raises the `AdapterError` that fits.
        """
        key = picture.digest, encrypted
        if key not in self._known:
            loaded = await self._pictures.load_picture(picture.digest)
            if loaded is None:
                return None
            mime, body = loaded
            uri, keys = await home.upload(mime, body, encrypted=encrypted)
            self._known[key] = Uploaded(uri, len(body), keys)
            if len(self._known) > _PICTURES_MAX:
                self._known.popitem(last=False)
        return self._known[key]

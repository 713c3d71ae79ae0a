"""The networks that the settings switch on; each one's library is imported only then.

Weibo needs no library of its own.
"""

from dataclasses import dataclass

from bot.adapters.base import Adapter, CursorStore, PictureSource
from bot.adapters.weibo import PUSH_PATH as WEIBO_PATH
from bot.adapters.weibo import Weibo
from config.settings import Settings

__all__ = ["WEIBO_PATH", "Ground", "microblogs", "weibo_of"]


@dataclass(frozen=True)
class Ground:
    """What adapters stand on."""

    cursors: CursorStore
    pictures: PictureSource


def microblogs(settings: Settings, ground: Ground) -> list[Adapter]:
    """The microblogs that are switched on."""
    makers = (_mastodon, _bluesky)
    return [adapter for make in makers if (adapter := make(settings, ground)) is not None]


def _mastodon(settings: Settings, ground: Ground) -> Adapter | None:
    mastodon = settings.mastodon
    if mastodon.server is None or mastodon.access_token is None:
        return None
    from bot.adapters.mastodon import Mastodon  # noqa: PLC0415

    return Mastodon(
        mastodon.server,
        mastodon.access_token.get_secret_value(),
        cursors=ground.cursors,
        pictures=ground.pictures,
        operator=mastodon.operator,
        poll_s=float(mastodon.poll_s),
    )


def _bluesky(settings: Settings, ground: Ground) -> Adapter | None:
    bluesky = settings.bluesky
    if bluesky.handle is None or bluesky.app_password is None:
        return None
    from bot.adapters.bluesky import Bluesky  # noqa: PLC0415

    return Bluesky(
        bluesky.service,
        bluesky.handle,
        bluesky.app_password.get_secret_value(),
        cursors=ground.cursors,
        pictures=ground.pictures,
        store_dir=settings.data_dir / "bluesky",
        poll_s=float(bluesky.poll_s),
    )


def weibo_of(settings: Settings) -> Weibo | None:
    """Weibo, where it is switched on; what it hears comes by the web server."""
    weibo = settings.weibo
    if weibo.app_secret is None or weibo.access_token is None or weibo.account_id is None:
        return None
    public_url = settings.web.public_url
    return Weibo(
        weibo.app_secret.get_secret_value(),
        weibo.access_token.get_secret_value(),
        weibo.account_id,
        service=weibo.service,
        picture_root=f"{public_url}/pictures" if public_url else "",
    )

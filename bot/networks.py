"""The networks that the settings switch on; each one's library is imported only then.

Weibo needs no library of its own. The web chat is always on, and the composition root's own.
"""

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.adapters.base import Adapter, CursorStore, PictureSource
from bot.adapters.weibo import PUSH_PATH as WEIBO_PATH
from bot.adapters.weibo import Weibo
from bot.commands import COMMANDS
from bot.conversation.announcer import announce
from bot.conversation.external import External
from config.settings import Settings
from wallet_core.commerce.checkout import Checkout
from wallet_core.funding.requests import Funding
from wallet_core.funding.telegram_payments import CardPayments, Collector, ExternalPayments
from wallet_core.funding.telegram_stars import GivingBack, StarReturns, Stars
from wallet_core.ledger.commits import WriterPort
from wallet_core.locks import LeasePort
from wallet_core.storage.readers import Reader

#: Where networks call the web server: programs, which prove themselves by what they send.
OPEN_PATHS = ("/telegram/", WEIBO_PATH)


@dataclass(frozen=True)
class Ground:
    """What adapters stand on."""

    cursors: CursorStore
    pictures: PictureSource


class Pushed(Adapter, Protocol):
    """A network that calls the web server, or may."""

    def add_routes(self, app: web.Application) -> None:
        """Put its address into the web server, where it has one."""


def networks_of(settings: Settings, ground: Ground) -> list[Adapter]:
    """The networks that are switched on and ask for their news themselves."""
    makers = (_matrix, _mastodon, _bluesky)
    return [adapter for make in makers if (adapter := make(settings, ground)) is not None]


def _matrix(settings: Settings, ground: Ground) -> Adapter | None:
    matrix = settings.matrix
    if matrix.homeserver is None or matrix.user is None:
        return None
    from bot.adapters.matrix import Matrix  # noqa: PLC0415

    return Matrix(
        matrix.homeserver,
        matrix.user,
        cursors=ground.cursors,
        store_dir=settings.data_dir / "matrix",
        pictures=ground.pictures,
        password=matrix.password.get_secret_value() if matrix.password else None,
        access_token=matrix.access_token.get_secret_value() if matrix.access_token else None,
        device_name=matrix.device_name,
        encryption=matrix.encryption,
    )


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


def pushed_networks_of(settings: Settings, ground: Ground) -> list[Pushed]:
    """The networks that are switched on and bring their news to the web server."""
    makers = (_weibo, _telegram)
    return [pushed for make in makers if (pushed := make(settings, ground)) is not None]


def _weibo(settings: Settings, _: Ground) -> Pushed | None:
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


def _telegram(settings: Settings, ground: Ground) -> Pushed | None:
    telegram = settings.telegram
    if telegram.token is None:
        return None
    from bot.adapters.telegram import Telegram  # noqa: PLC0415

    provider_token = telegram.provider_token
    return Telegram(
        telegram.token.get_secret_value(),
        pictures=ground.pictures,
        api_url=telegram.api_url,
        webhook_origin=settings.web.public_url if telegram.webhook else None,
        invoices=telegram.collects,
        provider_token=provider_token.get_secret_value() if provider_token else "",
        private_in_groups=telegram.private_in_groups,
        messages_per_s=telegram.messages_per_s,
        commands=[(c.name, c.help) for c in COMMANDS if not c.admin],
    )


def external_of(
    settings: Settings,
    writer: WriterPort,
    reader: Reader,
    leases: LeasePort,
    checkout: Checkout,
) -> External | None:
    """What Telegram may collect for the bot; None where it may not."""
    telegram = settings.telegram
    if not (telegram.enabled and telegram.collects):
        return None
    digital = frozenset(telegram.digital_hosts)
    collectors: list[Collector] = []
    giving_back = None
    if telegram.stars_per_unit is not None:
        collectors.append(Stars(settings.currency, telegram.stars_per_unit, digital))
        returns = Funding(writer, reader, leases, announce, StarReturns())
        giving_back = GivingBack(writer, reader, reader, returns)
    if telegram.provider_token is not None:
        collectors.append(CardPayments(digital))
    payments = ExternalPayments(writer, reader, checkout, collectors)
    return External(payments, giving_back)

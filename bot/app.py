"""The composition root: the only file that knows everything.

`running(settings)` makes every part, joins them, and takes them down in the opposite order.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.adapters.base import Adapter
from bot.adapters.web_chat import CommandHint, WebChat, Welcome
from bot.admin_claims import AdminClaims
from bot.background import Reports, listen, run_in_background
from bot.catalogue.importing import Importer
from bot.catalogue.schedule import Schedule
from bot.catalogue.staging import Staging
from bot.checkpoint_log import CheckpointClock, CheckpointLog
from bot.commands import COMMANDS, nearest_command, run_command
from bot.commands import PRESSES as COMMAND_PRESSES
from bot.conversation.announcer import announce
from bot.conversation.clockwork import Clockwork
from bot.conversation.dispatch import PRESSES, Dispatch, Press, press_again
from bot.conversation.evidence import Evidence
from bot.conversation.external import External
from bot.conversation.host_watch import HostWatch
from bot.conversation.host_words import announce_host
from bot.conversation.listed import ListedPrices
from bot.conversation.price_looks import PriceLooks
from bot.conversation.product_pages import ProductPages
from bot.conversation.sender import Sender
from bot.conversation.shared_links import SharedLinks
from bot.conversation.turn import Desk
from bot.conversation.views import Views
from bot.conversation.worker import Worker
from bot.core import Core, start_core
from bot.data_folder import DataFolder
from bot.demo.opening import DEMO_SAMPLE_SLUG, open_demo_shop
from bot.demo.shop import DemoShop
from bot.house import conversion_quotes, define_currencies, house_terms
from bot.instance_key import instance_key
from bot.links.fetch import Fetcher, FetchLimits
from bot.links.host_proofs import WebProofs
from bot.links.pacing import HostPace
from bot.links.redis_pages import RedisPages
from bot.networks import OPEN_PATHS, Ground, external_of, networks_of, pushed_networks_of
from bot.web import pages
from bot.web.metrics import Metrics
from bot.web.pay import PAY_PATH, PRESS_EVERY_S, PRESSES_AT_ONCE, PayPages
from bot.web.server import PortTaken, WebServer
from config.settings import Settings
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.conversion_checkout import ConvertingCheckout
from wallet_core.commerce.escrow import EscrowReleases
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Endings, Fulfilment
from wallet_core.commerce.host_checks import CheckTerms, HostChecks
from wallet_core.commerce.linking import Linking
from wallet_core.commerce.merchants import Merchants
from wallet_core.commerce.settlement import Settlements
from wallet_core.funding.cash import Cash
from wallet_core.funding.requests import Funding
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.checkpoints import Checkpoints, Kept
from wallet_core.storage.conversions import Conversions
from wallet_core.storage.escrow import EscrowRows
from wallet_core.storage.host_checks import HostCheckRows
from wallet_core.storage.inbox import Inbox
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.linking import Links
from wallet_core.storage.lookups import Lookups
from wallet_core.storage.moves import Moves
from wallet_core.storage.readers import Reader
from wallet_core.storage.receipts import ReceiptReader
from wallet_core.storage.web_chat import WebChatTables

ADMIN_LINK_VALID_S = 24 * 3600
_MICROSECONDS = 1_000_000


def clock_us() -> int:
    """The clock of this process, in microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Instance:
    """A running instance, for whoever started it. `admin_link` is None once there is an admin."""

    settings: Settings
    url: str
    shop_url: str | None
    sample_url: str | None
    admin_link: str | None
    desk: Desk
    inbox: Inbox
    failed: "asyncio.Future[None]"


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Instance]:
    """An instance with everything that the settings switch on, until the block ends.

    Raises `PayontapError`, `EmbeddedValkeyError` or `CannotListen` with one clear sentence when
    it cannot start.
    """
    define_currencies(settings)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder(settings.data_dir))
        core = await start_core(stack, settings, folder)
        shop = await _start_shop(stack, settings, folder, core.reader)
        fetcher = await stack.enter_async_context(_fetcher(settings, shop, core.pages))
        desk = _desk(settings, core, fetcher)
        links = _links(settings, core, desk, fetcher)
        if shop is not None:
            await open_demo_shop(desk.merchants, core.writer, shop, clock_us())
        web_chat = _web_chat(settings, core, shop)
        adapters: dict[str, Adapter] = {web_chat.network: web_chat}
        ground = Ground(core.inbox, core.pictures)
        pushed = pushed_networks_of(settings, ground)
        for adapter in (*networks_of(settings, ground), *pushed):
            adapters[adapter.network] = adapter
        external = external_of(settings, core.writer, core.reader, core.leases, desk.checkout)
        views = Views(core.reader, clock_us)
        sender = Sender(core.outbox, views, adapters)
        core.writer.on_speech = sender.ring
        reports = Reports(core)
        dispatch = _dispatch(desk, links, adapters, external)
        worker = Worker(core.inbox, dispatch.answer, reports.parked)
        clockwork = _clockwork(settings, core, list(adapters.values()))
        pace = HostPace(core.pages, interval_s=PRESS_EVERY_S, burst=PRESSES_AT_ONCE, wait_s_max=0.0)
        pay_pages = PayPages(views, web_chat, worker.hear, pace)
        routes = [pay_pages.add_routes, *(network.add_routes for network in pushed)]
        server = await _start_web(stack, settings, core, web_chat, shop, routes)
        sender.pay_page = server.url + PAY_PATH
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await run_in_background(
            stack,
            failed,
            {
                "worker": worker.run(),
                "sender": sender.run(),
                "clockwork": clockwork.run(),
                "hosts": _host_watch(settings, core, fetcher).run(),
                "checkpoints": _checkpoints(settings, core).run(),
                "catalogues": _schedule(settings, desk, fetcher).run(),
                **{f"network:{n}": listen(a, worker, reports) for n, a in adapters.items()},
            },
        )
        yield Instance(
            settings=settings,
            url=server.url,
            shop_url=shop.url if shop else None,
            sample_url=shop.product_url(DEMO_SAMPLE_SLUG) if shop else None,
            admin_link=await _admin_link(core, server.url),
            desk=desk,
            inbox=core.inbox,
            failed=failed,
        )


async def _start_shop(
    stack: AsyncExitStack, settings: Settings, folder: DataFolder, reader: Reader
) -> DemoShop | None:
    """The demo shop, on the port that it had last time if that is free."""
    if not settings.demo.enabled:
        return None
    wanted = settings.demo.port or folder.remembered_port("demo-shop")
    shop = DemoShop("127.0.0.1", wanted, reader.sold_count, currency=settings.currency)
    try:
        await shop.start()
    except PortTaken:
        if settings.demo.port:
            raise
        shop = DemoShop("127.0.0.1", 0, reader.sold_count, currency=settings.currency)
        await shop.start()
    stack.push_async_callback(shop.stop)
    folder.remember_port("demo-shop", int(shop.url.rpartition(":")[2]))
    return shop


def _fetcher(settings: Settings, shop: DemoShop | None, pages: RedisPages) -> Fetcher:
    allowed = [*settings.fetch.allowed_origins]
    if shop is not None:
        allowed.append(shop.url.partition("://")[2])
    return Fetcher(
        contact=settings.fetch.contact or settings.web.public_url or "",
        allowed_origins=frozenset(_host_and_port(origin) for origin in allowed),
        limits=FetchLimits(total_s=float(settings.fetch.timeout_s)),
        store=pages,
        turns=pages,
    )


def _host_and_port(origin: str) -> tuple[str, int]:
    host, _, port = origin.rpartition(":")
    return host, int(port)


def _terms(settings: Settings) -> Terms:
    escrow = settings.escrow
    return Terms(
        undo_window_s=float(settings.money.undo_window_s),
        accept_within_s=float(settings.money.accept_within_s),
        claim_within_s=float(escrow.claim_within_s) if escrow.enabled else None,
    )


def _desk(settings: Settings, core: Core, fetcher: Fetcher) -> Desk:
    terms = _terms(settings)
    quotes, conversions = conversion_quotes(settings), Conversions(core.database)
    return Desk(
        writer=core.writer,
        reader=core.reader,
        people=core.people,
        outbox=core.outbox,
        checkout=ConvertingCheckout(
            core.writer,
            core.reader,
            core.leases,
            announce,
            terms,
            quotes=quotes,
            conversions=conversions,
        ),
        fulfilment=Fulfilment(core.writer, core.reader, announce, terms, house_terms(settings)),
        funding=Funding(core.writer, core.reader, core.leases, announce, Cash()),
        merchants=Merchants(core.reader, WebProofs(fetcher), _check_terms(settings)),
        lookups=Lookups(core.database),
        moves=Moves(core.database),
        linking=Linking(Links(core.database)),
        links=Links(core.database),
        evidence=Evidence(
            instance_key(settings.data_dir),
            ReceiptReader(core.database),
            Liabilities(core.database),
        ),
        catalogues=Catalogues(core.database),
        currency=settings.currency,
        # Without any rate nothing can be converted, and a consent to it would promise too much.
        exchange=Exchange(quotes, conversions) if settings.rates else None,
        likes_day_times=settings.money.likes_day_times,
    )


def _links(settings: Settings, core: Core, desk: Desk, fetcher: Fetcher) -> SharedLinks:
    """What answers shared links; the checkout looks prices up again through the same pages."""
    valid_s = float(settings.money.quote_valid_s)
    listed = ListedPrices(desk.catalogues, settings.catalogue.fresh_s, clock_us)
    products = ProductPages(fetcher, core.pictures, settings.escrow.enabled, listed=listed)
    fresh_s = float(settings.money.price_fresh_s)
    desk.checkout.prices = PriceLooks(products, core.reader, core.writer, fresh_s, valid_s)
    return SharedLinks(products, valid_s, seen=core.pages)


def _dispatch(
    desk: Desk, links: SharedLinks, adapters: Mapping[str, Adapter], external: External | None
) -> Dispatch:
    return Dispatch(
        desk=desk,
        links=links,
        presses={
            **PRESSES,
            **COMMAND_PRESSES,
            "again": partial(press_again, links=links),
            **_external_presses(external),
        },
        run_command=run_command,
        nearest_command=nearest_command,
        prefixes={name: a.capabilities.command_prefixes for name, a in adapters.items()},
        now_us=clock_us,
        capabilities={name: a.capabilities for name, a in adapters.items()},
        external=external,
    )


def _clockwork(settings: Settings, core: Core, adapters: Sequence[Adapter]) -> Clockwork:
    house = house_terms(settings)
    endings = Endings(core.writer, core.reader, core.reader, core.reader, announce, house)
    settlements = Settlements(core.writer, core.reader)
    # Also where it is switched off by now: what is held already is handed over.
    escrow = EscrowReleases(core.writer, EscrowRows(core.database), announce, _terms(settings))
    return Clockwork(endings, adapters, core.inbox.waiting_count, settlements, escrow)


def _check_terms(settings: Settings) -> CheckTerms:
    verification = settings.verification
    return CheckTerms(every_s=verification.check_every_s, grace_s=verification.grace_s)


def _host_watch(settings: Settings, core: Core, fetcher: Fetcher) -> HostWatch:
    rows = HostCheckRows(core.database)
    terms = _check_terms(settings)
    checks = HostChecks(core.writer, rows, WebProofs(fetcher), announce_host, terms)
    return HostWatch(checks, clock_us)


def _schedule(settings: Settings, desk: Desk, fetcher: Fetcher) -> Schedule:
    staging = Staging(desk.catalogues, clock_us, settings.catalogue.items_max)
    interval_s = settings.catalogue.interval_s
    return Schedule(Importer(staging, desk.reader, fetcher, desk.tell_owner, interval_s))


def _checkpoints(settings: Settings, core: Core) -> CheckpointClock:
    log = CheckpointLog(settings.data_dir / settings.checkpoints.log)
    kept = Kept(settings.checkpoints.keep_all_days, settings.checkpoints.keep_hourly_days)
    return CheckpointClock(Checkpoints(core.database), instance_key(settings.data_dir), log, kept)


def _web_chat(settings: Settings, core: Core, shop: DemoShop | None) -> WebChat:
    hints = [CommandHint(f"/{c.name}", c.help) for c in COMMANDS if not c.admin]
    return WebChat(
        WebChatTables(core.database),
        page=pages.chat_page(),
        public_url=settings.web.public_url or "",
        commands=hints,
        welcome=Welcome(
            shop_url=shop.url if shop else None,
            sample_url=shop.product_url(DEMO_SAMPLE_SLUG) if shop else None,
            suggestions=("/help", "/balance", "/topup 500"),
        ),
    )


def _external_presses(external: External | None) -> Mapping[str, Press]:
    if external is None:
        return {}
    return {"invoice": external.press_invoice, "giveback": external.press_give_back}


async def _start_web(
    stack: AsyncExitStack,
    settings: Settings,
    core: Core,
    web_chat: WebChat,
    shop: DemoShop | None,
    more_routes: Sequence[Callable[[web.Application], None]],
) -> WebServer:
    async def ready() -> bool:
        await core.inbox.waiting_count()
        return True

    routes = [web_chat.add_routes, *more_routes]
    if settings.metrics.token is not None:
        token = settings.metrics.token.get_secret_value()
        routes.append(Metrics(core.leases.counts, token).add_routes)
    server = WebServer(
        settings.web.host,
        settings.web.port,
        pictures=core.pictures,
        visitors=web_chat,
        claims=AdminClaims(core, shop, clock_us),
        ready=ready,
        routes=routes,
        public_url=settings.web.public_url or "",
        open_paths=OPEN_PATHS,
    )
    await server.start()
    stack.push_async_callback(server.stop)
    return server


async def _admin_link(core: Core, url: str) -> str | None:
    """A new one-time link while the instance has no admin."""
    if await core.people.admins():
        return None
    token = secrets.token_urlsafe(24)
    await core.people.offer_admin(token, clock_us() + ADMIN_LINK_VALID_S * _MICROSECONDS)
    return f"{url}/claim?token={token}"

"""What stands below the conversation: the database, its writer and readers, and Redis."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from bot.data_folder import DataFolder
from bot.embedded_valkey import EmbeddedValkey
from bot.house import limits_of
from bot.links.redis_pages import RedisPages
from config.settings import Settings
from wallet_core.locks import Leases
from wallet_core.storage.database import Database
from wallet_core.storage.inbox import Inbox
from wallet_core.storage.migrate import migrate
from wallet_core.storage.outbox import Outbox
from wallet_core.storage.people import People
from wallet_core.storage.pictures import Pictures
from wallet_core.storage.readers import Reader
from wallet_core.storage.writer import Writer

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Core:
    """What stands below the conversation."""

    database: Database
    writer: Writer
    reader: Reader
    people: People
    inbox: Inbox
    outbox: Outbox
    pictures: Pictures
    leases: Leases
    pages: RedisPages


async def start_core(stack: AsyncExitStack, settings: Settings, folder: DataFolder) -> Core:
    """Start it, to be stopped with `stack`.

    Raises `StorageUnavailable` where the database is away, `EmbeddedValkeyError` or what the
    Redis client raises where that one is.
    """
    embedded = settings.database.url is None
    url = settings.database.url.get_secret_value() if settings.database.url else folder.database_url
    database = Database(url)
    stack.push_async_callback(database.close)
    await migrate(database)
    writer = await stack.enter_async_context(Writer(database, limits_of=limits_of(settings)))
    redis_url = await _redis_url(stack, settings, folder)
    leases = Leases(redis_url, writer.raise_fence)
    await leases.start()
    stack.push_async_callback(leases.stop)
    if not await leases.is_answered():
        _log.warning(
            "redis_is_away",
            setting="redis.url",
            until_it_answers="each tap is refused: Not charged. Please tap again in a moment.",
        )
    claimant = secrets.token_hex(8)
    core = Core(
        database=database,
        writer=writer,
        reader=Reader(database, limits_of(settings)),
        people=People(database, writer),
        inbox=Inbox(database, claimant),
        outbox=Outbox(database, claimant),
        pictures=Pictures(database),
        leases=leases,
        pages=await stack.enter_async_context(RedisPages(redis_url)),
    )
    if embedded:
        # The folder's lock says that whoever held these claims is gone.
        await core.inbox.release_all()
        await core.outbox.release_all()
    return core


async def _redis_url(stack: AsyncExitStack, settings: Settings, folder: DataFolder) -> str:
    if settings.redis.url is not None:
        return settings.redis.url.get_secret_value()
    valkey = EmbeddedValkey(folder.path / "valkey")
    await valkey.start()
    stack.push_async_callback(valkey.stop)
    return valkey.url

"""What is measured in a round, each time on books as new.

The bot is `payontap run` in a process of its own with its defaults, its inbox, its embedded Valkey
and, but for PostgreSQL, its embedded database; it may use one core. Peers may use the same one
while it rests. The network and the shop have the other cores, PostgreSQL all of them.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from benchmarks.conversation_cases import books, ptb_peer, town
from benchmarks.conversation_cases.bot_api import TOKEN, BotApi
from benchmarks.conversation_cases.posting import Webhook
from benchmarks.conversation_cases.programs import Program, free_port
from benchmarks.conversation_cases.shop import Shop
from benchmarks.conversation_cases.taps import Tapping
from benchmarks.conversation_cases.town import Town
from benchmarks.conversation_cases.updates import Updates
from benchmarks.ledger_cases.loops import Measured, Timing, closed_loop, open_loop
from bot.adapters.telegram.webhook import PATH
from tests.peers.postgres import PostgresPeer

HOST = "bot.example"
_REST_S = 0.5
_TOWN = Town()
_TIMING = Timing(warm_s=9.0, seconds=10.0)
_RUN = ("-c", "from bot.cli import main; main()", "run")
_PEER = ("-m", ptb_peer.__name__)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much. The warm-up of taps is longer than the undo window: captures then keep pace."""

    town: Town = _TOWN
    plain: int = 4_000
    cards: int = 600
    legs: int = 2
    taps_per_s: int = 100
    tappers: int = 64
    timing: Timing = _TIMING


#: So small that it runs in seconds; its figures mean nothing.
SMOKE = Sizes(
    town=Town(groups=6, people=20, cards=3),
    plain=40,
    cards=10,
    legs=1,
    taps_per_s=20,
    tappers=3,
    timing=Timing(warm_s=0.2, seconds=0.8),
)


@dataclass(frozen=True)
class Ground:
    """What every round stands on."""

    folder: Path
    postgres: PostgresPeer
    api: BotApi
    shop: Shop
    sizes: Sizes
    core: int
    updates: Updates = field(default_factory=Updates)

    @cached_property
    def sqlite(self) -> Path:
        """The embedded database to copy."""
        return self.folder / "payontap.db"

    async def lay(self) -> str:
        """Fill a database of each kind; gives the name of the one on PostgreSQL."""
        await town.build(f"sqlite+aiosqlite:///{self.sqlite}", self.sizes.town, self.shop.host)
        name = self.postgres.create()
        await town.build(self.postgres.url(name), self.sizes.town, self.shop.host)
        self.postgres.ask("vacuum analyze", name)
        return name


class Costs(Protocol):
    """A program that can be asked what it has cost."""

    @property
    def cpu_s(self) -> float:
        """Processor time so far."""


@dataclass
class Bot:
    """The running bot and its books."""

    ground: Ground
    program: Program
    webhook: Webhook
    environ: Mapping[str, str]
    url: str
    orders: int = 0

    def __post_init__(self) -> None:
        place = self.ground.sizes.town
        self._tapping = Tapping(
            self.ground.api, self.webhook, self.ground.updates, place, place.taps()
        )

    async def taps_at_a_rate(self) -> Measured:
        """Taps that arrive whether those before them were answered or not."""
        sizes = self.ground.sizes
        return await self._counted(
            await open_loop(self._tapping.tap, sizes.taps_per_s, sizes.timing)
        )

    async def taps_without_pause(self) -> Measured:
        """People who tap again as soon as they are answered."""
        sizes = self.ground.sizes
        return await self._counted(
            await closed_loop(self._tapping.tap, sizes.tappers, sizes.timing)
        )

    async def _counted(self, measured: Measured) -> Measured:
        self.orders += len(measured.acknowledged)
        await self.check()
        return measured

    async def check(self) -> None:
        """Raises `WrongBooks`."""
        await books.check(self.url, self.environ, orders=self.orders)


@asynccontextmanager
async def bot(ground: Ground, name: str, database: str | None = None) -> AsyncIterator[Bot]:
    """The bot on a fresh copy of the town: embedded, or in `database`, which is copied too."""
    data_dir, port = ground.folder / name, free_port()
    data_dir.mkdir()
    environ = {
        "PAYONTAP_DATA_DIR": str(data_dir),
        "PAYONTAP_WEB__PORT": str(port),
        "PAYONTAP_WEB__PUBLIC_URL": f"https://{HOST}",
        "PAYONTAP_TELEGRAM__TOKEN": TOKEN,
        "PAYONTAP_TELEGRAM__API_URL": ground.api.url,
        "PAYONTAP_TELEGRAM__WEBHOOK": "true",
        "PAYONTAP_TELEGRAM__MESSAGES_PER_S": "1000",
        "PAYONTAP_FETCH__ALLOWED_ORIGINS": ground.shop.host,
    }
    if database is None:
        shutil.copy(ground.sqlite, data_dir / "payontap.db")
        url = f"sqlite+aiosqlite:///{data_dir / 'payontap.db'}"
    else:
        url = ground.postgres.url(ground.postgres.create(database))
        environ["PAYONTAP_DATABASE__URL"] = url.replace("+asyncpg", "")
    program = Program(
        _RUN, port=port, core=ground.core, environ=environ, log=data_dir.with_suffix(".log")
    )
    try:
        await program.listening()
        await ground.api.agreed()
        async with Webhook(port, PATH, host=HOST, secret=ground.api.secret) as webhook:
            yield Bot(ground, program, webhook, environ, url)
        await program.stop()
    finally:
        program.kill()


@asynccontextmanager
async def peer(ground: Ground, what: str) -> AsyncIterator[tuple[Program, Webhook]]:
    """python-telegram-bot with its defaults; `what` is `bare` or `echo`."""
    port = free_port()
    arguments = (*_PEER, what, str(port), ground.api.url)
    log = ground.folder / f"{what}.log"
    program = Program(arguments, port=port, core=ground.core, environ={}, log=log)
    try:
        await program.listening()
        async with Webhook(port, ptb_peer.PATH, host=HOST, secret="") as webhook:
            yield program, webhook
    finally:
        program.kill()


async def plain_messages(ground: Ground, program: Costs, webhook: Webhook) -> float:
    """Processor time, in microseconds, of a message without a link."""
    place, updates = ground.sizes.town, ground.updates
    messages = [
        updates.message(town.person(n % place.everybody), place.group_of(n))
        for n in range(ground.sizes.plain)
    ]
    began_s = program.cpu_s
    await webhook.bring_all(messages)
    return await _ended_us(program, began_s, len(messages))


async def cards(ground: Ground, program: Costs, webhook: Webhook, count: int) -> float:
    """Processor time, in microseconds, from a link to the message that answers it."""
    place, updates, api = ground.sizes.town, ground.updates, ground.api
    links = [
        updates.message(town.person(n % place.everybody), place.group_of(n), ground.shop.url(n))
        for n in range(count)
    ]
    before, began_s = api.messages, program.cpu_s
    await webhook.bring_all(links)
    await api.said(before + count)
    return await _ended_us(program, began_s, count)


async def _ended_us(program: Costs, began_s: float, count: int) -> float:
    # What it does once everybody has his answer belongs to it too.
    await asyncio.sleep(_REST_S)
    return (program.cpu_s - began_s) / count * 1e6

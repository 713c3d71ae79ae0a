"""What runs beside an instance until it ends, and who hears of it when a part gives up."""

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from bot.adapters.base import Adapter, AdapterError
from bot.cards import Card, Line, Tone
from bot.conversation.speech import card_notice, send_id
from bot.conversation.worker import Worker
from bot.core import Core
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import named

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reports:
    """Tells the admins what only they can mend."""

    core: Core

    async def parked(self, event_id: str, error: str) -> None:
        """An event that failed too often was put aside."""
        await self._tell(
            f"parked:{event_id}",
            "An event could not be answered and was put aside.",
            f"{event_id[:100]}: {error[:300]}",
        )

    async def network_ended(self, network: str, error: str) -> None:
        """A network cannot be read any more until somebody mends it."""
        await self._tell(
            f"ended:{network}:{secrets.token_hex(4)}", f"{network} is switched off.", error[:300]
        )

    async def _tell(self, key: str, title: str, text: str) -> None:
        card = Card(title=title, lines=(Line(text),), tone=Tone.BAD)
        notices = tuple(
            card_notice(contact, card, send_id(key, contact.network, contact.network_person_id))
            for contact in await self.core.people.admins()
        )
        await self.core.writer.commit(Commit(key=f"report:{named(key).hex}", outbox=notices))


async def listen(adapter: Adapter, worker: Worker, reports: Reports) -> None:
    """Read one network; a fault that waiting cannot mend ends this network only."""
    try:
        await adapter.run(worker.hear)
    except AdapterError as error:
        _log.error("network_ended", network=adapter.network, error=str(error))
        await reports.network_ended(adapter.network, str(error))


async def run_in_background(
    stack: AsyncExitStack,
    failed: "asyncio.Future[None]",
    works: Mapping[str, Coroutine[object, object, None]],
) -> None:
    """Run each part until the stack unwinds; a part that breaks makes `failed` say so."""

    def note(task: asyncio.Task[None]) -> None:
        if task.cancelled() or failed.done():
            return
        error = task.exception()
        if error is not None:
            failed.set_exception(error)

    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    for task in tasks:
        task.add_done_callback(note)

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not failed.done():
            failed.cancel()

    stack.push_async_callback(end)

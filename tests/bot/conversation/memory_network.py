"""A network in memory, which shows what it was told and fails when asked to, and work beside it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

from bot.adapters.base import Capabilities, Cursor, Edits, Hear
from bot.cards import Card, Outgoing, plain_text
from bot.events import Event


@asynccontextmanager
async def at_work(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Runs something endless beside the block; if it breaks, the block fails at once."""
    test = asyncio.current_task()
    assert test is not None
    task = asyncio.create_task(work)

    def broke(_task: object) -> None:
        test.cancel()

    task.add_done_callback(broke)
    await asyncio.sleep(0)
    try:
        yield
    except asyncio.CancelledError:
        if not task.done():
            raise
        test.uncancel()
        raise AssertionError("It broke.") from task.exception()
    finally:
        task.remove_done_callback(broke)
        task.cancel()
        await asyncio.wait([task])


class MemoryNetwork:
    """An adapter. `faults` are raised by the next sends into a room, one each."""

    def __init__(self, network: str = "web", *, edits: Edits = Edits.LIVE) -> None:
        self.network = network
        self.capabilities = Capabilities(
            buttons=True, reactions=False, edits=edits, private_in_room=True, pictures=True
        )
        self.faults: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.gates: dict[str, asyncio.Event] = {}
        #: Every attempt that reached the network, failed ones too.
        self.tried: list[Outgoing] = []
        #: What stands in the rooms, in the order of arrival.
        self.shown: dict[str, Outgoing] = {}
        self._refs: dict[str, str] = {}
        self._hear: Hear | None = None
        self._quiet = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        self._hear = hear
        await self._quiet.wait()

    async def caught_up(self) -> None:
        return

    async def deliver(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        """Something happens in the network."""
        assert self._hear is not None
        await self._hear(events, cursor)

    async def send(self, outgoing: Outgoing) -> str:
        self.tried.append(outgoing)
        if outgoing.room_id in self.gates:
            await self.gates[outgoing.room_id].wait()
        if self.faults[outgoing.room_id]:
            raise self.faults[outgoing.room_id].popleft()
        # As real networks do: the same send id again is the same message.
        ref = self._refs.setdefault(outgoing.send_id, f"m{len(self._refs)}")
        self.shown.setdefault(outgoing.edits_ref or ref, outgoing)
        if outgoing.edits_ref is not None:
            self.shown[outgoing.edits_ref] = outgoing
        return outgoing.edits_ref or ref

    def texts(self, room_id: str) -> list[str]:
        """What people read in a room, in order."""
        return [plain_text(o.card) for o in self.shown.values() if o.room_id == room_id]

    def public(self) -> list[Outgoing]:
        """What everybody reads; private answers stand beside it, sometimes before it."""
        return [outgoing for outgoing in self.shown.values() if outgoing.person_id is None]

    def text_of(self, send_id: str) -> str:
        """What a message that was sent under this id reads by now, edits included."""
        return plain_text(self.shown[self._refs[send_id]].card)

    def public_tries(self) -> list[Outgoing]:
        """Every attempt at a message for everybody."""
        return [outgoing for outgoing in self.tried if outgoing.person_id is None]

    def cards(self, room_id: str) -> list[Card]:
        return [o.card for o in self.shown.values() if o.room_id == room_id]

    def tries(self, room_id: str) -> list[str]:
        return [outgoing.send_id for outgoing in self.tried if outgoing.room_id == room_id]

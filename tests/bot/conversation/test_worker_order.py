"""The order in which one person's events are answered, when an answer fails."""

import asyncio
from pathlib import Path

from bot.conversation.worker import Worker
from bot.events import Event, Message, Tap, Untap
from wallet_core.ledger.commits import Commit
from wallet_core.storage.database import Database
from wallet_core.storage.inbox import Inbox
from wallet_core.storage.migrate import migrate
from wallet_core.storage.writer import Writer


class Answers:
    """Puts events away as answered; the first try of a tap fails."""

    def __init__(self, writer: Writer, wanted: int) -> None:
        self.answered: list[str] = []
        self.enough = asyncio.Event()
        self._writer = writer
        self._failed: set[str] = set()
        self._wanted = wanted

    async def __call__(self, event: Event, /, *, again: bool) -> None:
        assert again or event.id not in self._failed
        if isinstance(event, Tap) and event.id not in self._failed:
            self._failed.add(event.id)
            raise RuntimeError("The first try fails.")
        await self._writer.commit(Commit(key=f"answer:{event.id}", event_id=event.id))
        self.answered.append(event.id)
        if len(self.answered) == self._wanted:
            self.enough.set()


async def no_report(event_id: str, error: str) -> None:
    raise AssertionError(f"{event_id} was parked: {error}")


def tap(number: int) -> Tap:
    return Tap(
        id=f"tap-{number}",
        network="matrix",
        room_id="room",
        person_id="anna",
        message_ref="$offer",
        tap_ref=f"ref-{number}",
    )


async def test_a_tap_that_failed_is_never_overtaken_by_its_own_undo(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'payontap.db'}")
    await migrate(database)
    untap = Untap(id="untap", network="matrix", room_id="room", person_id="anna", tap_ref="ref-1")
    talk = Message(
        id="talk", network="matrix", room_id="room", person_id="anna", text="hi", message_ref="$m"
    )
    async with Writer(database) as writer:
        answers = Answers(writer, wanted=3)
        worker = Worker(Inbox(database, "test"), answers, no_report)
        running = asyncio.create_task(worker.run())
        try:
            await asyncio.sleep(0)
            await worker.hear([tap(1), talk])
            # The person takes it back while the tap waits for its second try.
            await worker.hear([untap])
            async with asyncio.timeout(20):
                await answers.enough.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    await database.close()
    # The link did not wait for the tap.
    assert answers.answered == ["talk", "tap-1", "untap"]

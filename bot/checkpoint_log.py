"""Each minute a signed checkpoint of the journal, and the file to which they are exported."""

import asyncio
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog

from wallet_core.audit.checkpoints import opened_checkpoint
from wallet_core.audit.receipts import moment
from wallet_core.audit.signing import NotProven, SigningKey
from wallet_core.errors import StorageUnavailable
from wallet_core.storage.checkpoints import MINUTE_US, Checkpoints, Kept

_log = structlog.get_logger(__name__)

EVERY_S = 60.0
#: Rounds from one thinning to the next: an hour.
_THINNED_EVERY = 60
#: More than the longest line: 256 chains of about 150 characters each.
_TAIL_BYTES = 100_000


class CheckpointLog:
    """A file with one checkpoint a line, which only ever grows. All of it raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *lines: str) -> None:
        """Add lines; once this returns they are on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _write_all(descriptor, "".join(f"{line}\n" for line in lines).encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def last_minute(self) -> int:
        """The minute since the epoch of the last checkpoint in it, -1 where there is none.

        A line that was being written when the machine stopped is no checkpoint: it is cut off.
        """
        if not self.path.exists():
            return -1
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        if len(whole) < len(tail):
            os.truncate(self.path, size - len(tail) + len(whole))
        lines = whole.decode("ascii", "replace").split()
        try:
            return _minute_of(lines[-1]) if lines else -1
        except NotProven:
            _log.warning("checkpoint_log_unreadable", file=str(self.path))
            return -1


@dataclass
class CheckpointClock:
    """Writes a checkpoint each minute if anything has moved, and exports those that others wrote.

    Several processes of an instance may do so: one of them writes, each exports to its own file.
    Once an hour each thins out what is in its file and older than `kept` says.
    """

    checkpoints: Checkpoints
    key: SigningKey
    log: CheckpointLog
    kept: Kept

    async def run(self) -> None:
        """Work until cancelled."""
        minute: int | None = None
        rounds = count()
        while True:
            try:
                if minute is None:
                    await self._look_at_key()
                    minute = await asyncio.to_thread(self.log.last_minute)
                await self.checkpoints.write(self.key)
                minute = await self._export(minute)
                if next(rounds) % _THINNED_EVERY == 0:
                    await self.checkpoints.thin(self.kept, minute)
            except StorageUnavailable as error:
                _log.warning("checkpoint_delayed", error=str(error)[:300])
            except OSError as error:
                # What could not be written is exported with the next one.
                _log.error("checkpoint_not_exported", file=str(self.log.path), error=str(error))
            await asyncio.sleep(EVERY_S)

    async def _look_at_key(self) -> None:
        """Say so where the key is another one than before.

        A key that was lost is made anew like the first one, and what is signed with the new one is
        proven to nobody who knows the old one.
        """
        newest = await self.checkpoints.newest()
        if newest is None:
            return
        try:
            opened_checkpoint(newest.signed, self.key.public)
        except NotProven as error:
            _log.warning(
                "signing_key_is_another",
                last_checkpoint=str(error),
                advice="Restore signing.key from a backup, or publish the new key (payontap keys).",
            )

    async def _export(self, minute: int) -> int:
        """Add what the file does not have yet; gives the minute of the last line."""
        while page := await self.checkpoints.after(minute):
            await asyncio.to_thread(self.log.append, *(stored.signed for stored in page))
            minute = page[-1].minute
        return minute


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _minute_of(signed: str) -> int:
    checkpoint = opened_checkpoint(signed)
    # Older ones do not say it, and neither do those that somebody asked for.
    if checkpoint.minute is not None:
        return checkpoint.minute
    return moment(checkpoint.at) // MINUTE_US

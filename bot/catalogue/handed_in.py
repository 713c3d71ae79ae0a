"""A catalogue that is handed in as a file: what it would change, and taking it over."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bot.catalogue.files import kind_of, unpack
from bot.catalogue.importing import Importer
from bot.catalogue.reading import FILE_READERS, file_batches
from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.words import change_lines
from wallet_core.commerce.catalogue import FILE_PREFIX, SourceState
from wallet_core.commerce.catalogue_steps import adding, rereading, source_id_of
from wallet_core.commerce.records import Merchant, Place
from wallet_core.errors import PayontapError
from wallet_core.ledger.commits import Commit, WriterPort
from wallet_core.storage.catalogues import Claim

_IN_MEMORY_BYTES = 1_000_000


@dataclass(frozen=True)
class HandIn:
    """Takes over files for one merchant. A file of the same name replaces what it listed before."""

    importer: Importer
    writer: WriterPort
    say: Callable[[str], None]

    async def take(self, merchant: Merchant, path: Path, *, apply: bool) -> None:
        """Say what the file would change, and with `apply` take it over.

        Raises `UnreadableCatalogue` with one sentence; nothing was changed then.
        """
        hosts = await self.importer.hosts_of(merchant.id)
        if not hosts:
            raise UnreadableCatalogue(f"{merchant.name} has not proven any host yet.")
        try:
            opened = path.open("rb")
        except OSError as error:
            raise UnreadableCatalogue(f"{path} cannot be read: {error.strerror}.") from error
        with opened, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as plain:
            unpacked = cast("BinaryIO", plain)
            file = unpacked if unpack(opened, unpacked) else opened
            file.seek(0)
            claim, before = await self._claimed(merchant, path.name)
            try:
                done = await self._work(claim, file, hosts, apply=apply)
            except BaseException:
                await self._leave(claim, before)
                raise
        if done:
            self.say("Taken over.")
        else:
            await self._leave(claim, before)
            self.say("Nothing was changed; --apply takes it over.")

    async def _work(
        self, claim: Claim, file: BinaryIO, hosts: frozenset[str], *, apply: bool
    ) -> bool:
        importer = self.importer
        kind = kind_of(file, None) or ""
        if kind not in FILE_READERS:
            raise UnreadableCatalogue(
                "The file is neither a Google merchant feed (XML or text) nor a CSV file with the "
                "columns of the template."
            )
        await importer.store.begin_reading(claim, importer.until_us)
        reading = await importer.stage(claim, file_batches(FILE_READERS[kind](file, hosts, None)))
        tally = await importer.compared(claim.source.id)
        for line in change_lines(reading, tally):
            self.say(line)
        if not apply:
            return False
        await importer.take(claim)
        values = {
            "state": SourceState.ACTIVE,
            "kind": kind,
            "failures": 0,
            "error": None,
            "read_at_us": importer.now_us(),
            "item_count": reading.items,
            "due_at_us": None,
            "loud": False,
        }
        await importer.store.finish_taking(claim, values)
        return True

    async def _claimed(self, merchant: Merchant, name: str) -> tuple[Claim, str]:
        """The claim on the file's source, and the state that it is left in otherwise."""
        url, now_us = f"{FILE_PREFIX}{name[:200]}", self.importer.now_us()
        place = Place(merchant.network, merchant.room_id, "")
        source_id = source_id_of(merchant.id, url)
        known = await self.importer.store.source(source_id)
        before = known.state if known is not None else SourceState.REMOVED
        if known is None or known.state == SourceState.REMOVED:
            rows = adding(merchant.id, url, place, now_us)[1]
            if known is not None:
                rows = rereading(known, place, now_us, due=False)
            key = f"catalogue:{source_id}:{now_us}"
            await self.writer.commit(Commit(key=key, rows=rows))
        claim = await self.importer.claim(source_id)
        if claim is None:
            raise HandedInAlready(f"{name} is being taken over already; try again in a moment.")
        return claim, before

    async def _leave(self, claim: Claim, state: str) -> None:
        await self.importer.store.finish_taking(claim, {"state": state})


class HandedInAlready(PayontapError):
    """Another process takes over the same file; nothing was changed."""

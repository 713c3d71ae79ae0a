"""A catalogue that is handed in as a file: what it would change, and taking it over."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bot.cards import Card
from bot.catalogue.files import kind_of, unpack
from bot.catalogue.importing import HostClaims, proven_hosts
from bot.catalogue.reading import FILE_READERS, file_batches
from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.staging import Staging
from bot.catalogue.template import read_csv
from bot.catalogue.words import beside_line, change_lines, dry_run_card
from wallet_core.commerce.catalogue import FILE_PREFIX, SourceState
from wallet_core.commerce.catalogue_steps import adding, rereading, source_id_of
from wallet_core.commerce.records import Merchant, Place
from wallet_core.errors import PayontapError, Refused
from wallet_core.ledger.commits import Commit, WriterPort
from wallet_core.storage.catalogues import Claim

#: The name under which what was pasted is kept.
PASTED = "pasted"
_NAME_LENGTH_MAX = 200
_IN_MEMORY_BYTES = 1_000_000


@dataclass(frozen=True)
class Paste:
    """A table as it was written, and where."""

    text: str
    place: Place


@dataclass(frozen=True)
class HandIn:
    """Takes over files for one merchant. A file of the same name replaces what it listed before."""

    staging: Staging
    claims: HostClaims
    writer: WriterPort
    say: Callable[[str], None]

    async def take(self, merchant: Merchant, path: Path, *, apply: bool) -> None:
        """Say what the file would change, and with `apply` take it over.

        Raises `UnreadableCatalogue` with one sentence; nothing was changed then.
        """
        hosts = await proven_hosts(self.claims, merchant.id)
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
            place = Place(merchant.network, merchant.room_id, "")
            claim, before = await claimed_file(
                self.staging, self.writer, merchant.id, path.name, place
            )
            done = False
            try:
                done = await self._work(claim, file, hosts, apply=apply)
            finally:
                if not done:
                    await self.staging.store.finish_taking(claim, {"state": before})
        others = await self._others(merchant.id, path.name)
        if others:
            self.say(beside_line(others))
        if done:
            self.say("Taken over.")
        else:
            self.say("Nothing was changed; --apply takes it over.")

    async def _others(self, merchant_id: str, name: str) -> list[str]:
        """The files of other names that the shop's products are listed from, too."""
        sources = await self.staging.store.sources_of(merchant_id)
        active = (one for one in sources if one.is_file and one.state == SourceState.ACTIVE)
        return [one.name for one in active if one.name != name[:_NAME_LENGTH_MAX]]

    async def _work(
        self, claim: Claim, file: BinaryIO, hosts: frozenset[str], *, apply: bool
    ) -> bool:
        staging = self.staging
        kind = kind_of(file, None) or ""
        if kind not in FILE_READERS:
            raise UnreadableCatalogue(
                "The file is neither a Google merchant feed (XML or text) nor a CSV file with the "
                "columns of the template."
            )
        await staging.store.begin_reading(claim, staging.until_us)
        reading = await staging.stage(claim, file_batches(FILE_READERS[kind](file, hosts, None)))
        tally = await staging.compared(claim.source.id)
        for line in change_lines(reading, tally):
            self.say(line)
        if not apply:
            return False
        await staging.take(claim)
        values = {
            "state": SourceState.ACTIVE,
            "kind": kind,
            "failures": 0,
            "error": None,
            "read_at_us": staging.now_us(),
            "item_count": reading.items,
            "due_at_us": None,
            "loud": False,
        }
        await staging.store.finish_taking(claim, values)
        return True


async def claimed_file(
    staging: Staging, writer: WriterPort, merchant_id: str, name: str, place: Place
) -> tuple[Claim, str]:
    """The claim on a file's source, and the state that it is left in if nothing comes of it.

    Raises `HandedInAlready`.
    """
    url, now_us = f"{FILE_PREFIX}{name[:_NAME_LENGTH_MAX]}", staging.now_us()
    source_id = source_id_of(merchant_id, url)
    known = await staging.store.source(source_id)
    if known is not None and known.state == SourceState.APPROVED:
        raise HandedInAlready("What you agreed to is being taken over; try again in a moment.")
    # What was shown and not agreed to is over now: no word on it may count for what is staged next.
    listed = known is not None and known.read_at_us is not None
    before = SourceState.ACTIVE if listed else SourceState.REMOVED
    if known is None or known.state != SourceState.ACTIVE:
        rows = adding(merchant_id, url, place, now_us)[1]
        if known is not None:
            rows = rereading(known, place, now_us, due=False)
        try:
            await writer.commit(Commit(key=f"catalogue:{source_id}:{now_us}", rows=rows))
        except Refused as refused:
            raise HandedInAlready("It is being read already; try again in a moment.") from refused
    claim = await staging.claim(source_id)
    if claim is None:
        raise HandedInAlready("It is being read already; try again in a moment.")
    return claim, before


class HandedInAlready(PayontapError):
    """Another process takes over the same file; nothing was changed."""


async def pasted(
    staging: Staging, claims: HostClaims, writer: WriterPort, merchant: Merchant, paste: Paste
) -> Card:
    """Stage a table that somebody wrote into the conversation, and show what it would change.

    It replaces what was pasted before. Raises `UnreadableCatalogue` or `HandedInAlready` with one
    sentence; nothing was changed then.
    """
    hosts = await proven_hosts(claims, merchant.id)
    if not hosts:
        raise UnreadableCatalogue(f"{merchant.name} has not proven any host yet.")
    claim, before = await claimed_file(staging, writer, merchant.id, PASTED, paste.place)
    number = await staging.store.begin_reading(claim, staging.until_us)
    try:
        table = io.BytesIO(paste.text.encode("utf-8", "replace"))
        reading = await staging.stage(claim, file_batches(read_csv(table, hosts, "utf-8")))
    except UnreadableCatalogue:
        await staging.store.finish_taking(claim, {"state": before})
        raise
    tally = await staging.compared(claim.source.id)
    values = {
        "state": SourceState.SHOWN,
        "kind": "csv",
        "failures": 0,
        "error": None,
        "loud": False,
        "network": paste.place.network,
        "room_id": paste.place.room_id,
        "network_person_id": paste.place.network_person_id,
    }
    await staging.store.settle(claim, values)
    return dry_run_card(claim.source, number, reading, tally, None)

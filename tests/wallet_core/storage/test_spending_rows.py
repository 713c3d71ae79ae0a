"""What counts against limits, as it is read back from the entries."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.peers.tables import create_tables
from tests.wallet_core.storage.test_writer import hold, top_up
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Commit, Insert, Value
from wallet_core.ledger.transfers import Capture, Transfer, Void, named
from wallet_core.limits import Limits
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

LIMITS = {"admin": {"CNY": Limits(day_max_minor=100)}}


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[Writer]:
    """Anna has 500, and may spend 100 a day."""
    database = Database(database_url)
    await create_tables(database)
    wallet: dict[str, Value] = {
        "id": "w_anna",
        "person_id": "p_anna",
        "mode": "open",
        "fence": 0,
    }
    limits = msgspec.json.encode(LIMITS).decode()
    async with Writer(database) as writer:
        rows = (
            Insert("persons", {"id": "p_anna", "wallet_id": "w_anna", "admin": False}),
            Insert("wallets", {**wallet, "limits": limits}),
        )
        await writer.commit(Commit(key="people", rows=rows))
        await writer.commit(top_up(500))
        yield writer
    await database.close()


async def write(writer: Writer, transfer: Transfer) -> None:
    await writer.commit(Commit(transfers=(transfer,)))


async def test_a_hold_that_was_captured_in_part_and_voided_stays_spent(writer: Writer) -> None:
    """Or a wallet could spend without end: capture nearly all of each hold, and void the rest."""
    await write(writer, hold(100, "one"))
    part = Capture(id=named("part"), hold_id=named("one"), amount_minor=90, last=False)
    await write(writer, part)
    await write(writer, Void(id=named("rest"), hold_id=named("one")))
    with pytest.raises(Refused) as refused:
        await write(writer, hold(11, "two"))
    assert refused.value.code is Refusal.DAY_LIMIT


async def test_a_hold_that_was_voided_as_a_whole_is_not_spent(writer: Writer) -> None:
    await write(writer, hold(100, "one"))
    await write(writer, Void(id=named("void"), hold_id=named("one")))
    await write(writer, hold(100, "two"))

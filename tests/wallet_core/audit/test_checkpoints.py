"""A checkpoint shows what a chain of hashes alone cannot: an end, or a chain, that is gone."""

import msgspec
import pytest

from tests.wallet_core.busy_books import trade, unguarded
from tests.wallet_core.world import World
from wallet_core.audit.checkpoints import (
    Head,
    compare,
    opened_checkpoint,
    signed_checkpoint,
)
from wallet_core.audit.findings import BrokenBooks
from wallet_core.audit.signing import NotProven, SigningKey
from wallet_core.storage.audit_reader import AuditReader, books_of
from wallet_core.storage.checkpoints import Checkpoints

KEY = SigningKey.new()


@pytest.fixture
async def traded(world: World) -> World:
    await trade(world)
    return world


async def of_now(world: World) -> str:
    return await Checkpoints(world.database).fresh(KEY)


async def broken_by(world: World, *statements: str, text: str) -> str:
    """What is found after somebody who can do everything has done this."""
    async with unguarded(world.database) as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
        with pytest.raises(BrokenBooks) as found:
            await compare([text], AuditReader(connection), KEY.public)
    return str(found.value)


async def test_checkpoints_hold_while_the_books_go_on(traded: World) -> None:
    lines = [await of_now(traded)]
    await traded.person("carl", 500)
    lines.append(await of_now(traded))
    async with books_of(traded.database) as books:
        held = await compare([*lines, "\n"], books, KEY.public)
    assert (held.count, held.newest) == (2, opened_checkpoint(lines[-1]))


async def test_an_end_that_was_cut_off_shows(traded: World) -> None:
    text = await of_now(traded)
    (head, *_) = opened_checkpoint(text).chains
    sentence = await broken_by(
        traded,
        f"DELETE FROM journal WHERE chain_no = {head.chain} AND batch_no = {head.length}",  # noqa: S608 - our own numbers
        f"UPDATE chains SET length = length - 1 WHERE no = {head.chain}",  # noqa: S608 - same
        text=text,
    )
    assert sentence.startswith(f"Chain {head.chain} had {head.length} batches at 20")
    assert sentence.endswith(f"and has {head.length - 1} now: its end was cut off.")


async def test_a_chain_that_was_dropped_shows(traded: World) -> None:
    text = await of_now(traded)
    sentence = await broken_by(traded, "DELETE FROM chains WHERE no = 0", text=text)
    assert sentence.startswith("Chain 0 had ")
    assert sentence.endswith("and is no longer there.")


async def test_an_end_that_was_written_anew_shows(traded: World) -> None:
    text = await of_now(traded)
    (head, *_) = opened_checkpoint(text).chains
    where = f"WHERE chain_no = {head.chain} AND batch_no = {head.length}"
    other = f"(SELECT leaf FROM transfers {where} AND place = 0)"  # noqa: S608 - same
    anew = f"UPDATE journal SET hash = {other} {where}"  # noqa: S608 - same
    sentence = await broken_by(traded, anew, text=text)
    assert f"Chain {head.chain} had another batch {head.length} at 20" in sentence
    assert sentence.endswith("the journal was written anew since then.")


async def test_a_checkpoint_that_nobody_signed_so_proves_nothing(traded: World) -> None:
    text = await of_now(traded)
    header, payload, signature = text.split(".")
    other = SigningKey.new()
    said = opened_checkpoint(text)
    forged = other.sign("payontap-checkpoint", said)
    async with books_of(traded.database) as books:
        for line, words in (
            (forged, "It was signed with the key "),
            (f"{header}.{payload}A.{signature}", "line 1 proves nothing"),
            (KEY.sign("payontap-receipt", said), "It says that it is 'payontap-receipt'"),
            ("nonsense", "It is not a signed text"),
        ):
            with pytest.raises(NotProven, match=words) as found:
                await compare([line], books, KEY.public)
            assert "\n" not in str(found.value)
        await compare([text], books, KEY.public)


def test_a_checkpoint_says_what_the_page_says_it_does() -> None:
    text = signed_checkpoint(KEY, 1_700_000_000_000_000, [Head(0, 2, "ab" * 32)])
    said = msgspec.to_builtins(opened_checkpoint(text, KEY.public))
    chains = ({"chain": 0, "length": 2, "head": "ab" * 32},)
    assert said == {"v": 1, "at": "2023-11-14T22:13:20Z", "chains": chains, "minute": None}


async def test_one_is_kept_for_a_minute_in_which_something_moved(
    traded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Checkpoints(traded.database)
    minute_us = 60_000_000
    now = {"us": 100 * minute_us}

    async def now_us(_connection: object) -> int:
        return now["us"]

    monkeypatch.setattr(traded.database, "now_us", now_us)
    assert await kept.write(KEY)
    assert not await Checkpoints(traded.database).write(KEY)
    await traded.person("carl", 500)
    assert not await kept.write(KEY)
    now["us"] += minute_us
    assert await kept.write(KEY)
    now["us"] += minute_us
    assert not await kept.write(KEY)
    stored = await kept.after(-1)
    assert [one.minute for one in stored] == [100, 101]
    assert await kept.after(100) == stored[1:]
    async with books_of(traded.database) as books:
        assert (await compare([s.signed for s in stored], books, KEY.public)).count == 2

"""The commands about the books, as an operator or a stranger types them."""

import asyncio
import lzma
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from bot.instance_key import instance_key
from tests.bot.test_cli import payontap
from tests.instances import ROOT
from tests.wallet_core.busy_books import trade
from tests.wallet_core.world import SHOP, World, world_at
from wallet_core.audit.checkpoints import opened_checkpoint
from wallet_core.audit.receipts import signed_receipt
from wallet_core.audit.signing import SigningKey
from wallet_core.storage.database import Database
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.migrate import migrate
from wallet_core.storage.receipts import ReceiptReader


@dataclass
class Office:
    """An instance that has traded, and the variables that lead a command to it."""

    world: World
    data_dir: Path
    environ: dict[str, str]

    async def run(self, *words: str) -> tuple[int, str, str]:
        return await payontap(*words, cwd=ROOT, **self.environ)

    async def receipt(self) -> str:
        anna = await self.world.person("anna")
        orders = await self.world.reader.recent_orders(anna.wallet_id, 9)
        order = next(order for order in orders if order.state == "paid")
        facts = await ReceiptReader(self.world.database).facts(order)
        return signed_receipt(instance_key(self.data_dir), facts)


@pytest.fixture
async def office(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    database = Database(empty_database_url)
    await migrate(database)
    await database.close()
    environ = {"PAYONTAP_DATA_DIR": str(tmp_path)}
    if not empty_database_url.startswith("sqlite"):
        environ["PAYONTAP_DATABASE__URL"] = empty_database_url
    async with world_at(empty_database_url, create=False) as world:
        await trade(world)
        instance_key(tmp_path)
        yield Office(world, tmp_path, environ)


async def test_audit_and_explain_beside_a_running_instance(office: Office) -> None:
    status, out, err = await office.run("audit")
    assert (status, err) == (0, "")
    assert out.startswith("The books are right: 6 accounts, 32 entries, 16 transfers, 5 orders, ")
    status, out, err = await office.run("explain", SHOP)
    assert (status, err) == (0, "")
    assert "captured for order" in out
    assert "refund of order" in out
    assert "CNY 389.00 from 5 entries." in out
    status, _, err = await office.run("explain", "nobody")
    assert (status, err) == (2, "payontap: No account of nobody has ever had an entry.\n")


async def test_a_wrong_row_is_named_in_one_sentence_with_status_1(tmp_path: Path) -> None:
    file = tmp_path / "payontap.db"
    database = Database(f"sqlite:///{file}")
    await migrate(database)
    await database.close()
    async with world_at(f"sqlite:///{file}", create=False) as world:
        await trade(world)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TRIGGER entries_no_update")
        connection.execute("UPDATE entries SET amount_minor = 1 WHERE seq = 4 AND amount_minor < 0")
        connection.commit()
    status, out, err = await payontap("audit", PAYONTAP_DATA_DIR=str(tmp_path))
    assert (status, err) == (1, "")
    assert out.startswith("The books are wrong. Account ")
    assert "after entry 4, but its entries come to" in out
    assert len(out.splitlines()) == 1


async def test_checkpoints_are_written_compared_and_refused(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "checkpoints.log"
    status, text, err = await office.run("checkpoint")
    assert (status, err) == (0, "")
    assert opened_checkpoint(text, instance_key(office.data_dir).public).chains
    for _ in range(2):
        await office.world.person(f"somebody {file.exists()}", 500)
        status, out, _ = await office.run("checkpoint", "--out", str(file))
        assert status == 0
        assert "keep it away from this machine" in out
    status, out, err = await office.run("audit", "--checkpoint", str(file))
    assert (status, err) == (0, "")
    assert out.splitlines()[1].startswith("2 checkpoints hold; the newest is of 20")
    one = tmp_path / "one.log"
    one.write_text(file.read_text().splitlines()[0] + "\n")
    status, out, _ = await office.run("audit", "--checkpoint", str(one))
    assert status == 0
    assert out.splitlines()[1].startswith("1 checkpoint holds; the newest is of 20")
    stranger = SigningKey.new()
    for content, words in (
        (stranger.sign("payontap-checkpoint", opened_checkpoint(text)), "was signed with the key"),
        ("", "has no checkpoint in it, so it shows nothing."),
    ):
        file.write_text(content)
        status, out, err = await office.run("audit", "--checkpoint", str(file))
        assert (status, err) == (1, "")
        assert words in out.splitlines()[1]
    file.write_text(stranger.sign("payontap-checkpoint", opened_checkpoint(text)))
    status, _, _ = await office.run(
        "audit", "--checkpoint", str(file), "--key", stranger.public.text
    )
    assert status == 0
    status, out, err = await office.run("audit", "--checkpoint", str(tmp_path / "none"))
    assert (status, len(err.splitlines())) == (2, 1)


def put_in_place(copy: Path, file: Path) -> None:
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    copy.rename(file)


async def test_books_whose_end_was_cut_off_are_right_in_themselves_only(tmp_path: Path) -> None:
    file, log = tmp_path / "payontap.db", tmp_path / "checkpoints.log"
    database = Database(f"sqlite:///{file}")
    await migrate(database)
    await database.close()
    async with world_at(f"sqlite:///{file}", create=False) as world:
        # Enough at once for each chain of the writer's to have begun.
        await asyncio.gather(*(world.person(f"anna {n}", 500) for n in range(80)))
        copy = file.with_name("copy.db")
        async with world.database.read() as connection:
            await connection.exec_driver_sql(f"VACUUM INTO '{copy}'")
        await world.person("ben", 700)
    environ = {"PAYONTAP_DATA_DIR": str(tmp_path)}

    async def run(*words: str) -> tuple[int, str, str]:
        return await payontap(*words, cwd=ROOT, **environ)

    status, _, _ = await run("checkpoint", "--out", str(log))
    assert status == 0
    put_in_place(copy, file)
    status, out, _ = await run("audit")
    assert (status, len(out.splitlines())) == (0, 1)
    status, out, _ = await run("audit", "--checkpoint", str(log))
    assert status == 1
    assert re.search(r"not those of the checkpoint. Chain \d had \d+ batches at 20", out)
    assert re.search(r"and has \d+ now: its end was cut off\.", out)


async def test_a_receipt_is_checked_by_a_stranger_without_any_instance(
    office: Office, tmp_path: Path
) -> None:
    receipt = await office.receipt()
    status, key, _ = await office.run("keys")
    assert status == 0
    elsewhere = {"PAYONTAP_DATA_DIR": str(tmp_path / "none"), "PAYONTAP_DATABASE__URL": ""}
    file = tmp_path / "receipt.txt"
    file.write_text(f"Look what I bought:\n{receipt}\nNice, is it not?")
    for words in ([receipt], [str(file)]):
        status, out, err = await payontap(
            "verify-receipt", *words, "--key", key.strip(), cwd=ROOT, **elsewhere
        )
        assert (status, err) == (0, "")
        for part in ("the key that you named", "CNY 199.00", "Tea House", "shop.example"):
            assert part in out
    status, out, _ = await payontap("verify-receipt", "-", stdin=receipt, cwd=ROOT, **elsewhere)
    assert status == 0
    assert "cannot prove" in out
    assert not (tmp_path / "none").exists()


async def test_a_changed_receipt_proves_nothing(office: Office) -> None:
    receipt = await office.receipt()
    changed = receipt[:-9] + ("A" if receipt[-9] != "A" else "B") + receipt[-8:]
    status, out, err = await office.run("verify-receipt", changed)
    assert (status, err) == (1, "")
    assert out.startswith("It proves nothing. The signature does not fit")
    status, out, _ = await office.run("verify-receipt", receipt, "--key", "nonsense")
    assert status == 1
    status, _, err = await office.run("verify-receipt", "no-such-file")
    assert status == 2
    assert "no-such-file cannot be read" in err


async def test_a_published_proof_and_a_path_to_it(office: Office, tmp_path: Path) -> None:
    public = tmp_path / "public.json"
    status, out, err = await office.run("prove", "--out", str(public))
    assert (status, err) == (0, "")
    assert "owed to 3, root " in out
    anna = await office.world.person("anna")
    (proof,) = await Liabilities(office.world.database).proofs_of([f"person:{anna.person_id}"])
    file = tmp_path / "mine.json"
    file.write_bytes(b"The bot says:\n" + msgspec.json.encode(proof) + b"\n")
    _, key, _ = await office.run("keys")
    words = ("verify-proof", str(file), "--root", str(public), "--key", key.strip())
    status, out, err = await payontap(*words)
    assert (status, err) == (0, "")
    assert f"person:{anna.person_id} is in the total of" in out
    assert "The published file that you named states this same root" in out
    status, out, _ = await payontap("verify-proof", str(file))
    assert (status, "compare it with the published file" in out) == (0, True)
    less = msgspec.structs.replace(proof, amount_minor=proof.amount_minor - 1)
    file.write_bytes(msgspec.json.encode(less))
    status, out, _ = await payontap(*words)
    assert status == 1
    assert "this balance is not in it" in out
    file.write_bytes(msgspec.json.encode(proof))
    await office.run("prove", "--out", str(public))
    status, out, _ = await payontap(*words)
    assert status == 1
    assert "another root" in out
    file.write_text("[1, 2")
    assert (await payontap(*words))[0] == 1


async def test_a_published_file_that_is_empty_is_no_root_to_compare_with(
    office: Office, tmp_path: Path
) -> None:
    empty, file = tmp_path / "empty.json", tmp_path / "mine.json"
    await office.run("prove")
    anna = await office.world.person("anna")
    (proof,) = await Liabilities(office.world.database).proofs_of([f"person:{anna.person_id}"])
    file.write_bytes(msgspec.json.encode(proof))
    empty.touch()
    for root in (str(empty), "-"):
        status, out, err = await payontap("verify-proof", str(file), "--root", root)
        assert (status, err) == (1, "")
        assert out.startswith("It proves nothing. The published file cannot be read: ")


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_proof_that_fails_leaves_the_public_file_as_it_was(
    office: Office, tmp_path: Path
) -> None:
    public, new = tmp_path / "public.json", tmp_path / "new.json"
    public.write_text("of last year")
    (office.data_dir / "signing.key").chmod(0o644)
    for file in (public, new):
        status, out, err = await office.run("prove", "--out", str(file))
        assert (status, out) == (2, "")
        assert "Others can read the signing key" in err
    assert public.read_text() == "of last year"
    assert not new.exists()
    assert not any(name.startswith(".proof-") for name in names_in(tmp_path))
    (office.data_dir / "signing.key").chmod(0o600)
    assert (await office.run("prove", "--out", str(public)))[0] == 0
    assert public.read_text().startswith("{")
    assert public.stat().st_mode & 0o044


async def test_a_damaged_backup_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "b.xz").write_bytes(lzma.compress(os.urandom(9_999))[:-99] + bytes(99))
    status, out, err = await payontap(
        "restore", str(tmp_path / "b.xz"), PAYONTAP_DATA_DIR=str(tmp_path / "new")
    )
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "is no backup, or a part of it is missing." in err


async def test_a_proof_goes_through_a_pipe(office: Office, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (status, _, err), text = await asyncio.gather(
        office.run("prove", "--out", str(pipe)), asyncio.to_thread(pipe.read_text)
    )
    assert (status, err, text[0]) == (0, "", "{")


async def test_a_proof_whose_public_file_cannot_be_written_is_published_to_nobody(
    office: Office, tmp_path: Path
) -> None:
    status, out, err = await office.run("prove", "--out", str(tmp_path))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "cannot be written: Is a directory." in err
    assert await Liabilities(office.world.database).latest() is None


async def test_backup_and_restore_into_an_empty_folder(tmp_path: Path) -> None:
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup"
    old.mkdir()
    url = f"sqlite:///{old / 'payontap.db'}"
    database = Database(url)
    await migrate(database)
    await database.close()
    key = instance_key(old)
    async with world_at(url, create=False) as world:
        await trade(world)
        status, out, err = await payontap("backup", str(file), PAYONTAP_DATA_DIR=str(old))
        assert (status, err) == (0, "")
        assert "keep it secret" in out
    status, out, err = await payontap("restore", str(file), PAYONTAP_DATA_DIR=str(new))
    assert (status, err) == (0, "")
    assert "The books are right: 6 accounts, 32 entries" in out
    assert instance_key(new).public == key.public
    assert {path.name for path in new.iterdir()} <= {
        *("instance.lock", "payontap.db", "payontap.db-wal", "payontap.db-shm", "signing.key")
    }
    status, _, err = await payontap("restore", str(file), PAYONTAP_DATA_DIR=str(new))
    assert status == 2
    assert "is not empty" in err


async def test_what_cannot_be_restored_leaves_the_folder_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    status, _, err = await payontap(
        "restore", str(tmp_path / "file"), PAYONTAP_DATA_DIR=str(tmp_path / "new")
    )
    assert (status, len(err.splitlines())) == (2, 1)
    assert "is no backup, or a part of it is missing." in err
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["instance.lock"]


def no_database(file: Path) -> None:
    file.write_text("hello" * 1000)


def half_a_database(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def one_from_the_future(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (no_database, "The database is damaged (file is not a database): restore a backup"),
        (half_a_database, "The database is damaged (database disk image is malformed): restore"),
        (one_from_the_future, "newer version of Payontap (its schema is 9999)"),
    ],
)
async def test_a_database_that_cannot_be_read_is_one_sentence_and_not_wrong_books(
    tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    file = tmp_path / "payontap.db"
    database = Database(f"sqlite:///{file}")
    await migrate(database)
    await database.close()
    harm(file)
    for command in (["audit"], ["explain", "x"], ["prove"]):
        status, out, err = await payontap(*command, PAYONTAP_DATA_DIR=str(tmp_path))
        assert (status, out, len(err.splitlines())) == (2, "", 1), err
        assert words in err


@pytest.mark.parametrize(
    "words", [["audit"], ["explain", "x"], ["prove"], ["backup", "b"], ["keys"], ["checkpoint"]]
)
async def test_in_a_folder_without_an_instance_nothing_is_made(
    tmp_path: Path, words: list[str]
) -> None:
    status, out, err = await payontap(*words, cwd=tmp_path, PAYONTAP_DATA_DIR=str(tmp_path))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "There is no instance in" in err
    assert names_in(tmp_path) == []


async def test_a_key_that_is_not_there_is_not_made_to_be_shown(office: Office) -> None:
    (office.data_dir / "signing.key").unlink()
    status, out, err = await office.run("keys")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "There is no signing key in" in err
    assert "signing.key" not in names_in(office.data_dir)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["explain", "\udcff"], "is no text in UTF-8."),
        (["verify-proof", "-"], "Standard input cannot be read: it is no text."),
        (["verify-receipt", "-"], "Standard input cannot be read: it is no text."),
        (["verify-receipt", "\udcff"], "cannot be read: No such file or directory."),
    ],
)
async def test_bytes_that_are_no_text_are_one_sentence(
    tmp_path: Path, words: list[str], found: str
) -> None:
    status, out, err = await payontap(
        *words, stdin="\udcff", cwd=tmp_path, PAYONTAP_DATA_DIR=str(tmp_path)
    )
    assert (status, out, len(err.splitlines())) == (2, "", 1), err
    assert found in err


async def test_an_audit_that_nobody_can_hear_has_not_found_wrong_books(office: Office) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"{sys.executable} -c 'from bot.cli import main; main()' audit >/dev/full"),
        cwd=ROOT,
        env={**os.environ, **office.environ},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err == b"payontap: Standard output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("words", [["audit"], ["explain", "x"], ["prove"], ["backup", "b"]])
async def test_without_an_instance_one_sentence_says_so(tmp_path: Path, words: list[str]) -> None:
    status, out, err = await payontap(
        *words, cwd=tmp_path, PAYONTAP_DATA_DIR=str(tmp_path / "none")
    )
    assert (status, out) == (2, "")
    assert "There is no instance in" in err
    assert len(err.splitlines()) == 1

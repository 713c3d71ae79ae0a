"""A backup is whole, private and of one moment; a damaged one is refused."""

import asyncio
import bz2
import gzip
import io
import lzma
import re
import sqlite3
import tarfile
from pathlib import Path

import pytest

from tests.peers.postgres import PostgresPeer
from tests.wallet_core.busy_books import busy_books
from tests.wallet_core.world import world_at
from wallet_core.audit.auditing import audit
from wallet_core.storage import tables as t
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.backups import (
    DATABASE,
    POSTGRES,
    BackupError,
    make_backup,
    restore_postgres,
    unpack,
)
from wallet_core.storage.database import Database


async def test_a_backup_under_traffic_is_of_one_moment(tmp_path: Path) -> None:
    async with busy_books(f"sqlite+aiosqlite:///{tmp_path / 'payontap.db'}") as world:
        anna = await world.person("anna")

        async def pay() -> None:
            for n in range(200):
                await world.top_up(anna.wallet_id, 1, f"more {n}")

        paying = asyncio.create_task(pay())
        await asyncio.sleep(0.05)
        key = tmp_path / "signing.key"
        await asyncio.to_thread(key.write_text, "secret")
        await asyncio.to_thread(make_backup, world.database, key, tmp_path / "b.tar")
        assert not paying.done()
        await paying
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "back"
    folder.mkdir()
    unpack(tmp_path / "b.tar", folder)
    assert (folder / "signing.key").read_text() == "secret"
    async with world_at(f"sqlite+aiosqlite:///{folder / DATABASE}", create=False) as copy:
        async with books_of(copy.database) as books:
            found = await audit(books)
        assert 16 <= found.transfer_count < 216


async def test_postgres_comes_back_from_its_dump(
    tmp_path: Path, postgres: PostgresPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(postgres.programs), prepend=":")
    one, two = postgres.create(), postgres.create()
    async with busy_books(postgres.url(one)) as world:
        await asyncio.to_thread(make_backup, world.database, tmp_path / "no key", tmp_path / "b")
        before = await world.count(t.entries)
        folder = tmp_path / "back"
        folder.mkdir()
        assert unpack(tmp_path / "b", folder).kind == POSTGRES
        with pytest.raises(BackupError, match="not empty"):
            await restore_postgres(world.database, folder / DATABASE)
    database = Database(postgres.url(two))
    await restore_postgres(database, folder / DATABASE)
    async with books_of(database) as books:
        assert (await audit(books)).entry_count == before
    await database.close()
    for name in (one, two):
        postgres.drop(name)


async def test_without_pg_dump_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(BackupError, match="needs pg_dump"):
        make_backup(database, tmp_path / "key", tmp_path / "b")
    assert not (tmp_path / "b").exists()
    await database.close()


def sqlite_at(path: Path) -> Database:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE one (n INTEGER)")
    return Database(f"sqlite:///{path}")


def test_nothing_is_overwritten_and_nothing_left_behind(tmp_path: Path) -> None:
    database = sqlite_at(tmp_path / "x.db")
    target = tmp_path / "out" / "b"
    with pytest.raises(BackupError, match="cannot be written"):
        make_backup(database, tmp_path / "key", target)
    target.parent.mkdir()
    make_backup(database, tmp_path / "key", target)
    assert [path.name for path in target.parent.iterdir()] == ["b"]
    with pytest.raises(BackupError, match="overwrites nothing"):
        make_backup(database, tmp_path / "key", target)


def test_a_damaged_or_strange_file_is_refused(tmp_path: Path) -> None:
    database = sqlite_at(tmp_path / "x.db")
    make_backup(database, tmp_path / "key", tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    place = whole.index(b"SQLite format 3")
    damaged = whole[: place + 30] + b"!" + whole[place + 31 :]
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w:gz") as archive:
        archive.add(tmp_path / "x.db", "database")
    packed = other.getvalue()
    in_xz, in_bz2, in_gz = (
        compress(whole) for compress in (lzma.compress, bz2.compress, gzip.compress)
    )
    linked = io.BytesIO()
    with tarfile.open(fileobj=linked, mode="w") as archive:
        for kind, target in ((tarfile.SYMTYPE, "gone"), (tarfile.LNKTYPE, DATABASE)):
            link = tarfile.TarInfo(DATABASE)
            link.type, link.linkname = kind, target
            archive.addfile(link)
    odd = {
        "a damaged xz": in_xz[:200] + b"!" + in_xz[201:],
        "a damaged bz2": in_bz2[:200] + b"!" + in_bz2[201:],
        "a damaged gz": in_gz[:200] + b"!!!!" + in_gz[204:],
        "links": linked.getvalue(),
        "damaged": damaged,
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"hello" * 99,
        "other": packed,
        "other, cut": packed[: len(packed) // 2],
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
        folder = tmp_path / f"from {name}"
        folder.mkdir()
        with pytest.raises(BackupError) as refused:
            unpack(tmp_path / name, folder)
        # Whoever restores is in no mood for five lines about compression.
        assert re.fullmatch(r".* is (no backup|damaged)[^\n]*\.", str(refused.value)), name
    with pytest.raises(BackupError, match=r"cannot be read: No such file or directory\.$"):
        unpack(tmp_path / "not there", tmp_path)


def test_other_files_in_an_archive_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "b", "w") as archive:
        archive.add(tmp_path / "evil", "../../evil")
        archive.add(tmp_path / "evil", "manifest.json")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with pytest.raises(BackupError):
        unpack(tmp_path / "b", folder)
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]

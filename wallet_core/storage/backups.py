"""Backups of a running instance, in one file, and the way back.

A backup is a tar with the database as it stood at one moment (a SQLite file, or what pg_dump
makes of PostgreSQL), the instance's signing key, and a manifest with the SHA-256 of both. It is
written beside its place and moved there when it is whole; only its owner can read it.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tarfile
import zlib
from collections.abc import Mapping
from contextlib import closing
from hashlib import file_digest
from lzma import LZMAError
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import msgspec
import sqlalchemy as sa

from wallet_core.errors import PayontapError
from wallet_core.storage.database import Database

MANIFEST = "manifest.json"
DATABASE = "database"
KEY = "signing.key"

SQLITE = "sqlite"
POSTGRES = "postgresql"


class BackupError(PayontapError):
    """A backup that could not be made or read; the text is one sentence."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds: file → SHA-256."""

    v: int
    kind: str
    sha256: dict[str, str]


def make_backup(database: Database, key_file: Path, target: Path) -> Manifest:
    """Write a backup of a running instance to `target`, which must not be there yet.

    Blocks while it copies; payments go on meanwhile. Raises `BackupError`.
    """
    if target.exists():
        raise BackupError(f"There is a file {target} already; a backup overwrites nothing.")
    try:
        with TemporaryDirectory(prefix=".backup-", dir=target.parent) as name:
            return _made(database, key_file, target, Path(name))
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise BackupError(f"The database cannot be copied: {error}.") from error


def unpack(source: Path, folder: Path) -> Manifest:
    """Put a backup's files into `folder` and check their digests. Raises `BackupError`."""
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                # No link: what it leads to may be missing, or itself.
                content = archive.extractfile(member) if member.isreg() else None
                if member.name in (MANIFEST, DATABASE, KEY) and content is not None:
                    with _private(folder / member.name) as file:
                        shutil.copyfileobj(content, file)
        manifest = _manifest(folder / MANIFEST)
    except OSError as error:
        if error.errno is not None:
            raise BackupError(f"{source} cannot be read: {error.strerror}.") from error
        # It is of the library that unpacks, and not the system's.
        raise _no_backup(source) from error
    except (tarfile.TarError, EOFError, LZMAError, zlib.error, ValueError) as error:
        # What the library says of it has several lines.
        raise _no_backup(source) from error
    if manifest is None:
        raise _no_backup(source)
    if manifest.v != 1 or DATABASE not in manifest.sha256:
        raise BackupError(f"{source} is a backup of a kind that this version does not know.")
    for name, digest in manifest.sha256.items():
        path = folder / Path(name).name
        if not path.is_file() or _sha256(path) != digest:
            raise BackupError(f"{source} is damaged: {name} is not what was put into it.")
    return manifest


def _no_backup(source: Path) -> BackupError:
    return BackupError(f"{source} is no backup, or a part of it is missing.")


def _manifest(path: Path) -> Manifest | None:
    """What a manifest says; None where there is none."""
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def restore_postgres(database: Database, dump: Path) -> None:
    """Fill an empty PostgreSQL database. Raises `BackupError`."""
    async with database.read() as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    if names:
        raise BackupError("The database is not empty; a backup is restored into an empty one only.")
    command = ["pg_restore", "--exit-on-error", "--no-owner", "--single-transaction"]
    url = sa.make_url(database.url)
    await asyncio.to_thread(
        _run, [*command, "--dbname", str(url.database or ""), str(dump)], _libpq(url)
    )


def _made(database: Database, key_file: Path, target: Path, folder: Path) -> Manifest:
    dump = _copy_sqlite if database.is_sqlite else _dump_postgres
    dump(database, folder / DATABASE)
    if key_file.is_file():
        shutil.copyfile(key_file, folder / KEY)
    digests = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    manifest = Manifest(1, SQLITE if database.is_sqlite else POSTGRES, digests)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    _pack(folder, target)
    return manifest


def _copy_sqlite(database: Database, target: Path) -> None:
    source = sa.make_url(database.url).database or ""
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        # In one step: a copy in several is begun anew with each payment in between.
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise BackupError(f"The copy is not sound: {verdict}.")


def _dump_postgres(database: Database, target: Path) -> None:
    command = ["pg_dump", "--format=custom", "--no-owner", f"--file={target}"]
    _run(command, _libpq(sa.make_url(database.url)))


def _libpq(url: sa.URL) -> Mapping[str, str]:
    """The connection as libpq's variables: a password has no place among arguments."""
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    values = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("ssl") or query.get("sslmode"),
    }
    return {name: str(value) for name, value in values.items() if value}


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise BackupError(
            f"A backup of PostgreSQL needs {command[0]}, and there is none here: install "
            "PostgreSQL's client programs (postgresql-client), or back the database up with "
            "the tools of its server."
        )
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, with our own arguments
        [program, *command[1:]],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise BackupError(f"{command[0]} failed: {last[0]}")


def _pack(folder: Path, target: Path) -> None:
    whole = folder / "whole"
    with _private(whole) as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name in (MANIFEST, DATABASE, KEY):
                if (folder / name).is_file():
                    archive.add(folder / name, name, filter=_nobody)
        file.flush()
        os.fsync(file.fileno())
    # A link fails where a file has come in the meantime; a rename would replace it.
    try:
        target.hardlink_to(whole)
    except FileExistsError as error:
        raise BackupError(f"There is a file {target} already.") from error


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb")


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

"""What an operator does with the books from the command line.

Each function says what it found by `say`, a line at a time, beside a running instance or without
one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from bot.checkpoint_log import CheckpointLog
from bot.counted import counted
from bot.data_folder import DataFolder, DataFolderError
from bot.house import define_currencies
from bot.instance_key import instance_key, key_file
from config.settings import Settings
from wallet_core.audit import auditing
from wallet_core.audit.checkpoints import compare, opened_checkpoint
from wallet_core.audit.explaining import account_words, entry_words
from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.signing import NotProven, PublicKey
from wallet_core.storage import backups
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.backups import BackupError
from wallet_core.storage.checkpoints import Checkpoints
from wallet_core.storage.database import Database
from wallet_core.storage.explanations import ExplainedAccount, Explanations
from wallet_core.storage.liabilities import Liabilities, root_file_text
from wallet_core.storage.migrate import migrate

Say = Callable[[str], None]


@asynccontextmanager
async def instance_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of an instance, at the newest schema.

    Raises `DataFolderError` where no instance was ever started, `StorageUnavailable` when the
    database is away.
    """
    define_currencies(settings)
    _require_instance(settings)
    database = _database(settings)
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


async def audit(
    settings: Settings, say: Say, checkpoints: Path | None = None, key: PublicKey | None = None
) -> bool:
    """Whether the books are right; says what was looked at, or names the first wrong row.

    `checkpoints` is a file with signed checkpoints, which the journal must still lead to; `key` is
    who must have signed them, the instance itself if it is not given.
    """
    async with instance_database(settings) as database:
        if not await _audited(database, say):
            return False
        if checkpoints is None:
            return True
        known = key or instance_key(settings.data_dir).public
        return await _held(database, checkpoints, known, say)


async def checkpoint(settings: Settings, out: Path | None, say: Say) -> None:
    """Sign where all chains stand now; it is said, or added to `out`."""
    async with instance_database(settings) as database:
        signed = await Checkpoints(database).fresh(instance_key(settings.data_dir))
    if out is None:
        say(signed)
        return
    try:
        CheckpointLog(out).append(signed)
    except OSError as error:
        raise DataFolderError(f"{out} cannot be written: {error.strerror}.") from error
    say(
        f"{out} has a checkpoint of {opened_checkpoint(signed).at}; keep it away from this machine."
    )


async def explain(settings: Settings, who: str, say: Say) -> bool:
    """Each entry of the accounts that `who` means; False where there are none."""
    async with instance_database(settings) as database:
        about = Explanations(database)
        accounts = await about.accounts_of(who)
        for account in accounts:
            await _explain(about, account, say)
        return bool(accounts)


def public_key(settings: Settings) -> PublicKey:
    """The key with which the instance's receipts and proofs are checked.

    None is made here: what no instance has ever signed with is no instance's key. Raises
    `DataFolderError` where there is none.
    """
    _require_instance(settings)
    if not key_file(settings.data_dir).exists():
        raise DataFolderError(
            f"There is no signing key in {settings.data_dir} yet; payontap run makes it."
        )
    return instance_key(settings.data_dir).public


async def prove(settings: Settings, out: Path | None, say: Say) -> None:
    """Publish what the instance owes; the public file is `out` or lies in the data folder.

    Raises `DataFolderError` where that cannot be written; nothing is published then.
    """
    async with instance_database(settings) as database:
        key = instance_key(settings.data_dir)
        # Before: else people would be shown the way to a root that nobody has published.
        with _written_whole(out) if out is not None else nullcontext() as file:
            published = await Liabilities(database).publish(key)
            if file is not None:
                file.write(root_file_text(published))
    target = out or settings.data_dir / "proofs" / f"{published.proof}.json"
    if out is None:
        with _written_whole(target) as kept:
            kept.write(root_file_text(published))
    for statement in published.statements:
        total = amount_words(statement.total_minor, statement.currency)
        say(f"{total} owed to {statement.leaf_count}, root {statement.root}")
    say(f"Publish {target} where everybody finds the same file; /proof gives each person his path.")


def backup(settings: Settings, target: Path, say: Say) -> None:
    """Write a backup of a running instance. Raises `BackupError`."""
    _require_instance(settings)
    manifest = backups.make_backup(_database(settings), key_file(settings.data_dir), target)
    key = "the signing key" if backups.KEY in manifest.sha256 else "no signing key (there is none)"
    say(f"{target} holds the database ({manifest.kind}) and {key}: keep it secret.")
    say("What the networks keep (such as Matrix keys) and Redis are not in it.")


async def restore(settings: Settings, source: Path, say: Say) -> bool:
    """Fill an empty data folder from a backup and audit it; whether the books are right.

    Raises `BackupError` or `DataFolderError`; nothing is left behind then.
    """
    folder = DataFolder(settings.data_dir)
    with folder:
        _require_empty(settings.data_dir)
        with TemporaryDirectory(prefix=".restore-", dir=settings.data_dir) as name:
            manifest = backups.unpack(source, Path(name))
            await _put_back(settings, manifest.kind, Path(name))
    say(f"{source} is restored into {settings.data_dir}.")
    return await audit(settings, say)


async def _put_back(settings: Settings, kind: str, unpacked: Path) -> None:
    embedded = settings.database.url is None
    if embedded != (kind == backups.SQLITE):
        wanted = "unset database.url" if not embedded else "set database.url to an empty database"
        raise BackupError(f"This is a backup of {kind}: {wanted} and restore it again.")
    if not embedded:
        database = _database(settings)
        try:
            await backups.restore_postgres(database, unpacked / backups.DATABASE)
        finally:
            await database.close()
    else:
        target = DataFolder(settings.data_dir).database_file
        await asyncio.to_thread(shutil.move, unpacked / backups.DATABASE, target)
    key = unpacked / backups.KEY
    if await asyncio.to_thread(key.is_file):
        await asyncio.to_thread(shutil.move, key, key_file(settings.data_dir))


async def _audited(database: Database, say: Say) -> bool:
    try:
        async with books_of(database) as books:
            found = await auditing.audit(books)
    except BrokenBooks as broken:
        say(f"The books are wrong. {broken}")
        return False
    say(
        f"The books are right: {counted(found.account_count, 'account')}, "
        f"{counted(found.entry_count, 'entry', 'entries')}, "
        f"{counted(found.transfer_count, 'transfer')}, {counted(found.order_count, 'order')}, "
        f"{counted(found.batch_count, 'batch', 'batches')} in "
        f"{counted(found.chain_count, 'chain')}."
    )
    return True


async def _held(database: Database, file: Path, known: PublicKey, say: Say) -> bool:
    """Whether the journal still leads to each checkpoint in a file."""
    try:
        with file.open(encoding="utf-8") as lines:
            async with books_of(database) as books:
                held = await compare(lines, books, known)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise DataFolderError(f"{file} cannot be read: {reason}.") from error
    except NotProven as error:
        say(str(error))
        return False
    except BrokenBooks as broken:
        say(f"The books are not those of the checkpoint. {broken}")
        return False
    if held.newest is None:
        say(f"{file} has no checkpoint in it, so it shows nothing.")
        return False
    batches = sum(head.length for head in held.newest.chains)
    say(
        f"{counted(held.count, 'checkpoint holds', 'checkpoints hold')}; the newest is of "
        f"{held.newest.at}, with {counted(batches, 'batch', 'batches')} in "
        f"{counted(len(held.newest.chains), 'chain')}."
    )
    return True


async def _explain(about: Explanations, account: ExplainedAccount, say: Say) -> None:
    say(f"{account.id}: {account_words(account.id, account.name)}")
    async for page in about.entries(account):
        for entry in page:
            say(entry_words(entry))
    balance = amount_words(account.balance_minor, account.currency)
    say(f"{balance} from {account.entry_count} entries.\n")


def _database(settings: Settings) -> Database:
    url = settings.database.url
    return Database(url.get_secret_value() if url else DataFolder(settings.data_dir).database_url)


def _require_instance(settings: Settings) -> None:
    if settings.database.url is None and not DataFolder(settings.data_dir).has_database:
        raise DataFolderError(
            f"There is no instance in {settings.data_dir} yet; start it once with payontap run."
        )


def _require_empty(data_dir: Path) -> None:
    found = sorted(path.name for path in data_dir.iterdir() if path.name != DataFolder.LOCK)
    if found:
        raise DataFolderError(
            f"The data folder {data_dir} is not empty ({found[0]} is there): set "
            "PAYONTAP_DATA_DIR to a new one."
        )


@contextmanager
def _written_whole(target: Path) -> Iterator[TextIO]:
    """A file that comes to stand at `target` when the block is through, and not if it fails.

    Raises `DataFolderError`, before the block if it can be known by then.
    """
    try:
        if target.exists() and not target.is_file():
            # A pipe or a terminal, which nothing can take the place of; a folder refuses.
            with target.open("w", encoding="utf-8") as file:
                yield file
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".proof-", dir=target.resolve().parent) as name:
            whole = Path(name) / target.name
            with whole.open("w", encoding="utf-8") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # Where a link leads, and not the link, is what is replaced.
            whole.replace(target.resolve())
    except OSError as error:
        raise DataFolderError(f"{target} cannot be written: {error.strerror}.") from error

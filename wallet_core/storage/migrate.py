"""Brings a database to the newest schema, step by step, whatever version it has."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from wallet_core.errors import PayontapError
from wallet_core.storage.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")

#: Any number, the same for all processes: who holds it migrates.
_LOCK = 7_296_010


class NewerSchema(PayontapError):
    """The database was written by a newer version; the text is one sentence."""


async def migrate(database: Database) -> None:
    """Run the migrations that are missing, in one transaction. Processes take turns.

    Raises `NewerSchema`, with nothing changed, and `StorageUnavailable`.
    """
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        await connection.run_sync(_upgrade)


def alembic_config(connection: sa.Connection) -> Config:
    """Alembic's settings for this project's migrations on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: sa.Connection) -> None:
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    newer = set(MigrationContext.configure(connection).get_current_heads()) - known
    if newer:
        raise NewerSchema(
            f"The database was written by a newer version of Payontap (its schema is "
            f"{min(newer)}), which this one cannot read: install that version; nothing was changed."
        )
    command.upgrade(config, "head")

"""Brings a database to the newest schema, step by step, whatever version it has."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from wallet_core.storage.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")

#: Any number, the same for all processes: who holds it migrates.
_LOCK = 7_296_010


async def migrate(database: Database) -> None:
    """Run the migrations that are missing, in one transaction. Processes take turns."""
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
    command.upgrade(alembic_config(connection), "head")

"""Triggers that keep the books append-only in the database itself, whoever connects to it."""

from collections.abc import Iterable

import sqlalchemy as sa

from wallet_core.storage import wallet_changes
from wallet_core.storage.schema import metadata

#: Nothing in these is ever changed or deleted.
APPEND_ONLY = ("transfers", "entries", "commits", "journal")

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION payontap_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def statements(dialect: str, tables: Iterable[str] = APPEND_ONLY) -> list[str]:
    """The DDL for `dialect` (`sqlite` or `postgresql`); it may be run again and again."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in tables
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        _POSTGRES_FUNCTION,
        *(
            f"CREATE OR REPLACE TRIGGER {table}_append_only "
            f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION payontap_append_only()"
            for table in tables
        ),
    ]


def create(connection: sa.Connection) -> None:
    """Create the triggers that are missing, on those of the tables that there are by now."""
    there = set(sa.inspect(connection).get_table_names())
    tables = [table for table in APPEND_ONLY if table in there]
    for statement in statements(connection.dialect.name, tables):
        connection.exec_driver_sql(statement)


def create_all(connection: sa.Connection) -> None:
    """Create all tables and triggers at once, for tests that want no migrations."""
    metadata.create_all(connection)
    create(connection)
    wallet_changes.create(connection)

"""Triggers that keep the books append-only in the database itself, whoever connects to it."""

import sqlalchemy as sa

from wallet_core.storage.database import metadata

#: Nothing in these is ever changed or deleted.
APPEND_ONLY = ("transfers", "entries", "commits", "journal")

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION payontap_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def statements(dialect: str) -> list[str]:
    """The DDL for `dialect` (`sqlite` or `postgresql`)."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in APPEND_ONLY
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        _POSTGRES_FUNCTION,
        *(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION payontap_append_only()"
            for table in APPEND_ONLY
        ),
    ]


def create(connection: sa.Connection) -> None:
    """Create the triggers on a fresh schema."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def create_all(connection: sa.Connection) -> None:
    """Create all tables and triggers at once, for tests that want no migrations."""
    metadata.create_all(connection)
    create(connection)

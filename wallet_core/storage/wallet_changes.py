"""The counter of changes to what wallets may do: modes, limits, and groups that share them.

A writer that remembers accounts decides payments without asking what their wallets may do; it says
at which count it last asked, and the database refuses what was decided at an older one. Triggers
count, so that no change goes by uncounted, whoever makes it.
"""

import sqlalchemy as sa

_WATCHED = ("mode", "limits", "limit_group")
_COUNT = "UPDATE wallet_changes SET no = no + 1"
_FIRST_ROW = "INSERT INTO wallet_changes (one, no) VALUES (1, 0) ON CONFLICT DO NOTHING"
#: A new wallet matters only where it is not like all others.
_UNLIKE_OTHERS = "NEW.mode <> 'open' OR NEW.limits IS NOT NULL OR NEW.limit_group IS NOT NULL"

_SQLITE_CHANGED = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _WATCHED)
_SQLITE = (
    _FIRST_ROW,
    f"""CREATE TRIGGER IF NOT EXISTS wallets_changed AFTER UPDATE ON wallets
        WHEN {_SQLITE_CHANGED} BEGIN {_COUNT}; END""",
    f"""CREATE TRIGGER IF NOT EXISTS wallets_added AFTER INSERT ON wallets
        WHEN {_UNLIKE_OTHERS} BEGIN {_COUNT}; END""",
)
_POSTGRES_CHANGED = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _WATCHED)
_POSTGRES = (
    _FIRST_ROW,
    f"""CREATE OR REPLACE FUNCTION payontap_wallet_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {_COUNT}; RETURN NULL; END $$""",
    f"""CREATE OR REPLACE TRIGGER wallets_changed AFTER UPDATE ON wallets FOR EACH ROW
        WHEN ({_POSTGRES_CHANGED}) EXECUTE FUNCTION payontap_wallet_changed()""",
    f"""CREATE OR REPLACE TRIGGER wallets_added AFTER INSERT ON wallets FOR EACH ROW
        WHEN ({_UNLIKE_OTHERS}) EXECUTE FUNCTION payontap_wallet_changed()""",
)


def create(connection: sa.Connection) -> None:
    """Create the counter's row and its triggers; it may be run again and again."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES:
        connection.exec_driver_sql(statement)

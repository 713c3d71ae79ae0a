"""How Alembic runs our migrations: on the connection that it is handed, in its transaction."""

from alembic import context

from wallet_core.storage import (
    audit_tables,
    catalogue_tables,
    linking,
    tables,
    trade_tables,
    web_chat,
)
from wallet_core.storage.database import metadata

#: The modules whose tables make up the schema; importing them fills `metadata`.
SCHEMA = (tables, trade_tables, web_chat, audit_tables, linking, catalogue_tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()

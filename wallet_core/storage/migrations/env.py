"""How Alembic runs our migrations: on the connection that it is handed, in its transaction."""

from alembic import context

from wallet_core.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()

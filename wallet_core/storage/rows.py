"""Domain rows: the declared changes of a commit, as SQL."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.errors import Refused
from wallet_core.ledger.commits import Insert, RowChange, Update
from wallet_core.storage.database import metadata


async def apply_row(connection: AsyncConnection, change: RowChange) -> None:
    """Make one change. Raises `Refused` where the row is not as the change expects it."""
    match change:
        case Insert():
            await _insert(connection, change)
        case Update():
            await _update(connection, change)


def insert_if_absent(
    connection: AsyncConnection, table: sa.Table
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves a row alone whose key is there."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


async def _insert(connection: AsyncConnection, change: Insert) -> None:
    table = metadata.tables[change.table]
    if change.if_absent:
        await connection.execute(insert_if_absent(connection, table), dict(change.values))
        return
    try:
        await connection.execute(sa.insert(table), dict(change.values))
    except IntegrityError as error:
        raise Refused(change.refusal, f"{change.table}: {error.orig}") from error


async def _update(connection: AsyncConnection, change: Update) -> None:
    table = metadata.tables[change.table]
    values = {**change.values, **{name: table.c[name] + by for name, by in change.add.items()}}
    conditions = [table.c[name] == value for name, value in change.where.items()]
    for name, bound in change.keep_within:
        after = table.c[name] + change.add.get(name, 0)
        conditions.append(sa.or_(table.c[bound].is_(None), after <= table.c[bound]))
    try:
        result = await connection.execute(sa.update(table).where(*conditions).values(values))
    except IntegrityError as error:
        raise Refused(change.refusal, f"{change.table}: {error.orig}") from error
    if result.rowcount != 1:
        raise Refused(change.refusal, f"{change.table}: {dict(change.where)}")

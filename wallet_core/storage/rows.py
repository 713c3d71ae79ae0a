"""Domain rows: the declared changes of a commit, as SQL."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.errors import Refused
from wallet_core.ledger.commits import Insert, RowChange, Update, Value
from wallet_core.storage.database import metadata


async def lock_rows(connection: AsyncConnection, changes: Sequence[RowChange]) -> None:
    """Lock the rows that will be changed, table by table and in the order of their ids.

    Two processes that change the same rows then wait for each other in turn instead of in a
    circle, which PostgreSQL ends only after a second. SQLite has one writer at a time.
    """
    if connection.dialect.name == "sqlite":
        return
    ids: dict[str, set[Value]] = {}
    for change in changes:
        if isinstance(change, Update) and "id" in change.where:
            ids.setdefault(change.table, set()).add(change.where["id"])
    for name in sorted(ids):
        column = metadata.tables[name].c.id
        query = sa.select(column).where(column.in_(ids[name])).order_by(column)
        await connection.execute(query.with_for_update(key_share=True))


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

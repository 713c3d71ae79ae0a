"""Rows by their key; on PostgreSQL those that are asked for at the same time are one question."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from wallet_core.storage.database import Database
from wallet_core.storage.grouped import Grouped
from wallet_core.storage.requests import Row, Statement, fetch

R = TypeVar("R", bound=msgspec.Struct)
#: The parts of a key.
Key = tuple[Any, ...]


class RowLookups:
    """What `statement` finds for keys of `parts` parts: one row a key, beginning with the key."""

    def __init__(self, database: Database, statement: Statement, *, parts: int = 1) -> None:
        self._database = database
        self._statement = statement
        self._parts = parts
        self._grouped: Grouped[Key, Row] = Grouped(self._load)

    async def row(self, *key: Any) -> Row | None:
        """The row of a key, the key included. Raises `StorageUnavailable`."""
        if self._database.is_sqlite:
            # It answers at once, so there is nothing that others could be gathered for.
            rows = await self._database.ask(self._statement, tuple([[part] for part in key]))
            return rows[0] if rows else None
        return await self._grouped.get(key)

    async def _load(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        arrays = tuple(list(part) for part in zip(*keys, strict=True))
        rows = await self._database.ask(self._statement, arrays)
        return {tuple(row[: self._parts]): row for row in rows}


class Records(Generic[R]):
    """Makes records of `kind`, which has a field for each column that it wants of `table`."""

    def __init__(self, database: Database, table: sa.Table, kind: type[R]) -> None:
        self._kind = kind
        self.fields = kind.__struct_fields__
        # SQLite has no truth values of its own.
        self._flags = [
            n for n, x in enumerate(self.fields) if database.is_sqlite and _is_flag(table.c[x])
        ]

    def made(self, values: Sequence[Any]) -> R:
        """The record whose fields have these values, in their order."""
        if self._flags:
            values = list(values)
            for place in self._flags:
                values[place] = None if values[place] is None else bool(values[place])
        return self._kind(**dict(zip(self.fields, values, strict=True)))


class RecordLookups(Generic[R]):
    """Records of `kind` by their keys.

    `statement` finds them in another way than by `key`: the key first, then the fields.
    """

    def __init__(
        self,
        database: Database,
        table: sa.Table,
        kind: type[R],
        *,
        key: str = "id",
        statement: Statement | None = None,
    ) -> None:
        self._records = Records(database, table, kind)
        found = statement or fetch(table, (key, *self._records.fields), (key,))
        self._rows = RowLookups(database, found)

    async def get(self, key: object) -> R | None:
        """The record of a key. Raises `StorageUnavailable`."""
        row = await self._rows.row(key)
        return None if row is None else self._records.made(row[1:])


def _is_flag(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Boolean)

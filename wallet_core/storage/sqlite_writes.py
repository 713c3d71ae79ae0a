"""The statements that make a batch's writes on SQLite.

Many rows go as one statement. Row by row the driver comes back to Python each time, and waits there
for the interpreter while another thread is busy; one statement is done beside whatever Python does
meanwhile. It takes its rows from JSON, bytes of one length from one run of bytes, and what is the
same in all rows once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa

from wallet_core.storage.requests import ALIKE, Add, Change, Check, Insert, Row, uuid_places
from wallet_core.storage.sqlite_connection import stored

#: Fewer rows go one by one: they are not worth the reading of JSON.
_MANY = 8
_ALL = " FROM json_each(?1) j"

_encode = msgspec.json.Encoder(uuid_format="hex").encode

#: A statement, and its values for each time that it is to be run.
Runs = tuple[str, Sequence[Sequence[Any]]]


class _Form(NamedTuple):
    """The words for the value of each column, and where those come from if not from the values."""

    words: tuple[str, ...]
    source: str = ""


def insert(write: Insert) -> Runs:
    """New rows."""
    columns, rows = write.columns, write.rows
    counted = None
    if write.counted is not None:
        name, counted = write.counted
        columns += (name,)
    form, values = _sent(write.table, write.columns, rows, counted)
    return _insert_sql(write.table, columns, form, if_absent=write.if_absent), values


def change(write: Change, *, checked: bool) -> Runs:
    """Rows that change; where that is `checked`, only while they are as they were seen."""
    by, seen, columns = write.by, write.seen, write.columns
    form, values = _sent(write.table, (*by, *seen, *columns), write.rows)
    return _change_sql(write.table, by, seen, columns, form, checked=checked), values


def add(write: Add) -> Runs:
    """Rows whose numbers are raised within their bounds."""
    by, columns = write.by, write.columns
    form, values = _sent(write.table, (*by, *columns), write.rows)
    return _add_sql(write.table, by, columns, form, write.within), values


def check(write: Check) -> Runs:
    """Asks how many rows are as they were seen."""
    by, seen = write.by, write.seen
    form, values = _sent(write.table, (*by, *seen), write.rows)
    return _check_sql(write.table, by, seen, form), values


# --- the statements ------------------------------------------------------------------------------

_Names = tuple[str, ...]


@lru_cache(maxsize=500)
def _insert_sql(table: sa.Table, columns: _Names, form: _Form, *, if_absent: bool) -> str:
    values = ", ".join(form.words)
    # `WHERE true`: else the parser takes `ON` for the condition of a join.
    source = f"SELECT {values}{form.source} WHERE true" if form.source else f"VALUES ({values})"
    # Not OR IGNORE, which would pass over broken rules too.
    rest = " ON CONFLICT DO NOTHING" if if_absent else ""
    return f"INSERT INTO {table.name} ({', '.join(columns)}) {source}{rest}"


@lru_cache(maxsize=500)
def _change_sql(
    table: sa.Table, by: _Names, seen: _Names, columns: _Names, form: _Form, *, checked: bool
) -> str:
    changed = zip(columns, form.words[len(by) + len(seen) :], strict=True)
    sets = ", ".join(f"{name} = {word}" for name, word in changed)
    same = _same(table, by, seen if checked else (), form)
    return f"UPDATE {table.name} SET {sets}{form.source} WHERE {same}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=500)
def _add_sql(
    table: sa.Table,
    by: _Names,
    columns: _Names,
    form: _Form,
    within: tuple[tuple[str, str], ...],
) -> str:
    raised = dict(zip(columns, form.words[len(by) :], strict=True))
    sums = {name: f"{table.name}.{name} + {word}" for name, word in raised.items()}
    sets = ", ".join(f"{name} = {raised_to}" for name, raised_to in sums.items())
    same = _same(table, by, (), form)
    for name, most in within:
        same += f" AND ({table.name}.{most} IS NULL OR {sums[name]} <= {table.name}.{most})"
    return f"UPDATE {table.name} SET {sets}{form.source} WHERE {same}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=500)
def _check_sql(table: sa.Table, by: _Names, seen: _Names, form: _Form) -> str:
    # In this order, whatever the planner thinks of JSON: each row is looked up by its key.
    rows = f"{form.source} CROSS JOIN {table.name}" if form.source else f" FROM {table.name}"
    return f"SELECT count(*){rows} WHERE {_same(table, by, seen, form)}"


def _same(table: sa.Table, by: _Names, seen: _Names, form: _Form) -> str:
    """The condition on which a row is meant; a column that was seen may be NULL."""
    keys = zip(by, form.words, strict=False)
    known = zip(seen, form.words[len(by) :], strict=False)
    same = [f"{table.name}.{name} = {word}" for name, word in keys]
    return " AND ".join(same + [f"{table.name}.{name} IS {word}" for name, word in known])


# --- the values ----------------------------------------------------------------------------------


def _sent(
    table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row], counted: int | None = None
) -> tuple[_Form, Sequence[Sequence[Any]]]:
    """How these columns of `rows` are sent, and as which values.

    After them one that counts up from `counted`, where that is given.
    """
    together = _together(table, columns, rows) if len(rows) >= _MANY else None
    if together is not None:
        form, values = together
        if counted is None:
            return form, values
        words = (*form.words, f"?{len(values[0]) + 1} + j.key")
        return _Form(words, form.source), [[*values[0], counted]]
    each = [stored(row) for row in rows] if _has_ids(table, columns, rows) else rows
    if counted is not None:
        each = [(*row, no) for no, row in enumerate(each, counted)]
    return _one_by_one(len(columns) + (counted is not None)), each


@lru_cache(maxsize=50)
def _one_by_one(count: int) -> _Form:
    return _Form(tuple(f"?{n}" for n in range(1, count + 1)))


def _together(
    table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> tuple[_Form, Sequence[Sequence[Any]]] | None:
    """All rows as the values of one statement; None where they do not fit into one."""
    words: list[str] = []
    values: list[Any] = [""]
    told: list[tuple[Any, ...]] = []
    for name, column in zip(columns, zip(*rows, strict=True), strict=True):
        first = column[0]
        if name in ALIKE and column.count(first) == len(column):
            values.append(first.hex if isinstance(first, UUID) else first)
            words.append(f"?{len(values)}")
        elif isinstance(table.c[name].type, sa.LargeBinary):
            length = len(first or b"")
            if not length or any(each is None or len(each) != length for each in column):
                return None
            values.append(b"".join(column))
            words.append(f"substr(?{len(values)}, {length} * j.key + 1, {length})")
        else:
            words.append(f"json_extract(j.value, '$[{len(told)}]')")
            told.append(column)
    values[0] = _encode(list(zip(*told, strict=True)) or [()] * len(rows)).decode()
    # SQLite's JSON ends a text there.
    return None if "\\u0000" in values[0] else (_Form(tuple(words), _ALL), [values])


def _has_ids(table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row]) -> bool:
    """Whether there are UUIDs among the values; most ids come as their digits already."""
    return any(
        isinstance(row[place], UUID) for place in uuid_places(table, columns) for row in rows
    )

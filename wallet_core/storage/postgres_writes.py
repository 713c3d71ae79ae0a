"""All writes of a batch as one statement for PostgreSQL, with the columns that go with it.

A column goes as one value, not as an array: for each element of an array the driver asks Python
whether it is an array too, which takes longer than all else about it. Numbers go as an array in
PostgreSQL's own words (`{1,2}`), which it reads soonest; ids and texts as one text with a mark
between them, which for them is sooner; bytes of one length as one run of bytes; what is the same in
all rows goes once, and of what counts up only the beginning.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from wallet_core.storage.domain_rows import unique_keys
from wallet_core.storage.requests import (
    ALIKE,
    CLOCK,
    Add,
    Change,
    Check,
    Insert,
    Run,
    Write,
    pg_type,
)

#: What stands between texts, and for none: two characters that hardly any text has.
_BETWEEN, _NONE = "\x1f", "\x1e"

#: Digests and the like go as one run of bytes. Longer ones are of one length by chance, and each
#: length is a statement of its own that has to be planned.
_RUN_LENGTH_MAX = 64

_Shape = tuple[Any, ...]
#: How a column is sent: its type, with "one" (a single value, be it for a single row or for all),
#: "counted", "text", "array", or a length in bytes.
_Form = tuple[str, str | int]


def locked(writes: Sequence[Write]) -> tuple[str, list[Any]]:
    """The statement for rows that the transaction has locked; answers how many each write met."""
    sent: list[Any] = []
    shapes = tuple([_locked_shape(write, sent) for write in writes])
    return _statement(shapes), sent


def unlocked(writes: Sequence[Write]) -> tuple[str, list[Any]]:
    """The statement for rows that others may have changed: it does all of its writes or fails.

    It fails with a division by zero, as SQL has no word for failing, when a row is no longer as it
    was seen. It answers the time of the database.
    """
    sent: list[Any] = []
    shapes = tuple([_unlocked_shape(write, sent) for write in writes])
    sent += [len(write.rows) for write in writes if _counts(write)]  # type: ignore[union-attr]
    return _statement(shapes, checked=True), sent


def _counts(write: Write) -> bool:
    """Whether each of its rows has to be met."""
    return isinstance(write, Add | Check) or (isinstance(write, Change) and write.exactly)


def _locked_shape(write: Write, sent: list[Any]) -> _Shape:
    match write:
        case Insert(table=table, columns=columns, rows=rows, if_absent=if_absent, counted=counted):
            forms = _sent(table, columns, rows, sent)
            if counted is not None:
                name, first = counted
                columns += (name,)
                forms += (_counted_form(table, name, one=len(rows) == 1),)
                sent.append(first)
            return ("insert", False, table, columns, if_absent, forms)
        case Change(table=table, by=by, seen=seen, columns=columns, rows=rows):
            first, after = len(by), len(by) + len(seen)
            known = [(*row[:first], *row[after:]) for row in rows] if seen else rows
            forms = _sent(table, (*by, *columns), known, sent)
            return ("change", False, table, by, (), columns, forms)
        case Run(statement=statement, keys=keys):
            sent += keys
            return ("run", False, statement.postgres, len(keys))
        case Add(table=table, by=by, columns=columns, within=within, rows=rows):
            return ("add", True, table, by, columns, within, _sent(table, by + columns, rows, sent))
        case Check():
            return ("nothing", False)


def _unlocked_shape(write: Write, sent: list[Any]) -> _Shape:
    match write:
        case Change(table=table, by=by, seen=seen, columns=columns, rows=rows):
            forms = _sent(table, (*by, *seen, *columns), rows, sent)
            return ("change", write.exactly, table, by, seen, columns, forms)
        case Check(table=table, by=by, seen=seen, rows=rows):
            return ("check", True, table, by, seen, write.stay, _sent(table, by + seen, rows, sent))
        case _:
            return _locked_shape(write, sent)


# --- the statement -------------------------------------------------------------------------------


@lru_cache(maxsize=1000)
def _statement(shapes: tuple[_Shape, ...], *, checked: bool = False) -> str:
    parts, number = [], 0
    for shape in shapes:
        sql, used = _part(shape, number)
        parts.append(sql)
        number += used
    named = ", ".join(f"w{n} AS ({sql})" for n, sql in enumerate(parts))
    # New rows are not asked for: PostgreSQL adds them when all that is asked for has been done, and
    # spares itself to hand each of them up.
    counts = [
        "0" if shape[0] == "insert" else f"(SELECT count(*) FROM w{n})"  # noqa: S608 - names of parts
        for n, shape in enumerate(shapes)
    ]
    if not checked:
        return f"WITH {named} SELECT {', '.join(counts)}"
    met = []
    for shape, count in zip(shapes, counts, strict=True):
        if shape[1]:
            number += 1
            met.append(f"{count} = ${number}::int")
        elif shape[0] != "insert":
            # Asked for, so that it is done in its turn.
            met.append(f"{count} >= 0")
    is_met = " AND ".join(met) or "true"
    return f"WITH {named} SELECT {CLOCK} / (CASE WHEN {is_met} THEN 1 ELSE 0 END)"


def _part(shape: _Shape, before: int) -> tuple[str, int]:
    """One write, whose values are numbered from `before`, and how many those are."""
    match shape:
        case ("run", _, sql, count):
            for n in range(count, 0, -1):
                sql = sql.replace(f"${n}:", f"${before + n}:")
            return sql, count
        case ("insert", _, table, columns, if_absent, forms):
            source, values = _source(forms, before)
            rest = f" ON CONFLICT{_target(table, columns)} DO NOTHING" if if_absent else ""
            chosen = f"SELECT {', '.join(values)}{_from(source)}{rest}"
            return f"INSERT INTO {table.name} ({', '.join(columns)}) {chosen}", len(columns)
        case ("change", _, table, by, seen, columns, forms):
            source, values = _source(forms, before)
            changed = zip(columns, values[len(by) + len(seen) :], strict=True)
            sets = ", ".join(f"{name} = {value}" for name, value in changed)
            same = _same(by, seen, values)
            return (
                f"UPDATE {table.name} r SET {sets}{_from(source)} WHERE {same} RETURNING 1",  # noqa: S608 - names of our own tables
                len(forms),
            )
        case ("add", _, table, by, columns, within, forms):
            source, values = _source(forms, before)
            sums = dict(zip(columns, values[len(by) :], strict=True))
            sets = ", ".join(f"{name} = r.{name} + {value}" for name, value in sums.items())
            same = _same(by, (), values)
            for name, bound in within:
                same += f" AND (r.{bound} IS NULL OR r.{name} + {sums[name]} <= r.{bound})"
            return (
                f"UPDATE {table.name} r SET {sets}{_from(source)} WHERE {same} RETURNING 1",  # noqa: S608 - names of our own tables
                len(forms),
            )
        case ("check", _, table, by, seen, stay, forms):
            source, values = _source(forms, before)
            same = _same(by, seen, values)
            every = f"{source}, {table.name} r" if source else f"{table.name} r"
            sql = f"SELECT 1 FROM {every} WHERE {same}"  # noqa: S608 - names of our own tables
            return f"{sql} FOR NO KEY UPDATE OF r" if stay else sql, len(forms)
        case _:
            return "SELECT 1 WHERE false", 0


def _target(table: sa.Table, columns: Sequence[str]) -> str:
    """The one key that new rows can have in common with others, so that no other is looked up.

    What the database numbers by itself is never taken.
    """
    sent = [key for key in unique_keys(table.name) if set(key) <= set(columns)]
    return f" ({', '.join(sent[0])})" if len(sent) == 1 else ""


def _from(source: str) -> str:
    return f" FROM {source}" if source else ""


def _source(forms: Sequence[_Form], before: int) -> tuple[str, list[str]]:
    """The rows that were sent, as `u`, and the words for each of their columns.

    A single row is no source at all: its columns are the values themselves, which costs less.
    """
    arrays, names, values = [], [], []
    for n, (kind, way) in enumerate(forms):
        place = f"${before + n + 1}"
        if way == "one":
            values.append(f"{place}::{kind}")
            continue
        if way == "counted":
            values.append(f"({place}::{kind} + u.n::{kind} - 1)")
            continue
        if isinstance(way, int):
            values.append(f"substring({place}::bytea FROM {way} * (u.n::int - 1) + 1 FOR {way})")
            continue
        if way == "array":
            arrays.append(f"{place}::{kind}[]")
        elif kind == "text":
            arrays.append(f"string_to_array({place}::text, E'\\x1f', E'\\x1e')")
        elif kind == "uuid":
            arrays.append(f"string_to_array({place}::text, ',', '')::uuid[]")
        else:
            arrays.append(f"{place}::text::{kind}[]")
        names.append(f"c{n}")
        values.append(f"u.c{n}")
    if not arrays:
        return "", values
    return f"unnest({', '.join(arrays)}) WITH ORDINALITY AS u({', '.join((*names, 'n'))})", values


def _same(by: Sequence[str], seen: Sequence[str], values: Sequence[str]) -> str:
    same = [f"r.{name} = {value}" for name, value in zip(by, values, strict=False)]
    known = zip(seen, values[len(by) :], strict=False)
    same += [f"r.{name} IS NOT DISTINCT FROM {value}" for name, value in known]
    return " AND ".join(same)


# --- the values ----------------------------------------------------------------------------------


def _sent(
    table: sa.Table, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], sent: list[Any]
) -> tuple[_Form, ...]:
    """Puts the columns of `rows` into `sent`, and tells their forms."""
    if len(rows) == 1:
        sent += rows[0]
        return _forms_of_one(table, columns)
    forms = []
    for (kind, alike), column in zip(_kinds(table, columns), zip(*rows, strict=True), strict=True):
        way: str | int = "one"
        value: object = column[0]
        if not alike or column.count(value) < len(column):
            way, value = _packed(kind, column)
        forms.append((kind, way))
        sent.append(value)
    return tuple(forms)


@lru_cache(maxsize=1000)
def _forms_of_one(table: sa.Table, columns: tuple[str, ...]) -> tuple[_Form, ...]:
    return tuple([(kind, "one") for kind, _ in _kinds(table, columns)])


@lru_cache(maxsize=1000)
def _kinds(table: sa.Table, columns: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """The type of each column, and whether it is mostly the same in all rows."""
    return tuple((pg_type(table.c[name]), name in ALIKE) for name in columns)


@lru_cache(maxsize=100)
def _counted_form(table: sa.Table, column: str, *, one: bool) -> _Form:
    return pg_type(table.c[column]), "one" if one else "counted"


def _packed(kind: str, column: tuple[Any, ...]) -> tuple[str | int, object]:
    """One value for a whole column, where it can be: a text, or bytes; else the array."""
    if kind == "bytea":
        length = len(column[0] or b"")
        of_one_length = None not in column and len(set(map(len, column))) == 1
        if of_one_length and 0 < length <= _RUN_LENGTH_MAX:
            return length, b"".join(column)
    elif kind == "text":
        return _joined(column)
    elif kind == "uuid":
        # Most come as their digits already.
        digits = column if set(map(type, column)) == {str} else map(_hex, column)
        return "text", ",".join(digits)
    elif kind != "boolean":
        if None in column:
            numbers = ",".join(["NULL" if value is None else str(value) for value in column])
            return "text", f"{{{numbers}}}"
        # In one go: joining what `str` makes of each takes twice as long.
        return "text", f"{{{'%d,' * (len(column) - 1)}%d}}" % column
    return "array", column


def _joined(column: tuple[str | None, ...]) -> tuple[str, object]:
    texts = column
    if None in column:
        texts = tuple([_NONE if value is None else value for value in column])
    joined = _BETWEEN.join(texts)  # type: ignore[arg-type]
    marks = joined.count(_BETWEEN), joined.count(_NONE)
    # Nothing between no texts would be no text at all.
    if not joined or marks != (len(column) - 1, column.count(None)):
        return "array", column
    return "text", joined


def _hex(value: UUID | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else value.hex

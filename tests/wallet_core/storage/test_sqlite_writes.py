"""Many rows go to SQLite as one statement, and come to the same as row by row."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from wallet_core.storage import sqlite_writes
from wallet_core.storage.requests import Add, Change, Check, Insert, Row

# Columns of every kind that a batch writes; `kind` is mostly the same in all rows.
things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("hold_id", sa.Uuid),
    sa.Column("kind", sa.String(20)),
    sa.Column("number", sa.BigInteger),
    sa.Column("most", sa.BigInteger),
    sa.Column("flag", sa.Boolean),
    sa.Column("digest", sa.LargeBinary(16)),
)
COLUMNS = ("id", "hold_id", "kind", "number", "most", "flag", "digest")

_numbers = st.integers(-(2**63), 2**63 - 1)
_texts = st.text(st.characters(codec="utf-8"), max_size=12)
_few = st.integers(0, 5)


def rows_of(count: int) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows with different ids, and everything else as it may come."""
    row = st.tuples(
        st.none() | st.uuids(),
        st.sampled_from(["post", "hold"]) | _texts,
        st.none() | _numbers,
        st.none() | _numbers,
        st.none() | st.booleans(),
        st.none() | st.binary(min_size=4, max_size=4) | st.binary(max_size=6),
    )
    ids = st.lists(_texts, min_size=count, max_size=count, unique=True)
    rest = st.lists(row, min_size=count, max_size=count)
    return st.tuples(ids, rest).map(
        lambda two: [(name, *each) for name, each in zip(*two, strict=True)]
    )


@contextmanager
def one_by_one() -> Iterator[None]:
    """As if there were never rows enough."""
    with patch.object(sqlite_writes, "_MANY", 1_000):
        yield


def opened(rows: Sequence[Row] = ()) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(
        "CREATE TABLE things (id TEXT PRIMARY KEY, hold_id CHAR(32), kind VARCHAR(20), "
        "number BIGINT, most BIGINT, flag BOOLEAN, digest BLOB)"
    )
    with one_by_one():
        run(connection, sqlite_writes.insert(Insert(things, COLUMNS, rows)))
    return connection


def run(connection: sqlite3.Connection, runs: sqlite_writes.Runs) -> int:
    return connection.executemany(*runs).rowcount if runs[1] else 0


def standing(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """All rows, with the types in which SQLite keeps their values."""
    kinds = ", ".join(f"typeof({name})" for name in COLUMNS)
    query = f"SELECT *, {kinds} FROM things ORDER BY id"  # noqa: S608 - names of our own table
    return connection.execute(query).fetchall()


@given(rows_of(12))
def test_new_rows_are_the_same_whether_they_come_together_or_one_by_one(rows: list[Row]) -> None:
    together = opened()
    assert run(together, sqlite_writes.insert(Insert(things, COLUMNS, rows))) == 12
    assert standing(together) == standing(opened(rows))


@given(rows_of(12), st.sets(st.integers(0, 11)))
def test_rows_that_are_there_are_left_alone_where_that_is_asked_for(
    rows: list[Row], there: set[int]
) -> None:
    before = [(rows[n][0], None, "before", n, None, None, None) for n in there]
    together, single = opened(before), opened(before)
    write = Insert(things, COLUMNS, rows, if_absent=True)
    run(together, sqlite_writes.insert(write))
    with one_by_one():
        run(single, sqlite_writes.insert(write))
    assert standing(together) == standing(single)


@given(
    rows=rows_of(12),
    after=rows_of(12),
    outdated=st.sets(st.integers(0, 11)),
    checked=st.booleans(),
)
def test_rows_change_only_where_they_are_as_they_were_seen(
    *, rows: list[Row], after: list[Row], outdated: set[int], checked: bool
) -> None:
    seen, columns = ("number", "hold_id"), ("kind", "flag", "digest")
    changes = [
        (old[0], (old[3] or 0) // 2 + 1 if n in outdated else old[3], old[1], new[2], *new[5:])
        for n, (old, new) in enumerate(zip(rows, after, strict=True))
    ]
    write = Change(things, ("id",), columns, changes, seen=seen)
    together, single = opened(rows), opened(rows)
    met = run(together, sqlite_writes.change(write, checked=checked))
    with one_by_one():
        assert run(single, sqlite_writes.change(write, checked=checked)) == met
    assert standing(together) == standing(single)


@given(st.lists(st.tuples(_few, st.none() | _few, _few), min_size=12, max_size=12))
def test_numbers_are_raised_within_their_bounds(numbers: list[tuple[int, int | None, int]]) -> None:
    rows = [(f"id{n}", None, "", now, most, None, None) for n, (now, most, _) in enumerate(numbers)]
    raised = [(f"id{n}", by) for n, (_, _, by) in enumerate(numbers)]
    connection = opened(rows)
    write = Add(things, ("id",), ("number",), (("number", "most"),), raised)
    fit = [most is None or now + by <= most for now, most, by in numbers]
    assert run(connection, sqlite_writes.add(write)) == sum(fit)
    found = dict(connection.execute("SELECT id, number FROM things").fetchall())
    assert found == {
        f"id{n}": now + by if fits else now
        for n, ((now, _, by), fits) in enumerate(zip(numbers, fit, strict=True))
    }


@given(rows_of(12), st.sets(st.integers(0, 11)))
def test_a_check_counts_the_rows_that_are_as_they_were_seen(
    rows: list[Row], outdated: set[int]
) -> None:
    seen = [
        (row[0], "other" if n in outdated else row[2], row[5])
        for n, row in enumerate(rows)
        if row[2] != "other"
    ]
    write = Check(things, ("id",), ("kind", "flag"), seen)
    sql, runs = sqlite_writes.check(write)
    connection = opened(rows)
    counted = sum(connection.execute(sql, each).fetchone()[0] for each in runs)
    with one_by_one():
        sql, runs = sqlite_writes.check(write)
    assert counted == sum(connection.execute(sql, each).fetchone()[0] for each in runs)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\\u0000"])
def test_a_text_is_kept_whole_whatever_is_in_it(text: str) -> None:
    rows = [(f"{n}{text}", None, text, n, None, None, None) for n in range(12)]
    connection = opened()
    run(connection, sqlite_writes.insert(Insert(things, COLUMNS, rows)))
    kept = connection.execute("SELECT kind, length(CAST(kind AS BLOB)) FROM things").fetchall()
    assert set(kept) == {(text, len(text))}


def test_many_rows_are_one_statement_that_is_run_once() -> None:
    ids = [UUID(int=n) for n in range(12)]
    rows = [(str(n), ids[n], "post", n, None, True, bytes([n]) * 16) for n in range(12)]
    _, runs = sqlite_writes.insert(Insert(things, COLUMNS, rows))
    assert len(runs) == 1
    _, runs = sqlite_writes.insert(Insert(things, COLUMNS, rows[:2]))
    assert runs == [(*row[:1], row[1].hex, *row[2:]) for row in rows[:2]]


def test_rows_are_found_by_their_key_and_never_by_reading_all_of_them() -> None:
    """The planner knows nothing of how many rows there are in JSON."""
    rows = [(str(n), None, "post", n, None, None, None) for n in range(12)]
    connection = opened(rows)
    keys = [(str(n), n) for n in range(12)]
    for sql, runs in (
        sqlite_writes.change(Change(things, ("id",), ("number",), keys), checked=True),
        sqlite_writes.add(Add(things, ("id",), ("number",), (), keys)),
        sqlite_writes.check(Check(things, ("id",), ("number",), keys)),
    ):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", runs[0]).fetchall()
        steps = [row[3] for row in plan]
        assert any(step.startswith("SEARCH things USING") for step in steps), steps
        assert not any(step.startswith("SCAN things") for step in steps), steps

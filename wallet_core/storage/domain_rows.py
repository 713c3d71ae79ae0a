"""Domain rows: the declared changes of commits, evaluated in memory like the books.

`DomainRows` is a working copy of the rows that a batch changes. Each commit's changes are applied
to it, all or none, and what came of them is written set by set; so one commit that is refused takes
nothing of its neighbours with it, and a row that a hundred commits change is written once.

Whether a new row's key is taken is not looked up before: it hardly ever is. When the database
says so, the batch is done again with `careful`, which looks first.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from operator import add, itemgetter
from typing import Any

import sqlalchemy as sa

from wallet_core.errors import Refused
from wallet_core.ledger import commits as c
from wallet_core.storage import requests as q
from wallet_core.storage.database import metadata

Key = tuple[Any, ...]
Place = tuple[str, Key]
Values = dict[str, Any]
Undo = Callable[[], object]
#: A table, the columns that are added to, and within what they must keep.
_Sum = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


class DomainRows:
    """The working copy of the rows that `changes` name.

    Without `load` no row is known that was not made here. Then changes may only be sums (`is_sum`)
    besides: they are taken to be possible, and it is the database that says whether they are.
    """

    def __init__(self, changes: Sequence[c.RowChange], *, careful: bool) -> None:
        self._changes = changes
        self._careful = careful
        self._columns: dict[str, set[str]] = defaultdict(set)
        self._rows: dict[Place, Values | None] = {}
        # The rows as they were read, by table: the columns, and each row's values.
        self._read: dict[str, tuple[str, ...]] = {}
        self._before: dict[Place, q.Row] = {}
        self._taken: dict[tuple[str, tuple[str, ...]], set[Key]] = defaultdict(set)
        self._new: dict[Place, c.Insert] = {}
        self._keyless: list[tuple[str, Values]] = []
        self._changed: dict[Place, set[str]] = {}
        self._loaded = False
        # What is added to rows that nobody has read, by table, columns and bounds.
        self._sums: dict[_Sum, dict[Key, Sequence[int]]] = defaultdict(dict)

    def load(self) -> Generator[q.Request, Any, None]:
        """Read and lock the rows that will be changed, table by table in one order everywhere."""
        self._loaded = True
        wanted: dict[str, set[Key]] = defaultdict(set)
        for change in self._changes:
            if isinstance(change, c.Update):
                columns = self._columns[change.table]
                columns.update(change.where, change.values, change.add)
                columns.update(bound for _, bound in change.keep_within)
                wanted[change.table].add(key_of(change.table, change.where))
        for name in sorted(wanted):
            table, by = metadata.tables[name], primary_key(name)
            seen = self._read[name] = tuple(sorted(self._columns[name].difference(by)))
            wide = (*by, *seen)
            keys = tuple(zip(*sorted(wanted[name]), strict=True))
            found = yield q.Ask(q.fetch(table, wide, by, lock=True), keys)
            for row in found:
                place = (name, tuple(row[: len(by)]))
                self._rows[place] = dict(zip(wide, row, strict=True))
                self._before[place] = row[len(by) :]
        if self._careful:
            yield from self._look_for_taken_keys()

    def _look_for_taken_keys(self) -> Generator[q.Request, Any, None]:
        asked: dict[tuple[str, tuple[str, ...]], set[Key]] = defaultdict(set)
        for change in self._changes:
            for unique in unique_keys(change.table):
                key = _values_of(change.values, unique)
                if key is not None:
                    asked[change.table, unique].add(key)
        for (name, unique), values in sorted(asked.items(), key=lambda item: item[0]):
            keys = tuple(zip(*values, strict=True))
            found = yield q.Ask(q.fetch(metadata.tables[name], unique, unique), keys)
            self._taken[name, unique].update(tuple(row) for row in found)

    def apply(self, changes: Sequence[c.RowChange]) -> None:
        """Evaluate one commit's changes; raises `Refused` with all as it was."""
        undo: list[Undo] = []
        try:
            for change in changes:
                match change:
                    case c.Insert():
                        self._insert(change, undo)
                    case c.Update():
                        self._update(change, undo)
        except Refused:
            for step in reversed(undo):
                step()
            raise

    def _insert(self, change: c.Insert, undo: list[Undo]) -> None:
        name, values = change.table, change.values
        own_key: Key | None = None
        free: list[tuple[set[Key], Key]] = []
        for unique, is_primary in _keys_of(name):
            key = _values_of(values, unique)
            if key is None:
                continue
            taken = self._taken[name, unique]
            if is_primary:
                own_key = key
            if key in taken or (is_primary and self._rows.get((name, key)) is not None):
                if change.if_absent:
                    return
                raise Refused(change.refusal, f"{name}: {dict(zip(unique, key, strict=True))}")
            free.append((taken, key))
        for taken, key in free:
            taken.add(key)
        if own_key is None:
            self._keyless.append((name, dict(values)))
            undo.append(partial(self._take_back, free, None))
            return
        place = (name, own_key)
        self._rows[place], self._new[place] = dict(values), change
        undo.append(partial(self._take_back, free, place))

    def _take_back(self, keys: Sequence[tuple[set[Key], Key]], place: Place | None) -> None:
        """Forget the newest row that was made, which took these keys; None: it has no own key."""
        for taken, key in keys:
            taken.discard(key)
        if place is None:
            self._keyless.pop()
        else:
            del self._rows[place], self._new[place]

    def _update(self, change: c.Update, undo: list[Undo]) -> None:
        place = (change.table, key_of(change.table, change.where))
        row = self._rows.get(place)
        if row is None and not self._loaded:
            self._sum_up(change, place[1], undo)
            return
        if row is None or any(row.get(name) != value for name, value in change.where.items()):
            raise Refused(change.refusal, f"{change.table}: {dict(change.where)}")
        after = {**change.values, **{name: row[name] + by for name, by in change.add.items()}}
        for name, bound in change.keep_within:
            most = after.get(bound, row.get(bound))
            if most is not None and after.get(name, row.get(name)) > most:
                raise Refused(change.refusal, f"{change.table}.{name} would pass {bound}")
        self._check_unique(change, row)
        before = {name: row.get(name) for name in after}
        row.update(after)
        known = self._changed.get(place)
        self._changed[place] = {*(known or ()), *after}

        def take_back() -> None:
            row.update(before)
            if known is None:
                del self._changed[place]
            else:
                self._changed[place] = known

        undo.append(take_back)

    def _sum_up(self, change: c.Update, key: Key, undo: list[Undo]) -> None:
        """Add to a row that nobody has read."""
        columns = tuple(change.add)
        sums = self._sums[change.table, columns, change.keep_within]
        before = sums.get(key)
        added = tuple(change.add.values())
        sums[key] = added if before is None else tuple(map(add, before, added))
        undo.append(
            partial(sums.pop, key) if before is None else partial(sums.update, {key: before})
        )

    def _check_unique(self, change: c.Update, row: Mapping[str, Any]) -> None:
        for unique in unique_keys(change.table):
            key = _values_of(change.values, unique)
            if key is None or key == tuple(row.get(name) for name in unique):
                continue
            if key in self._taken[change.table, unique]:
                raise Refused(change.refusal, f"{change.table}: {key} is taken")

    def writes(self) -> tuple[list[q.Insert], list[q.Add | q.Change]]:
        """What came of all that was applied: new rows, and changed ones."""
        return self._inserted(), [*self._updated(), *self._added()]

    def _inserted(self) -> list[q.Insert]:
        alike: dict[tuple[str, bool, tuple[str, ...]], list[Values]] = defaultdict(list)
        for place, change in self._new.items():
            values = self._rows[place] or {}
            alike[place[0], change.if_absent, tuple(values)].append(values)
        for name, values in self._keyless:
            alike[name, False, tuple(values)].append(values)
        inserts: dict[tuple[str, tuple[str, ...], bool], list[q.Row]] = defaultdict(list)
        for (name, if_absent, names), rows in alike.items():
            columns, in_order = _in_order(names)
            inserts[name, columns, if_absent] += map(in_order, rows)
        order = _table_order()
        new = sorted(inserts.items(), key=lambda item: order[item[0][0]])
        return [
            q.Insert(metadata.tables[name], columns, in_columns, if_absent)
            for (name, columns, if_absent), in_columns in new
        ]

    def _updated(self) -> Iterable[q.Change]:
        updates: dict[tuple[str, tuple[str, ...]], list[q.Row]] = defaultdict(list)
        for place, names in sorted(self._changed.items(), key=lambda item: repr(item[0])):
            if place not in self._new:
                columns, row = tuple(sorted(names)), self._rows[place] or {}
                changed = [row[n] for n in columns]
                updates[place[0], columns].append([*place[1], *self._before[place], *changed])
        for (name, columns), rows in updates.items():
            seen = self._read[name]
            yield q.Change(metadata.tables[name], primary_key(name), columns, rows, seen=seen)

    def _added(self) -> Iterable[q.Add]:
        for (name, columns, within), sums in sorted(self._sums.items()):
            if sums:
                rows = [(*key, *sums[key]) for key in sorted(sums)]
                yield q.Add(metadata.tables[name], primary_key(name), columns, within, rows)


def is_sum(change: c.RowChange) -> bool:
    """Whether a change only adds to numbers of a row, whatever else stands in it."""
    return (
        type(change) is c.Update
        and bool(change.add)
        and not change.values
        and len(change.where) == len(primary_key(change.table))
        and all(name in change.add and most not in change.add for name, most in change.keep_within)
    )


@lru_cache(maxsize=200)
def _in_order(names: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[Values], q.Row]]:
    """The names of a row's columns in one order, and what puts its values into it."""
    columns = tuple(sorted(names))
    if len(columns) == 1:
        return columns, lambda values: (values[columns[0]],)
    return columns, itemgetter(*columns)


@lru_cache(maxsize=200)
def primary_key(table: str) -> tuple[str, ...]:
    """The columns of a table's primary key."""
    return tuple(column.name for column in metadata.tables[table].primary_key.columns)


@lru_cache(maxsize=200)
def unique_keys(table: str) -> tuple[tuple[str, ...], ...]:
    """The columns of each key that only one row of the table can have."""
    found = metadata.tables[table]
    uniques = {primary_key(table)}
    for constraint in found.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            uniques.add(tuple(column.name for column in constraint.columns))
    uniques.update(
        tuple(column.name for column in index.columns) for index in found.indexes if index.unique
    )
    return tuple(sorted(uniques))


@lru_cache(maxsize=1)
def _table_order() -> dict[str, int]:
    return {table.name: n for n, table in enumerate(metadata.sorted_tables)}


@lru_cache(maxsize=200)
def _keys_of(table: str) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """`unique_keys`, each with whether it is the primary key."""
    primary = primary_key(table)
    return tuple((unique, unique == primary) for unique in unique_keys(table))


def _values_of(values: Mapping[str, Any], names: Iterable[str]) -> Key | None:
    """The values of a key; None where one of them is missing or null, so that it is unique."""
    key = tuple(map(values.get, names))
    return None if None in key else key


def key_of(table: str, where: Mapping[str, Any]) -> Key:
    """The key of the row that a change names; raises ValueError where it names none."""
    key = _values_of(where, primary_key(table))
    if key is None:
        raise ValueError(f"a change of {table} names its row by {primary_key(table)}")
    return key

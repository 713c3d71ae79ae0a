"""Rows that an audit looks at together, such as a row beside each entry of its transfer."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from wallet_core.audit.findings import Reckoning
from wallet_core.audit.trade_rows import Moved

R = TypeVar("R", bound=msgspec.Struct)


class GroupCheck(ABC, Generic[R]):
    """A `Check` of rows that come in groups, all of a group together."""

    def __init__(self) -> None:
        self._group: list[R] = []

    def see(self, row: R) -> None:
        """Look at the next row. Raises `BrokenBooks`."""
        if self._group and self._key(self._group[0]) != self._key(row):
            self.end()
        self._group.append(row)

    def end(self) -> None:
        """Look at the rows gathered so far as a whole. Raises `BrokenBooks`."""
        group, self._group = self._group, []
        if not group:
            return
        with Reckoning(group[0]):
            self._check(group)

    @abstractmethod
    def _key(self, row: R) -> Hashable:
        """What is the same for all rows of a group."""

    @abstractmethod
    def _check(self, group: Sequence[R]) -> None:
        """Look at a group. Raises `BrokenBooks`."""


def legs_of(lines: Iterable[Moved]) -> Mapping[UUID, Mapping[str, int]]:
    """By transfer and account: what was moved."""
    legs: dict[UUID, dict[str, int]] = defaultdict(dict)
    for line in lines:
        if line.transfer_id is not None:
            moved = legs[line.transfer_id]
            if line.account_id is not None:
                moved[line.account_id] = moved.get(line.account_id, 0) + (line.moved_minor or 0)
    return legs

"""What taking over a reading would change: pure functions, and the tally that people see."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from wallet_core.commerce.catalogue import CatalogueItem, ListedItem
from wallet_core.money import Money

#: Changes of each kind that are shown one by one.
SHOWN_MAX = 5
_TITLE_CHARS = 60
#: A source that lists fewer is too small for what is usual.
_FEW = 10
#: How many of what was listed may go, and how many prices may leap, without a word of the owner.
_GONE_SHARE_MAX = 0.5
_LEAPS_SHARE_MAX = 0.2
_LEAP = 3


class Kind(StrEnum):
    """How an item differs."""

    ADDED = "added"
    CHANGED = "changed"
    GONE = "gone"


class Difference(msgspec.Struct, frozen=True):
    """One item as it is listed and as it was read; one of both may be missing."""

    kind: Kind
    old: CatalogueItem | None
    new: CatalogueItem | None


def differences(
    listed: Mapping[str, ListedItem], read: Mapping[str, CatalogueItem]
) -> Iterator[Difference]:
    """What differs between what is listed and what was read, in the order of the keys.

    What is listed no more and was read again is added.
    """
    for key in sorted({*listed, *read}):
        old, new = listed.get(key), read.get(key)
        if new is None:
            if old is not None and old.listed:
                yield Difference(Kind.GONE, old.item, None)
        elif old is None or not old.listed:
            yield Difference(Kind.ADDED, None, new)
        elif old.item != new:
            yield Difference(Kind.CHANGED, old.item, new)


@dataclass
class Tally:
    """Differences counted, with the first few of each kind in words. `now_us` decides on sales."""

    now_us: int
    counts: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[str]] = field(default_factory=dict)
    leaps: int = 0

    def add(self, difference: Difference) -> None:
        """Count one."""
        self.counts[difference.kind] += 1
        lines = self.shown.setdefault(difference.kind, [])
        if len(lines) < SHOWN_MAX:
            lines.append(_words(difference, self.now_us))
        self.leaps += _leaps(difference, self.now_us)

    @property
    def total(self) -> int:
        """How many items differ."""
        return sum(self.counts.values())

    def doubt(self, listed: int) -> str | None:
        """Why this is not taken over without a word of the owner; None where it may be.

        `listed` is how many items were listed before.
        """
        if listed < _FEW:
            return None
        gone = self.counts[Kind.GONE]
        if gone > listed * _GONE_SHARE_MAX:
            return f"It has lost {gone} of {listed} products."
        if self.leaps > listed * _LEAPS_SHARE_MAX:
            return f"{self.leaps} of {listed} prices have leapt to three times, or to a third."
        return None


def _words(difference: Difference, now_us: int) -> str:
    old, new = difference.old, difference.new
    if old is not None and new is not None:
        before, after = _price(old, now_us), _price(new, now_us)
        parts = [f"{before} → {after}"] if before != after else []
        if old.availability != new.availability:
            parts.append(f"{old.availability or 'unknown'} → {new.availability or 'unknown'}")
        if old.full_title != new.full_title:
            parts.append(f"was “{old.full_title[:_TITLE_CHARS]}”")
        if old.url != new.url:
            parts.append("has another address")
        return f"{_title(new)}: {', '.join(parts) or 'details'}"
    item = new or old
    assert item is not None  # noqa: S101 - a difference has one side at least
    return f"{_title(item)}: {_price(item, now_us)}"


def _title(item: CatalogueItem) -> str:
    return item.full_title[:_TITLE_CHARS]


def _price(item: CatalogueItem, now_us: int) -> str:
    return Money(item.price_minor_at(now_us), item.currency).format()


def _leaps(difference: Difference, now_us: int) -> bool:
    old, new = difference.old, difference.new
    if old is None or new is None:
        return False
    if old.currency != new.currency:
        return True
    before, after = old.price_minor_at(now_us), new.price_minor_at(now_us)
    return after >= before * _LEAP or before >= after * _LEAP

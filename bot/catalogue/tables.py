"""Tables as files: a head that names the columns, then a product a row."""

import csv
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from bot.catalogue.record import Problem, UnreadableCatalogue
from bot.catalogue.texts import lines

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_COLUMNS_MAX = 300
_ONCE = frozenset({"sale_price", "currency", "availability"})


def rows(
    file: BinaryIO, separators: str, needed: frozenset[str], charset: str | None = None
) -> Iterator[tuple[int, Mapping[str, str]] | Problem]:
    """Each row with its line, by the columns' names in lower case with `_` for blanks.

    What prices and stock are read from may be named once only, for which column counts is not to be
    guessed. The separator is whichever of `separators` stands in the head most often. Raises
    `UnreadableCatalogue` for a head without the columns that are `needed`, and where a quotation
    mark is never closed.
    """
    text = lines(file, charset)
    # Never more than a field's limit is read on for a head.
    head = next(text, "")
    separator = max(separators, key=head.count)
    reader = csv.reader(_with_first(head, text), delimiter=separator)
    try:
        names = [_column(name) for name in next(reader, [])][:_COLUMNS_MAX]
        missing = sorted(needed.difference(names))
        if missing:
            raise UnreadableCatalogue(f"The first line names no column {', '.join(missing)}.")
        twice = sorted(name for name in needed | _ONCE if names.count(name) > 1)
        if twice:
            raise UnreadableCatalogue(f"The first line names twice: {', '.join(twice)}.")
        yield from _rows(reader, names, separator)
    except csv.Error as error:
        raise UnreadableCatalogue(
            f"Line {reader.line_num}: the table cannot be read there ({error}); "
            "perhaps a quotation mark is never closed."
        ) from None


def _rows(
    reader: "CsvReader", names: list[str], separator: str
) -> Iterator[tuple[int, Mapping[str, str]] | Problem]:
    over = reader.line_num

    def swallows(cell: str) -> bool:
        """Whether it holds a part of the next row, whose link stands in a column of its own."""
        return "\n" in cell and (f"{separator}http" in cell or f'{separator}"http' in cell)

    for cells in reader:
        began, over = over + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            text = f"it has {len(cells)} columns and the first line {len(names)}"
            yield Problem(reader.line_num, f"{text}; a value with a separator needs quotes")
            continue
        if any(map(swallows, cells)):
            text = f"a quotation mark that opens there is closed in line {reader.line_num} only"
            yield Problem(began, f"{text}; within a value it is written twice")
            continue
        yield reader.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=False))


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _column(name: str) -> str:
    plain = name.strip().strip("\ufeff").lower().removeprefix("g:")
    return "_".join(plain.split())

"""A Google merchant feed as text: attributes' names in the first line, separated by tabs."""

from collections.abc import Iterator
from typing import BinaryIO

from bot.catalogue.google import google_item
from bot.catalogue.record import Found, Problem
from bot.catalogue.tables import rows

_NEEDED = frozenset({"id", "title", "link", "price"})


def read_google_tsv(
    file: BinaryIO, hosts: frozenset[str], charset: str | None = None
) -> Iterator[Found]:
    """The feed's items, as they come. Raises `UnreadableCatalogue`."""
    for row in rows(file, "\t", _NEEDED, charset):
        yield row if isinstance(row, Problem) else google_item(row[1], row[0], hosts)

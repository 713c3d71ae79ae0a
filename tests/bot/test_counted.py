"""Numbers of things in words."""

import pytest

from bot.counted import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 orders"), (1, "1 order"), (2, "2 orders"), (1200, "1,200 orders")]
)
def test_one_thing_is_told_from_several(count: int, words: str) -> None:
    assert counted(count, "order") == words


def test_a_plural_of_its_own_is_used() -> None:
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]

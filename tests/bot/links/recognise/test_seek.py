"""Words are found where Python's own search finds them."""

from hypothesis import example, given
from hypothesis import strategies as st

from bot.links.recognise.seek import find, rfind

PAGES = st.lists(st.sampled_from([b"<", b"/", b"a", b"A", b"sc", b"\xc3\xa9"]), max_size=80)
WORDS = st.lists(st.sampled_from([b"<", b"/", b"a", b"sc", b"\xa9"]), min_size=1, max_size=4)
PLACES = st.integers(min_value=-100, max_value=200)


@given(PAGES.map(b"".join), WORDS.map(b"".join), PLACES, PLACES)
@example(b"", b"+", 14, -4)
@example(b"a" * 500 + b"<" + b"a" * 500, b"<", 0, 1001)
def test_a_word_is_found_where_python_finds_it(
    page: bytes, word: bytes, start: int, stop: int
) -> None:
    assert find(page, word) == page.find(word)
    assert find(page, word, start) == page.find(word, start)
    assert find(page, word, start, stop) == page.find(word, start, stop)
    assert rfind(page, word) == page.rfind(word)
    assert rfind(page, word, start) == page.rfind(word, start)
    assert rfind(page, word, start, stop) == page.rfind(word, start, stop)


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=40))
def test_any_bytes_may_stand_in_a_page(page: bytes, word: bytes) -> None:
    assert find(page, word) == page.find(word)
    assert find(page + word + page, word) == (page + word + page).find(word)
    assert rfind(page + word + page, word) == (page + word + page).rfind(word)

"""Building a page's tree costs little, whatever the page is made of."""

import pytest

from bot.links.recognise.recogniser import PageReader
from bot.links.recognise.tree import page_tree

#: Elements of a tree of which nobody has to be afraid.
ELEMENTS_MAX = 300_000


def unclosed(count: int, tag: str, behind: str = "") -> bytes:
    """Elements that are opened anew in each of as many paragraphs."""
    opened = "".join(f"<{tag} a={n}>{behind}" for n in range(count))
    return f"<h1>Tea</h1><p>{opened}</p>{'<p>x</p>' * count}<p>the end</p>".encode()


@pytest.mark.parametrize("tag", ["b", "B", "i", "font", "STRONG", "code", "s", "small", "b/"])
@pytest.mark.parametrize("count", [300, 1_000, 3_000])
def test_elements_that_nothing_closes_do_not_fill_memory(tag: str, count: int) -> None:
    tree = page_tree(unclosed(count, tag))
    assert len(tree.css("*")) < ELEMENTS_MAX
    assert "the end" in tree.text()


def test_elements_whose_end_does_not_count_do_not_fill_memory_either() -> None:
    page = unclosed(2_000, "b", "<object></b></object>")
    assert len(page_tree(page).css("*")) < ELEMENTS_MAX


def test_a_page_of_one_tag_with_all_it_can_hold_is_read() -> None:
    attributes = " ".join(f"a{n}=1" for n in range(5_000))
    assert page_tree(f"<div {attributes}><p>the end".encode()).text() == "the end"


def test_ordinary_pages_keep_the_names_of_their_elements() -> None:
    page = b"<p><b class=x>Tea</b> <s>9.00</s> <strong>8.00</strong></p>" * 50
    tree = page_tree(page)
    assert [len(tree.css(name)) for name in ("b", "s", "strong")] == [50, 50, 50]


def test_what_is_struck_out_is_known_as_such_in_a_page_with_very_many_marks() -> None:
    icons = "".join(f"<i class=icon-{n}></i><br>" for n in range(600))
    page = (
        f"<html lang=en><title>Tea</title><h1>Tea</h1>{icons}<div class=product>"
        "<s class=price>€12.00</s> <span class=price>€9.00</span>"
        "<button>Add to cart</button></div>"
    )
    sighting = PageReader(page.encode(), "https://shop.example/tea").sighting()
    assert (sighting.price_minor, sighting.currency) == (900, "EUR")

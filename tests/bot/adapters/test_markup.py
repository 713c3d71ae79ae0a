"""Strangers' HTML, told as browsers tell it, and soon."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from bot.adapters.markup import End, Start, pieces, text_of

UNITS = ("<a ", "<a", "<", "</a ", "</", "<!--", "<!", "<?", "<a href='", '<a href="', "<a a=", '"',
         '<a b"', "<span class=x>", "&", "&#", "<script>", "</script", "<a>", "<a\n", "/", "= ",
         "<a / ", "'\"", "<![CDATA[")  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ('<a HREF="x">b</A>', [Start("a", {"href": "x"}), "b", End("a")]),
        ("<a / href = 'q' href=z>t", [Start("a", {"href": "q"}), "t"]),
        ("<a href='a>b'c=d>x", [Start("a", {"href": "a>b", "c": "d"}), "x"]),
        ('<a b="x""y">z', [Start("a", {"b": "x", '"y"': ""}), "z"]),
        ("<a href= >x", [Start("a", {"href": ""}), "x"]),
        ("a < b &lt;i&gt;", ["a ", "<", " b <i>"]),
        ("<br/>x</ y>", [Start("br", {}), "x"]),
        ("<!doctype x>y<?php z ?>", ["y"]),
        ("<!-->x<!--a--b-->y<!--z", ["x", "y"]),
        ("x<script><a href=y></SCRIPT >z", ["x", Start("script", {}), End("script"), "z"]),
        ('x<a href="y>z', ["x"]),
        ("x<a href=y", ["x"]),
    ],
)
def test_tags_and_words_are_told_in_their_order(markup: str, told: list[object]) -> None:
    assert list(pieces(markup)) == told


PARTS = ("<a href=", "x", '"', "'", ">", "</a>", " ", "=", "/", "<b>", "&amp;", "<!--", "-->", "é",
         "<")  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_anchors_are_those_that_a_browser_sees(parts: list[str]) -> None:
    markup = "".join(parts)
    seen = LexborHTMLParser(f"<body>{markup}").css("a")
    ours = [each for each in pieces(markup) if isinstance(each, Start) and each.name == "a"]
    # The parser gives None for a value that is empty.
    theirs = [{name: value or "" for name, value in each.attributes.items()} for each in seen]
    assert [each.attributes.get("href") for each in ours] == [one.get("href") for one in theirs]


def test_markup_made_to_be_slow_is_done_with_soon() -> None:
    began = time.process_time()
    for unit in UNITS:
        for _ in pieces((unit * 70_000)[:70_000]):
            pass
    assert time.process_time() - began < 10


def test_any_mixture_ends_soon_and_loses_no_plain_words() -> None:
    drawn = random.Random(7)
    began = time.process_time()
    for _ in range(20):
        text_of("".join(drawn.choices(UNITS, k=10_000)))
    assert time.process_time() - began < 10
    assert text_of("just words & more") == "just words & more"

"""What is told apart without a tree, held against a browser's tree builder."""

from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from bot.links.recognise.blocks import json_ld_blocks
from bot.links.recognise.markup import Markup
from bot.links.recognise.stretches import Stretches

BOUNDED = settings(max_examples=300, deadline=10_000)
#: Whole pieces of a body, each with what people see of it.
PIECES = st.lists(
    st.sampled_from(
        [
            ("<p>tea</p>", "tea"),
            ("<!-- <p>gone</p> -->", ""),
            ("<!-->seen", "seen"),
            ("<!-- <script> -->behind", "behind"),
            ("<!-- <script>gone</script> <p>gone</p> -->", ""),
            ("<script><!-- gone --></script>", ""),
            ("<style>a { content: '</script>' }</style>", ""),
            ("<script>var a = '<h1>no</h1> <!--x-->';</script>", ""),
            ("<SCRIPT>'<div>'</SCRIPT>loud", "loud"),
            ('<script src="/x.js"></script >after', "after"),
            ("<style>p { content: '<h1>no</h1>'; }</style>styled", "styled"),
            ("<STYLE>a</STYLE>", ""),
            ("<h1>Green tea</h1>", "Green tea"),
            ("<H1 class=x>Black <b>tea</b></H1>", "Black tea"),
            ("<h10>not one</h10>", "not one"),
            ("x " * 40, "x " * 40),
            ('<script type="application/json">{"a": "<p>"}</script>', ""),
        ]
    ),
    max_size=12,
)


def text_of(html: bytes) -> str:
    """What a tree holds as text, without its blanks."""
    body = LexborHTMLParser(html).body
    return "" if body is None else "".join(body.text().split())


@BOUNDED
@given(PIECES)
def test_what_is_seen_is_all_but_scripts_styles_and_comments(
    pieces: list[tuple[str, str]],
) -> None:
    page = "".join(markup for markup, _ in pieces).encode()
    seen = Stretches(page).seen(0, len(page))
    for hidden in (b"<!-", b"script", b"SCRIPT", b"style>", b"STYLE", b"no</h1>", b"gone"):
        assert hidden not in seen
    assert text_of(b"<body>" + seen) == "".join("".join(text for _, text in pieces).split())


@BOUNDED
@given(PIECES, st.lists(st.integers(0, 1500), min_size=1, max_size=8))
def test_it_does_not_matter_in_which_order_places_are_asked_about(
    pieces: list[tuple[str, str]], places: list[int]
) -> None:
    page = "".join(markup for markup, _ in pieces).encode()
    whole = Stretches(page)
    whole.seen(0, len(page))
    asked = Stretches(page)
    for place in places:
        assert asked.is_seen(place) == whole.is_seen(place)
        assert asked.script_around(place) == whole.script_around(place)
        assert asked.seen(place // 2, place) == whole.seen(place // 2, place)
    assert list(asked.headings()) == list(whole.headings())


@BOUNDED
@given(PIECES, st.lists(st.integers(0, 1500), min_size=1, max_size=8))
def test_what_is_far_away_is_seen_the_same_without_all_that_lies_before_it(
    pieces: list[tuple[str, str]], places: list[int]
) -> None:
    page = "".join(markup for markup, _ in pieces).encode()
    whole, asked = Stretches(page), Stretches(page, far_bytes=0)
    # Whoever asks begins at a tag, never inside of the mark that begins a comment.
    places = [place for place in places if page[place : place + 1] not in b"!-"]
    for place in places:
        assert asked.seen_far(place, place + 200) == whole.seen(place, place + 200)
    assert asked.seen(0, len(page)) == whole.seen(0, len(page))
    assert list(asked.headings()) == list(whole.headings())
    for place in places:
        assert asked.script_around(place) == whole.script_around(place)


@BOUNDED
@given(PIECES)
def test_the_first_heading_is_the_trees(pieces: list[tuple[str, str]]) -> None:
    page = "".join(markup for markup, _ in pieces).encode()
    first = LexborHTMLParser(page).css_first("h1")
    wanted = " ".join(first.text(separator=" ").split()) if first is not None else ""
    assert Markup(page).heading == wanted


BLOCKS = st.lists(
    st.sampled_from(
        [
            '<script type="application/ld+json">{"a": 1}</script>',
            "<script type=application/ld+json>{}</script>",
            "<script data-x type='application/ld+json' async>[1, 2]</script>",
            '<SCRIPT TYPE="APPLICATION/LD+JSON">{"loud": true}</SCRIPT>',
            '<!-- <script type="application/ld+json">{"gone": 1}</script> -->',
            "<script>var t = '<script type=\"application/ld+json\">{}';</script>",
            "<script>if (a < b) { x = '<!--'; }</script>",
            "<p>application/ld+json + more</p>",
            '<link type="application/ld+json" href="/x">',
            "<p>1+1+json</p>",
            "<style>a + b { color: red }</style>",
            '<script type="application/json">{"b": 2}</script>',
        ]
    ),
    max_size=10,
)


@BOUNDED
@given(BLOCKS)
def test_json_ld_is_cut_out_as_a_tree_would(pieces: list[str]) -> None:
    page = "".join(pieces).encode()
    wanted = [
        script.text().encode()
        for script in LexborHTMLParser(page).css("script")
        if (script.attributes.get("type") or "").lower() == "application/ld+json"
    ]
    assert list(json_ld_blocks(page)) == wanted


def test_a_page_full_of_the_rare_byte_is_searched_all_the_same() -> None:
    block = b'<script type="application/ld+json">{"a": 1}</script>'
    assert list(json_ld_blocks(b"+" * 9000 + block)) == [b'{"a": 1}']


def test_a_long_head_is_read_to_its_end() -> None:
    style = "<style>" + "a { color: red } " * 30_000 + "</style>"
    page = f'<head>{style}<title>Tea</title><meta property="og:title" content="Green"></head>'
    markup = Markup(page.encode())
    assert (markup.title, markup.metas) == ("Tea", (("og:title", "Green"),))


def test_a_head_that_ends_too_early_does_not_end() -> None:
    page = "<head><meta name=x></head><body><title>Tea</title><meta name=description content=y>"
    markup = Markup(page.encode())
    assert (markup.title, markup.metas) == ("Tea", (("description", "y"),))

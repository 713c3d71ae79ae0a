"""What is taken out of a message, also out of one made to confuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.matrix.reading import is_event_id, marked_links, own_words, reaction_key
from bot.adapters.matrix.wire import InReplyTo, MessageContent, RelatesTo
from bot.events import MarkedLink

HTML = "org.matrix.custom.html"


def formatted(markup: str) -> MessageContent:
    return MessageContent(body="x", format=HTML, formatted_body=markup)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("\N{EYES}", "\N{EYES}"),
        ("\u2764\ufe0f", "\u2764"),
        ("\N{THUMBS UP SIGN}\U0001f3ff", "\N{THUMBS UP SIGN}"),
        ("pay", "pay"),
    ],
)
def test_variants_of_an_emoji_mean_the_same(key: str, meant: str) -> None:
    assert reaction_key(key) == meant


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("> <@a:b> quoted\n> more\n\nown\n> own too", "own\n> own too"),
        ("> <@a:b> quoted\nown", "own"),
        ("> <@a:b> only quoted", ""),
        ("no quotation", "no quotation"),
        ("> a quotation of one's own", "> a quotation of one's own"),
    ],
)
def test_the_quotation_of_a_reply_is_no_word_of_the_writer(body: str, words: str) -> None:
    reply = RelatesTo(in_reply_to=InReplyTo("$a"))
    assert own_words(MessageContent(body=body, relates_to=reply)) == words
    assert own_words(MessageContent(body=body)) == body


@pytest.mark.parametrize(
    ("markup", "links"),
    [
        ('<a href="https://a.example/">shoes</a>', [("https://a.example/", "shoes")]),
        ("<A HREF=HTTP://a.example/?x=1&amp;y>a<br>b</A>", [("HTTP://a.example/?x=1&y", "ab")]),
        ('<a href="https://a.example/">open', [("https://a.example/", "open")]),
        (
            '<a href="https://a.example/">one<a href="https://b.example/">two</a>',
            [("https://a.example/", "one"), ("https://b.example/", "two")],
        ),
        ('<mx-reply><a href="https://a.example/">x</a></mx-reply>', []),
        ('<a href="https://matrix.to/#/@ann:b.example">Ann</a>', []),
        ('<a href="https://matrix.to.example/">x</a>', [("https://matrix.to.example/", "x")]),
        ('<a href="javascript:x">x</a><a>y</a><a href="/z">z</a>', []),
        ("<![x[ <a href=https://a.example/>x</a>", []),
    ],
)
def test_marked_links(markup: str, links: list[tuple[str, str]]) -> None:
    assert marked_links(formatted(markup)) == tuple(MarkedLink(*link) for link in links)


def test_only_html_has_marked_links() -> None:
    markup = '<a href="https://a.example/">shoes</a>'
    assert marked_links(MessageContent(body="x", format="other", formatted_body=markup)) == ()


@given(st.text(alphabet=st.sampled_from("<>a/!-[]=\"'& hrefmx:.?é"), max_size=60))
def test_no_markup_breaks_the_reading(markup: str) -> None:
    marked_links(formatted(markup))


@pytest.mark.parametrize("text", ["", "$", "..", "$a b", "$a\0", "$\u00e9", "$" + "a" * 255, "a$b"])
def test_what_is_no_event_id_is_not_asked_for(text: str) -> None:
    assert not is_event_id(text)


def test_event_ids_of_all_room_versions() -> None:
    assert is_event_id("$143273582443PhrSn:example.org")
    assert is_event_id("$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk")

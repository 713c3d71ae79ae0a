"""Cards as Telegram shows them, at and over its limits."""

import pytest

from bot.adapters.telegram.rendering import (
    CAPTION_UNITS_MAX,
    TEXT_UNITS_MAX,
    cut,
    keyboard,
    preview,
    shown,
    toast,
    utf16_length,
    utf16_slice,
)
from bot.cards import Button, Card, Line, Role, Style


def test_offsets_count_what_telegram_counts() -> None:
    card = Card(
        title="𝒯ea 👩‍👩‍👧",
        link_url="https://shop.example/tea",
        lines=(Line("¥5.00", Role.PRICE), Line("plain"), Line("soon", Role.HINT)),
    )
    made = shown(card)
    marked = [(e["type"], utf16_slice(made.text, e["offset"], e["length"])) for e in made.entities]
    assert marked == [
        ("bold", "𝒯ea 👩‍👩‍👧"),
        ("text_link", "𝒯ea 👩‍👩‍👧"),
        ("bold", "¥5.00"),
        ("italic", "soon"),
    ]


@pytest.mark.parametrize("units_max", [CAPTION_UNITS_MAX, TEXT_UNITS_MAX])
@pytest.mark.parametrize("letter", ["x", "茶", "𝒯", "ش"])
def test_a_card_at_its_limit_is_whole_and_over_it_keeps_price_and_hint(
    units_max: int, letter: str
) -> None:
    price, hint = Line("¥5.00", Role.PRICE), Line("how to answer", Role.HINT)
    rest = utf16_length("\n¥5.00\nhow to answer")
    fitting = letter * ((units_max - rest) // utf16_length(letter))
    whole = shown(Card(title=fitting, lines=(price, hint)), units_max)
    assert whole.text == f"{fitting}\n¥5.00\nhow to answer"
    over = shown(Card(title=fitting + letter, lines=(price, hint)), units_max)
    assert utf16_length(over.text) <= units_max
    assert over.text.endswith("\n¥5.00\nhow to answer")
    assert "…" in over.text
    assert "\ufffd" not in over.text


def test_a_toast_has_200_units_at_most_and_a_cut_splits_no_character() -> None:
    assert utf16_length(toast(Card(title="𝒯" * 300))) <= 200
    assert cut("𝒯𝒯𝒯", 6) == "𝒯𝒯𝒯"
    assert cut("𝒯𝒯𝒯", 5) == "𝒯𝒯…"
    assert cut("𝒯𝒯𝒯", 4) == "𝒯…"


def test_what_pays_stands_first_in_green_and_what_hurts_is_red() -> None:
    buttons = (
        Button(label="Help", url="https://example.org"),
        Button(label="Decline", action="decline:1", style=Style.DANGER),
        Button(label="Pay ¥5.00", action="pay:1", style=Style.PAY),
        Button(label="Later", action="later:1"),
    )
    made = keyboard(buttons)
    assert made is not None
    assert made["inline_keyboard"] == [
        [{"text": "Pay ¥5.00", "callback_data": "pay:1", "style": "success"}],
        [
            {"text": "Help", "url": "https://example.org"},
            {"text": "Decline", "callback_data": "decline:1", "style": "danger"},
        ],
        [{"text": "Later", "callback_data": "later:1"}],
    ]
    assert keyboard(()) is None


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("call @anna and #all", "call @\u2060anna and #\u2060all"),
        ("write /buy now", "write /\u2060buy now"),
        ("mail a@b.c or 1/2", "mail a@b.c or 1/2"),
        ("turn\u202earound\u2066", "turn around"),
        ("  spaces \n\n lines ", "spaces\nlines"),
        ("half \ud83d", "half ?"),
        ("null \x00 byte", "null   byte"),
    ],
)
def test_a_title_calls_nobody_and_turns_nothing_around(written: str, text: str) -> None:
    assert shown(Card(title=written)).text == text


def test_commands_in_our_own_lines_can_be_tapped() -> None:
    assert shown(Card(lines=(Line("/topup 5 – money in"),))).text == "/topup 5 – money in"
    assert shown(Card(lines=(Line("/evil", Role.SELLER),))).text == "/\u2060evil"


def test_no_link_of_a_page_is_previewed_but_the_product_itself() -> None:
    assert preview(Card(title="http://evil.example")) == {"is_disabled": True}
    assert preview(Card(link_url="javascript:alert(1)")) == {"is_disabled": True}
    assert preview(Card(link_url="https://a.example/"))["url"] == "https://a.example/"


def test_a_card_without_words_is_still_a_message() -> None:
    assert shown(Card()).text == "…"

"""A card fitted to a network: nothing that matters falls off the end."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.adapters.base import Capabilities, Edits
from bot.cards import Button, Card, Feature, Line, Picture, Role, Style, plain_text
from bot.conversation.presenter import fit, plain_reaction

PICTURE = Picture(digest="d", alt="tea", mime="image/png", width_px=1, height_px=1)
PAY = Button(label="Pay ¥199.00", action="pay:q_1", style=Style.PAY)
OFFER = Card(
    title="Green tea",
    lines=(Line("¥199.00", Role.PRICE), Line("Tea House · ✓ shop.example", Role.SELLER)),
    buttons=(PAY,),
    picture=PICTURE,
    countdown_until_s=5.0,
)


def network(**changes: object) -> Capabilities:
    given: dict[str, object] = {
        "buttons": False,
        "reactions": True,
        "edits": Edits.SPARING,
        "private_in_room": False,
        "pictures": True,
        "command_prefixes": ("!",),
    }
    return Capabilities(**{**given, **changes})  # type: ignore[arg-type]  # its own fields


def test_a_network_that_can_do_everything_gets_the_card_as_it_is() -> None:
    assert fit(OFFER, network(buttons=True, countdown=True)) == OFFER


def test_what_a_network_cannot_show_is_left_out() -> None:
    fitted = fit(OFFER, network(pictures=False))
    assert (fitted.picture, fitted.countdown_until_s) == (None, None)


def test_without_buttons_a_reaction_pays_and_the_card_says_how() -> None:
    fitted = fit(OFFER, network())
    assert [(b.reaction, b.action) for b in fitted.buttons] == [("💳", "pay:q_1")]
    hint = fitted.lines[-1]
    assert hint.role is Role.HINT
    assert "💳" in hint.text
    assert "!buy" in hint.text
    assert "undo" in hint.text


def test_reactions_of_one_card_differ() -> None:
    verbs = ["accept", "confirm", "decline", "refuse", "what", "else"]
    buttons = tuple(Button(label=verb.title(), action=f"{verb}:x") for verb in verbs)
    fitted = fit(Card(title="Order", buttons=buttons), network())
    reactions = [button.reaction for button in fitted.buttons]
    assert None not in reactions
    assert len(set(map(plain_reaction, map(str, reactions)))) == len(verbs)
    for reaction in reactions:
        assert str(reaction) in plain_text(fitted)


def test_a_button_that_is_a_link_needs_no_reaction() -> None:
    link = Button(label="Pay here", url="https://pay.example/x")
    fitted = fit(Card(title="t", buttons=(link, PAY)), network())
    assert [button.action for button in fitted.buttons] == ["pay:q_1"]


def test_what_machines_read_is_whole_or_not_there() -> None:
    lines = (Line("Paid to Tea House"), Line("e" * 1500, Role.CODE), Line("Check it.", Role.HINT))
    receipt = Card(title="Receipt", lines=lines)
    assert fit(receipt, network(text_length_max=4096)).lines[:2] == lines[:2]
    fitted = fit(receipt, network(text_length_max=500))
    assert "eee" not in plain_text(fitted)
    assert "too long for this network" in plain_text(fitted)
    assert "Paid to Tea House" in plain_text(fitted)
    assert len(plain_text(fitted)) <= 500


def test_without_buttons_and_reactions_no_button_is_promised() -> None:
    fitted = fit(OFFER, network(reactions=False))
    assert fitted.buttons == ()
    assert "React" not in plain_text(fitted)


def test_where_people_vote_the_buttons_stay_and_one_takes_a_vote_back() -> None:
    link = Button(label="See", url="https://pay.example/x")
    card = Card(title="t", buttons=(PAY, link))
    fitted = fit(card, network(reactions=False, polls=True))
    assert [(b.label, b.action, b.reaction) for b in fitted.buttons] == [
        ("Pay ¥199.00", "pay:q_1", None),
        ("Not now", "", None),
    ]
    hint = "Vote “Pay ¥199.00” below, or write !buy. Vote “Not now” to undo."
    assert fitted.lines[-1] == Line(hint, Role.HINT)
    order = Card(title="Order", buttons=(Button(label="Accept", action="accept:o"),))
    assert fit(order, network(polls=True)).lines[-1].text == "Vote below."


@pytest.mark.parametrize(
    ("key", "plain"), [("❤️", "❤"), ("👍🏽", "👍"), ("↩️", "↩"), ("💳", "💳"), ("", "")]
)
def test_a_reaction_is_the_same_from_every_client(key: str, plain: str) -> None:
    assert plain_reaction(key) == plain


lines = st.lists(st.builds(Line, st.text(max_size=80)), max_size=6).map(tuple)


@given(
    title=st.text(max_size=600),
    lines=lines,
    length_max=st.integers(200, 400),
    pays=st.booleans(),
)
@example(title="x" * 10, lines=(Line("y" * 1000),), length_max=200, pays=False)
def test_no_card_is_longer_than_the_network_allows(
    title: str, lines: tuple[Line, ...], length_max: int, *, pays: bool
) -> None:
    card = Card(title=title, lines=lines, buttons=(PAY,) if pays else ())
    fitted = fit(card, network(text_length_max=length_max))
    assert len(plain_text(fitted)) <= length_max
    assert bool(fitted.title) == bool(title)


@pytest.mark.parametrize("length", [500, 5000])
def test_a_long_title_takes_away_neither_the_price_nor_the_way_to_pay(length: int) -> None:
    long = Card(title="x" * length, lines=OFFER.lines, buttons=OFFER.buttons)
    fitted = fit(long, network(text_length_max=300))
    assert "¥199.00" in [line.text for line in fitted.lines]
    assert "!buy" in fitted.lines[-1].text
    assert fitted.title.endswith("…")


def test_long_lines_do_not_take_away_the_way_to_pay() -> None:
    long = Card(title="Tea", lines=(Line("¥199.00", Role.PRICE), Line("x" * 500)), buttons=(PAY,))
    fitted = fit(long, network(text_length_max=300))
    assert fitted.lines[0].text == "¥199.00"
    assert "!buy" in fitted.lines[-1].text


def test_where_people_reply_the_card_says_the_word_and_links_to_the_pay_page() -> None:
    blog = network(reactions=False, reply_words=True, pay_links=True)
    fitted = fit(OFFER, blog, "https://pay.example/pay")
    assert fitted.lines[-1] == Line("Reply “buy” to pay ¥199.00.", Role.HINT)
    assert [(b.action, b.url) for b in fitted.buttons] == [
        ("pay:q_1", None),
        ("", "https://pay.example/pay/q_1"),
    ]
    assert [b.action for b in fit(OFFER, blog).buttons] == ["pay:q_1"]
    undo = Button(label="Undo", action="undo:o_1")
    other = Button(label="Something else", action="odd:1")
    card = fit(Card(title="Paid", buttons=(undo, other)), blog, "https://pay.example/pay")
    assert plain_text(card) == "Paid\nReply “undo” or “Something else”."
    assert all(button.url is None for button in card.buttons)


def test_where_nobody_is_proven_only_the_link_is_left() -> None:
    blog = network(reactions=False, pay_links=True, proves_people=False)
    fitted = fit(OFFER, blog, "https://pay.example/pay")
    assert [b.url for b in fitted.buttons] == ["https://pay.example/pay/q_1"]
    assert "Reply" not in plain_text(fitted)


def test_a_button_for_what_a_network_lacks_is_left_out() -> None:
    other = Button(label="Pay another way", action="invoice:q", needs=Feature.INVOICES)
    card = Card(title="Tea", buttons=(PAY, other))
    assert fit(card, network(buttons=True)).buttons == (PAY,)
    invoices = network(buttons=True, features=frozenset({Feature.INVOICES}))
    assert fit(card, invoices).buttons == (PAY, other)
    # Where people react, it takes no reaction from another button.
    [reacting] = fit(card, network()).buttons
    assert reacting.label == PAY.label

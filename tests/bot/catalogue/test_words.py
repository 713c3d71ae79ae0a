"""What is said about catalogues, fitted to networks without buttons."""

import msgspec
import pytest

from bot.adapters.base import Capabilities, Edits
from bot.cards import ACTION_BYTES_MAX, Card, plain_text
from bot.catalogue.differences import Tally, differences
from bot.catalogue.staging import Reading
from bot.catalogue.words import ago, dry_run_card, duration, failed_card
from bot.conversation.presenter import fit
from bot.conversation.words import plain_words, stands_for
from tests.bot.catalogue.items import listed_item
from wallet_core.commerce.catalogue import CatalogueSource, ListedItem
from wallet_core.commerce.catalogue_steps import source_id_of

SOURCE = CatalogueSource(
    id=source_id_of("m_1", "https://shop.example/feed.xml"),
    merchant_id="m_1",
    url="https://shop.example/feed.xml",
    kind="google-xml",
    state="waiting",
    reading=0,
    due_at_us=None,
    loud=False,
    failures=0,
    error=None,
    read_at_us=None,
    item_count=0,
    validators=None,
    network="web",
    room_id="kitchen",
    network_person_id="mei",
    created_at_us=1,
)


def shown() -> Card:
    tally = Tally(1)
    old = {item.key: ListedItem(item, listed=True) for item in map(listed_item, range(9))}
    new = {item.key: item for item in map(listed_item, range(7, 40))}
    for difference in differences(old, new):
        tally.add(difference)
    return dry_run_card(SOURCE, 12_345_678, Reading(items=33), tally, None)


def test_the_buttons_fit_into_every_network() -> None:
    for button in shown().buttons:
        assert len(button.action.encode()) <= ACTION_BYTES_MAX


@pytest.mark.parametrize("length_max", [300, 500, 4096])
def test_without_buttons_the_card_says_how_to_agree(length_max: int) -> None:
    network = Capabilities(
        buttons=False,
        reactions=True,
        edits=Edits.SPARING,
        private_in_room=False,
        pictures=False,
        command_prefixes=("!",),
        text_length_max=length_max,
    )
    fitted = fit(shown(), network)
    assert [button.reaction for button in fitted.buttons] == ["✅", "❌"]
    text = plain_text(fitted)
    assert "✅ to take it over" in text
    assert len(text) <= length_max
    replies = fit(shown(), msgspec.structs.replace(network, reactions=False, reply_words=True))
    assert "“take it over”" in plain_text(replies)


def test_a_reply_agrees_by_its_words() -> None:
    assert stands_for("catyes", "Take it over", plain_words("Take it over!"))
    assert stands_for("catno", "Leave it", plain_words("leave it"))
    assert not stands_for("catyes", "Take it over", plain_words("leave it"))


def test_a_failure_says_what_still_counts() -> None:
    first = plain_text(failed_card(SOURCE, "It breaks off.", 1))
    assert "Nothing was listed." in first
    read = msgspec.structs.replace(SOURCE, read_at_us=1)
    later = plain_text(failed_card(read, "It breaks off.", 3))
    assert "3 times in a row" in later
    assert "What was listed before stays for now" in later


def test_numbers_are_said_as_people_say_them() -> None:
    assert [ago(s) for s in (0, 60, 7199, 7200, 172_800)] == [
        "just now",
        "1 minute ago",
        "1 hour ago",
        "2 hours ago",
        "2 days ago",
    ]
    assert [duration(s) for s in (1, 60, 3599, 3600, 90_000)] == [
        "minute",
        "minute",
        "60 minutes",
        "hour",
        "25 hours",
    ]

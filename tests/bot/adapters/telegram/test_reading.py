"""Updates into events."""

from typing import Any

import msgspec
import pytest

from bot.adapters.telegram.places import Ref, Room
from bot.adapters.telegram.reading import Ear, Heard
from bot.adapters.telegram.wire import Update
from bot.events import ExternalPaid, Joined, MarkedLink, Message, Migrated, Removed, Tap

ANNA = {"id": 5, "is_bot": False, "first_name": "Anna", "last_name": "T", "language_code": "zh"}
GROUP: dict[str, Any] = {"id": -100123, "type": "supergroup", "title": "Tea"}
PRIVATE: dict[str, Any] = {"id": 5, "type": "private", "first_name": "Anna"}
URL = {"type": "url", "offset": 0, "length": 14}


def heard(number: int = 9, **content: Any) -> Heard:
    update = msgspec.convert({"update_id": number, **content}, Update)
    return Ear(42, "payontap_bot").heard(update)


def said(text: str, *, chat: dict[str, Any] = GROUP, **more: Any) -> dict[str, Any]:
    return {"message_id": 7, "chat": chat, "date": 50, "from": ANNA, "text": text, **more}


def test_a_link_is_heard_once_however_often_and_as_whatever_it_is_delivered() -> None:
    message = said("tea.example/a b", entities=[{**URL, "length": 13}])
    [first] = heard(1, message=message).events
    [again] = heard(1, message=message).events
    [edited] = heard(2, edited_message={**message, "text": "tea.example/a c"}).events
    [changed] = heard(3, edited_message={**message, "text": "tea.example/z c"}).events
    assert isinstance(first, Message)
    assert first.id == again.id == edited.id
    assert changed.id != first.id
    assert first.links == (MarkedLink("http://tea.example/a", "tea.example/a"),)
    assert (first.room_id, first.message_ref) == ("-100123", "-100123:7")
    assert (first.person_id, first.name, first.language) == ("5", "Anna T", "zh")
    assert first.occurred_at_s == 50
    assert not first.private


def test_talk_without_a_link_is_nobodys_business() -> None:
    assert heard(message=said("how much is the tea?")).events == ()
    assert heard(message=said("", new_chat_title="Coffee")).events == ()
    assert heard(poll={"id": "1"}).events == ()


@pytest.mark.parametrize("text", ["【茶】￥pZLk2EyTWQ0￥ 打开淘宝", "复制！AbCd1234EfGh！打开京东"])
def test_a_share_code_is_heard_without_a_link(text: str) -> None:
    [event] = heard(message=said(text)).events
    assert isinstance(event, Message)
    assert event.text == text


def test_amounts_and_commands_are_no_share_codes() -> None:
    for text in ("¥12345678 for the tea", "50% of 12345678!", "and/or12345678/else"):
        assert heard(message=said(text)).events == ()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("https://shop.com/tea", 1),
        ("shop.com/tea", 1),
        ("green tea shop.com/tea?x=1", 1),
        ("shop.com", 0),
        ("https://", 0),
        ("and/or", 0),
        ("/balance", 0),
        ("1.5/2", 0),
    ],
)
def test_an_inline_query_is_heard_once_an_address_is_typed(query: str, count: int) -> None:
    asked = {"id": "1", "from": ANNA, "query": query, "offset": ""}
    assert len(heard(inline_query=asked).events) == count


def test_entities_that_speak_of_nothing_are_passed_over() -> None:
    marks = [
        {"type": "url", "offset": -1, "length": 5},
        {"type": "url", "offset": 90, "length": 5},
        {"type": "text_link", "offset": 0, "length": 0, "url": "https://evil.example"},
        {"type": "bold", "offset": 0, "length": 4},
    ]
    assert heard(message=said("text", entities=marks)).events == ()


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("/balance", "/balance"),
        ("/topup@payontap_bot 5", "/topup 5"),
        ("/topup@PayOnTap_Bot 5", "/topup 5"),
        ("/merchant open Tea\nHouse", "/merchant open Tea\nHouse"),
    ],
)
def test_a_command_to_this_bot_is_heard_without_its_name(text: str, understood: str) -> None:
    [event] = heard(message=said(text)).events
    assert isinstance(event, Message)
    assert event.text == understood
    assert event.id == "telegram:42:9"


@pytest.mark.parametrize("text", ["/balance@other_bot", "/ balance", "//balance", "pay /balance"])
def test_what_is_meant_for_others_is_not_heard(text: str) -> None:
    assert heard(message=said(text)).events == ()


def test_an_edited_command_is_not_followed() -> None:
    assert heard(edited_message=said("/topup 500")).events == ()


def test_who_shows_no_name_is_the_chat_itself_and_has_no_wallet() -> None:
    nobody = {
        "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
        "sender_chat": GROUP,
    }
    [event] = heard(message={**said("https://a.example/b"), **nobody}).events
    assert (event.person_id, event.room_id) == ("-100123", "-100123")
    command = heard(message={**said("/balance"), **nobody})
    assert command.events == ()
    assert command.nameless_command == Room(-100123)


def test_taps_name_the_message_and_its_place() -> None:
    query = {"id": "1", "from": ANNA, "data": "pay:q_1", "chat_instance": "1"}
    topic = said("card", message_thread_id=3, is_topic_message=True)
    [tap] = heard(callback_query={**query, "message": topic}).events
    assert isinstance(tap, Tap)
    assert (tap.room_id, tap.message_ref, tap.action) == ("-100123/3", "-100123:7", "pay:q_1")
    [inline] = heard(callback_query={**query, "inline_message_id": "AAB"}).events
    assert (inline.room_id, inline.private) == ("inline/AAB", False)
    seen_by_one = {**said("card"), "message_id": 0, "ephemeral_message_id": 4}
    seen_by_one["receiver_user"] = ANNA
    [private] = heard(callback_query={**query, "message": seen_by_one}).events
    assert isinstance(private, Tap)
    assert private.message_ref == "private/-100123/5:4"
    assert Ref.of_id(private.message_ref) == Ref(-100123, 4, receiver_id=5)
    assert heard(callback_query={**query, "data": ""}).events == ()


@pytest.mark.parametrize("data", ["pay:\0", "pay:q_1\n", "\ud800:q_1"])
def test_a_button_that_holds_what_nobody_can_see_is_one_that_nobody_knows(data: str) -> None:
    query = {"id": "8", "from": ANNA, "message": said("tea"), "data": data}
    [tap] = heard(callback_query=query).events
    assert isinstance(tap, Tap)
    assert tap.action == ""


def test_a_group_is_joined_left_and_moved() -> None:
    def change(old: str, new: str, chat: dict[str, Any] = GROUP) -> Heard:
        members = {"old_chat_member": {"status": old}, "new_chat_member": {"status": new}}
        return heard(my_chat_member={"chat": chat, "from": ANNA, "date": 1, **members})

    joined = change("left", "member")
    assert isinstance(joined.events[0], Joined)
    assert joined.blind_room == Room(-100123)
    assert change("left", "administrator").blind_room is None
    assert change("member", "administrator").events == ()
    assert isinstance(change("member", "kicked").events[0], Removed)
    assert change("kicked", "member", PRIVATE).events == ()
    [moved] = heard(message=said("", migrate_to_chat_id=-100999)).events
    assert isinstance(moved, Migrated)
    assert moved.to_room_id == "-100999"
    assert heard(message=said("", migrate_from_chat_id=-5)).events == ()


def test_a_payment_is_named_by_its_charge_and_not_by_its_delivery() -> None:
    paid = {
        "currency": "XTR",
        "total_amount": 5,
        "invoice_payload": "q_1",
        "telegram_payment_charge_id": "stx",
    }
    [first] = heard(1, message=said("", chat=PRIVATE, successful_payment=paid)).events
    [again] = heard(2, message=said("", chat=PRIVATE, successful_payment=paid)).events
    assert isinstance(first, ExternalPaid)
    assert first.id == again.id
    assert (first.charge_ref, first.payload) == ("charge/5/stx", "q_1")


def test_the_bots_own_words_are_not_heard() -> None:
    link = "https://a.example/b"
    assert heard(message=said(link, via_bot=ANNA)).events == ()
    business = said(link, chat=PRIVATE, business_connection_id="c", sender_business_bot=ANNA)
    assert heard(business_message=business).events == ()
    del business["sender_business_bot"]
    [event] = heard(business_message=business).events
    assert (event.room_id, event.private) == ("business/c/5", False)
    assert Room.of_id(event.room_id) == Room(5, business="c")

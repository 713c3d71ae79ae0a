"""The words: each refusal says whether money moved, and to whom it says it."""

from uuid import UUID

import msgspec
import pytest

from bot.cards import ACTION_BYTES_MAX, Card, Feature, Tone, plain_text
from bot.conversation.announcer import announce
from wallet_core.commerce.news import (
    ActionRefused,
    Authorised,
    FundingChanged,
    Joined,
    News,
    OrderChanged,
    TapRefused,
)
from wallet_core.commerce.records import FundingRequest, Merchant, Order, Place, Quote, Speech
from wallet_core.errors import Refusal
from wallet_core.ledger.commits import Notice, Refresh
from wallet_core.money import Money

PLACE = Place("web", "lobby", "anna")
NOBODY_MOVED = ("Not charged", "No money moved", "Not refunded")
ACTIONS = ("undo", "accept", "decline", "refund", "payout", "topup", "confirm")


def order(state: str = "authorised", **changes: object) -> Order:
    made = Order(
        id="o_1",
        number="7K3MP0QR",
        quote_id="q_1",
        offer_id="of_1",
        merchant_id="m_shop",
        wallet_id="w_anna",
        hold_id=UUID(int=1),
        amount_minor=19_900,
        captured_minor=0,
        refunded_minor=0,
        currency="CNY",
        title="Green tea",
        state=state,
        accepted=True,
        network="web",
        room_id="lobby",
        network_person_id="anna",
        created_at_us=1,
    )
    return msgspec.structs.replace(made, **changes)


def merchant(*, standing: bool = True) -> Merchant:
    return Merchant(
        id="m_shop",
        name="Tea House",
        network="matrix",
        room_id="tea-room",
        standing_acceptance=standing,
    )


def quote(**changes: object) -> Quote:
    made = Quote(
        id="q_1",
        offer_id="of_1",
        merchant_id="m_shop",
        amount_minor=19_900,
        currency="CNY",
        trust="hold",
        reason="The domain is verified.",
        seller="Tea House",
        created_at_us=1,
        expires_at_us=2,
        title="Green tea",
        url="https://shop.example/tea",
    )
    return msgspec.structs.replace(made, **changes)


def request(kind: str = "topup", state: str = "pending") -> FundingRequest:
    return FundingRequest(
        id="f_1",
        code="ABC123",
        kind=kind,
        provider="cash",
        owner="wallet:w_anna",
        amount_minor=5_000,
        currency="CNY",
        state=state,
        hold_id=None,
        instructions="Hand it over.",
        network="web",
        room_id="lobby",
        network_person_id="anna",
        created_at_us=1,
    )


def notices(speech: Speech) -> list[Notice]:
    return [said for said in speech if isinstance(said, Notice)]


def refreshes(speech: Speech) -> set[tuple[str, str]]:
    return {(said.view, said.ref) for said in speech if isinstance(said, Refresh)}


def card(notice: Notice) -> Card:
    assert notice.body is not None
    return msgspec.json.decode(notice.body, type=Card)


def only_card(news: News) -> Card:
    (notice,) = notices(announce(news))
    assert (notice.network, notice.room_id, notice.person_id) == ("web", "lobby", "anna")
    return card(notice)


def assert_fit_to_be_said(said: Card) -> None:
    assert plain_text(said)
    for button in said.buttons:
        assert button.label
        assert len(button.action.encode("ascii")) <= ACTION_BYTES_MAX


@pytest.mark.parametrize("with_quote", [True, False])
@pytest.mark.parametrize("code", list(Refusal))
def test_every_refused_tap_says_that_nothing_was_charged_in_private(
    code: Refusal, *, with_quote: bool
) -> None:
    said = only_card(
        TapRefused(
            event_id="e1",
            code=code,
            place=PLACE,
            quote=quote() if with_quote else None,
            balance=Money(100, "CNY") if with_quote else None,
        )
    )
    assert "Not charged" in plain_text(said)
    assert said.tone is Tone.BAD
    assert_fit_to_be_said(said)


def test_too_little_money_says_how_much_there_is_and_how_much_is_missing() -> None:
    said = only_card(
        TapRefused(
            event_id="e1",
            code=Refusal.NO_FUNDS,
            place=PLACE,
            quote=quote(),
            balance=Money(100, "CNY"),
        )
    )
    assert "You have ¥1.00; this needs ¥199.00." in plain_text(said)
    top_up, other = said.buttons
    assert (top_up.label, top_up.action) == ("Top up ¥198.00", "topup:CNY:19800:q_1")
    assert (other.action, other.needs) == ("invoice:q_1", Feature.INVOICES)


@pytest.mark.parametrize("balance_minor", [19_900, 50_000])
def test_money_that_arrived_in_the_meantime_is_not_called_missing(balance_minor: int) -> None:
    said = only_card(
        TapRefused(
            event_id="e1",
            code=Refusal.NO_FUNDS,
            place=PLACE,
            quote=quote(),
            balance=Money(balance_minor, "CNY"),
        )
    )
    assert said.buttons == ()
    assert "Not charged. Please tap again" in plain_text(said)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", list(Refusal))
def test_every_other_refusal_says_that_no_money_moved_in_private(
    code: Refusal, action: str
) -> None:
    for state in (None, "authorised", "paid", "undone", "expired", "refunded"):
        said = only_card(
            ActionRefused(
                event_id="e1",
                action=action,
                code=code,
                place=PLACE,
                order=order(state) if state else None,
                money=Money(500, "CNY"),
                balance=Money(100, "CNY"),
            )
        )
        assert any(words in plain_text(said) for words in NOBODY_MOVED)
        assert_fit_to_be_said(said)


def test_too_late_to_undo_names_the_order_for_the_seller() -> None:
    said = only_card(
        ActionRefused(
            event_id="u1", action="undo", code=Refusal.NOT_OPEN, place=PLACE, order=order("paid")
        )
    )
    assert said.title == "Too late to undo: it is paid."
    assert "7K3MP0QR" in plain_text(said)


def test_a_purchase_is_private_and_the_groups_card_is_only_brought_up_to_date() -> None:
    speech = announce(Authorised(event_id="e1", order=order(), merchant=merchant(), standing=True))
    (purchase,) = notices(speech)
    assert (purchase.view, purchase.ref, purchase.person_id) == ("purchase", "o_1", "anna")
    assert refreshes(speech) == {("offer", "q_1")}


def test_a_merchant_who_wants_to_be_asked_hears_of_the_hold_at_once() -> None:
    news = Authorised(
        event_id="e1", order=order(), merchant=merchant(standing=False), standing=False
    )
    _, to_shop = notices(announce(news))
    assert (to_shop.network, to_shop.room_id, to_shop.view) == ("matrix", "tea-room", "order")


@pytest.mark.parametrize("standing", [True, False])
def test_the_shop_hears_of_an_order_under_one_send_id(*, standing: bool) -> None:
    shop = merchant(standing=standing)
    held = announce(Authorised(event_id="e1", order=order(), merchant=shop, standing=standing))
    paid = announce(OrderChanged(cause="ending:1", order=order("paid"), merchant=shop))
    to_shop = {n.send_id for n in (*notices(held), *notices(paid)) if n.room_id == "tea-room"}
    assert len(to_shop) == 1
    assert refreshes(paid) == {("purchase", "o_1"), ("offer", "q_1"), ("order", "o_1")}


@pytest.mark.parametrize("state", ["undone", "expired", "declined"])
def test_a_shop_that_takes_every_order_never_hears_of_one_that_did_not_last(state: str) -> None:
    speech = announce(OrderChanged(cause="u1", order=order(state), merchant=merchant()))
    assert [one for one in notices(speech) if one.view == "order"] == []


def test_a_refund_is_told_to_the_buyer_in_private() -> None:
    speech = announce(
        OrderChanged(
            cause="r1",
            order=order("paid", captured_minor=19_900, refunded_minor=500),
            merchant=merchant(),
            refund=Money(500, "CNY"),
        )
    )
    (told,) = (notice for notice in notices(speech) if notice.room_id == "lobby")
    assert told.person_id == "anna"
    assert card(told).title == "¥5.00 refunded"


@pytest.mark.parametrize("state", ["authorised", "paid"])
def test_a_tap_on_what_stands_says_that_it_is_not_charged_again(state: str) -> None:
    said = only_card(Joined(event_id="e2", order=order(state), place=PLACE))
    assert "Not charged again" in plain_text(said)
    assert_fit_to_be_said(said)


@pytest.mark.parametrize("kind", ["topup", "payout"])
@pytest.mark.parametrize("state", ["pending", "done", "declined", "expired"])
def test_money_in_and_out_is_private(kind: str, state: str) -> None:
    speech = announce(
        FundingChanged(event_id="x1", request=request(kind, state), place=Place("web", "a", "b"))
    )
    for notice in notices(speech):
        # To its owner, wherever the admin confirmed it.
        assert (notice.room_id, notice.person_id) == ("lobby", "anna")
    assert ("funding", "ABC123") in refreshes(speech)


def test_an_expired_withdrawal_is_told_with_where_the_money_is() -> None:
    def told(**changes: str) -> str:
        payout = msgspec.structs.replace(request("payout", "expired"), **changes)
        news = FundingChanged(event_id="ending:1", request=payout, place=payout.place)
        assert refreshes(announce(news)) == {("funding", "ABC123"), ("till", "ABC123")}
        return plain_text(only_card(news))

    assert "Nobody handed it over in time. ¥50.00 is back in your wallet" in told()
    assert "back in the shop's balance" in told(owner="merchant:m_1")
    assert "The network turned it down." in told(provider="telegram-stars")


@pytest.mark.parametrize("action", ["confirm", "decline"])
def test_an_admin_hears_that_a_network_ends_its_withdrawals_itself(action: str) -> None:
    said = only_card(
        ActionRefused(event_id="e", action=action, code=Refusal.NOT_ALLOWED, place=PLACE)
    )
    assert said.title == "No money moved: only the network can end this withdrawal."
    assert_fit_to_be_said(said)


def test_what_is_paid_out_once_and_asked_for_twice_is_on_its_way_already() -> None:
    said = only_card(ActionRefused(event_id="e", action="payout", code=Refusal.TAKEN, place=PLACE))
    assert plain_text(said) == "That is on its way back already.\nNo money moved just now."


def test_a_tap_on_a_preview_is_told_why_and_where_to_go() -> None:
    preview = quote(trust="preview", reason="The page does not say in which currency it is.")
    news = TapRefused(event_id="e", code=Refusal.NOT_ALLOWED, place=PLACE, quote=preview)
    (notice,) = notices(announce(news))
    said = card(notice)
    assert said.title == "Not charged."
    assert [line.text for line in said.lines] == [preview.reason, "The card leads to its own page."]


def test_different_answers_have_different_send_ids_and_the_same_answer_the_same() -> None:
    def refused(event_id: str) -> str:
        news = TapRefused(event_id=event_id, code=Refusal.SOLD_OUT, place=PLACE, quote=quote())
        (notice,) = notices(announce(news))
        return notice.send_id

    assert refused("e1") == refused("e1") != refused("e2")


def test_only_the_shops_news_is_public_and_it_names_no_buyer() -> None:
    everything: list[News] = [
        Authorised(event_id="e", order=order(), merchant=merchant(standing=False), standing=False),
        OrderChanged(cause="e", order=order("paid"), merchant=merchant()),
        TapRefused(event_id="e", code=Refusal.NO_FUNDS, place=PLACE, quote=quote()),
        Joined(event_id="e", order=order("paid"), place=PLACE),
        FundingChanged(event_id="e", request=request(), place=PLACE),
    ]
    for news in everything:
        for notice in notices(announce(news)):
            if notice.person_id is None:
                assert (notice.room_id, notice.view, notice.body) == ("tea-room", "order", None)

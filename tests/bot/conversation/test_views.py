"""Live cards: what a group may see, what only the buyer sees, what the shop sees."""

from uuid import UUID

import msgspec
import pytest

from bot.cards import ACTION_BYTES_MAX, Card, Feature, Role, Tone, plain_text
from bot.conversation.views import (
    Views,
    funding_card,
    merchant_order_card,
    offer_card,
    purchase_card,
    till_card,
)
from tests.bot.conversation.test_announcer import order, quote, request
from tests.wallet_core.world import PRICE_MINOR, World, now_us
from wallet_core.commerce.records import Offer, Order
from wallet_core.ledger.commits import Hold
from wallet_core.ledger.transfers import HoldState

DUE_US = 10_000_000


def offer(**changes: object) -> Offer:
    made = Offer(
        id="of_1",
        url="https://shop.example/tea",
        host="shop.example",
        merchant_id="m_shop",
        title="Green tea",
        sku=None,
        picture=None,
        availability="InStock",
        stock_total=None,
        stock_page=None,
        sold=0,
    )
    return msgspec.structs.replace(made, **changes)


def hold(state: str = "open", ending: str = "capture") -> Hold:
    return Hold(
        id=UUID(int=1),
        payer_account_id="wallet:w_anna/available/CNY",
        payee_account_id="merchant:m_shop/available/CNY",
        amount_minor=19_900,
        currency="CNY",
        state=HoldState(state),
        ending=ending,
        due_at_us=DUE_US,
        subject="order:o_1",
    )


def actions(card: Card) -> list[str]:
    assert all(len(b.action.encode("ascii")) <= ACTION_BYTES_MAX for b in card.buttons)
    return [button.action for button in card.buttons]


def line(card: Card, role: Role) -> str | None:
    return next((line.text for line in card.lines if line.role is role), None)


# --- the card in the group ------------------------------------------------------------------------


def test_an_offer_shows_price_seller_domain_and_stock_and_one_button() -> None:
    card = offer_card(quote(), offer(stock_total=5, sold=2), bought=2)
    assert card.title == "Green tea"
    assert card.link_url == "https://shop.example/tea"
    assert line(card, Role.PRICE) == "¥199.00"
    seller = line(card, Role.SELLER)
    assert seller is not None
    for words in ("Tea House", "✓", "shop.example"):
        assert words in seller
    assert line(card, Role.STOCK) == "3 in stock"
    assert line(card, Role.STATUS) == "2 bought"
    assert [b.label for b in card.buttons] == ["Pay ¥199.00", "Undo mine"]
    assert actions(card) == ["pay:q_1", "undomine:q_1"]
    # The second only where a private answer may not arrive, and only once somebody has paid.
    assert [b.needs for b in card.buttons] == [None, Feature.SHARED_UNDO]
    assert actions(offer_card(quote(), offer(stock_total=5, sold=2), bought=0)) == ["pay:q_1"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stock_total": 1}, "Last one"),
        ({"stock_total": 2, "sold": 2}, "Sold out"),
        ({"stock_total": 0}, "Sold out"),
        ({"availability": "OutOfStock"}, "Sold out"),
        ({"availability": "Discontinued"}, "No longer for sale"),
        ({"availability": "PreOrder"}, "Pre-order"),
        ({"availability": None}, None),
    ],
)
def test_stock_is_told_in_words_and_what_is_sold_out_has_no_button(
    changes: dict[str, object], words: str | None
) -> None:
    card = offer_card(quote(), offer(**changes), bought=0)
    assert line(card, Role.STOCK) == words
    is_sold = words not in ("Sold out", "No longer for sale")
    assert bool(card.buttons) == is_sold
    assert any(said.text.endswith("The domain is verified.") for said in card.lines) == is_sold
    assert line(card, Role.STATUS) is None


@pytest.mark.parametrize(("trust", "title"), [("preview", "Preview only"), ("none", "No product")])
def test_a_price_that_cannot_be_trusted_has_no_button_and_says_why(trust: str, title: str) -> None:
    card = offer_card(quote(trust=trust, reason="The sources disagree."), offer(), bought=0)
    assert card.buttons == ()
    assert line(card, Role.WARNING) == f"{title}. The sources disagree."


@pytest.mark.parametrize(
    ("trust", "title"),
    [
        ("payable", "Payable at once"),
        ("hold", "Confirmed by hold"),
        ("escrow", "Held for the owner"),
    ],
)
def test_a_price_that_can_be_paid_says_how_far_it_is_trusted_and_why(
    trust: str, title: str
) -> None:
    owner = {"merchant_id": None} if trust == "escrow" else {}
    shown = quote(trust=trust, reason="Somebody stands by it.", **owner)
    card = offer_card(shown, offer(), bought=0)
    assert actions(card) == ["pay:q_1"]
    assert line(card, Role.TEXT) == f"{title}. Somebody stands by it."
    assert line(card, Role.WARNING) is None


def test_an_unclaimed_domain_is_called_unverified() -> None:
    unknown = quote(merchant_id=None, trust="preview", seller="ACME ✓ verified")
    card = offer_card(unknown, offer(merchant_id=None), bought=0)
    assert line(card, Role.SELLER) == "shop.example · not verified"
    assert "ACME" not in plain_text(card)


def test_what_costs_nothing_has_no_button_to_pay() -> None:
    assert offer_card(quote(amount_minor=0), offer(), bought=0).buttons == ()


# --- what the buyer sees --------------------------------------------------------------------------


def test_paid_can_be_undone_while_the_seconds_run() -> None:
    card = purchase_card(order(), hold(), DUE_US - 1)
    assert card.title == "Paid ¥199.00"
    assert actions(card) == ["undo:o_1"]
    assert card.countdown_until_s == 10.0
    late = purchase_card(order(), hold(), DUE_US)
    assert (late.title, late.buttons, late.countdown_until_s) == ("Paid ¥199.00", (), None)


def test_held_for_a_seller_says_held_and_not_paid() -> None:
    card = purchase_card(order(accepted=False), hold(ending="expire"), 0)
    assert card.title == "¥199.00 is held"
    assert "Paid" not in plain_text(card)
    assert actions(card) == ["undo:o_1"]
    assert card.tone is Tone.WAITING


@pytest.mark.parametrize(
    ("state", "hold_state", "words"),
    [
        ("paid", "captured", "Paid ¥199.00"),
        ("undone", "voided", "¥199.00 is back in your wallet"),
        ("declined", "voided", "¥199.00 is back in your wallet"),
        ("expired", "expired", "¥199.00 is back in your wallet"),
        ("refunded", "captured", "¥199.00 is back in your wallet"),
    ],
)
def test_each_ending_says_where_the_money_is(state: str, hold_state: str, words: str) -> None:
    captured_minor = 19_900 if hold_state == "captured" else 0
    card = purchase_card(order(state, captured_minor=captured_minor), hold(hold_state), DUE_US)
    assert words in card.title
    assert actions(card) == ["again:q_1"]
    assert "7K3MP0QR" in plain_text(card)


def test_a_refund_in_part_says_both_amounts() -> None:
    part = order("paid", captured_minor=19_900, refunded_minor=500)
    assert purchase_card(part, hold("captured"), 0).title == "Paid ¥199.00, ¥5.00 refunded"


def test_a_capture_of_a_part_says_what_is_paid_and_where_the_rest_is() -> None:
    part = order(accepted=False, captured_minor=5_000)
    card = purchase_card(part, hold(ending="expire"), 0)
    assert card.title == "Paid ¥50.00 of ¥199.00"
    assert actions(card) == []
    assert "The rest is held" in plain_text(card)
    ended = order("paid", captured_minor=5_000)
    card = purchase_card(ended, hold("captured"), 0)
    assert card.title == "Paid ¥50.00 of ¥199.00. The rest is back in your wallet."


def test_the_shop_sees_what_is_net_of_fees() -> None:
    paid = order("paid", captured_minor=19_900, taken='{"house:own/fees/CNY":[328,0]}')
    assert "¥195.72 for you after ¥3.28 of fees" in plain_text(merchant_order_card(paid))
    part = merchant_order_card(order(accepted=False, captured_minor=5_000))
    assert "¥50.00 of it is paid, the rest is held." in plain_text(part)
    assert actions(part) == ["decline:o_1"]


# --- what the shop and the till see ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "verbs", "words"),
    [
        (order(accepted=False), ["accept:o_1", "decline:o_1"], "The money is held."),
        (order(accepted=True), [], "Accepted."),
        (order("paid", captured_minor=19_900), ["refund:o_1"], "Paid"),
        (order("undone"), [], "The buyer took it back"),
        (order("declined"), [], "Declined"),
        (order("expired"), [], "Not accepted in time"),
        (order("refunded", captured_minor=19_900, refunded_minor=19_900), [], "Refunded"),
    ],
)
def test_the_shop_sees_what_it_can_do_and_no_buyer(
    shown: Order, verbs: list[str], words: str
) -> None:
    card = merchant_order_card(shown)
    assert actions(card) == verbs
    assert words in (line(card, Role.STATUS) or "")
    for secret in ("anna", "w_anna", "lobby"):
        assert secret not in str(card)


def test_a_refund_button_names_what_is_left() -> None:
    card = merchant_order_card(order("paid", captured_minor=19_900, refunded_minor=500))
    assert [button.label for button in card.buttons] == ["Refund ¥194.00"]


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("topup", "pending", "No money has moved yet."),
        ("payout", "pending", "¥50.00 is held."),
        ("topup", "done", "Top-up of ¥50.00 confirmed"),
        ("payout", "done", "¥50.00 was paid out"),
        ("topup", "declined", "No money moved."),
        ("payout", "declined", "¥50.00 is back in your wallet."),
        ("topup", "expired", "No money moved."),
        ("payout", "expired", "¥50.00 is back in your wallet."),
    ],
)
def test_money_in_and_out_says_where_it_is(kind: str, state: str, words: str) -> None:
    assert words in plain_text(funding_card(request(kind, state)))


@pytest.mark.parametrize("kind", ["topup", "payout"])
def test_the_till_has_buttons_until_it_is_settled(kind: str) -> None:
    waiting = till_card(request(kind))
    assert actions(waiting) == ["confirm:ABC123", "refuse:ABC123"]
    for state in ("done", "declined", "expired"):
        assert till_card(request(kind, state)).buttons == ()


def test_the_till_ends_nothing_that_a_network_settles() -> None:
    waiting = till_card(msgspec.structs.replace(request("payout"), provider="telegram-stars"))
    assert waiting.buttons == ()
    assert "nothing to confirm or decline" in plain_text(waiting)


# --- from the database ----------------------------------------------------------------------------


async def test_the_groups_card_never_shows_a_balance_or_a_buyer(world: World) -> None:
    await world.open_shop()
    await world.offer(stock=5)
    await world.quote()
    views = Views(world.reader, now_us)
    anna = await world.person("anna", 7_654_321)
    order = await world.paid(anna, "e1")
    for view, ref in (("offer", "q_1"), ("order", order.id)):
        card = await views.card(view, ref)
        assert card is not None
        for secret in ("anna", anna.wallet_id, anna.person_id, "76,543", "76,344"):
            assert secret not in str(card)
    offer = await views.card("offer", "q_1")
    assert offer is not None
    assert line(offer, Role.STATUS) == "1 bought"
    assert line(offer, Role.STOCK) == "4 in stock"


async def test_what_is_gone_or_unknown_has_no_card(world: World) -> None:
    views = Views(world.reader, now_us)
    for view in ("offer", "purchase", "order", "funding", "till", "no such view"):
        assert await views.card(view, "nothing") is None


async def test_a_purchase_follows_its_order(world: World) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote()
    views = Views(world.reader, now_us)
    anna = await world.person("anna", PRICE_MINOR)
    order = await world.bought(anna, "e1")
    before = await views.card("purchase", order.id)
    await world.undo(anna, "u1", order)
    after = await views.card("purchase", order.id)
    assert before is not None
    assert after is not None
    assert before.title == "Paid ¥199.00"
    assert after.title == "Undone. ¥199.00 is back in your wallet."

"""A price that was read long ago is read again at the tap, before any money moves."""

import asyncio

import pytest

from bot.cards import plain_text
from bot.conversation.host_words import announce_host
from bot.links.host_proofs import WebProofs
from tests.bot.commands.chat import NoTexts, Said
from tests.bot.conversation.stall import FRESH_S, Stall
from wallet_core.commerce.answers import event_key
from wallet_core.commerce.host_checks import CheckTerms, HostChecks
from wallet_core.commerce.price_checks import NotCharged, PriceChanged, PriceStands
from wallet_core.errors import Refusal
from wallet_core.ledger.commits import Insert, Update
from wallet_core.storage.host_checks import HostCheckRows

PRICE_MINOR = 19_900
SHOPIFY_PAGE = (
    '<html lang="zh"><title>Green tea</title><script>Shopify.theme = {}; '
    'Shopify.currency = {"active": "CNY", "rate": "1.0"};</script><h1>Green tea</h1>'
    '<img src="/cdn/shop/tea.jpg">'
)
SHOPIFY_PRODUCT = (
    '{"id": 1, "title": "Green tea", "handle": "tea", "available": true, "price": 19900, '
    '"variants": [{"id": 11, "title": "Default Title", "price": 19900, "available": true}]}'
)


async def tap(stall: Stall, card: Said, event_id: str | None = None) -> Said:
    """Anna taps the card's first button; what she alone is answered."""
    said = await stall.chat.tap("anna", card.actions[0], event_id=event_id)
    return next(one for one in said if one.to == "anna")


async def test_a_fresh_price_is_charged_without_asking_the_shop(stall: Stall) -> None:
    card = await stall.share()
    stall.price, asked = "219.00", len(stall.asked)
    stall.later(FRESH_S)
    assert (await tap(stall, card)).card.title == "Paid ¥199.00"
    assert len(stall.asked) == asked
    assert await stall.held() == PRICE_MINOR


async def test_a_price_that_still_stands_is_charged_after_one_look(stall: Stall) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    asked = len(stall.asked)
    assert (await tap(stall, card)).card.title == "Paid ¥199.00"
    assert len(stall.asked) == asked + 1
    # From now on it is fresh again, for everybody.
    await stall.chat.fund("ben", 100_000)
    await stall.chat.tap("ben", card.actions[0])
    assert len(stall.asked) == asked + 1
    assert await stall.held("ben") == PRICE_MINOR


async def test_a_price_from_an_endpoint_is_as_old_as_the_endpoints_answer(stall: Stall) -> None:
    stall.pages["/products/tea"] = SHOPIFY_PAGE
    stall.files["/products/tea.js"] = SHOPIFY_PRODUCT
    stall.cache_control = {"/products/tea": "no-store", "/products/tea.js": "max-age=900"}
    url = f"http://{stall.host}/products/tea"
    assert "¥199.00" in (await stall.share(url)).text
    stall.files["/products/tea.js"] = SHOPIFY_PRODUCT.replace("19900", "21900")
    stall.later(2 * FRESH_S)
    # Another page's bytes, so that it is read by itself.
    stall.pages["/products/tea"] = f"{SHOPIFY_PAGE} "
    card = await stall.share(url)
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. The price has changed."
    assert "now it is ¥219.00." in answer.text
    assert await stall.held() == 0


async def test_a_price_that_changed_charges_nothing_and_is_offered_anew(stall: Stall) -> None:
    card = await stall.share()
    stall.price = "219.00"
    stall.later(FRESH_S + 1)
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. The price has changed."
    assert "It was ¥199.00 when the page was read, now it is ¥219.00." in answer.text
    assert await stall.held() == 0
    assert await stall.chat.balance("anna") == 100_000
    assert [button.label for button in answer.card.buttons] == ["Pay ¥219.00"]
    assert (await tap(stall, answer)).card.title == "Paid ¥219.00"
    assert await stall.held() == 21_900


async def test_a_tap_that_was_refused_for_its_price_never_charges_later(stall: Stall) -> None:
    card = await stall.share()
    stall.price = "219.00"
    stall.later(FRESH_S + 1)
    await tap(stall, card, "web:same")
    stall.price = "199.00"
    stall.later(FRESH_S + 1)
    assert await stall.chat.tap("anna", card.actions[0], event_id="web:same") == []
    written = await stall.chat.writer.written(event_key("web:same"))
    assert written is not None
    assert written.refusal is Refusal.PRICE_CHANGED
    assert await stall.held() == 0


async def test_a_page_that_cannot_be_read_charges_nothing_and_another_tap_may(
    stall: Stall,
) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.status = 503
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. The price could not be checked just now."
    assert answer.actions == card.actions
    assert await stall.held() == 0
    stall.status = 200
    stall.later(60)
    assert (await tap(stall, answer)).card.title == "Paid ¥199.00"


async def test_a_page_that_keeps_people_waiting_is_given_up(stall: Stall) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.waits, stall.prices.budget_s = asyncio.Event(), 0.2
    answer = await asyncio.wait_for(tap(stall, card), 30)
    stall.waits.set()
    assert "The shop's server took too long to answer." in answer.text
    assert await stall.held() == 0


async def test_what_is_sold_out_by_now_is_not_charged(stall: Stall) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.availability = "OutOfStock"
    said = await stall.chat.tap("anna", card.actions[0])
    (answer,) = [one for one in said if one.to == "anna"]
    (shared,) = [one for one in said if one.edit]
    assert (shared.message_ref, shared.actions) == (card.message_ref, [])
    assert "Sold out" in shared.text
    assert answer.card.title == "Not charged. This cannot be bought any more."
    assert "It is sold out." in answer.text
    assert answer.actions == []
    assert await stall.held() == 0


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_gone_at_the_tap_sells_nothing_any_more(
    stall: Stall, status: int
) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.status = status
    said = await stall.chat.tap("anna", card.actions[0])
    (answer,) = [one for one in said if one.to == "anna"]
    (shared,) = [one for one in said if one.edit]
    assert (shared.message_ref, shared.actions) == (card.message_ref, [])
    assert "No longer for sale" in shared.text
    assert answer.card.title == "Not charged. This cannot be bought any more."
    assert "The shop's page is there no more." in answer.text
    assert answer.actions == []
    assert await stall.held() == 0
    assert await stall.chat.balance("anna") == 100_000
    # Nor is there a new card from what the page said before.
    assert await stall.shared() == []
    # A card that somebody else still sees with its button charges nothing, and all is said.
    again = await stall.chat.tap("ben", card.actions[0])
    assert [one.to for one in again] == ["ben"]


async def test_a_page_that_is_back_is_offered_anew_to_whoever_shares_it(stall: Stall) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.status = 404
    await tap(stall, card)
    stall.status = 200
    stall.later(FRESH_S + 1)
    back = await stall.share()
    assert "No longer for sale" not in back.text
    assert (await tap(stall, back)).card.title == "Paid ¥199.00"


async def test_a_page_that_has_become_another_one_takes_the_button_off_its_card(
    stall: Stall,
) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.pages["/tea"] = "<title>News</title><p>The tea house is closed.</p>"
    said = await stall.chat.tap("anna", card.actions[0])
    (answer,) = [one for one in said if one.to == "anna"]
    (shared,) = [one for one in said if one.edit]
    assert "The page does not sell it any more." in answer.text
    assert (shared.message_ref, shared.actions) == (card.message_ref, [])
    assert await stall.held() == 0


async def test_sources_that_disagree_by_now_charge_nothing(stall: Stall) -> None:
    card = await stall.share()
    stall.later(FRESH_S + 1)
    stall.head = (
        '<meta property="product:price:amount" content="1.00">'
        '<meta property="product:price:currency" content="CNY">'
    )
    assert (await tap(stall, card)).card.title == "Not charged. This cannot be bought any more."
    assert await stall.held() == 0


async def test_many_taps_at_once_wait_for_one_look(stall: Stall) -> None:
    card = await stall.share()
    quote = await stall.chat.desk.reader.quote(card.ref)
    assert quote is not None
    stall.later(FRESH_S + 1)
    at_us, asked = round(stall.now_s[0] * 1_000_000), len(stall.asked)
    stall.price = "219.00"
    looks = await asyncio.gather(*(stall.prices.look(quote, at_us) for _ in range(20)))
    assert len(stall.asked) == asked + 1
    assert {look.quote.id for look in looks if isinstance(look, PriceChanged)} != {quote.id}
    assert len({look.quote.id for look in looks if isinstance(look, PriceChanged)}) == 1
    later = await stall.prices.look(quote, at_us)
    assert isinstance(later, PriceChanged)


async def test_a_new_owner_of_the_host_is_another_seller(stall: Stall) -> None:
    card = await stall.share()
    other = await stall.chat.open_shop("eve", "Copy Cat", room="attic")
    where = {"merchant_id": stall.shop_id, "host": stall.host}
    lost = {"verified_host": None, "stage": None}
    await stall.write(Update(table="merchant_hosts", where=where, values=lost))
    claim = {"merchant_id": other, "host": stall.host, "token": "t", "method": "meta"}
    await stall.write(Insert("merchant_hosts", {**claim, "verified_host": stall.host}))
    stall.later(FRESH_S + 1)
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. It is paid in another way now."
    assert await stall.held() == 0


async def test_who_has_it_already_is_told_so_without_a_look(stall: Stall) -> None:
    card = await stall.share()
    await tap(stall, card)
    stall.later(FRESH_S + 1)
    asked = len(stall.asked)
    assert "already" in (await tap(stall, card)).text
    assert len(stall.asked) == asked


async def test_whoever_collects_money_first_asks_for_the_price_first(stall: Stall) -> None:
    card = await stall.share()
    quote = await stall.chat.desk.reader.quote(card.ref)
    assert quote is not None
    checkout, now_us = stall.chat.desk.checkout, round(stall.now_s[0] * 1_000_000)
    late_us = now_us + round((FRESH_S + 1) * 1_000_000)
    assert await checkout.price_refusal(quote, now_us) is None
    stall.later(FRESH_S + 1)
    assert isinstance(await stall.prices.look(quote, late_us), PriceStands)
    assert await checkout.price_refusal(quote, late_us) is None
    stall.price = "219.00"
    stall.later(2 * FRESH_S)
    assert await checkout.price_refusal(quote, late_us) is Refusal.PRICE_CHANGED
    stall.status = 500
    stall.later(2 * FRESH_S)
    assert await checkout.price_refusal(quote, late_us) is Refusal.PRICE_UNREAD
    assert isinstance(await stall.prices.look(quote, late_us), NotCharged)


async def test_a_card_of_a_host_whose_proof_is_lost_has_no_button_any_more(stall: Stall) -> None:
    card = await stall.share()
    where = {"merchant_id": stall.shop_id, "host": stall.host}
    lost = {"verified_host": None, "stage": "lost"}
    await stall.write(Update(table="merchant_hosts", where=where, values=lost))
    now = await stall.chat.views.card("offer", card.ref)
    assert now is not None
    assert now.buttons == ()
    assert "Preview only. The seller's proof that this domain is his is lost." in plain_text(now)
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. The seller's page is no longer proven to be his."
    assert await stall.held() == 0


async def test_cards_that_are_out_lose_their_button_with_the_proof_and_get_it_back(
    stall: Stall,
) -> None:
    card = await stall.share()
    checks = HostChecks(
        stall.chat.writer,
        HostCheckRows(stall.chat.database),
        WebProofs(stall.chat.fetcher, NoTexts()),
        announce_host,
        CheckTerms(grace_s=0),
    )

    async def look_again() -> list[Said]:
        stall.later(1)
        where = {"merchant_id": stall.shop_id, "host": stall.host}
        await stall.write(Update(table="merchant_hosts", where=where, values={"check_due_us": 1}))
        assert await checks.run_due(round(stall.now_s[0] * 1_000_000)) == 1
        return await stall.chat.deliver()

    said = await look_again()
    assert [(one.message_ref, one.actions) for one in said if one.edit] == [(card.message_ref, [])]
    (told,) = [one for one in said if one.to == "mei"]
    assert told.card.title == f"{stall.host} is no longer proven"
    stall.files["/.well-known/payontap.txt"] = "t"
    said = await look_again()
    assert [one.actions for one in said if one.edit] == [card.actions]
    (told,) = [one for one in said if one.to == "mei"]
    assert told.card.title == f"✓ {stall.host} is Tea House's again"

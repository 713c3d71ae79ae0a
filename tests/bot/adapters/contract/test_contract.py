"""What holds on every network, with the whole bot and the real network or a strict likeness."""

import pytest
import pytest_asyncio

from bot.cards import Card, Line
from tests.bot.adapters.contract.driver import Ability, Person, Shown
from tests.bot.adapters.contract.goods import (
    ARABIC,
    CHINESE,
    HEBREW,
    LONG,
    PLAIN,
    PRICE,
    PRICE_MINOR,
    SHOP_NAME,
    TITLES,
    hostile_slugs,
)
from tests.bot.adapters.contract.house import FUNDS_MINOR, House
from wallet_core.commerce.records import OrderState

pytestmark = pytest.mark.asyncio(loop_scope="module")
needs = pytest.mark.needs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(house: House) -> Person:
    """Somebody for the tests in which people only share and read."""
    anna, _ = await house.network.gather("anna", "bob")
    return anna


def is_receipt(shown: Shown) -> bool:
    return shown.text.startswith(f"Paid {PRICE}")


async def test_a_shared_link_is_answered_with_one_card_that_all_can_read(house: House) -> None:
    anna, bob = await house.network.gather("anna", "bob")
    offer = await house.offer_to(anna, words="look at {} !")
    assert offer.text.splitlines()[:2] == [PLAIN, PRICE]
    assert house.shop.host in offer.text
    assert house.leads_to(offer, "tea")
    await house.settled(anna)
    if Ability.PLACE in house.network.cannot:
        return
    seen_by_bob = await bob.see(PRICE)
    assert not seen_by_bob.private
    assert sum(PRICE in shown.text for shown in await bob.read()) == 1


async def test_a_tap_pays_once_and_a_second_tap_does_not_pay_again(house: House) -> None:
    anna, bob = await house.network.gather("anna", "bob")
    await house.fund(anna)
    offer = await house.offer_to(anna)
    await anna.tap(offer)
    receipt = await anna.see(is_receipt)
    assert receipt.private
    await anna.tap(offer)
    await anna.see("Not charged again.")
    await house.settled(anna)
    [order] = await house.orders_of(anna)
    assert (order.state, order.amount_minor) == (OrderState.AUTHORISED, PRICE_MINOR)
    assert await house.balance_minor(anna) == FUNDS_MINOR - PRICE_MINOR
    assert not [shown for shown in await bob.read() if "Paid" in shown.text]


async def test_without_money_the_tapper_alone_is_told_and_nothing_moves(house: House) -> None:
    anna, bob = await house.network.gather("anna", "bob")
    await house.fund(anna, 5_00)
    offer = await house.offer_to(anna)
    await anna.tap(offer)
    told = await anna.see("Not charged.")
    assert told.private
    assert f"You have ¥5.00; this needs {PRICE}." in told.text
    await house.settled(anna)
    assert await house.orders_of(anna) == []
    assert not [shown for shown in await bob.read() if "Not charged" in shown.text]


@needs(Ability.UNDO)
async def test_an_undo_gives_the_money_back_and_the_next_tap_is_a_new_attempt(
    house: House,
) -> None:
    anna, _ = await house.network.gather("anna", "bob")
    await house.fund(anna)
    offer = await house.offer_to(anna)
    await anna.tap(offer)
    receipt = await anna.see(is_receipt)
    await anna.undo(offer)
    await anna.see(f"Undone. {PRICE} is back in your wallet.")
    await house.settled(anna)
    assert await house.balance_minor(anna) == FUNDS_MINOR
    await anna.tap(offer)
    await anna.see(is_receipt, seen=[receipt])
    await house.settled(anna)
    states = [order.state for order in await house.orders_of(anna)]
    assert states == [OrderState.UNDONE, OrderState.AUTHORISED]
    assert await house.balance_minor(anna) == FUNDS_MINOR - PRICE_MINOR


@needs(Ability.REDELIVER)
async def test_what_the_network_delivers_again_changes_nothing(house: House) -> None:
    anna, _ = await house.network.gather("anna", "bob")
    await house.fund(anna)
    offer = await house.offer_to(anna)
    await anna.tap(offer)
    await anna.see(is_receipt)
    await house.settled(anna)
    before = [shown.id for shown in await anna.read()]
    await house.network.redeliver(house)
    await house.settled(anna)
    after = [shown for shown in await anna.read() if shown.id not in before]
    assert [shown for shown in after if "· wallet" not in shown.text] == []
    assert len(await house.orders_of(anna)) == 1
    assert await house.balance_minor(anna) == FUNDS_MINOR - PRICE_MINOR


async def test_no_name_becomes_markup(house: House) -> None:
    anna, _ = await house.network.gather("anna", "bob")
    for slug in hostile_slugs(house.network.text_length_max):
        hostile = TITLES[slug]
        await house.fund(anna)
        offer = await house.offer_to(anna, slug)
        assert offer.text.splitlines()[0] == hostile
        assert SHOP_NAME in offer.text
        assert house.leads_to(offer, slug)
        before = await anna.read()
        await anna.tap(offer)
        receipt = await anna.see(is_receipt, seen=before)
        assert hostile in receipt.text
        assert not any("evil" in link for link in receipt.links)
        card = Card(title=hostile, lines=(Line(hostile), Line(SHOP_NAME)))
        await house.say(anna, card, private=False)
        said = await anna.see(lambda shown, part=hostile: shown.text.count(part) == 2)  # type: ignore[misc]
        assert SHOP_NAME in said.text
        assert said.links == ()


async def test_right_to_left_and_chinese_names_and_words_stay_what_they_are(
    house: House, anna: Person
) -> None:
    for slug, title, words in (
        ("arabic", ARABIC, "انظروا {} جميل"),
        ("hebrew", HEBREW, "תראו את זה: {}"),
        ("chinese", CHINESE, "看这个{}。好看吗？"),
    ):
        offer = await house.offer_to(anna, slug, words)
        assert offer.text.splitlines()[:2] == [title, PRICE]


async def test_a_card_of_the_networks_full_length_is_shown_whole(
    house: House, anna: Person
) -> None:
    title = "Exactly as long as it may be"
    text = house.network.longest * (house.network.text_length_max - len(title) - 1)
    await house.say(anna, Card(title=title, lines=(Line(text),)), private=False)
    shown = await anna.see(title)
    assert shown.text == f"{title}\n{text}"


async def test_a_card_that_is_too_long_is_cut_and_says_so(house: House, anna: Person) -> None:
    text = "&茶" * house.network.text_length_max
    await house.say(anna, Card(title="Longer", lines=(Line(text),)), private=True)
    shown = await anna.see("Longer")
    assert shown.text.endswith("…")
    assert house.network.text_length_max // 2 < len(shown.text) <= house.network.text_length_max


async def test_a_very_long_title_leaves_the_price_on_the_card(house: House, anna: Person) -> None:
    offer = await house.offer_to(anna, "long")
    title, price = offer.text.splitlines()[:2]
    assert price == PRICE
    assert title == LONG or (title.endswith("…") and LONG.startswith(title[:-1]))


async def test_a_link_at_the_end_of_the_longest_message_is_found(
    house: House, anna: Person
) -> None:
    url = house.shop.url("tea")
    filler = "a" * (house.network.said_length_max - len(url) - 1)
    offer = await house.offer_to(anna, words=f"{filler} {{}}")
    assert offer.text.startswith(PLAIN)


@needs(Ability.OVERLONG)
async def test_a_message_that_is_too_long_harms_nothing(house: House, anna: Person) -> None:
    await anna.say("a " * house.network.said_length_max)
    offer = await house.offer_to(anna)
    assert offer.text.startswith(PLAIN)


@needs(Ability.RENAME)
async def test_a_person_with_another_name_is_the_same_person(house: House) -> None:
    anna, _ = await house.network.gather("anna", "bob")
    await house.fund(anna)
    wallet_id = await house.wallet_id(anna)
    offer = await house.offer_to(anna)
    await anna.rename("Anna the Second")
    await anna.tap(offer)
    await anna.see(is_receipt)
    await house.settled(anna)
    [order] = await house.orders_of(anna)
    assert order.wallet_id == wallet_id


@needs(Ability.REMOVE)
async def test_put_out_and_brought_back_the_bot_goes_on(house: House) -> None:
    anna, bob = await house.network.gather("anna", "bob")
    await house.fund(bob)
    offer = await house.offer_to(anna)
    await house.network.remove_bot(anna)
    # Nobody is there to hear, and what the bot still has to say harms nobody.
    await anna.say(house.shop.url("oolong"))
    await house.say(anna, Card(title="Into nowhere"), private=False)
    await house.quiet()
    heard_later = Ability.UNHEARD in house.network.cannot
    await house.network.add_bot(anna)
    if heard_later:
        await anna.see("Oolong")
    fresh = await house.offer_to(anna, "sencha")
    assert fresh.text.startswith("Sencha")
    await bob.tap(await house.seen_by(bob, fresh, "sencha"))
    await bob.see(is_receipt)
    await bob.tap(offer)
    await house.settled(bob)
    titles = sorted(order.title for order in await house.orders_of(bob))
    assert titles == sorted([PLAIN, "Sencha"])
    assert heard_later == any("Oolong" in shown.text for shown in await anna.read())

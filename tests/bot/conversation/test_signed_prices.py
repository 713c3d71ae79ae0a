"""A price that the merchant has signed, from the page or the link to the paid order."""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from bot.links.signed_offers import SignedOffer, sign_offer
from tests.bot.conversation.stall import Stall, stall_at
from wallet_core.audit.signing import SigningKey

KEY = SigningKey.new()


@pytest.fixture
async def stall(database_url: str) -> AsyncIterator[Stall]:
    """A proven shop that accepts each order by hand, and publishes its key."""
    async with stall_at(database_url) as stall:
        await stall.prove(standing=False)
        await stall.chat.fund("anna", 100_000)
        stall.files["/.well-known/payontap.txt"] = f"t\noffer-key={KEY.public.text}\n"
        yield stall


def signed(stall: Stall, key: SigningKey = KEY, **changed: object) -> str:
    now = int(stall.now_s[0])
    offer = SignedOffer(
        aud="payontap", url=stall.url, title="Green tea, spring", amount_minor=14_900,
        currency="CNY", iat=now, exp=now + 1800, sku="TEA-1",
    )  # fmt: skip
    return sign_offer(key, msgspec.structs.replace(offer, **changed))


def tag(text: str) -> str:
    return f'<script type="application/payontap-offer+jwt">{text}</script>'


async def test_a_signed_price_in_the_page_is_payable_at_once(stall: Stall) -> None:
    stall.head = tag(signed(stall))
    card = await stall.share()
    assert card.card.title == "Green tea, spring"
    assert "¥149.00" in card.text
    assert "Payable at once. The merchant has signed this price himself." in card.text
    quote = await stall.chat.desk.reader.quote(card.ref)
    assert quote is not None
    # The quote stands no longer than the signature.
    assert quote.expires_at_us == round((stall.now_s[0] + 1800) * 1_000_000)
    (mine,) = [one for one in await stall.chat.tap("anna", card.actions[0]) if one.to == "anna"]
    assert mine.card.title == "Paid ¥149.00"
    await stall.chat.settle()
    balances = await stall.chat.desk.reader.balances(f"merchant:{stall.shop_id}")
    assert [b.balance_minor for b in balances] == [14_900]


async def test_a_signed_price_in_the_link_counts_as_well(stall: Stall) -> None:
    card = await stall.share(f"{stall.url}#payontap-offer={signed(stall)}")
    assert "Payable at once" in card.text
    assert card.card.link_url == stall.url
    offer_again = await stall.share()
    assert "Confirmed by hold" in offer_again.text


async def test_the_order_names_what_was_signed(stall: Stall) -> None:
    card = await stall.share(f"{stall.url}#payontap-offer={signed(stall)}")
    await stall.chat.tap("anna", card.actions[0])
    wallet = (await stall.chat.meet("anna")).wallet_id
    (order,) = await stall.chat.desk.reader.recent_orders(wallet, 5)
    assert (order.title, order.amount_minor, order.accepted) == ("Green tea, spring", 14_900, True)
    offer = await stall.chat.desk.reader.offer(order.offer_id)
    assert offer is not None
    assert offer.sku == "TEA-1"


async def test_the_newest_of_two_prices_signed_for_one_page_is_what_is_charged(
    stall: Stall,
) -> None:
    now = int(stall.now_s[0])
    stall.head = tag(signed(stall, iat=now - 600)) + tag(signed(stall, amount_minor=16_900))
    card = await stall.share()
    assert "¥169.00" in card.text
    assert "Payable at once" in card.text


async def test_two_prices_signed_at_once_for_one_page_leave_the_word_to_the_page(
    stall: Stall,
) -> None:
    stall.head = tag(signed(stall)) + tag(signed(stall, amount_minor=16_900))
    card = await stall.share()
    assert "¥199.00" in card.text
    assert "Confirmed by hold" in card.text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exp": 1_700_000_001, "iat": 1_700_000_000}, "has expired"),
        ({"url": "https://other.example/tea"}, "is for other.example, not for"),
        ({"url": "http://HOST/gold"}, "is for another page of this host"),
    ],
)
async def test_what_does_not_count_in_a_link_makes_a_preview_that_says_why(
    stall: Stall, changed: dict[str, Any], words: str
) -> None:
    if "url" in changed:
        changed = {"url": str(changed["url"]).replace("HOST", stall.host)}
    card = await stall.share(f"{stall.url}#payontap-offer={signed(stall, **changed)}")
    assert card.actions == []
    assert "Preview only. The signed offer" in card.text
    assert words in card.text


async def test_a_stranger_cannot_make_things_cheaper(stall: Stall) -> None:
    forged = signed(stall, SigningKey.new(), amount_minor=1)
    card = await stall.share(f"{stall.url}#payontap-offer={forged}")
    assert card.actions == []
    assert "fits none of the keys" in card.text
    stall.head = tag(forged)
    stall.later(4000)
    in_page = await stall.share()
    assert "Confirmed by hold" in in_page.text
    assert "¥199.00" in in_page.text


async def test_where_nobody_has_proven_the_host_a_signature_pays_nobody(database_url: str) -> None:
    async with stall_at(database_url) as stall:
        stall.files["/.well-known/payontap.txt"] = f"offer-key={KEY.public.text}\n"
        card = await stall.share(f"{stall.url}#payontap-offer={signed(stall)}")
        assert card.actions == []
        assert "¥199.00" in card.text


async def test_a_host_without_keys_or_without_its_file_signs_nothing(stall: Stall) -> None:
    stall.files["/.well-known/payontap.txt"] = "t\n"
    card = await stall.share(f"{stall.url}#payontap-offer={signed(stall)}")
    assert "publishes no key for signed offers" in card.text
    del stall.files["/.well-known/payontap.txt"]
    stall.later(4000)
    card = await stall.share(f"{stall.url}#payontap-offer={signed(stall)}")
    assert card.actions == []
    assert "cannot be checked" in card.text


async def test_a_key_that_was_taken_out_counts_no_more_after_five_minutes(stall: Stall) -> None:
    stall.head = tag(signed(stall))
    assert "Payable at once" in (await stall.share()).text
    stall.files["/.well-known/payontap.txt"] = "t\n"
    stall.later(301)
    assert "Confirmed by hold" in (await stall.share()).text


async def test_a_signed_price_is_not_read_again_and_ends_with_its_signature(stall: Stall) -> None:
    stall.head = tag(signed(stall))
    card = await stall.share()
    stall.later(1799)
    asked = len(stall.asked)
    (mine,) = [one for one in await stall.chat.tap("anna", card.actions[0]) if one.to == "anna"]
    assert mine.card.title == "Paid ¥149.00"
    assert len(stall.asked) == asked
    await stall.chat.fund("ben", 100_000)
    stall.later(1)
    (late,) = [one for one in await stall.chat.tap("ben", card.actions[0]) if one.to == "ben"]
    assert late.card.title == "Not charged. This price is too old."
    assert time.time() < stall.now_s[0]

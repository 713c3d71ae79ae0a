"""A card pays for what it shows, whatever its page or its offer has become since."""

import json

import pytest
import sqlalchemy as sa

from bot.links.signed_offers import SignedOffer, sign_offer
from tests.bot.commands.chat import Said
from tests.bot.conversation.stall import FRESH_S, Stall
from wallet_core.audit.signing import SigningKey
from wallet_core.storage import tables as t

SMALL, LARGE = ("Red tea 10 g", "4.90"), ("Gold tea 1 kg", "490.00")


def variant(stall: Stall, product: tuple[str, str], sku: str | None = None) -> str:
    """The page of one variant, which calls itself what the pages of all others do."""
    title, price = product
    availability = "https://schema.org/InStock"
    offer = {"price": price, "priceCurrency": "CNY", "availability": availability}
    told = {"@type": "Product", "name": title, "offers": {"@type": "Offer", **offer}}
    if sku is not None:
        told["sku"] = sku
    name = f'<link rel="canonical" href="{stall.url}">'
    return f'<title>Tea</title>{name}<script type="application/ld+json">{json.dumps(told)}</script>'


def show_both(stall: Stall, *, skus: tuple[str | None, str | None] = (None, None)) -> None:
    stall.pages = {
        "/tea?farbe=rot": variant(stall, SMALL, skus[0]),
        "/tea?farbe=gold": variant(stall, LARGE, skus[1]),
    }


async def tap(stall: Stall, card: Said) -> Said:
    said = await stall.chat.tap("anna", card.actions[0])
    return next(one for one in said if one.to == "anna")


async def orders(stall: Stall) -> list[tuple[str, int]]:
    async with stall.chat.database.read() as connection:
        query = sa.select(t.orders.c.title, t.orders.c.amount_minor)
        return [tuple(row) for row in await connection.execute(query)]


@pytest.mark.parametrize("skus", [(None, None), ("RED-10", "GOLD-1000")], ids=["plain", "skus"])
async def test_the_first_variants_card_still_pays_for_the_first_when_another_was_shared(
    stall: Stall, skus: tuple[str | None, str | None]
) -> None:
    show_both(stall, skus=skus)
    small = await stall.share(f"{stall.url}?farbe=rot")
    large = await stall.share(f"{stall.url}?farbe=gold")
    assert (small.card.title, large.card.title) == (SMALL[0], LARGE[0])
    paid = await tap(stall, small)
    assert SMALL[0] in paid.text
    assert await orders(stall) == [(SMALL[0], 490)]
    shown = await stall.chat.desk.reader.shown_offer(small.actions[0].removeprefix("pay:"))
    assert shown is not None
    assert (shown.quote.title, shown.quote.url) == (SMALL[0], f"{stall.url}?farbe=rot")


async def test_a_variants_price_is_read_again_from_its_own_page(stall: Stall) -> None:
    show_both(stall)
    small = await stall.share(f"{stall.url}?farbe=rot")
    await stall.share(f"{stall.url}?farbe=gold")
    stall.later(FRESH_S + 1)
    assert (await tap(stall, small)).card.title == "Paid ¥4.90"
    assert await orders(stall) == [(SMALL[0], 490)]


async def test_variants_with_skus_are_two_offers(
    stall: Stall,
) -> None:
    show_both(stall, skus=("RED-10", "GOLD-1000"))
    await stall.share(f"{stall.url}?farbe=rot")
    await stall.share(f"{stall.url}?farbe=gold")
    async with stall.chat.database.read() as connection:
        found = await connection.execute(sa.select(t.offers.c.title, t.offers.c.sku))
        assert {tuple(row) for row in found} == {
            (SMALL[0], "RED-10"),
            (LARGE[0], "GOLD-1000"),
        }


async def test_a_page_that_sells_something_else_at_the_same_price_charges_nothing(
    stall: Stall,
) -> None:
    stall.pages = {"/tea": variant(stall, ("Tea 1 kg", "199.00"))}
    card = await stall.share()
    stall.pages = {"/tea": variant(stall, ("Tea 10 g", "199.00"))}
    stall.later(FRESH_S + 1)
    answer = await tap(stall, card)
    assert answer.card.title == "Not charged. The page sells something else now."
    assert "It was “Tea 1 kg” for ¥199.00; now it is “Tea 10 g”." in answer.text
    assert await stall.held() == 0
    assert (await tap(stall, answer)).card.title == "Paid ¥199.00"
    assert await orders(stall) == [("Tea 10 g", 19_900)]


async def test_the_same_product_under_a_new_title_is_charged(stall: Stall) -> None:
    stall.pages = {"/tea": variant(stall, ("Tea 1 kg", "199.00"), "TEA-1000")}
    card = await stall.share()
    stall.pages = {"/tea": variant(stall, ("Tea 1 kg, new harvest", "199.00"), "TEA-1000")}
    stall.later(FRESH_S + 1)
    assert (await tap(stall, card)).card.title == "Paid ¥199.00"
    assert await orders(stall) == [("Tea 1 kg", 19_900)]


async def test_of_two_signed_offers_for_one_page_each_card_pays_for_its_own(stall: Stall) -> None:
    key, now_s = SigningKey.new(), int(stall.now_s[0])
    stall.files["/.well-known/payontap.txt"] = f"offer-key={key.public.text}\n"

    def signed(title: str, amount_minor: int) -> str:
        offer = SignedOffer(
            aud="payontap",
            url=stall.url,
            title=title,
            amount_minor=amount_minor,
            currency="CNY",
            iat=now_s,
            exp=now_s + 86_400,
        )
        return f"{stall.url}#payontap-offer={sign_offer(key, offer)}"

    sample = await stall.share(signed("Sample 10 g", 490))
    sack = await stall.share(signed("Sack 1 kg", 49_000))
    assert (sample.card.title, sack.card.title) == ("Sample 10 g", "Sack 1 kg")
    await tap(stall, sample)
    assert await orders(stall) == [("Sample 10 g", 490)]

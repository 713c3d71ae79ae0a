"""How a merchant's catalogue and his page together decide what a tap may do."""

from collections.abc import Sequence

import msgspec
import pytest

from bot.conversation.listed import ListedPrices, weigh
from bot.links.recognise import Sighting
from bot.links.trust import Trust
from tests.bot.catalogue.items import listed_item
from wallet_core.commerce.catalogue import SITEMAP, CatalogueItem, Listing

NOW_US = 1_790_000_000_000_000
URL = "https://shop.example/p/1"


def page(price_minor: int | None = 1000, currency: str = "EUR", **other: object) -> Sighting:
    sighting = Sighting(
        url=URL,
        title="Tea on the page",
        price_minor=price_minor,
        currency=currency if price_minor is not None else None,
        availability="InStock",
        structured=price_minor is not None,
        sources={"price": "json-ld"},
    )
    return msgspec.structs.replace(sighting, **other)


def variants(*availabilities: str | None) -> list[CatalogueItem]:
    """Variants at one address and price, of which one is so, another so."""
    return [
        msgspec.structs.replace(listed_item(n), url=URL, availability=availability)
        for n, availability in enumerate(availabilities, 1)
    ]


def test_a_catalogues_price_that_the_page_confirms_is_payable() -> None:
    seen, trust, reason = weigh([listed_item(1)], page(), NOW_US)
    assert (trust, seen.price_minor, seen.title) == (Trust.PAYABLE, 1000, "Product 1")
    assert "catalogue" in reason


@pytest.mark.parametrize(
    "sighting",
    [
        page(None),
        page(1000, structured=False, sources={"price": "page"}),
        page(900, disagreements=("Two prices.",)),
        page(1100, "USD"),
    ],
)
def test_a_page_that_says_nothing_sure_leaves_the_catalogues_price(sighting: Sighting) -> None:
    seen, trust, _ = weigh([listed_item(1)], sighting, NOW_US)
    assert (trust, seen.price_minor, seen.currency) == (Trust.PAYABLE, 1000, "EUR")


def test_where_page_and_catalogue_differ_the_merchant_confirms_the_pages_price() -> None:
    seen, trust, reason = weigh([listed_item(1)], page(900), NOW_US)
    assert (trust, seen.price_minor) == (Trust.HOLD, 900)
    assert "different prices" in reason


def test_without_a_listing_the_page_stands_alone() -> None:
    seen, trust, _ = weigh([], page(900), NOW_US)
    assert (seen, trust) == (page(900), Trust.HOLD)
    assert weigh([], page(None), NOW_US)[1] is Trust.NONE


def test_variants_at_one_address_count_only_if_they_cost_the_same() -> None:
    same = [msgspec.structs.replace(listed_item(n), url=URL, variant=f"V{n}") for n in (1, 2)]
    seen, trust, _ = weigh(same, page(), NOW_US)
    assert (trust, seen.title, seen.availability) == (Trust.PAYABLE, "Product 1", "InStock")
    dearer = [same[0], msgspec.structs.replace(same[1], price_minor=1200)]
    assert weigh(dearer, page(), NOW_US)[1] is Trust.HOLD
    assert weigh(dearer, page(None), NOW_US)[1] is Trust.NONE


def test_bad_news_from_either_side_forbids_the_button() -> None:
    gone = msgspec.structs.replace(listed_item(1), availability="OutOfStock")
    assert weigh([gone], page(), NOW_US)[1] is Trust.PREVIEW
    assert weigh([listed_item(1)], page(availability="SoldOut"), NOW_US)[1] is Trust.PREVIEW


@pytest.mark.parametrize("word", ["OutOfStock", "SoldOut", "Discontinued"])
def test_a_page_that_is_sold_out_forbids_the_button_also_where_variants_are_listed(
    word: str,
) -> None:
    seen, trust, reason = weigh(variants("InStock", "InStock"), page(availability=word), NOW_US)
    assert (seen.availability, trust, reason) == (word, Trust.PREVIEW, "It is sold out.")


@pytest.mark.parametrize(
    ("listed", "on_page", "counts"),
    [
        (("OutOfStock", "PreOrder"), None, "PreOrder"),
        (("Discontinued", "InStock"), "InStock", "InStock"),
        (("OutOfStock", "SoldOut"), "InStock", "OutOfStock"),
        (("OutOfStock", None), "InStock", "InStock"),
        (("OutOfStock", None), None, "OutOfStock"),
        ((None, None), "BackOrder", "BackOrder"),
    ],
)
def test_variants_at_one_address_are_as_good_as_the_best_of_them(
    listed: tuple[str | None, str | None], on_page: str | None, counts: str
) -> None:
    for order in (listed, listed[::-1]):
        seen, _, _ = weigh(variants(*order), page(availability=on_page), NOW_US)
        assert seen.availability == counts


def test_a_sale_counts_from_its_beginning_to_its_end() -> None:
    item = msgspec.structs.replace(
        listed_item(1), sale_price_minor=700, sale_from_us=NOW_US, sale_until_us=NOW_US + 10
    )
    for at_us, price_minor in ((NOW_US - 1, 1000), (NOW_US, 700), (NOW_US + 10, 1000)):
        assert weigh([item], page(None), at_us)[0].price_minor == price_minor


class Shelf:
    """Listings by the addresses' identities."""

    def __init__(self, listing: Listing) -> None:
        self.listed = {"shop.example/p/1": listing}

    async def listings(self, _merchant_id: str, identity: str) -> Sequence[Listing]:
        found = self.listed.get(identity)
        return [found] if found else []


@pytest.mark.parametrize(
    ("kind", "age_s", "is_file", "trust"),
    [
        ("shopify", 3600, False, Trust.PAYABLE),
        ("shopify", 90_000, False, Trust.HOLD),
        ("csv", 90_000_000, True, Trust.PAYABLE),
        (SITEMAP, 60, False, Trust.HOLD),
    ],
)
async def test_only_what_was_read_lately_and_not_from_pages_is_payable(
    kind: str, age_s: int, *, is_file: bool, trust: Trust
) -> None:
    shelf = Shelf(Listing(listed_item(1), kind, NOW_US - age_s * 1_000_000, is_file))
    prices = ListedPrices(shelf, 86_400, lambda: NOW_US)
    for url, name in ((URL, "shop.example/x"), (f"{URL}?tracked=1", "shop.example/p/1")):
        assert (await prices.weighed("m_1", url, name, page()))[1] is trust

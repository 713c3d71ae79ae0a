"""Which of several variants an address asks for: by the whole of a parameter, never by a part."""

import json

import pytest

from bot.links.recognise import Sighting, recognise

ADDRESS = "https://shop.example/products/tea"


def offers(*skus: str) -> bytes:
    listed = [
        {"@type": "Offer", "sku": sku, "price": f"{number}.00", "priceCurrency": "EUR"}
        for number, sku in enumerate(skus, start=5)
    ]
    product = json.dumps({"@type": "Product", "name": "Tea", "offers": listed})
    return f'<h1>Tea</h1><script type="application/ld+json">{product}</script>'.encode()


def shopify(*ids: int) -> bytes:
    variants = [
        {"id": number, "price": 100 * place, "available": True}
        for place, number in enumerate(ids, start=5)
    ]
    product = json.dumps({"handle": "tea", "title": "Tea", "variants": variants})
    return (
        '<h1>Tea</h1><script>Shopify.currency = {"active":"EUR"}</script>'
        f'<script type="application/json">{product}</script>'
    ).encode()


def is_doubtful(seen: Sighting) -> bool:
    return bool(seen.disagreements)


@pytest.mark.parametrize(
    ("query", "price_minor"),
    [
        ("?variant=1234", 500),
        ("?colour=red&item=AB-2-9", 600),
        ("?sku=AB%2D2%2D9", 600),
        ("#sku=1234", 500),
        ("?utm_source=mail&variant=1234", 500),
    ],
)
def test_an_offer_is_chosen_by_the_whole_value_of_a_parameter(query: str, price_minor: int) -> None:
    seen = recognise(offers("1234", "AB-2-9"), ADDRESS + query)
    assert (seen.price_minor, is_doubtful(seen)) == (price_minor, False)


@pytest.mark.parametrize(
    "query",
    ["?variant=12345", "?sku=AB-2-9-XXL", "?sku=01234", "?page=1234", "?utm_campaign=1234",
     "?gclid=1234", "?q=1234", "?price=1234"],
)  # fmt: skip
def test_an_offer_is_not_chosen_by_a_part_of_a_value_nor_by_a_parameter_of_another_kind(
    query: str,
) -> None:
    seen = recognise(offers("1234", "AB-2-9"), ADDRESS + query)
    assert (seen.price_minor, is_doubtful(seen)) == (500, True)


def test_an_offer_whose_number_begins_as_anothers_does_is_chosen_without_a_doubt() -> None:
    seen = recognise(offers("TEA-S", "TEA-S-L"), f"{ADDRESS}?sku=TEA-S-L")
    assert (seen.price_minor, is_doubtful(seen)) == (600, False)


@pytest.mark.parametrize(
    ("query", "price_minor", "doubtful"),
    [
        ("?variant=1234", 500, False),
        ("?selected_variant=99", 600, False),
        ("?variant=12345", 500, True),
        ("?variant=9", 500, True),
    ],
)
def test_a_variant_of_shopify_is_chosen_by_its_whole_id(
    query: str, price_minor: int, *, doubtful: bool
) -> None:
    seen = recognise(shopify(1234, 99), ADDRESS + query)
    assert (seen.price_minor, is_doubtful(seen)) == (price_minor, doubtful)

"""What the docs tell merchants to write is what the bot reads."""

import re
from pathlib import Path

import pytest

from bot.links.advice import advice_for
from bot.links.recognise import Sighting
from bot.links.recognise.recogniser import PageReader

DOCS = (Path(__file__).parents[3] / "docs" / "product-pages.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: (url or "https://shop.example/tea", page)
    for name, url, page in re.findall(
        r"<!-- page: (\S+)(?: (\S+))? -->\n```html\n(.*?)```", DOCS, re.DOTALL
    )
}


def read(name: str) -> tuple[Sighting, list[str]]:
    url, page = EXAMPLES[name]
    reader = PageReader(page.encode(), url)
    seen = reader.sighting()
    return seen, [advice.code for advice in advice_for(reader, seen)]


@pytest.mark.parametrize("name", ["smallest", "open-graph"])
def test_the_smallest_pages_name_a_price(name: str) -> None:
    seen, _ = read(name)
    assert (seen.title, seen.price_minor, seen.currency) == ("Green tea", 490, "EUR")
    assert seen.structured
    assert seen.disagreements == ()


def test_a_reduced_price_keeps_the_one_before() -> None:
    seen, _ = read("reduced")
    assert (seen.price_minor, seen.list_price_minor, seen.exponent) == (19900, 24500, 3)
    assert seen.currency == "JOD"


def test_data_that_disagree_are_named() -> None:
    seen, codes = read("disagreement")
    assert "disagreement" in codes
    assert "4.90" in seen.disagreements[0]
    assert "5.90" in seen.disagreements[0]


def test_a_product_that_is_gone_cannot_be_bought() -> None:
    seen, codes = read("availability")
    assert seen.availability == "OutOfStock"
    assert codes == ["sold_out"]


def test_an_address_that_names_a_variant_has_its_price() -> None:
    seen, _ = read("variants")
    assert (seen.price_minor, seen.disagreements) == (3900, ())
    assert [(v.sku, v.price_minor) for v in seen.variants] == [("TEA-S", 490), ("TEA-L", 3900)]


def test_an_article_number_that_fails_its_check_digit_is_left_out() -> None:
    seen, codes = read("gtin")
    assert seen.gtin is None
    assert "gtin_wrong" in codes


def test_every_example_is_tested_and_every_advice_leads_to_a_section() -> None:
    assert set(EXAMPLES) == {
        "smallest", "open-graph", "reduced", "disagreement", "availability", "variants", "gtin",
    }  # fmt: skip
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", DOCS, re.MULTILINE)
    }
    source = (Path(__file__).parents[3] / "bot" / "links" / "advice.py").read_text("utf-8")
    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)",\n', source)) & {
        section for section in re.findall(r'"([a-z-]+)"', source) if "_" not in section
    }
    sections = named - {"disagreement"}
    assert sections
    assert sections <= anchors

"""Microdata read tag by tag, held against the nesting that the page was made from."""

import html
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.links.recognise.endings import Ending, Endings, closing_tag
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.itemprops import MICRODATA, RDFA, item_nodes
from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import Markup

BOUNDED = settings(max_examples=300, deadline=10_000)
VALUES = st.sampled_from(["Tea", "4.90", "a & b", "EUR", "it's", "x=y", "ü", "itemprop", "a > b"])


@dataclass
class Part:
    """An element of a made-up page: an item, a property, or mere markup around others."""

    tag: str
    name: str = ""
    kind: str = ""
    value: str = ""
    style: int = 0
    inside: list["Part"] = field(default_factory=list)


def leaves() -> st.SearchStrategy[Part]:
    plain = st.builds(Part, st.sampled_from(["p", "b"]), value=VALUES)
    named = st.sampled_from(["name", "price", "sku", "url", "image"])
    properties = st.builds(
        Part, st.sampled_from(["span", "meta", "link", "div"]), named, st.just(""), VALUES,
        st.integers(0, 5),
    )  # fmt: skip
    return plain | properties


def parts() -> st.SearchStrategy[Part]:
    return st.recursive(
        leaves(),
        lambda inner: st.builds(
            Part, st.sampled_from(["div", "span", "li"]),
            st.sampled_from(["", "", "offers", "brand", "isRelatedTo"]),
            st.sampled_from(["", "Offer", "Product", "Brand", "Rating"]),
            st.just(""), st.integers(0, 5), st.lists(inner, max_size=4),
        ),
        max_leaves=12,
    )  # fmt: skip


def attribute(name: str, value: str, style: int) -> str:
    written = html.escape(value)
    match style:
        case 1:
            return f" {name}='{written}'"
        case 2:
            return f' {name.upper() if name == "content" else name} = "{written}"'
        case 3:
            return f'\n{name}="{written}"'
        case 4 if value.isalnum() and value.isascii():
            return f" {name}={value}"
        case _:
            return f' title="not {name}" {name}="{written}"'


def markup(part: Part) -> str:
    inner = "".join(map(markup, part.inside))
    if part.kind:
        scope = " itemscope" if part.style % 2 else ' itemscope=""'
        kind = attribute("itemtype", f"https://schema.org/{part.kind}", part.style % 4)
        name = attribute("itemprop", part.name, part.style) if part.name else ""
        return f"<{part.tag}{name}{scope}{kind}>{inner}<!-- </{part.tag}> --></{part.tag}>"
    if not part.name or part.inside:
        return f"<{part.tag}>{html.escape(part.value)}{inner}</{part.tag}>"
    name = attribute("itemprop", part.name, part.style)
    if part.tag == "meta":
        return f"<meta{name}{attribute('content', part.value, part.style)}>"
    if part.tag == "link":
        return f"<link{attribute('href', part.value, part.style)}{name}>"
    return f"<{part.tag}{name}>{html.escape(part.value)}</{part.tag}>"


def expected(part: Part, owner: Node | None, found: list[Node]) -> None:
    """Put into `found` and `owner` what a reader with a tree would."""
    if part.kind:
        if part.name == "isRelatedTo" or part.kind == "Rating":
            return
        node: Node = {"@type": [f"https://schema.org/{part.kind}"]}
        found.append(node)
        if owner is not None and part.name:
            owner.setdefault(part.name, [])
            listed = owner[part.name]
            assert isinstance(listed, list)
            listed.append(node)
        owner = node
    elif part.name and not part.inside:
        if owner is not None:
            listed = owner.setdefault(part.name, [])
            assert isinstance(listed, list)
            listed.append(" ".join(part.value.split()))
        return
    for inner in part.inside:
        expected(inner, owner, found)


def listed(node: Node) -> Node:
    """The node with a list for each property, and so are those inside of it; one picture each."""
    every: Node = {}
    for key, value in node.items():
        values = value if isinstance(value, list) else [value]
        values = values[:1] if key == "image" else values
        every[key] = [listed(one) if isinstance(one, dict) else one for one in values]
    return every


def test_of_pictures_the_first_of_an_item_is_read() -> None:
    page = b"""<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Tea</h1>
        <img itemprop="image" src="/1.jpg"><img itemprop="image" src="/2.jpg">
        <p itemprop="offers" itemscope itemtype="https://schema.org/Offer">
        <img itemprop="image" src="/3.jpg"><b itemprop="price">4.90</b></p></div>"""
    found = item_nodes(PageFacts("https://shop.example/p", Markup(page)), MICRODATA)
    assert [node["image"] for node in found] == ["/1.jpg", "/3.jpg"]


@BOUNDED
@given(st.lists(parts(), max_size=4))
def test_items_hold_what_stands_inside_of_them(inside: list[Part]) -> None:
    top = Part("section", kind="Product", inside=inside)
    wanted: list[Node] = []
    expected(top, None, wanted)
    page = f"<h1>x</h1>{markup(top)}<p itemprop=name>nobody's</p>".encode()
    found = item_nodes(PageFacts("https://shop.example/p", Markup(page)), MICRODATA)
    assert [listed(node) for node in found] == [listed(node) for node in wanted]


@BOUNDED
@given(
    st.lists(st.sampled_from(["<div>", "</div>", "<DIV class=x>", "<b>", "x" * 900]), max_size=60),
    st.lists(st.integers(1, 40_000), max_size=6),
)
def test_an_end_is_where_the_tags_of_a_name_even_out(pieces: list[str], places: list[int]) -> None:
    visible = ("<div>" + "".join(pieces) * 3).encode()
    end = closing_tag(visible, "div", 5, len(visible))
    asked = Ending(Endings(visible), "div", 5)
    for place in sorted(places):
        assert asked.is_before(place) == (0 < end <= place)
    assert Ending(Endings(visible), "div", 5).found() == end


def product(name: str, price: str) -> str:
    return (
        f'<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">{name}</b>'
        f'<p itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        f'<meta itemprop="price" content="{price}"></p></div>'
    )


@pytest.mark.parametrize(("second", "count"), [("Cup", 2), ("Green tea", 4)])
def test_behind_the_pages_own_product_only_its_namesakes_are_looked_for(
    second: str, count: int
) -> None:
    page = f"<h1>Green tea</h1>{product('Green tea', '5')}{product(second, '9')}".encode()
    facts = PageFacts("https://shop.example/p", Markup(page))
    assert len(item_nodes(facts, MICRODATA)) == count


def test_an_item_that_nothing_closes_ends_with_what_is_around_it() -> None:
    page = (
        b'<section itemscope itemtype="https://schema.org/Product"><b itemprop="name">Tea</b>'
        b'<ul><li itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        b'<i itemprop="price">5</i></ul></section>' + b"<p>far</p>" * 4000
        + b'<i itemprop="price">9</i>'
    )  # fmt: skip
    product_node, offer = item_nodes(PageFacts("", Markup(page)), MICRODATA)
    assert offer == {"@type": ["https://schema.org/Offer"], "price": "5"}
    assert product_node["offers"] == offer


def test_rdfa_needs_no_vocabulary_in_its_types() -> None:
    page = b'<p vocab="http://schema.org/" typeof="Product"><b property="name">Tea</b></p>'
    assert item_nodes(PageFacts("", Markup(page)), RDFA) == [{"@type": ["Product"], "name": "Tea"}]

"""Google merchant feeds in XML, real and hostile."""

import tracemalloc
from collections.abc import Iterator
from io import RawIOBase

import pytest

from bot.catalogue.google_xml import read_google_xml
from bot.catalogue.record import UnreadableCatalogue
from tests.bot.catalogue.feeds import ATOM, HOSTS, RSS, file, items, problems, us


def item(fields: str, prefix: str = "") -> str:
    return (
        f'{prefix}<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item>{fields}</item>'
        "</channel></rss>"
    )


GOOD = "<g:id>1</g:id><title>Tea</title><link>https://shop.example/t</link><g:price>5 EUR</g:price>"


def test_rss_items_are_read_with_their_sale_and_without_the_price_of_shipping() -> None:
    bowl, shirt = items(read_google_xml(file(RSS), HOSTS))
    assert bowl.title == "Dog bowl in blue"
    assert bowl.url == "https://shop.example/animals/dog-bowls?id=1"
    assert (bowl.price_minor, bowl.currency, bowl.sale_price_minor) == (999, "GBP", 799)
    assert bowl.price_minor_at(us("2026-11-19T23:59:59+00:00")) == 999
    assert bowl.price_minor_at(us("2026-11-20T00:00:00+00:00")) == 799
    assert bowl.price_minor_at(us("2026-11-30T00:00:00+00:00")) == 999
    assert (bowl.gtin, bowl.brand, bowl.sku) == ("4006381333931", "Bowls & Co", "BB-1")
    assert bowl.availability == "InStock"
    assert bowl.picture == "https://cdn.example/bowl.jpg"
    assert shirt.full_title == 'Shirt "Ärmel" · Red / M'
    assert (shirt.url, shirt.page_url) == (
        "https://shop.example/shirt?variant=2",
        "https://shop.example/shirt",
    )
    assert shirt.availability == "OutOfStock"


def test_atom_entries_are_read_by_googles_id_and_the_alternate_link() -> None:
    (pot,) = items(read_google_xml(file(ATOM), HOSTS))
    assert (pot.feed_id, pot.url, pot.price_minor) == ("POT", "https://shop.example/pot", 2500)
    assert pot.availability == "PreOrder"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "gbk"])
def test_a_feed_in_any_charset_is_read(encoding: str) -> None:
    title = "茶" if encoding in ("utf-8", "utf-16", "gbk") else "Käse"
    text = item(GOOD.replace("Tea", title), f'<?xml version="1.0" encoding="{encoding}"?>')
    (tea,) = items(read_google_xml(file(text.encode(encoding)), HOSTS))
    assert tea.title == title


def test_blanks_before_the_declaration_are_no_harm() -> None:
    assert items(read_google_xml(file("\n\n " + item(GOOD, '<?xml version="1.0"?>')), HOSTS))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (GOOD.replace("5 EUR", "5"), "Line 1: item 1: “5” names no currency"),
        (GOOD.replace("<g:price>5 EUR</g:price>", ""), "item 1: “” is no price"),
        (GOOD.replace("shop.example", "other.example"), "leads to other.example"),
        (GOOD.replace("https:", "ftp:"), "is no web address"),
        (GOOD.replace("<title>Tea</title>", ""), "item 1 has no title"),
        (GOOD.replace("<g:id>1</g:id>", ""), "it has no id"),
        (GOOD + "<g:sale_price>4 USD</g:sale_price>", "another currency than EUR"),
        (
            GOOD + "<g:sale_price>4 EUR</g:sale_price>"
            "<g:sale_price_effective_date>soon</g:sale_price_effective_date>",
            "has no end",
        ),
        (
            GOOD + "<g:sale_price>4 EUR</g:sale_price>"
            "<g:sale_price_effective_date>2026-11-02/2026-11-01</g:sale_price_effective_date>",
            "ends before it begins",
        ),
    ],
)
def test_an_item_that_cannot_be_used_is_a_problem_with_its_line(fields: str, says: str) -> None:
    (problem,) = problems(read_google_xml(file(item(fields)), HOSTS))
    assert says in problem


def test_of_two_prices_in_one_item_neither_is_chosen() -> None:
    for name in ("price", "sale_price"):
        twice = f"<g:{name}>4 EUR</g:{name}><g:{name}>3 EUR</g:{name}>"
        (said,) = problems(read_google_xml(file(item(GOOD + twice)), HOSTS))
        assert "and 3 EUR” is no price" in said
    (tea,) = items(read_google_xml(file(item(f"{GOOD}<g:price>5 EUR</g:price>")), HOSTS))
    assert tea.price_minor == 500


def test_a_sale_price_that_is_no_lower_is_passed_over() -> None:
    (tea,) = items(read_google_xml(file(item(GOOD + "<g:sale_price>6 EUR</g:sale_price>")), HOSTS))
    assert tea.sale_price_minor is None


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>',
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1/rss.dtd">',
        f'<!DOCTYPE rss [<!ENTITY a "{"a" * 100_000}">]>',
    ],
)
def test_a_document_type_is_refused_before_anything_in_it_counts(doctype: str) -> None:
    text = item(GOOD.replace("Tea", "&l9;&x;&a;"), doctype)
    with pytest.raises(UnreadableCatalogue, match="DOCTYPE"):
        list(read_google_xml(file(text), HOSTS))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (item(GOOD)[:-20], "breaks off"),
        (item(GOOD.replace("Tea", "Tea & Co")), "Line 1"),
        (item("&nbsp;"), "not well-formed"),
        ("<a>" * 100, "nested too deeply"),
        (f"<rss><channel><item a='{'x' * 3_000_000}", "never ends"),
        (f"<rss><!-- {'x' * 3_000_000}", "never ends"),
        ("", "breaks off"),
    ],
)
def test_a_feed_that_cannot_be_read_to_its_end_is_told_where(text: str, says: str) -> None:
    with pytest.raises(UnreadableCatalogue, match=says):
        list(read_google_xml(file(text), HOSTS))


class Endless(RawIOBase):
    """A feed of so many items, made while it is read."""

    def __init__(self, count: int) -> None:
        self._pieces = self._made(count)
        self._rest = b""

    def _made(self, count: int) -> Iterator[bytes]:
        yield b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
        for n in range(count):
            padding = f"<description>{'words ' * 100}</description>"
            fields = GOOD.replace(">1<", f">{n}<") + padding
            yield f"<item>{fields}</item>".encode()
        yield b"</channel></rss>"

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def test_many_items_are_never_held_together() -> None:
    tracemalloc.start()
    try:
        count = 0
        for _ in read_google_xml(Endless(20_000), HOSTS):  # type: ignore[arg-type]
            count += 1
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    # The feed has 16 MB.
    assert peak_bytes < 8_000_000

"""Catalogues as tables: Google's text feeds, and CSV files of people."""

import pytest

from bot.catalogue.google_tsv import read_google_tsv
from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.template import COLUMNS, TEMPLATE, read_csv
from tests.bot.catalogue.feeds import HOSTS, TSV, file, items, problems, us
from wallet_core.commerce.catalogue import CatalogueItem

CSV = "id,title,link,price,currency\n1,Tea,https://shop.example/t,12.50,EUR\n"


def test_a_google_text_feed_is_read() -> None:
    monitor, cable = items(read_google_tsv(file(TSV), HOSTS))
    assert monitor.title == 'Monitor 24" wide'
    assert (monitor.price_minor, monitor.currency) == (19900, "USD")
    assert (monitor.picture, monitor.sku) == ("https://cdn.example/m.jpg", "A1")
    assert cable.title == 'Cable, "long"'
    assert cable.availability == "BackOrder"


def test_the_template_is_a_catalogue() -> None:
    tea, blue, white = items(read_csv(file(TEMPLATE), HOSTS))
    assert TEMPLATE.partition("\n")[0].split(",") == list(COLUMNS)
    assert (tea.price_minor, tea.currency, tea.gtin) == (1250, "EUR", "4006381333931")
    assert (blue.full_title, blue.sku) == ("Tea cup · Blue", "CUP-B")
    assert blue.price_minor_at(us("2026-11-28T12:00:00+00:00")) == 1990
    assert blue.price_minor_at(us("2026-12-02T12:00:00+00:00")) == 2400
    assert white.availability == "OutOfStock"
    assert blue.page_url == white.page_url == "https://shop.example/products/cup"


@pytest.mark.parametrize(
    "body",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("\n", "\r").encode(),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        CSV.replace("12.50", '"12,50"').encode(),
        CSV.replace(",", ";").replace("12.50", "12,50").encode(),
        CSV.replace("id,title", "ID, Title ").encode(),
        CSV.replace("Tea", '"Tea\nand more"').replace("and more", "").encode(),
        (CSV + "\n,,,,\n").encode(),
    ],
)
def test_a_table_is_read_however_a_spreadsheet_writes_it(body: bytes) -> None:
    (tea,) = items(read_csv(file(body), HOSTS))
    assert (tea.title, tea.price_minor, tea.currency) == ("Tea", 1250, "EUR")


def test_letters_of_an_old_charset_are_read() -> None:
    (cheese,) = items(read_csv(file(CSV.replace("Tea", "Käse").encode("cp1252")), HOSTS))
    assert cheese.title == "Käse"


@pytest.mark.parametrize(
    ("title", "codec"),
    [
        ("西湖龙井茶，明前特级（礼盒装）", "gb18030"),
        ("綠茶茶壺，手工製作", "big5"),
        ("緑茶のティーポット", "cp932"),
        ("녹차 주전자 수제", "cp949"),
        ("Чайник для зелёного чая", "cp1251"),
    ],
)
@pytest.mark.parametrize("count", [1, 3000])
def test_a_spreadsheet_that_does_not_name_its_charset_is_read(
    title: str, codec: str, count: int
) -> None:
    rows = "".join(f"{n},{title},https://shop.example/{n},12.50,EUR\n" for n in range(count))
    read = items(read_csv(file((CSV.partition("\n")[0] + "\n" + rows).encode(codec)), HOSTS))
    assert {item.title for item in read} == {title}
    assert len(read) == count


def test_a_price_in_another_currency_than_its_row_is_a_problem() -> None:
    head = "id,title,link,price,currency,sale_price\n"
    rows = (
        "1,Tea,https://shop.example/1,12.50 EUR,USD,\n"
        "2,Tea,https://shop.example/2,12.50 USD,USD,9 EUR\n"
        "3,Tea,https://shop.example/3,12.50,USD,9 EUR\n"
        "4,Tea,https://shop.example/4,12.50 USD,usd,9 USD\n"
    )
    *found, tea = read_csv(file(head + rows), HOSTS)
    assert problems(found) == [
        "Line 2: “12.50 EUR” names another currency than USD.",
        "Line 3: “9 EUR” names another currency than USD.",
        "Line 4: “9 EUR” names another currency than USD.",
    ]
    (tea,) = items([tea])
    assert (tea.price_minor, tea.sale_price_minor, tea.currency) == (1250, 900, "USD")


def test_problems_name_the_line_in_the_file() -> None:
    text = (
        CSV + '2,"Two\nlines",https://shop.example/2,1.500,EUR\n3,,https://shop.example/3,1,EUR\n'
    )
    assert problems(read_csv(file(text + "4,a,b,c,d,e\n"), HOSTS)) == [
        "Line 4: “1.500” can be read in two ways; write it like 1500.00.",
        "Line 5: item 3 has no title.",
        "Line 6: it has 6 columns and the first line 5; a value with a separator needs quotes.",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,title\n1,Tea\n", "no column link, price"),
        ("", "no column id, link, price, title"),
        ("id,title,link,price,Price\n1,Tea,https://shop.example/t,1 EUR,2 EUR\n", "twice: price"),
        ("id,title,link,price,sale price,g:sale_price\n", "names twice: sale_price"),
        (CSV + '2,"never closed,https://shop.example/2,1,EUR\n' + "x" * 300_000, "never closed"),
        ("x" * 2_000_000, "Line 1 never ends"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_why(text: str, says: str) -> None:
    with pytest.raises(UnreadableCatalogue, match=says):
        list(read_csv(file(text), HOSTS))


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_quotation_mark_that_swallows_rows_gives_nobody_anothers_price(separator: str) -> None:
    rows = (
        "id|title|summary|link|price",
        '1|"Big" bag|soft|https://shop.example/1|1 EUR',
        '2|"Small bag|soft|https://shop.example/2|2 EUR',
        '3|5" pipe|long|https://shop.example/3|3 EUR',
        '4|Tea|"in a tin|https://shop.example/4|4 EUR',
        '5|Cup|blue" or white|https://shop.example/5|5 EUR',
        '6|Pot|"two lines,\nboth long https://shop.example/pots"|https://shop.example/6|6 EUR',
    )
    text = "\n".join(rows).replace("|", separator)
    read = read_csv if separator == "," else read_google_tsv
    found = list(read(file(text), HOSTS))
    kept = {one.feed_id: one.price_minor for one in found if isinstance(one, CatalogueItem)}
    assert kept == {"1": 100, "6": 600}
    told = "a quotation mark that opens there is closed in line {} only; within a value it is"
    assert problems(found) == [
        f"Line 3: {told.format(4)} written twice.",
        f"Line 5: {told.format(6)} written twice.",
    ]

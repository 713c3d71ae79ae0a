"""Which of several currencies an ambiguous sign means, by what else a page says."""

import pytest

from bot.links.recognise import recognise

URL = "https://shop.example/p/tea"


def currency(head: str = "", *, price: str = "$4.90", foot: str = "", url: str = URL) -> str | None:
    body = (
        f'<h1>Tea</h1><b class="product-price">{price}</b><button>Add to cart</button><p>{foot}</p>'
    )
    html = f'<html lang="en"><head>{head}</head><body>{body}</body></html>'
    return recognise(html.encode(), url).currency


def test_a_sign_alone_says_nothing_but_what_it_most_likely_means_in_english() -> None:
    assert currency(price="490 kr") is None
    assert currency() == "USD"
    assert currency(foot="Delivery to Canada") is None
    assert currency(url="https://shop.example.au/p/tea") == "AUD"


@pytest.mark.parametrize(
    ("price", "meant"),
    [("$4.90 AUD", "AUD"), ("CAD $4.90", "CAD"), ("SG$4.90", "SGD"), ("RD$ 490", "DOP"),
     ("4,900 د.ك", "KWD"), ("490 جنيه", "EGP"), ("490 DT", "TND"), ("490 FCFA", None),
     ("490 zl", "PLN"), ("490 сум", "UZS"), ("490 درهم", None), ("KSh 490", "KES")],
)  # fmt: skip
def test_a_sign_means_what_stands_with_it(price: str, meant: str | None) -> None:
    assert currency(price=price) == meant


def test_an_amount_in_text_has_the_currency_of_the_code_beside_it() -> None:
    html = (
        "<html lang='en'><body><h1>Tea</h1><p>For $4.90 AUD</p><button>Add to cart</button></body>"
    )
    assert recognise(html.encode(), URL).currency == "AUD"


@pytest.mark.parametrize("country", ["NZ", "New Zealand"])
def test_the_shops_country_decides(country: str) -> None:
    head = f'<script>x = {{"addressCountry": "{country}"}}</script>'
    assert currency(head) == "NZD"


def test_the_country_that_the_page_is_for_decides() -> None:
    links = (
        f'<link rel="alternate" hreflang="en-ca" href="{URL}">'
        '<link rel="alternate" hreflang="en-au" href="https://shop.example/au/p/tea">'
        f'<link rel="alternate" hreflang="x-default" href="{URL}">'
    )
    assert currency(links) == "CAD"
    assert currency(links.replace('="en-ca"', '="fr-ca"')) == "CAD"


def test_a_page_for_two_countries_leaves_it_open() -> None:
    links = (
        f'<link rel="alternate" hreflang="en-ca" href="{URL}">'
        f'<link rel="alternate" hreflang="en-au" href="{URL}">'
    )
    assert currency(links) is None


def test_the_only_code_on_the_page_that_the_sign_can_mean_decides() -> None:
    assert currency(foot="All prices in USD. Euro: EUR") == "USD"
    assert currency(foot="All prices in USD or CAD") is None
    assert currency(foot="<a href='/x/SGD/y'>CADET organic</a>") is None


def test_the_dollar_of_the_united_states_is_named_beside_others_in_other_languages() -> None:
    html = (
        '<html lang="es"><body><h1>Mate</h1><b class="product-price">$ 4.900</b>'
        "<button>Agregar al carrito</button><p>Equivale a USD 5</p></body></html>"
    )
    assert recognise(html.encode(), URL).currency is None


@pytest.mark.parametrize(
    "foot",
    ["Alaska and Hawaii excluded", "1 Leaf Street, Boston, MA 02108", "Call 1-800-555-1234",
     "Made in the USA", "(617) 555-0123"],
)  # fmt: skip
def test_a_page_that_speaks_of_the_united_states_alone_likely_means_their_dollar(foot: str) -> None:
    assert currency(foot=foot.replace("555", "655")) == "USD"
    assert currency(foot=f"{foot}. We ship to Canada") is None
    assert currency(foot=foot, price="490") is None


def test_a_guessed_currency_is_a_doubt_that_keeps_the_price_from_being_paid() -> None:
    html = (
        '<html lang="en"><body><h1>Tea</h1><b class="price">$4.90</b><button>Add to cart</button>'
        "<p>Free shipping in the USA</p></body></html>"
    )
    seen = recognise(html.encode(), URL)
    assert seen.currency == "USD"
    assert any("guess" in doubt for doubt in seen.disagreements)


def test_initials_in_running_text_name_no_currency() -> None:
    assert currency(foot="Tom and BBD are at it again, says TOP magazine") == "USD"
    assert currency(foot="All prices in BBD") == "BBD"


def test_a_rupee_is_that_of_the_only_country_which_the_page_names() -> None:
    assert currency(price="Rs. 490", foot="Delivery all over India") == "INR"
    assert currency(price="Rs. 490", foot="Delivery to India and Nepal") is None


@pytest.mark.parametrize(
    ("country", "meant"), [("Chile", "CLP"), ("Colombia", "COP"), ("Chile y Colombia", None)]
)
def test_a_peso_is_that_of_the_only_country_which_a_spanish_page_names(
    country: str, meant: str | None
) -> None:
    html = (
        '<html lang="es"><body><h1>Mate</h1><b class="product-price">$ 4.900</b>'
        f"<button>Agregar al carrito</button><p>Envíos a {country}</p></body></html>"
    )
    assert recognise(html.encode(), URL).currency == meant


@pytest.mark.parametrize(
    "script",
    ['prestashop = {"currency":{"id":1,"name":"Euro","iso_code":"CAD","sign":"$"}}',
     'wc = {"currency":{"code":"CAD","precision":2}}', "BX = {'CURRENCY':'CAD'}",
     'Shopify.currency = {"active":"CAD","rate":"1.0"}'],
)  # fmt: skip
def test_objects_of_shop_software_name_the_currency(script: str) -> None:
    assert currency(f"<script>{script}</script>") == "CAD"


def test_a_price_without_a_sign_has_the_countrys_currency_if_the_page_writes_it() -> None:
    url = "https://shop.de/p/tea"
    assert currency(price="4,90", foot="Versand 2,90&nbsp;&euro;", url=url) == "EUR"
    assert currency(price="4,90", foot="Versand 2,90 £", url=url) is None
    assert currency(price="4,90", foot="Versand 2,90 €") is None


@pytest.mark.parametrize("price", ["12,50 Euro", "Euro 12,50", "EURO 12,50"])
def test_the_euro_is_written_out_too(price: str) -> None:
    assert currency(price=price) == "EUR"


_CHINESE = "商品介绍配送至北京朝阳区三环以内有货由京发货并提供售后服务购买数量重量毛重包装清单"


@pytest.mark.parametrize(
    ("text", "meant"),
    [(_CHINESE, "CNY"), ("送料についてのお知らせはこちらをご覧ください。", "JPY"), ("茶", None)],
)
def test_what_a_yen_sign_means_is_guessed_by_the_script_and_doubted(
    text: str, meant: str | None
) -> None:
    body = f'<h1>茶</h1><b class="product-price">¥1,399</b><button>Add to cart</button>{text}'
    seen = recognise(f"<html><body>{body}</body></html>".encode(), URL)
    assert seen.currency == meant
    assert any("guess" in doubt for doubt in seen.disagreements) == (meant is not None)


@pytest.mark.parametrize(
    ("language", "money", "meant"), [("fa", "5000 ریال", None), ("he", "50 ₪", "ILS")]
)
def test_a_price_without_a_sign_in_iran_may_be_in_tomans(
    language: str, money: str, meant: str | None
) -> None:
    body = f'<h1>Tea</h1><b class="product-price">120000</b><button>Buy now</button><p>{money}</p>'
    html = f'<html lang="{language}"><body>{body}</body></html>'
    assert recognise(html.encode(), URL).currency == meant


def test_a_sign_that_cannot_mean_the_code_in_the_data_is_believed_with_a_doubt() -> None:
    data = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": {'
        '"price": "583", "priceCurrency": "UAH", "availability": "InStock"}}</script>'
    )
    body = '<h1>Tea</h1><b class="price">583 лей</b><button>Add to cart</button>'
    html = f'<html lang="ru"><head>{data}</head><body>{body}</body></html>'
    seen = recognise(html.encode(), "https://shop.example.md/p/tea")
    assert (seen.price_minor, seen.currency) == (58_300, "MDL")
    assert any("its data say UAH" in doubt for doubt in seen.disagreements)


def test_a_price_without_a_sign_has_the_currency_whose_code_stands_by_itself() -> None:
    body = (
        '<h1>Te</h1><p><span class="price">479,-</span><span>NOK</span></p>'
        "<button>Legg i handlekurv</button>"
    )
    html = f'<html lang="nb"><body>{body}</body></html>'
    assert recognise(html.encode(), "https://shop.example.no/p/te").currency == "NOK"

"""Pages that call themselves a search, a cart or a list of products."""

import pytest

from bot.links.recognise import recognise
from bot.links.recognise.listtitles import is_called_a_list

_BOUGHT = '<b class="price">£4.90</b><button class="add-to-cart">Add to cart</button>'


def price(heading: str) -> int | None:
    html = f"<html lang='en-GB'><body><h1>{heading}</h1>{_BOUGHT}</body></html>"
    return recognise(html.encode(), "https://shop.example/p/tea").price_minor


@pytest.mark.parametrize(
    "title",
    [
        "Search results for: tea", "Sökt på: te", "Suchergebnisse für Tee", "検索結果：お茶",
        "搜尋結果", "검색결과 3건", "Arama sonuçları", "Результаты поиска", "نتائج البحث",
        "نتایج جستجو", "תוצאות חיפוש", "Kết quả tìm kiếm", "ผลการค้นหา", "Wyniki wyszukiwania",
    ],
)  # fmt: skip
def test_what_calls_itself_a_search_sells_no_single_product(title: str) -> None:
    assert price(title) is None


@pytest.mark.parametrize(
    "title", ["Shopping cart", "Sepetim | Shop", "장바구니", "購物車 - 商店", "سبد خرید", "Košík"]
)
def test_what_calls_itself_a_cart_sells_no_single_product(title: str) -> None:
    assert price(title) is None


@pytest.mark.parametrize("title", ["Teas (12 products)", "Τσάι (1 προϊόντα)", "Чай (24 товара)"])
def test_a_heading_that_counts_products_is_a_lists(title: str) -> None:
    assert price(title) is None


@pytest.mark.parametrize(
    "title", ["Products", "Tüm Ürünler", "商品一覧", "المنتجات", "Каталог", "전체상품", "Produkter"]
)
def test_what_is_called_as_all_that_a_shop_has_is_a_list(title: str) -> None:
    assert price(title) is None


@pytest.mark.parametrize(
    "title", ["Welcome to Teas", "Добро пожаловать!", "ようこそ", "Hoş geldiniz"]
)
def test_a_page_that_welcomes_people_is_a_front_page(title: str) -> None:
    assert price(title) is None


def test_data_of_a_product_are_believed_under_any_title() -> None:
    data = '{"@type":"Product","name":"Tea","offers":{"price":"4.90","priceCurrency":"GBP"}}'
    html = f'<script type="application/ld+json">{data}</script><h1>Welcome to Teas</h1>'
    assert recognise(html.encode(), "https://shop.example/p/tea").price_minor == 490


@pytest.mark.parametrize(
    "title",
    ["Tea", "Basket", "Product", "Products of tea", "Cart for two", "Tea (12 bags)", "Searching"],
)
def test_a_product_may_be_called_alike(title: str) -> None:
    assert price(title) == 490


def test_the_name_of_a_shop_behind_a_title_is_no_part_of_it() -> None:
    assert is_called_a_list("", ("Checkout | Shop",))
    assert not is_called_a_list("", ("Tea | Checkout",))


@pytest.mark.parametrize(
    "title",
    ["18 results for 'tea'", "97.000+ Ergebnisse für Tee", "1 240 résultats"],
)
def test_a_heading_that_counts_what_was_found_is_a_searchs(title: str) -> None:
    assert is_called_a_list(title, (title,))


@pytest.mark.parametrize("title", ["18 Resultante", "5 Hasiland", "Tea: 18 results"])
def test_a_product_may_begin_or_end_with_a_number(title: str) -> None:
    assert not is_called_a_list(title, (title,))

"""Words beside an amount that say what kind of price it is."""

import pytest

from bot.links.recognise.pricewords import PART_WORDS, calls_it_old, without_price_words


@pytest.mark.parametrize(
    "text",
    ["was £6.00", "UVP 12,50 €", "Ord. pris 199 kr", "rek.pris 199 kr", "Vejl. pris 199 kr",
     "eski fiyat 1.299 TL", "Giá gốc: 18.990.000đ", "harga normal Rp 745.000", "Eredeti ár 990 Ft",
     "Najniższa cena 99 zł", "preț vechi 99 lei", "стара ціна 99 грн", "αρχική τιμή 12 €",
     "السعر السابق 99", "قیمت قبلی ۹۹", "מחיר קודם 99", "ราคาปกติ 990", "通常価格 990円",
     "劃線價 990元", "정상가 9,900원"],
)  # fmt: skip
def test_words_of_many_languages_call_a_price_old(text: str) -> None:
    assert calls_it_old(text)


@pytest.mark.parametrize(
    "text",
    ["£6.00", "Pris 199 kr", "1.299 TL", "giá 990đ", "harga Rp 745.000", "990円", "Washed 5 £"],
)
def test_a_price_as_such_is_not_called_old(text: str) -> None:
    assert not calls_it_old(text)


@pytest.mark.parametrize("text", ["99 zł / mies", "99 kr/mån", "月々990円", "per bulan", "99/ay"])
def test_words_of_many_languages_call_a_price_monthly(text: str) -> None:
    assert PART_WORDS.search(text)


@pytest.mark.parametrize(
    "text", ["قیمت", "Giá", "Verð", "ราคา", "税込", "PVP", "Price", "Ціну", "মূল্য"]
)
def test_words_of_many_languages_call_a_number_a_price(text: str) -> None:
    assert without_price_words(f"{text} 99") == " 99"

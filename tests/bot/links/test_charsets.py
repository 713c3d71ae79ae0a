"""Pages in any charset."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.links.charsets import codec_of, page_text

CHINESE = "绿茶一百克，今天的价格是十九元。我们的商店在城市的中心，欢迎您来看看新的产品。"
TAIWANESE = "綠茶一百克，今天的價格是十九元。我們的商店在城市的中心，歡迎您來看看新的產品。"
JAPANESE = "緑茶百グラム、今日の価格は千九百円です。お店は町の真ん中にあります。"
KOREAN = "녹차 백 그램, 오늘 가격은 만 구천 원입니다. 우리 가게는 시내에 있습니다."
RUSSIAN = "Зелёный чай, сто граммов. Сегодня цена девятнадцать рублей, магазин в центре города."
GREEK = "Πράσινο τσάι, εκατό γραμμάρια. Η σημερινή τιμή είναι δεκαεννέα ευρώ."
HEBREW = "תה ירוק, מאה גרם. המחיר היום הוא תשעה עשר שקלים."
ARABIC = "شاي أخضر مئة غرام. السعر اليوم تسعة عشر درهما."
TURKISH = "Yeşil çay, yüz gram. Bugünkü fiyatı on dokuz lira, dükkânımız şehrin ortasında."
POLISH = "Zielona herbata, sto gramów. Dzisiejsza cena to dziewiętnaście złotych; sklep w środku."
THAI = "ชาเขียวหนึ่งร้อยกรัม ราคาวันนี้สิบเก้าบาท"
FRENCH = "Thé vert, cent grammes. Le prix d’aujourd’hui est de dix-neuf euros (19 €), déjà réduit."

PAGES = [
    (CHINESE, "gb18030", "gb2312"), (CHINESE, "gbk", "gbk"), (TAIWANESE, "big5", "big5"),
    (JAPANESE, "cp932", "shift_jis"), (JAPANESE, "euc_jp", "euc-jp"),
    (JAPANESE, "iso2022_jp", "iso-2022-jp"), (KOREAN, "cp949", "euc-kr"),
    (RUSSIAN, "cp1251", "windows-1251"), (RUSSIAN, "koi8-r", "koi8-r"),
    (RUSSIAN, "iso8859-5", "iso-8859-5"), (RUSSIAN, "cp866", "ibm866"),
    (GREEK, "cp1253", "windows-1253"), (HEBREW, "cp1255", "windows-1255"),
    (ARABIC, "cp1256", "windows-1256"), (TURKISH, "cp1254", "iso-8859-9"),
    (POLISH, "iso8859-2", "iso-8859-2"), (THAI, "cp874", "tis-620"),
    (FRENCH, "cp1252", "iso-8859-1"), (FRENCH, "utf-8", "utf-8"),
]  # fmt: skip


def page(text: str, meta: str = "", lang: str = "") -> str:
    return f"<!doctype html><html{lang}><head>{meta}<title>{text}</title></head><p>{text}</p>"


@pytest.mark.parametrize(("text", "codec", "label"), PAGES)
def test_the_servers_word_and_the_pages_own_are_believed(text: str, codec: str, label: str) -> None:
    plain = page(text)
    assert page_text(plain.encode(codec), label.upper())[0] == plain
    for meta in (
        f'<meta charset="{label}">',
        f"<META http-equiv=Content-Type content='text/html; charset={label}'>",
    ):
        named = page(text, meta)
        assert page_text(named.encode(codec))[0] == named


@pytest.mark.parametrize(
    ("text", "codec", "lang", "country"),
    [
        (CHINESE, "gb18030", "", ""), (TAIWANESE, "big5", "", ""), (JAPANESE, "cp932", "", ""),
        (JAPANESE, "euc_jp", "", ""), (KOREAN, "cp949", "", ""), (RUSSIAN, "cp1251", "", ""),
        (RUSSIAN, "koi8-r", "", ""), (RUSSIAN, "koi8-r", ' lang="ru"', ""),
        (FRENCH, "cp1252", "", ""), (FRENCH, "utf-8", "", ""), (CHINESE, "utf-8", "", ""),
        (GREEK, "cp1253", ' lang="el"', ""), (GREEK, "cp1253", "", "gr"),
        (HEBREW, "cp1255", ' lang="he-IL"', ""), (ARABIC, "cp1256", ' lang="ar"', ""),
        (TURKISH, "cp1254", ' lang="tr"', ""), (POLISH, "cp1250", "", "pl"),
        (THAI, "cp874", ' lang="th"', ""),
    ],
)  # fmt: skip
def test_what_nobody_names_is_found_in_the_bytes(
    text: str, codec: str, lang: str, country: str
) -> None:
    plain = page(text, lang=lang)
    assert page_text(plain.encode(codec), country=country)[0] == plain


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_outweighs_every_word(codec: str) -> None:
    assert page_text(page(CHINESE).encode(codec), "windows-1252")[0] == page(CHINESE)


def test_a_word_that_cannot_be_true_gives_way() -> None:
    meta = page(CHINESE, "<meta charset=gbk>")
    assert page_text(meta.encode("gbk"), "utf-8")[0] == meta
    assert page_text(page(JAPANESE).encode("cp932"), "utf-8")[0] == page(JAPANESE)
    utf16 = page(FRENCH, "<meta charset=utf-16>")
    assert page_text(utf16.encode(), None)[0] == utf16


def test_one_bad_byte_spoils_no_page() -> None:
    body = page(CHINESE).encode("gb18030").replace(b"<p>", b"<p>\xff")
    text, codec = page_text(body, "gb2312")
    assert codec == "gb18030"
    assert CHINESE in text
    for charset in (None, "utf-8"):
        text, codec = page_text(page(CHINESE).encode()[:-1] + b"\xe8\x8c", charset)
        assert codec == "utf-8"
        assert CHINESE in text


def test_names_are_the_webs_and_no_others() -> None:
    assert codec_of("ISO-8859-1") == "cp1252"
    assert codec_of(' "GB2312" ') == "gb18030"
    for name in (None, "", "rot13", "base64", "utf-7", "idna", "punycode", "unicode_escape", "zip"):
        assert codec_of(name) is None


@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "gbk", "x", "shift_jis", "utf-16"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_some_text(body: bytes, charset: str | None) -> None:
    text, _ = page_text(body, charset)
    text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "iso2022_jp"])
@pytest.mark.parametrize("said", [None, "utf-8", "nonsense"])
def test_charsets_that_show_in_the_bytes_are_read_whatever_is_said(
    codec: str, said: str | None
) -> None:
    page = '<html><meta charset="utf-8"><title>緑茶のポット</title><p>1,200円</p></html>'
    assert page_text(page.encode(codec), said) == (page, codec)


def test_a_page_with_some_zeros_is_not_taken_for_wide_letters() -> None:
    page = "<title>Grüner Tee</title>" + "a\x00b" * 20 + "<p>4 €</p>" * 40
    assert page_text(page.encode(), None) == (page, "utf-8")

"""Hosts that a reader may take for others."""

import time

import pytest

from bot.links.lookalikes import host_as_owned, host_warning, shown_elsewhere_warning


@pytest.mark.parametrize(
    "host",
    ["аррӏе.com", "pаypal.com", "xn--80ak6aa92e.com", "gооgle.com", "paγpal.com", "ıkea.com",
     "example.comノlogin.shop", "www.apple.com.verify.top", "ѕсоре.com", "аррӏе.com:8443",
     "xn--\u0661.com",
     "ոսօ.com", "mіcrosoft.com", "paypal.com.secure-login.net", "amazon.co.uk.login.top",
     "shop.com⁄pay.login.top", "shop.com∕pay.login.top", "pay‐pal.com", "shop.ıkea.fr",
     "shop.comノlögin.top", "shop.com╱x.login.top", "shop.com│x.login.top", "shop.com𝈺x.login.top",
     "shop.com🙼x.login.top", "shop.com❘x.login.top", "shop.com㇓x.login.top",
     "shop.com\u0338x.login.top", "shop.com\u0337x.login.top", "shop.com\u20e5x.login.top",
     "xn--comx-dv2b.login.top", "shop.com-login.top", "www.shop.com-login.top:8443",
     "shop.com-x.login.top", "shop.co.uk-login.top"],
)  # fmt: skip
def test_a_host_that_imitates_another_is_warned_about(host: str) -> None:
    assert host_warning(host) is not None


@pytest.mark.parametrize(
    "host",
    ["example.com", "bücher.de", "例子.中国", "ソニーstore.jp", "сайт.рф", "сор.рф", "xn--p1ai.рф",
     "пример.com", "naver한국.kr", "127.0.0.1", "κατάστημα.gr",
     "shop.com.br", "a.co.uk", "127.0.0.1:8001", "[::1]", "[::1]:8001",
     "localhost", "ノート.jp", "straße.de", "한국쇼핑.com", "com.example", "net.shop.com", "i❤.ws",
     "col·lecció.cat", "ıstanbul.com.tr", "shop.co.uk", "www.shop.co.uk", "co.uk.shop.com",
     "ソニー・ストア.jp", "com-unity.example", "www.com-unity.example", "m.com-unity.example",
     "www.net-a-porter.com", "shop.net-a-porter.com", "shop.org-anic.example", "shop.co-op.example",
     "tele.com.example", "shop.dot-com.example", "shop.comet-x.example", "i☕.ws",
     "i🍕.ws", "ẹ́wà.ng"],
)  # fmt: skip
def test_an_honest_host_is_not(host: str) -> None:
    assert host_warning(host) is None


@pytest.mark.parametrize(
    ("shown", "url"),
    [
        ("https://shop.example.com/p", "https://evil.com/p"),
        ("shop.com", "https://shop.com.evil.net/"),
        ("Tea at shop.com today", "https://evil.com/"),
        ("www.shop.com", "https://evil.com/"),
        ("shop．com/pay", "https://evil.com/"),
        ("shop。com/pay", "https://evil.com/"),
        ("shop․com", "https://evil.com/"),
        ("ｓｈｏｐ.com", "https://evil.com/"),
        ("sh\u200bop.com", "https://evil.com/"),
        ("sh\u00adop.com", "https://evil.com/"),
        ("\u202emoc.pohs\u202c", "https://evil.com/"),
        ("https://shop.com@evil.com/pay", "https://evil.com/"),
        ("evil.com, that is shop.com", "https://evil.com/"),
        ("shop.com(official)", "https://evil.com/"),
        ("shop.com+", "https://evil.com/"),
        ("@shop.com", "https://evil.com/"),
        ("now: $shop.com", "https://evil.com/"),
        ("//shop.com", "https://evil.com/"),
        ("https://shop.com/tea\u200b-500g", "https://evil.com/"),
        ("https://shop.com/tea‑500g", "https://evil.com/"),
        ("https://shop.com/tea\\_500g", "https://evil.com/"),
    ],
)
def test_a_text_that_names_another_host_than_the_target_is_warned_about(
    shown: str, url: str
) -> None:
    warning = shown_elsewhere_warning(shown, url)
    assert warning is not None
    assert "leads to" in warning


@pytest.mark.parametrize(
    ("shown", "url", "final"),
    [
        ("https://shop.com/p", "https://shop.com/p?utm_source=x", None),
        ("shop.com/p…", "https://www.shop.com/product", None),
        ("Green tea", "https://shop.com/p", None),
        ("", "https://shop.com/p", None),
        ("bücher.de", "https://xn--bcher-kva.de/", None),
        ("shop.com/p", "https://s.example/x1", "https://shop.com/p"),
        ("https://m.shop.com/p", "https://shop.com/p", None),
        ("sh\u200bop.com", "https://shop.com/p", None),
        ("\u2068shop.com\u2069", "https://shop.com/p", None),
        ("Ask bob@mail.com", "https://shop.com/p", None),
        ("https://shop.com/p_(b.com)", "https://shop.com/p", None),
        ("https://shop.com/b.com+c.com", "https://shop.com/p", None),
    ],
)
def test_a_text_that_names_the_target_or_no_host_is_not(
    shown: str, url: str, final: str | None
) -> None:
    assert shown_elsewhere_warning(shown, url, final) is None


def test_a_countrys_shared_ending_is_no_shop_that_is_shown_in_another_way() -> None:
    for one, two in (
        ("mobile.co.uk", "touch.co.uk"), ("m.com.au", "wap.com.au"), ("amp.co.jp", "h5.co.jp"),
    ):  # fmt: skip
        assert host_as_owned(one) != host_as_owned(two)
        assert shown_elsewhere_warning(f"https://{one}/tea", f"https://{two}/tea") is not None
    for host in ("www.shop.co.uk", "m.shop.co.uk", "shop.co.uk"):
        assert host_as_owned(host) == "shop.co.uk"
    assert host_as_owned("www.web.de") == "web.de"


def test_the_warning_names_the_whole_host_that_people_see() -> None:
    warning = shown_elsewhere_warning("sh\u200bop.com", "https://evil.com/")
    assert warning == "The link shows shop.com but leads to evil.com."


def test_a_text_full_of_accents_is_looked_through_soon() -> None:
    began = time.process_time()
    shown = "\u0345\u0301\u0327\u0334" * 15_000 + " shop.com"
    assert shown_elsewhere_warning(shown, "https://evil.com/") is not None
    assert time.process_time() - began < 1

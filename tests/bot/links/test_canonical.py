"""One name for one page."""

import pytest

from bot.links.canonical import canonical_url, host_and_port, host_of, host_warning


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Shop.Example:443/A?b=1#c", "https://shop.example/A?b=1"),
        ("http://a.com:80", "http://a.com/"),
        ("http://a.com:8080/", "http://a.com:8080/"),
        ("https://a.com./x", "https://a.com/x"),
        ("https://a.com/?utm_source=x&UTM_Medium=y&id=7&fbclid=z", "https://a.com/?id=7"),
        ("https://a.com/p?spm=1.2&scm=3&id=7", "https://a.com/p?id=7"),
        ("https://a.com/p?gclid=1", "https://a.com/p"),
        ("https://a.com/p?ref=branch&%75tm_id=1", "https://a.com/p?ref=branch"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://a.com/x/../y", "https://a.com/y"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("  https://a.com/  ", "https://a.com/"),
    ],
)
def test_ways_to_write_a_page_become_one(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "a.com", "ftp://a.com/", "javascript:alert(1)", "data:text/html,x", "file:///etc/x",
        "https://user@a.com/", "https://u:p@a.com/", "https://", "https://a b.com/",
        "https://a.com/\nb", "https://a..b.com/", "https://" + "a" * 64 + ".com/",
        "https://a.com/" + "x" * 5000, "https://a.com:99999/", "https://%00.com/", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_usable_address_has_no_canonical_form(url: str) -> None:
    assert canonical_url(url) is None
    assert host_of(url) is None


def test_a_host_comes_in_lower_case_punycode_and_with_the_port_of_its_scheme() -> None:
    assert host_of("https://BÜCHER.example/x") == "xn--bcher-kva.example"
    assert host_and_port("https://a.com/x") == ("a.com", 443)
    assert host_and_port("http://a.com:8001/x") == ("a.com", 8001)


@pytest.mark.parametrize(
    "host",
    ["аррӏе.com", "pаypal.com", "xn--80ak6aa92e.com", "gооgle.com", "paγpal.com", "ıkea.com"],
)
def test_a_host_that_imitates_another_is_warned_about(host: str) -> None:
    assert host_warning(host) is not None


@pytest.mark.parametrize(
    "host",
    ["example.com", "bücher.de", "例子.中国", "ソニーstore.jp", "сайт.рф", "сор.рф", "xn--p1ai.рф",
     "пример.com", "naver한국.kr", "127.0.0.1", "κατάστημα.gr"],
)  # fmt: skip
def test_an_honest_host_is_not(host: str) -> None:
    assert host_warning(host) is None

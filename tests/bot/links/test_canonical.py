"""One name for one page."""

import pytest

from bot.links.canonical import canonical_url, host_and_port, host_of, identity_of


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
    "query",
    ["utm_source=a", "UTM_CAMPAIGN=a", "fbclid=1", "gclid=1", "gad_source=1", "yclid=1", "ttclid=1",
     "msclkid=1", "igsh=1", "mc_eid=1", "_hsenc=1", "srsltid=1", "spm=a.b.c", "pvid=1",
     "%75tm_source=a", "si_share=1", "hsa_cam=1", "mtm_campaign=1", "share_token=1", "irclickid=1",
     "awc=1", "wt_mc=1", "_ga=2.1", "_gl=1", "cmpid=1", "aff_fcid=1", "pd_rd_w=1", "elqTrackId=1"],
)  # fmt: skip
def test_what_only_tracks_is_no_part_of_the_name(query: str) -> None:
    assert canonical_url(f"https://a.com/p?{query}&id=7") == "https://a.com/p?id=7"
    assert canonical_url(f"https://a.com/p?{query}") == "https://a.com/p"


@pytest.mark.parametrize(
    "query",
    ["ref=7", "source=7", "id=7", "variant=7", "sku=7", "share=7", "from=7", "cid=7", "color=red",
     "q=utm_source", "a%26utm_source=7", "gallery=1", "spmx=1", "page=2", "v=x",
     "refid=7", "itm_id=7", "trk_id=7", "aff_size=7"],
)  # fmt: skip
def test_what_may_choose_the_product_stays(query: str) -> None:
    assert canonical_url(f"https://a.com/p?{query}") == f"https://a.com/p?{query}"


def test_what_stands_behind_a_semicolon_is_a_parameter_of_its_own() -> None:
    assert canonical_url("https://a.com/p?utm_source=x;id=5") == "https://a.com/p?id=5"
    assert canonical_url("https://a.com/p?utm_source=x;y;gclid=1;id=5") == "https://a.com/p?id=5"
    assert canonical_url("https://a.com/p?b=1&utm_content=x;y") == "https://a.com/p?b=1"


def test_ways_to_write_one_page_have_one_identity() -> None:
    ways = [
        "https://a.com/p?a=1&b=2", "http://a.com/p?a=1&b=2", "https://A.com/p?b=2&a=1",
        "https://a.com:443/p?a=1&b=2", "https://a.com./p?a=1&b=2", "https://a.com/p/?a=1&b=2",
        "https://a.com/x/../p?a=1&b=2", "https://a.com/p?a=1&b=2#top",
        "https://a.com/p?a=1&b=2&utm_source=x", "https://a.com/p?fbclid=z&a=1&b=2",
    ]  # fmt: skip
    assert len({identity_of(canonical_url(way) or "") for way in ways}) == 1
    others = ["https://a.com/P?a=1&b=2", "https://b.com/p?a=1&b=2", "https://a.com/p?a=1&b=3",
              "https://a.com:8443/p?a=1&b=2", "https://a.com/p"]  # fmt: skip
    assert len({identity_of(url) for url in others}) == len(others)


def test_a_dot_behind_the_host_is_no_other_host() -> None:
    assert canonical_url("https://a.com.:8443/x?y") == "https://a.com:8443/x?y"
    assert canonical_url("http://127.0.0.1./") == "http://127.0.0.1/"
    assert host_and_port("http://[::1]:81/") == ("[::1]", 81)
    assert canonical_url("https://a.com?x#y") == "https://a.com/?x"


@pytest.mark.parametrize(
    "ways",
    [
        ("https://a.com/茶-cup", "https://a.com/%E8%8C%B6-cup", "https://a.com/%e8%8c%b6%2Dcup"),
        ("https://a.com/~b?c=d", "https://a.com/%7Eb?c=d", "https://a.com/%7eb?%63=d"),
    ],
)
def test_however_a_letter_is_escaped_it_is_the_same_page(ways: tuple[str, ...]) -> None:
    assert len({identity_of(canonical_url(way) or "") for way in ways}) == 1


def test_a_sign_that_parts_is_another_than_one_that_is_escaped() -> None:
    ways = ["/a/b", "/a%2Fb", "/a%2fb", "/a?b=c&d", "/a?b=c%26d", "/a?b=c%2526d"]
    assert len({identity_of(f"https://a.com{way}") for way in ways}) == len(ways) - 1

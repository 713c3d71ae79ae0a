"""Links in what people write."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.links.canonical import canonical_url
from bot.links.inspect import findings
from bot.links.scan import find_links


def texts(message: str) -> list[str]:
    return [link.text for link in find_links(message)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("看这个https://shop.example/p/1。很好", ["https://shop.example/p/1"]),
        ("看这个https://shop.example.com/p/1。很好", ["https://shop.example.com/p/1"]),
        ("【https://a.com/x】", ["https://a.com/x"]),
        ("「https://a.com/x」", ["https://a.com/x"]),
        ("（https://a.com/x）", ["https://a.com/x"]),
        ("https://a.com/x，便宜！", ["https://a.com/x"]),
        ("https://a.com/x！！", ["https://a.com/x"]),
        ("链接：https://a.com/x?id=1&k=2；快看", ["https://a.com/x?id=1&k=2"]),
        ("链接:a.com/x", ["a.com/x"]),
        ("复制HU1234https://a.com/x打开", ["https://a.com/x"]),
        ("一个a.com、两个b.cn、三个", ["a.com", "b.cn"]),
        ("https://a.com/x看https://b.com/y", ["https://a.com/x", "https://b.com/y"]),
        ("https://例子.中国/路", ["https://例子.中国/"]),
        ("去 例子.中国 看看", ["例子.中国"]),
        ("買いました https://例え.jp/a です", ["https://例え.jp/a"]),
        ("사세요 https://a.kr/b를 보세요", ["https://a.kr/b"]),
        ("https://a.com/x\u200b你好", ["https://a.com/x"]),
        ("\u200bhttps://a.com/x\u200d", ["https://a.com/x"]),
        ("\ufeffa.com\u2060", ["a.com"]),
        ("https：//a.com", []),
        ("天气不错。我们走吧", []),
        ("我买了.手机坏了", []),
        ("邮箱是foo@a.com。", []),
        ("《https://a.com/x》", ["https://a.com/x"]),
        ("https://a.com，联系foo@b.com", ["https://a.com"]),
        ("https://a.com/x 或 foo@b.com", ["https://a.com/x"]),
        ("https://a.com/s?q=绿茶&p=2看看", ["https://a.com/s?q=绿茶&p=2"]),
        ("https://a.com/分类/茶/1.html很好", ["https://a.com/分类/茶/1.html"]),
        ("https://a.com/看看，https://b.com/x看/y", ["https://a.com/", "https://b.com/x"]),
        ("58.com、51.cn、99.co", ["58.com", "51.cn", "99.co"]),
        ("[https://a.com/x]【b.com】〔c.com〕", ["https://a.com/x", "b.com", "c.com"]),
        ("『https://a.com/x』〈https://b.com/y〉", ["https://a.com/x", "https://b.com/y"]),
        ("“https://a.com/x”‘https://b.com/y’", ["https://a.com/x", "https://b.com/y"]),
        (
            "https://a.com/x…… https://b.com/y～ https://c.com/z〜",
            ["https://a.com/x", "https://b.com/y", "https://c.com/z"],
        ),
        (
            "https://a.com/x？https://b.com/y：https://c.com/z",
            ["https://a.com/x", "https://b.com/y", "https://c.com/z"],
        ),
        ("https://a.com/x｜https://b.com/y／z", ["https://a.com/x", "https://b.com/y"]),
        (
            "淘宝的https://m.a.com/h.5A2b?tk=x1Y2z3 CZ3457「新茶」",
            ["https://m.a.com/h.5A2b?tk=x1Y2z3"],
        ),
        ("https://a.com/x\u3000https://b.com/y", ["https://a.com/x", "https://b.com/y"]),
        ("看www.a.com，再看WWW.B.CN！", ["www.a.com", "WWW.B.CN"]),
        ("https://a.com/x\u2060\u200e。", ["https://a.com/x"]),
        ("\u2066https://a.com/x\u2069", ["https://a.com/x"]),
        ("https://a.com/xhttps://b.com/y", ["https://a.com/x", "https://b.com/y"]),
        ("https://a.comhttps://b.com", ["https://a.com", "https://b.com"]),
        ("ดูที่https://a.com/xครับ", ["https://a.com/x"]),
        ("ดูที่ a.co.thครับ", ["a.co.th"]),
        ("सामान https://a.in/x। अच्छा", ["https://a.in/x"]),
        ("https://उदाहरण.भारत/x", ["https://उदाहरण.भारत/x"]),
        ("देखो उदाहरण.भारत अभी", ["उदाहरण.भारत"]),
        ("https://موقع.مصر/x، جيد؟", ["https://موقع.مصر/x"]),
        ("زوروا موقع.مصر الآن", ["موقع.مصر"]),
        ("https://a.com/ru/Чай, потом", ["https://a.com/ru/Чай"]),
        ("см. магазин.com и сайт.рф.", ["магазин.com", "сайт.рф"]),
        ("mua tại cửahàng.vn nhé", ["cửahàng.vn"]),
        ("👉https://a.com/x👈 🎁a.com🎁", ["https://a.com/x", "a.com"]),
        ("¥199的https://a.com/x￥", ["https://a.com/x"]),
        ("价格3.50元,a.cn便宜", ["a.cn"]),
        (
            "https://a.com:8443/x，https://1.2.3.4:81/y。",
            ["https://a.com:8443/x", "https://1.2.3.4:81/y"],
        ),
        ("http://xn--fsqu00a.xn--fiqs8s/x。", ["http://xn--fsqu00a.xn--fiqs8s/x"]),
        (
            "a.shop、b.store、c.online、d.xyz、e.app、f.中国",
            ["a.shop", "b.store", "c.online", "d.xyz", "e.app", "f.中国"],
        ),
    ],
)
def test_a_link_inside_a_sentence_without_blanks_is_found_whole(
    message: str, expected: list[str]
) -> None:
    assert texts(message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("(see https://a.com/x)", ["https://a.com/x"]),
        ("https://a.com/wiki/A_(film)", ["https://a.com/wiki/A_(film)"]),
        ("(https://a.com/wiki/A_(film))", ["https://a.com/wiki/A_(film)"]),
        ("[text](https://a.com/x)", ["https://a.com/x"]),
        ("[https://a.com/x](https://b.com/y)", ["https://a.com/x", "https://b.com/y"]),
        ("**https://a.com/x**", ["https://a.com/x"]),
        ("_https://a.com/x_", ["https://a.com/x"]),
        ("`https://a.com/x`", ["https://a.com/x"]),
        ("<https://a.com/x>", ["https://a.com/x"]),
        ('"https://a.com/x"', ["https://a.com/x"]),
        ("| https://a.com/x| b", ["https://a.com/x"]),
        ("Is it https://a.com/x?", ["https://a.com/x"]),
        ("Is it a.com?", ["a.com"]),
        ("a.com, b.org; c.net.", ["a.com", "b.org", "c.net"]),
        ("HTTPS://A.COM/X", ["HTTPS://A.COM/X"]),
        ("http://127.0.0.1:8001/p/1 here", ["http://127.0.0.1:8001/p/1"]),
        ("http://localhost:8001/p/1", ["http://localhost:8001/p/1"]),
        ("http://[::1]:8001/p/1", ["http://[::1]:8001/p/1"]),
        ("https://shop.test/x but not shop.test", ["https://shop.test/x"]),
        ("a.com:8080/x", ["a.com:8080/x"]),
        ("купить на сайт.рф сейчас", ["сайт.рф"]),
        ("https://xn--80aswg.xn--p1ai/x", ["https://xn--80aswg.xn--p1ai/x"]),
        ("163.com and 1688.com", ["163.com", "1688.com"]),
        ("[tea](https://a.com/x 'Tea')", ["https://a.com/x"]),
        ("![tea](https://a.com/x.png)", ["https://a.com/x.png"]),
        ("[1]: https://a.com/x", ["https://a.com/x"]),
        ("[a](https://a.com)[b](mailto:b@c.com)", ["https://a.com"]),
        ("<a href='https://a.com/x'>a.com</a>", ["https://a.com/x", "a.com"]),
        ("||https://a.com/x|| ~~https://b.com/y~~", ["https://a.com/x", "https://b.com/y"]),
        ("{https://a.com/x} [https://b.com/y]", ["https://a.com/x", "https://b.com/y"]),
        ("https://a.com/x[1] https://a.com/{id}", ["https://a.com/x[1]", "https://a.com/{id}"]),
        (
            "https://a.com/x). https://b.com/y]; https://c.com/z}!",
            ["https://a.com/x", "https://b.com/y", "https://c.com/z"],
        ),
        ("Tom's https://a.com/x's and a.com's", ["https://a.com/x", "a.com"]),
        ("https://a.com/?q=a+b&c=%E8%8C%B6#top", ["https://a.com/?q=a+b&c=%E8%8C%B6#top"]),
        (
            "https://a.com/#/item/1 https://a.com/@name",
            ["https://a.com/#/item/1", "https://a.com/@name"],
        ),
        (
            "https://web.archive.org/web/1/https://a.com/x",
            ["https://web.archive.org/web/1/https://a.com/x"],
        ),
        ("https://a.com?u=https://b.com/y", ["https://a.com?u=https://b.com/y"]),
        ("go to a.photography or b.versicherung/x", ["a.photography", "b.versicherung/x"]),
        (
            "https://münchen.de/straße https://ñandú.cl",
            ["https://münchen.de/straße", "https://ñandú.cl"],
        ),
        ("url=https://a.com/x; see:https://b.com/y", ["https://a.com/x", "https://b.com/y"]),
        ("pаypal.com", ["pаypal.com"]),
        ("EXAMPLE.COM and Example.Com", ["EXAMPLE.COM", "Example.Com"]),
    ],
)
def test_brackets_marks_and_punctuation_around_a_link_stay_outside(
    message: str, expected: list[str]
) -> None:
    assert texts(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "write to john@a.com or john.doe+tag@mail.a.com",
        "mailto:john@a.com",
        "README.md main.rs setup.py run.sh backup.zip photo.jpg a.tar.gz invoice.net.pdf",
        "src/main.com ./a.com C:\\a.com ~a.com",
        "ftp://a.com/x",
        "version 1.2.3 costs 3.50 at 10.am",
        "I went home.It was late",
        "Yes.It is. OK.So what? Acme Inc.In time. Paid.My turn. Fine.To go.",
        "foo@例子.a.com foo.bar@a.com，foo@a.co.uk。",
        "john@a.com/x john@a.com:25 john+x@a.com?subject=hi",
        "see https:// a and http:///x and https://?x",
        "https://a.com@b.com/x https://a.com:80@b.com/x",
        "ssh://git@a.com/x git@a.com:o/r.git",
        "main.go Cargo.toml a.b.c.d index.html app.js style.css data.json",
        "https://xn--a-ecp.notatld/ https://a.com-",
        "obj.name(1)",
        "@a.com #a.com $a.com",
        "https://user:secret@a.com/x",
        "https://-a.com https://a-.com https://no-tld https://a.notatld/",
        "https://a..com .com ...",
        "javascript://a.com/%0aalert(1)",
        "",
    ],
)
def test_names_that_are_no_web_addresses_are_left_alone(message: str) -> None:
    assert texts(message) == []


def test_offsets_count_code_points_and_cut_out_the_text() -> None:
    message = "😀😀 看https://a.com/x?utm_source=q&id=1#top 好 b.com"
    for link in find_links(message):
        assert message[link.start : link.end] == link.text
    first, second = find_links(message)
    assert (first.start, first.end) == (4, 41)
    assert first.url == "https://a.com/x?id=1"
    assert second.url == "https://b.com/"


@given(st.text(alphabet="ab.:/ha tp(s)@中国。_'\u200b?#&-%[]|é\ud83d", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_scanned_and_links_never_overlap(message: str) -> None:
    end = 0
    for link in find_links(message):
        assert link.start >= end
        assert message[link.start : link.end] == link.text
        end = link.end


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit",
    ["x.com.", "a.", "http://", "https://a.com/(", "a@b.", "(", "é.", "中.国", "x.comだ", "x.A",
     "http://x@", "https://a.com/'s", "_https://a.co/_", "http://a.", "a_.b-", "https://[",
     "https://a.com/()"],
)  # fmt: skip
def test_a_megabyte_of_anything_ends(unit: str) -> None:
    find_links(unit * (200_000 // len(unit)))


def test_the_text_of_a_markdown_link_is_told_with_its_target() -> None:
    first, second, last = find_links("see [a.com](https://b.com/x) and https://c.com")
    assert (first.text, first.shown) == ("a.com", None)
    assert (second.text, second.shown) == ("https://b.com/x", "a.com")
    assert last.shown is None
    (third,) = find_links("](https://c.com)")
    assert third.shown is None


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("[a.com](<https://b.com>)", "a.com"),
        ("[a.com]( https://b.com 'Tea')", "a.com"),
        ("[a.com](\n<https://b.com>)", "a.com"),
        (f"[a.com {'x' * 1000}](https://b.com)", f"a.com {'x' * 1000}"),
        ("[a.com [now]](https://b.com)", "a.com [now]"),
        ("[a.com \\] now](https://b.com)", "a.com \\] now"),
        ("[a.com][1]\n\n[1]: https://b.com", "a.com"),
        ("[a.com][One]\n\n[ONE]: <https://b.com> 'Tea'", "a.com"),
        ("[a.com][]\n\n[A.com]:\n  https://b.com", "a.com"),
        ("At [a.com]: now!\n\n[a.com]: https://b.com", "a.com"),
        ("> [1]: https://b.com\n\n[a.com][1] [c.com][1]", "a.com\nc.com"),
        ("[a.com][1]\n[1]: /tea\n\n[1]: https://b.com", "a.com"),
        ("[a.com ![x ![y](/y.png)](/x.png)](https://b.com)", "a.com ![x ![y](/y.png)](/x.png)"),
        ("[z][a.com [y]](https://b.com)\n\n[z]: /z", "a.com [y]"),
        ("[z][a.com](https://b.com)\n\n[z]: /z", "a.com"),
        ("[a.com [c](/c)](https://b.com)", None),
        ("[a.com\n\n](https://b.com)", None),
        ("\\[a.com](https://b.com)", None),
        ("[a.com]: https://b.com", None),
        ("[a.com][2]\n\n[1]: https://b.com", None),
        ("a.com](https://b.com)", None),
    ],
)
def test_what_markdown_shows_for_a_link_is_told_however_it_is_written(
    message: str, shown: str | None
) -> None:
    (found,) = [link for link in find_links(message) if link.url == "https://b.com/"]
    assert found.shown == shown


@pytest.mark.parametrize("mark", ["\u00ad", "\u200d\u2060", "\ufeff", "‐", "‑", "⁄", "\\_", "\\-"])
def test_a_link_that_is_read_on_behind_a_mark_is_none_to_what_stands_before(mark: str) -> None:
    for link in ("https://shop.com/tea", "shop.com/tea", "https://shop.com/p?id=1"):
        assert texts(f"see {link}{mark}500g") == []
        assert texts(f"see {link}{mark}-500, https://b.com") == ["https://b.com"]


def test_a_blank_that_nobody_sees_ends_a_link_as_any_other_does() -> None:
    for link in ("https://shop.com/tea", "shop.com/tea"):
        assert texts(f"see {link}\u200b500g and more") == [link]


def test_a_mark_behind_a_link_ends_it() -> None:
    for mark in ("\u200b", "\u00ad", "\u2060", "‑", "\\"):
        for behind in ("", " 500g", "好", "，好", "\n500g", "https://b.com"):
            assert texts(f"https://a.com/tea{mark}{behind}")[0] == "https://a.com/tea"


@pytest.mark.parametrize("dot", ["．", "。", "｡"])
@pytest.mark.parametrize("stroke", ["⁄", "⁁", "‐", "‑", "⁃", "⹊"])
def test_behind_a_scheme_a_host_goes_on_as_far_as_it_does_for_a_browser(
    dot: str, stroke: str
) -> None:
    for mark in (dot, stroke, f"{stroke}x{dot}"):
        for path in ("", "/pay", ":8443/pay", "?q=1"):
            message = f"https://shop.com{mark}x.evil.com{path}"
            (found,) = findings(f"see {message}, quickly")
            assert (found["text"], found["url"]) == (message, canonical_url(message))
            assert found["warnings"] != []


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("https://shop.com。好", ["https://shop.com"]),
        ("https://shop.com。See you", ["https://shop.com"]),
        ("https://shop.com。https://b.com", ["https://shop.com", "https://b.com"]),
        ("https://shop.com/x。b.com", ["https://shop.com/x", "b.com"]),
        ("https://shop.com，b.com", ["https://shop.com", "b.com"]),
        ("https://shop.com—b.com", ["https://shop.com", "b.com"]),
        ("https://shop.com⁄pay", ["https://shop.com"]),
        ("https://shop.com‐", ["https://shop.com"]),
        ("https://shop.com。b.com好看", ["https://shop.com。b.com"]),
        ("shop.com。b.com", ["shop.com", "b.com"]),
    ],
)
def test_a_sentence_around_a_link_does_not_become_its_host(message: str, found: list[str]) -> None:
    assert texts(message) == found


@pytest.mark.parametrize(
    "unit", ["https://a.com⁄", "https://a.com。b.", "https://a。b⁄c.com ", "a。", "⁄a.com。みんな"]
)
def test_marks_that_join_hosts_hold_nobody_up(unit: str) -> None:
    for message in (unit * (20_000 // len(unit)), f"https://{unit * (20_000 // len(unit))}"):
        began = time.process_time()
        find_links(message)
        assert time.process_time() - began < 1


NESTED = 1_000


@pytest.mark.parametrize(
    "message",
    [
        "[" * NESTED + "](https://a.com/x)" * NESTED,
        "![" * NESTED + "](https://a.com/x)" * NESTED,
        "![[" * NESTED + "](https://a.com/x)](https://a.com/y)" * NESTED,
        "[a.com][1]" * NESTED + "\n" + "[1]: https://a.com/x\n" * NESTED,
        "[" * NESTED + "][1]" * NESTED + "\n[1]: https://a.com/x",
        "[" * 20 * NESTED + "]" * 20 * NESTED + "\n[a]: https://a.com/x",
    ],
    ids=["links", "pictures", "both", "references", "labels", "brackets"],
)
def test_brackets_within_brackets_hold_nobody_up(message: str) -> None:
    began = time.process_time()
    findings(message)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("message", "url"),
    [
        ("https://shop.com./tea", "https://shop.com/tea"),
        ("see shop.com./tea now", "https://shop.com/tea"),
        ("https://shop.com.:8443/tea", "https://shop.com:8443/tea"),
        ("https://shop.com.?q=tea", "https://shop.com/"),
        ("We met at shop.com.", "https://shop.com/"),
    ],
)
def test_a_dot_behind_a_host_ends_the_sentence_unless_a_path_follows(
    message: str, url: str
) -> None:
    assert [link.url for link in find_links(message)] == [url]


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])
@pytest.mark.parametrize("written", ["sho{}p.de/x", "https://sho{}p.de/x", "best{}.shop.de"])
def test_no_host_is_cut_out_of_a_word_that_is_written_as_one(hidden: str, written: str) -> None:
    assert texts(written.format(hidden)) == []


def test_invisible_marks_around_a_host_part_it_from_other_writing() -> None:
    assert texts("看\u200bshop.de\u200b吧") == ["shop.de"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("קניתי ב-ksp.co.il אתמול", ["ksp.co.il"]),
        ("קניתי בksp.co.il/tea אתמול", ["ksp.co.il/tea"]),
        ("اشتريت من الـnoon.com أمس", ["noon.com"]),
        ("موقع.السعودية", ["موقع.السعودية"]),
        ("מבחן.קוםx", []),
    ],
)
def test_a_hebrew_or_arabic_particle_before_a_latin_host_belongs_to_the_sentence(
    message: str, expected: list[str]
) -> None:
    assert texts(message) == expected

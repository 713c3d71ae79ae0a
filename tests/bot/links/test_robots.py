"""robots.txt as RFC 9309 says."""

import asyncio
import time

import pytest

from bot.links.robots import RobotsFile, RobotsKeeper, parse_robots


def allow(text: str, path: str) -> bool:
    return parse_robots(text.encode(), "Payontap").allow(path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/", True),
        ("User-agent: *\nDisallow: /", "/p", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow:", "/p", True),
        ("user-agent:payontap\ndisallow:/p # ours", "/p/1", False),
        ("User-agent: Payontap/2.0\nDisallow: /p", "/p", False),
        ("User-agent: PayontapX\nDisallow: /", "/p", True),
        ("User-agent: other\nDisallow: /", "/p", True),
        ("User-agent: *\nDisallow: /\nUser-agent: payontap\nAllow: /", "/p", True),
        ("User-agent: payontap\nUser-agent: other\nDisallow: /p", "/p", False),
        ("User-agent: other\nDisallow: /a\nUser-agent: payontap\nDisallow: /b", "/a", True),
        ("User-agent: payontap\nDisallow: /a\n\nUser-agent: payontap\nDisallow: /b", "/a", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/b", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /*.pdf", "/x/y.pdf?z", False),
        ("User-agent: *\nDisallow: /*/cart", "/de/cart/1", False),
        ("User-agent: *\nDisallow: /x$", "/x", False),
        ("User-agent: *\nDisallow: /x$", "/xy", True),
        ("User-agent: *\nDisallow: *?s=", "/find?s=tea", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a-c-b-c", False),
        ("User-agent: *\nDisallow: /a*b*c$", "/a-b-c-d", True),
        ("User-agent: *\nDisallow: /ü", "/%C3%BC", False),
        ("User-agent: *\nDisallow: /%c3%bc", "/%C3%BC", False),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
        ("User-agent: *\nDisallow: /%61", "/a", False),
        ("User-agent: *\nDisallow: /a-%24", "/a-$b", False),
        ("User-agent: *\nDisallow: /a-%24", "/a-%24b", False),
        ("User-agent: *\nDisallow: /a-%24", "/a-", True),
        ("User-agent: *\nDisallow: /a$b", "/a%24b", False),
        ("User-agent: *\nDisallow: /a-%2A.html", "/a-*.html", False),
        ("User-agent: *\nDisallow: /a-%2a.html", "/a-%2A.html", False),
        ("User-agent: *\nDisallow: /a-%2A.html", "/a-xx.html", True),
        ("User-agent: *\nDisallow: /a-*.html", "/a-*.html", False),
        ("User-agent: *\nDisallow: " + "*a" * 30 + "b", "/" + "a" * 50 + "b", False),
        ("User-agent: *\nDisallow: " + "*a" * 30 + "b", "/" + "a" * 29 + "b", True),
        ("User-agent: *\nDisallow: /" + "a" * 3000, "/" + "a" * 3001, False),
        ("User-agent: *\nDisallow: /a***b**", "/a-b", False),
        ("Disallow: /", "/p", True),
        ("<!doctype html><p>Not found</p>", "/p", True),
        ("\ufeffUser-agent: *\r\nDisallow: /p\r\n", "/p", False),
        ("User-agent: *\nCrawl-delay: 3\nSitemap: https://a.com/s\nDisallow: /p", "/p", False),
    ],
)
def test_the_longest_rule_of_the_own_group_decides(text: str, path: str, *, expected: bool) -> None:
    assert allow(text, path) is expected


def many(rule: str, count: int) -> str:
    return "".join(f"{rule.replace('N', str(number))}\n" for number in range(count))


def test_the_last_of_many_rules_counts_as_the_first_does() -> None:
    text = "User-agent: *\n" + many("Allow: /pN", 19_000) + "Disallow: /secret\n"
    assert not allow(text, "/secret/1")
    assert allow(text, "/tea")
    text = "User-agent: *\n" + many("Allow: /*/pN", 1_900) + "Disallow: /*/secret\n"
    assert not allow(text, "/a/secret")
    assert allow(text, "/a/tea")


@pytest.mark.parametrize(("rule", "count"), [("allow:/pN", 20_001), ("allow:/*/pN", 2_001)])
def test_more_rules_than_can_be_kept_forbid_everything(rule: str, count: int) -> None:
    assert not allow("User-agent: *\n" + many(rule, count), "/p1")
    # Those for others do not matter.
    own = "User-agent: payontap\nDisallow: /no\n"
    assert allow(f"{own}User-agent: *\n{many(rule, count)}", "/p1")


@pytest.mark.parametrize(
    "rules",
    [
        many("Disallow: *" + "a" * 25 + "b" + "a" * 24, 2_000),
        many("Disallow: *" + "a" * 120 + "b" + "a" * 119, 1_900),
        many("Disallow: /" + "*a" * 450 + "b", 500),
        "Disallow: /" + "*a" * 240_000 + "b",
        "Disallow: /" + "*" * 500_000 + "b",
        many("Disallow: /N" + "a" * 10, 20_000),
    ],
    ids=["short", "long", "many wildcards", "one long rule", "wildcards alone", "many rules"],
)
def test_a_path_is_looked_up_quickly_in_any_file(rules: str) -> None:
    kept = parse_robots(f"User-agent: *\n{rules}".encode(), "Payontap")
    began = time.process_time()
    assert kept.allow("/" + "a" * 4_000)
    assert time.process_time() - began < 1.0


def test_a_file_made_to_slow_its_reader_does_not() -> None:
    hostile = "User-agent: *\n" + "Disallow: /" + "*a" * 450 + "$\n"
    rules = parse_robots((hostile * 500).encode(), "Payontap")
    assert rules.allow("/" + "a" * 2000 + "b")
    parse_robots(b"\xff\x00:\n" * 200_000, "Payontap")


async def test_a_host_is_asked_once_for_all_and_again_the_next_day() -> None:
    now = [0.0]
    asked: list[str] = []

    async def read(origin: str) -> RobotsFile:
        asked.append(origin)
        await asyncio.sleep(0)
        return RobotsFile(found=True, body=b"User-agent: *\nDisallow: /no")

    keeper = RobotsKeeper(read, product="Payontap", clock=lambda: now[0])
    answers = await asyncio.gather(*(keeper.allow("https://a.com", f"/{n}") for n in range(9)))
    assert all(answers)
    assert not await keeper.allow("https://a.com", "/no")
    assert asked == ["https://a.com"]
    now[0] = 24 * 3600.0
    await keeper.allow("https://a.com", "/x")
    assert len(asked) == 2
    await keeper.close()


def test_a_group_that_names_its_reader_thousands_of_times_has_each_rule_once() -> None:
    hostile = "User-agent: *\n" * 2_000 + many("Disallow: /noN", 2_000)
    began = time.process_time()
    rules = parse_robots(hostile.encode(), "Payontap")
    assert time.process_time() - began < 1.0
    assert len(rules.rules) == 2_000
    assert not rules.allow("/no1999")
    both = "User-agent: payontap\nUser-agent: *\nUser-agent: payontap\nDisallow: /no\n"
    assert parse_robots(both.encode(), "Payontap").rules == (("/no", False),)


async def test_what_hosts_say_is_remembered_up_to_so_many_bytes_in_all() -> None:
    asked: list[str] = []

    async def read(origin: str) -> RobotsFile:
        asked.append(origin)
        return RobotsFile(found=True, body=b"User-agent: *\nDisallow: /" + b"n" * 500_000)

    keeper = RobotsKeeper(read, product="Payontap", clock=lambda: 0.0)
    hosts = [f"https://s{number}.example" for number in range(100)]
    for host in hosts:
        assert await keeper.allow(host, "/tea")
    assert not await keeper.allow(hosts[-1], "/" + "n" * 500_001)
    assert len(asked) == 100
    await keeper.allow(hosts[0], "/tea")
    assert len(asked) == 101
    await keeper.close()

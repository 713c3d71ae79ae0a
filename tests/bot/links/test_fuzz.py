"""Nonsense of every kind, for a bounded time: no crash, no hang, no growth."""

import asyncio
import gc
import random
import resource
import sys
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.links.canonical import canonical_url, host_and_port, host_of, identity_of, usable_url
from bot.links.charsets import page_text
from bot.links.fetch import Fetched, Fetcher, FetchError, FetchLimits
from bot.links.lookalikes import host_warning, shown_elsewhere_warning
from bot.links.meta_refresh import refresh_target
from bot.links.page_name import page_name
from bot.links.robots import parse_robots
from bot.links.scan import find_links
from bot.links.share_codes import find_share_codes

EXAMPLES = 150
#: For one example; generous, since other work may share the machine.
EXAMPLE_S_MAX = 10.0

PIECES = st.sampled_from(
    ["http://", "https://", "HTTPS://", "www.", "a.com", "例子.中国", "сайт.рф", "xn--", "xn--p1ai",
     ".", "..", "/", "//", "@", ":", ":80", "?", "#", "&", "=", "%", "%2", "%00", "(", ")", "[",
     "]",
     "<", ">", "{", "}", "。", "，", "「", "」", "（", "）", "￥aB3dEf7h9J￥", "！",
     "\u200b", "\ufeff",
     "\u202e", "\xad", "\U0001f600", "\ud800", "\x00", "\n", "\t", " ", "'s", "*", "_", "|", "\\",
     "utm_source=1", "127.0.0.1", "[::1]", "localhost", "com", "co.uk", "é", "ß", "ı", "ﬀ", "K",
     "/c/s/", "/amp/s/", "a-com", "-", "--", "٣", "中", "か", "한"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=60).map("".join),
    st.builds(lambda piece, times: piece * times, PIECES, st.integers(1, 600)),
    st.text(max_size=300),
)


@given(TEXTS)
@settings(max_examples=EXAMPLES, deadline=EXAMPLE_S_MAX * 1000)
def test_any_text_is_read_and_what_is_found_in_it_holds(text: str) -> None:
    end = 0
    for link in find_links(text):
        assert link.start >= end
        assert text[link.start : link.end] == link.text
        assert canonical_url(link.url) == link.url
        assert host_of(link.url)
        shown_elsewhere_warning(text, link.url)
        end = link.end
    for code in find_share_codes(text):
        assert text[code.start : code.end] == code.text


def test_memory_does_not_grow_with_the_number_of_messages() -> None:
    rng = random.Random(5)
    pieces = ["https://", "shop", ".com", "/p?q=", "看", "。", "пример.рф", "a@b.com", "￥", " "]

    def find_in_many(count: int) -> None:
        for number in range(count):
            text = "".join(rng.choices(pieces, k=12)) + f"https://host{number}.example/{number}"
            for link in find_links(text):
                host_warning(host_of(link.url) or "")
                identity_of(link.url)
            find_share_codes(text)

    find_in_many(6_000)
    tracemalloc.start()
    find_in_many(1_000)
    before, _ = tracemalloc.get_traced_memory()
    find_in_many(6_000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1_000_000


@given(TEXTS, st.sampled_from(["", "http://", "https://a.com/", "https://a.com/c/s/", "https://"]))
@settings(max_examples=EXAMPLES, deadline=EXAMPLE_S_MAX * 1000)
def test_any_address_has_one_canonical_form_or_none(text: str, before: str) -> None:
    url = canonical_url(before + text)
    usable_url(text, base="https://a.com/x/y?z")
    host_warning(text)
    if url is None:
        return
    assert canonical_url(url) == url
    assert url.isascii()
    assert identity_of(url) == identity_of(url)
    host, port = host_and_port(url) or ("", 0)
    assert host
    assert 0 <= port < 65536


@given(st.binary(max_size=2000), st.sampled_from(["gbk", "utf-8", None, "nonsense"]))
@settings(max_examples=EXAMPLES, deadline=EXAMPLE_S_MAX * 1000)
def test_any_body_is_read(body: bytes, charset: str | None) -> None:
    page_text(body, charset)
    refresh_target(body)
    parse_robots(body, "Payontap").allow("/x")
    page_name(Fetched("https://a.com/x", 200, "text/html", charset, body))


class Babbler:
    """A server that says whatever it is told to, then closes, breaks off or falls silent."""

    def __init__(self) -> None:
        self.says = b""
        self.falls_silent = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.says)
            await writer.drain()
            if self.falls_silent:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the other side has had enough
        finally:
            writer.close()


_DEFLATED = zlib.compress(b"<p>tea</p>" * 100)
STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 200",
     b"HTTP/1.1 999 What", b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Switching", b"HTTP/9.9 200 OK",
     b"HTTP/1.1 204 No", b"HTTP/1.1 206 Partial", b"HTTP/1.1 -1 x", b"ICY 200 OK", b"", b"\x00\xff",
     b"HTTP/1.1 307 x", b"HTTP/1.1 503 x", b"HTTP/1.1 200 " + b"x" * 20_000]
)  # fmt: skip
HEADERS = st.lists(
    st.sampled_from(
        [b"Content-Type: text/html", b"Content-Type: text/html; charset=gb2312",
         b"Content-Type: text/html; charset=\xff", b"Content-Type: ;;;=",
         b"Content-Type: image/png",
         b"Content-Type: text/html; charset=utf-16", b"Content-Length: 5", b"Content-Length: -1",
         b"Content-Length: 99999999999999999999", b"Content-Length: 5\r\nContent-Length: 6",
         b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked, chunked",
         b"Transfer-Encoding: gzip", b"Content-Encoding: gzip", b"Content-Encoding: deflate",
         b"Content-Encoding: br", b"Content-Encoding: zstd", b"Content-Encoding: nonsense",
         b"Content-Encoding: gzip, gzip", b"Location: /", b"Location: http://[",
         b"Location: \xff\xfe",
         b"Location: http://127.0.0.1:1/", b"Location: javascript:x", b"Location:", b'ETag: "1"',
         b"ETag: \xff", b"Last-Modified: never", b"Cache-Control: max-age=99999999999999999999",
         b"Cache-Control: no-store", b"Set-Cookie: " + b"a" * 5000, b"X: " + b"y" * 40_000,
         b": empty",
         b"no colon", b" folded", b"A\x00B: c", b"Connection: close", b"Connection: upgrade",
         b"Refresh: 0;url=/x"]
    ),
    max_size=6,
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"<p>tea</p>", b"5\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\nx", b"-5\r\nhello\r\n",
         b"5;ext=" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n", b"zz\r\n",
         b"\x1f\x8b\x08\x00nonsense",
         _DEFLATED, _DEFLATED[:20], b"\x28\xb5\x2f\xfd\x00\x00", b"\x00" * 5000,
         "<meta charset=gbk><title>茶".encode("gbk"), b"<meta charset=utf-7>+ADw-",
         b'<meta http-equiv=refresh content="0;url=/again">', b"\xff\xfe<\x00p\x00>\x00"]
    ),
)  # fmt: skip
ANSWERS = st.builds(
    lambda status, headers, body: status + b"\r\n" + b"\r\n".join([*headers, b"", b""]) + body,
    STATUS, HEADERS, BODIES,
)  # fmt: skip


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_a_server_that_answers_nonsense_is_an_answer_or_an_error_in_words(
    runner: asyncio.Runner,
) -> None:
    babbler = Babbler()
    limits = FetchLimits(total_s=0.15, page_bytes_max=100_000, negative_s=0)

    async def start() -> tuple[Fetcher, asyncio.Server, int]:
        server = await asyncio.start_server(babbler.answer, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        allowed = frozenset({("127.0.0.1", port)})
        return await Fetcher(allowed_origins=allowed, limits=limits).__aenter__(), server, port

    fetcher, server, port = runner.run(start())
    said: list[str] = []
    numbers = iter(range(1_000_000))

    async def fetch(*, invited: bool) -> None:
        url = f"http://127.0.0.1:{port}/{next(numbers) % 50}"
        try:
            fetched = await fetcher.get(url, fresh=True, invited=invited)
        except FetchError as error:
            said.append(str(error))
            return
        assert len(fetched.body) <= limits.page_bytes_max * 3

    @given(ANSWERS, st.booleans(), st.integers(0, 9))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def babble(says: bytes, invited: bool, mood: int) -> None:  # noqa: FBT001 - drawn
        babbler.says, babbler.falls_silent = says, mood == 0
        began = time.monotonic()
        runner.run(fetch(invited=invited))
        assert time.monotonic() - began < limits.total_s + EXAMPLE_S_MAX

    async def stop() -> int:
        server.close()
        await fetcher.__aexit__(None, None, None)
        await asyncio.sleep(0.05)
        return len(asyncio.all_tasks())

    before = _memory_bytes()
    babble()
    assert said
    assert all(sentence.endswith(".") for sentence in said)
    assert runner.run(stop()) <= 1 + 1  # this one, and a connection that is just closing
    gc.collect()
    assert _memory_bytes() - before < 60_000_000


def _memory_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

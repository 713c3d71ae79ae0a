"""What is kept of pages, in memory and in a real Valkey: one promise, two stores."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.links.fetch_types import DEFAULT_LIMITS, Fetched, FetchError
from bot.links.page_cache import (
    MemoryPages,
    PageStore,
    decode_entry,
    encode_entry,
    failure_entry,
    page_entry,
)
from bot.links.redis_pages import RedisPages
from tests.peers.valkey import ValkeyPeer

PAGE = Fetched("https://a.com/", 200, "text/html", "utf-8", "绿茶".encode())


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, valkey: ValkeyPeer) -> AsyncIterator[PageStore]:
    if request.param == "memory":
        yield MemoryPages(bytes_max=1_000_000, clock=time.time)
        return
    async with RedisPages(valkey.url) as pages:
        yield pages


async def test_what_is_kept_comes_back_until_its_time_is_over(store: PageStore) -> None:
    assert await store.get("a") is None
    await store.put("a", b"\x00\xff" * 1000, for_s=60)
    await store.put("b", b"short", for_s=0.05)
    assert await store.get("a") == b"\x00\xff" * 1000
    await store.put("a", b"", for_s=60)
    assert await store.get("a") == b""
    await asyncio.sleep(0.06)
    assert await store.get("b") is None


async def test_a_name_is_one_owners_until_he_gives_it_up_or_is_late(store: PageStore) -> None:
    assert await store.claim("x", "one", for_s=60) == "one"
    assert await store.claim("x", "two", for_s=60) == "one"
    assert await store.claim("x", "one", for_s=60) == "one"
    await store.release("x", "two")
    assert await store.claim("x", "two", for_s=60) == "one"
    await store.release("x", "one")
    assert await store.claim("x", "two", for_s=0.05) == "two"
    await asyncio.sleep(0.06)
    assert await store.claim("x", "three", for_s=60) == "three"


async def test_memory_never_holds_more_than_it_may() -> None:
    store = MemoryPages(bytes_max=10_000, clock=time.time)
    for n in range(100):
        await store.put(str(n), bytes(2000), for_s=60)
    kept = [n for n in range(100) if await store.get(str(n)) is not None]
    assert kept == [97, 98, 99]
    await store.put("large", bytes(20_000), for_s=60)
    assert await store.get("large") is None


async def test_a_redis_that_is_away_or_asleep_costs_a_request_and_no_more(
    own_valkey: ValkeyPeer,
) -> None:
    async with RedisPages(own_valkey.url, pause_s=0) as store:
        await store.put("a", b"x", for_s=60)
        own_valkey.kill()
        await store.put("a", b"x", for_s=60)
        assert await store.get("a") is None
        assert await store.claim("x", "me", for_s=60) == "me"
        await store.release("x", "me")
        await own_valkey.start_again()
        own_valkey.pause()
        began = time.monotonic()
        assert await store.get("a") is None
        assert await store.claim("x", "me", for_s=60) == "me"
        assert time.monotonic() - began < 8
        own_valkey.resume()
        await store.put("a", b"y", for_s=60)
        assert await store.get("a") == b"y"


async def test_a_redis_that_failed_is_left_alone_for_a_while(own_valkey: ValkeyPeer) -> None:
    async with RedisPages(own_valkey.url, pause_s=0.5) as store:
        await store.put("a", b"x", for_s=60)
        own_valkey.pause()
        assert await store.get("a") is None
        began = time.monotonic()
        assert await store.get("a") is None
        assert await store.claim("x", "me", for_s=60) == "me"
        assert time.monotonic() - began < 0.5
        own_valkey.resume()
        await asyncio.sleep(0.6)
        assert await store.get("a") == b"x"


async def test_what_is_too_large_for_everybody_is_not_put_into_redis(valkey: ValkeyPeer) -> None:
    async with RedisPages(valkey.url) as store:
        noise = b"".join(n.to_bytes(4) for n in range(0, 2**32, 2**32 // 500_000))
        await store.put("noise", noise, for_s=60)
        assert await store.get("noise") is None
        await store.put("zeros", bytes(2_000_000), for_s=60)
        assert await store.get("zeros") == bytes(2_000_000)


def test_entries_come_back_as_they_were_and_others_are_none() -> None:
    page = page_entry(PAGE, DEFAULT_LIMITS, now=100.0, etag='"1"')
    failure = failure_entry(FetchError("status", "No.", status=404), DEFAULT_LIMITS, now=100.0)
    for entry in (page, failure):
        assert decode_entry(encode_entry(entry)) == entry
    assert page.validators == {"If-None-Match": '"1"'}
    for kept in (b"", b"\x00", b"nonsense", encode_entry(page)[:-3]):
        assert decode_entry(kept) is None


def test_what_does_not_exist_is_remembered_longer_than_what_failed() -> None:
    kept = [
        failure_entry(FetchError("status", "No.", status=status), DEFAULT_LIMITS, now=0.0)
        for status in (500, 404)
    ]
    assert [entry.fresh_until for entry in kept] == [30.0, 300.0]

"""The benchmark runs, and counts what it says. Nothing here asserts a speed."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.conversation import report
from benchmarks.conversation_cases import books, town
from benchmarks.conversation_cases.bot_api import BotApi
from benchmarks.conversation_cases.posting import NotHeard, Webhook
from benchmarks.conversation_cases.town import Town
from tests.peers.missing import peer_is_missing

ROOT = Path(__file__).parents[2]
PUBLISHED = (
    "plain_message_vs_ptb",
    "card_vs_ptb_echo",
    "tap_p99_ms_at_100_per_s",
    "taps_per_s_one_core",
)
SMALL = Town(groups=3, people=4, cards=2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs cores to choose from")
def test_a_tiny_run_ends_with_its_figures(pytestconfig: pytest.Config) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.conversation", "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    if done.returncode == 2:
        peer_is_missing(pytestconfig, "PostgreSQL", done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert tuple(figures)[: len(PUBLISHED)] == PUBLISHED
    assert all(figures[name] > 0 for name in PUBLISHED)


def test_nobody_taps_a_card_twice_nor_one_of_another_group() -> None:
    taps = list(SMALL.taps())
    assert len(set(taps)) == len(taps) == 3 * 4 * 2
    assert all(SMALL.group_of(person) == SMALL.group_of(card) for person, card in taps)
    # Whoever taps comes again only when everybody else has tapped.
    assert len({person for person, _ in taps[: SMALL.everybody]}) == SMALL.everybody


async def test_a_tap_that_has_no_order_is_found(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'payontap.db'}"
    await town.build(url, SMALL, "shop.example")
    environ = {"PAYONTAP_DATA_DIR": str(tmp_path)}
    await books.check(url, environ, orders=0)
    with pytest.raises(books.WrongBooks, match="0 orders, and 1 taps"):
        await books.check(url, environ, orders=1)


async def test_an_update_that_is_not_taken_is_an_error() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Webhook(port, "/hook", host="bot.example", secret="") as webhook:
            with pytest.raises(NotHeard, match="503"):
                await webhook.bring(b"{}")


async def test_the_server_answers_requests_that_come_in_pieces_or_together() -> None:
    async with BotApi() as api:
        port = int(api.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"chat_id": -7, "text": "Hello"}'
        request = (
            b"POST /bot1:a/sendMessage HTTP/1.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        writer.write(request[:-5])
        await writer.drain()
        writer.write(request[-5:] + request)
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2])
            answer = json.loads(await reader.readexactly(length))
            assert answer["result"]["chat"]["id"] == -7
            assert answer["result"]["text"] == "Hello"
        assert api.messages == 2
        writer.close()


def test_of_two_databases_the_worse_one_is_published() -> None:
    figures = {
        "plain_message_vs_ptb": 0.4,
        "card_vs_ptb_echo": 0.5,
        "sqlite_tap_p99_ms_at_100_per_s": 20.0,
        "postgres_tap_p99_ms_at_100_per_s": 30.0,
        "sqlite_taps_per_s_one_core": 350.0,
        "postgres_taps_per_s_one_core": 450.0,
    }
    told = report([figures, figures])
    assert told["tap_p99_ms_at_100_per_s"] == 30.0
    assert told["taps_per_s_one_core"] == 350.0
    assert told["rounds"] == 2

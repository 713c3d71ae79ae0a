"""Requests over kept connections: each gets its own answer, and nothing is sent twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest

from bot.adapters.telegram.posts import Posts

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
_CHUNKED = (
    b"HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
)
_UNTIL_THE_END = b"HTTP/1.0 502 Bad Gateway\r\n\r\n<html>"
_EARLY = b"HTTP/1.1 103 Early Hints\r\n\r\n"
_NEVER = b""
_HANGS_UP = b"nothing"


class Server:
    """Gives prepared answers one after the other, whoever asks; an empty one is none."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.connections = 0
        self.heard: list[tuple[str, bytes]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.rpartition("Content-Length: ")[2])
                self.heard.append((head, await reader.readexactly(length)))
                answer = self.answers.pop(0)
                if answer == _HANGS_UP:
                    return
                writer.write(answer)
                if answer in (_CLOSING, _UNTIL_THE_END):
                    return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/bot1:AA/sendMessage"
    yield made
    listening.close()


@pytest.fixture
async def posts() -> AsyncIterator[Posts]:
    async with aiohttp.ClientSession() as session:
        yield Posts(session)


async def _said(posts: Posts, server: Server, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
    return [await posts.post(server.url, body, 5.0) for body in bodies]


async def test_a_connection_is_kept(posts: Posts, server: Server) -> None:
    server.answers = [_OK, _CHUNKED, _OK]
    assert await _said(posts, server, [b"1", b"22", b""]) == [
        (200, b"{}"),
        (429, b'{"a":1}'),
        (200, b"{}"),
    ]
    assert server.connections == 1
    assert [body for _, body in server.heard] == [b"1", b"22", b""]
    head = server.heard[0][0]
    assert head.startswith("POST /bot1:AA/sendMessage HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "Content-Type: application/json" in head


async def test_a_server_that_closes_is_connected_anew(posts: Posts, server: Server) -> None:
    server.answers = [_CLOSING, _UNTIL_THE_END, _OK]
    assert await _said(posts, server, [b"1", b"2", b"3"]) == [
        (200, b"{}"),
        (502, b"<html>"),
        (200, b"{}"),
    ]
    assert server.connections == len(server.heard)


async def test_what_comes_before_the_answer_is_passed_over(posts: Posts, server: Server) -> None:
    server.answers = [_EARLY + _OK, _OK]
    assert await _said(posts, server, [b"1", b"2"]) == [(200, b"{}")] * 2


@pytest.mark.parametrize(
    "broken", [_HANGS_UP, b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_a_broken_answer_is_an_error_and_nothing_is_sent_again(
    posts: Posts, server: Server, broken: bytes
) -> None:
    server.answers = [broken, _OK]
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await posts.post(server.url, b"1", 0.5)
    assert len(server.heard) == 1
    assert await _said(posts, server, [b"2"]) == [(200, b"{}")]


async def test_an_answer_that_comes_too_late_is_nobody_elses(posts: Posts, server: Server) -> None:
    server.answers = [_NEVER, _OK]
    with pytest.raises(TimeoutError):
        await posts.post(server.url, b"1", 0.2)
    assert await _said(posts, server, [b"2"]) == [(200, b"{}")]
    assert server.connections == len(server.heard)


async def test_nobody_listens(posts: Posts) -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        await posts.post("http://127.0.0.1:9/bot1:AA/getMe", b"{}", 5.0)

"""Telegram's side of a webhook: a few connections that are kept, a request on each at a time."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Self, cast

#: As many as the bot asks Telegram for.
CONNECTIONS = 40


class NotHeard(Exception):
    """A webhook did not answer 200."""


class Webhook:
    """Brings updates to `path` at a port of this machine. Use it with `async with`."""

    def __init__(self, port: int, path: str, *, host: str, secret: str) -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: "
        ).encode()
        self._free: asyncio.LifoQueue[_Line] = asyncio.LifoQueue()
        self._lines: list[_Line] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, line = await loop.create_connection(_Line, "127.0.0.1", self._port)
            self._lines.append(line)
            self._free.put_nowait(line)
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()

    async def bring(self, update: bytes) -> None:
        """Deliver one update; returns when it was answered with 200. Raises `NotHeard`."""
        line = await self._free.get()
        try:
            status = await line.ask(b"%s%d\r\n\r\n%s" % (self._head, len(update), update))
        finally:
            self._free.put_nowait(line)
        if status != b"200":
            raise NotHeard(f"The webhook answered {status.decode()}.")

    async def bring_all(self, updates: Iterable[bytes]) -> float:
        """Deliver all of them over all connections; gives how many seconds that took."""
        waiting = iter(updates)

        async def one_after_the_other() -> None:
            for update in waiting:
                await self.bring(update)

        began = perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(one_after_the_other())
        return perf_counter() - began


class _Line(asyncio.Protocol):
    """One connection to the webhook."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of uvloop's kind or of asyncio's, which share no class.
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        """Send a request; gives the status."""
        assert self._transport is not None  # noqa: S101 - it was connected when it was made
        self._answer = asyncio.get_running_loop().create_future()
        self._heard = b""
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, rest = self._heard.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        _, _, length = head.lower().partition(b"content-length:")
        if len(rest) >= int(length.partition(b"\r\n")[0] or 0):
            answer, self._answer = self._answer, None
            if not answer.done():
                answer.set_result(head[9:12])

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotHeard("The webhook closed the connection."))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

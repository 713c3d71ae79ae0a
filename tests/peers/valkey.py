"""A real Valkey server: `valkey`, shared and emptied for each test; `own_valkey`, to be harmed."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.embedded_valkey import EmbeddedValkey, EmbeddedValkeyError
from tests.peers.missing import peer_is_missing


class ValkeyPeer:
    """A server that a test can talk to, empty, pause and kill, from inside and outside a loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedValkey(folder, supervised=False)
        self._paused = False

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        """Starts it, or starts it again after `kill`; the address stays the same."""
        with asyncio.Runner() as runner:
            runner.run(self._server.start())

    def stop(self) -> None:
        self.resume()
        with asyncio.Runner() as runner:
            runner.run(self._server.stop())

    async def start_again(self) -> None:
        """The same from inside a running loop, after `kill`."""
        await self._server.stop()
        await self._server.start()

    def kill(self) -> None:
        """SIGKILL, as a crash does."""
        os.kill(self.pid, signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        if self._paused:
            os.kill(self.pid, signal.SIGCONT)
            self._paused = False

    def ask(self, *words: str) -> str:
        """One command, without a client library; the raw first kilobytes of the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self._folder / "valkey.sock"))
            parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            connection.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
            return connection.recv(65_536).decode()

    def flush(self) -> None:
        assert self.ask("FLUSHALL", "SYNC") == "+OK\r\n"


def _started(config: pytest.Config) -> tuple[ValkeyPeer, Path]:
    # Not pytest's own folder: its path can be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    peer = ValkeyPeer(folder)
    try:
        peer.start()
    except EmbeddedValkeyError as error:
        shutil.rmtree(folder)
        peer_is_missing(config, "Valkey", str(error))
    return peer, folder


@pytest.fixture(scope="session")
def _valkey_server(pytestconfig: pytest.Config) -> Iterator[ValkeyPeer]:
    peer, folder = _started(pytestconfig)
    yield peer
    peer.stop()
    shutil.rmtree(folder)


@pytest.fixture
def valkey(_valkey_server: ValkeyPeer) -> ValkeyPeer:
    """The session's server, emptied. Leave it running; take `own_valkey` to harm one."""
    _valkey_server.flush()
    return _valkey_server


@pytest.fixture
def own_valkey(pytestconfig: pytest.Config) -> Iterator[ValkeyPeer]:
    """A server of this test alone, which it may pause and kill."""
    peer, folder = _started(pytestconfig)
    yield peer
    peer.stop()
    shutil.rmtree(folder)

"""A real fediverse server: `snac`, one for the session, with accounts made on demand."""

import json
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from os import close
from pathlib import Path

import pytest
from mastodon import Mastodon

from bot.embedded_valkey import spawn_with_parent
from tests.peers.missing import peer_is_missing

_UNPACKED = Path(__file__).parents[2] / ".venv" / "snac2" / "usr" / "bin" / "snac"
_START_WITHIN_S = 20.0
_SCOPES = ["read", "write", "follow"]
_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class SnacPeer:
    """A server on loopback; its accounts see each other's posts some seconds later."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder / "snac"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self.base_url = ""

    def start(self) -> None:
        """Raises TimeoutError when it does not answer."""
        port = _free_port()
        self.base_url = f"http://localhost:{port}"
        answers = f"127.0.0.1\n{port}\nlocalhost:{port}\n\n\n"
        self._snac("init", str(self._folder), told=answers)
        settings = self._folder / "server.json"
        changed = {"protocol": "http", "num_threads": 4}
        settings.write_text(json.dumps({**json.loads(settings.read_text()), **changed}))
        with self._log.open("wb") as log:
            self._process, self._lifeline = spawn_with_parent(
                [self._program, "httpd", str(self._folder)], output=log
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"it did not start: {self._log.read_text()[-500:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        close(self._lifeline)

    def register(self, name: str) -> tuple[str, str]:
        """Makes an account; answers its user name and an access token.

        The name gets a tail of its own, so that tests never meet each other's people.
        """
        user = f"{name}{secrets.token_hex(4)}"
        said = self._snac("adduser", str(self._folder), user)
        password = re.search(r"password is (\S+)", said)
        assert password is not None, said
        client_id, client_secret = Mastodon.create_app(
            "tests", api_base_url=self.base_url, redirect_uris=_OUT_OF_BAND, scopes=_SCOPES
        )
        app = {"redir": _OUT_OF_BAND, "cid": client_id, "state": ""}
        code = self._ask("/oauth/x-snac-login", {"login": user, "passwd": password[1], **app})
        granted = self._ask(
            "/oauth/token",
            {
                "grant_type": "authorization_code",
                "client_id": client_id,
                "client_secret": client_secret,
                "redirect_uri": _OUT_OF_BAND,
                "scope": " ".join(_SCOPES),
                "code": code,
            },
        )
        return user, str(json.loads(granted)["access_token"])

    def _ask(self, path: str, form: dict[str, str]) -> str:
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.base_url + path, data=body)  # noqa: S310 - our own loopback address
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - same
            said: bytes = response.read()
        return said.decode().strip()

    def _snac(self, *args: str, told: str = "") -> str:
        ran = subprocess.run(
            [self._program, *args], input=told, capture_output=True, text=True, check=False
        )
        return ran.stdout + ran.stderr

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/", timeout=5) as response:  # noqa: S310 - ours
                return bool(response.status < 500)
        except urllib.error.HTTPError:
            return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def snac(pytestconfig: pytest.Config) -> Iterator[SnacPeer]:
    """The session's server."""
    program = shutil.which("snac") or (str(_UNPACKED) if _UNPACKED.exists() else None)
    if program is None:
        peer_is_missing(pytestconfig, "snac2", "tests/peers/install_snac.sh could not get it")
    folder = Path(tempfile.mkdtemp(prefix="snac-"))
    peer = SnacPeer(program, folder)
    try:
        peer.start()
    except (OSError, TimeoutError) as error:
        peer.stop()
        shutil.rmtree(folder)
        peer_is_missing(pytestconfig, "snac2", str(error))
    yield peer
    peer.stop()
    shutil.rmtree(folder)

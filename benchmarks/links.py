"""How well links are found in text, how fast, and whether the fetcher can be led astray.

    python -m benchmarks.links [--corpus DIR] [--verbose]

DIR holds `urls/twitter-text-extract.yml` (or is that folder itself). Everything is compared with
linkify-it-py in the same run. The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from linkify_it import LinkifyIt  # type: ignore[import-untyped]

from benchmarks.hostile_addresses import attempt_all, plain_hits
from benchmarks.link_cases import CJK_CASES, HOSTILE_UNITS, PLAIN_MESSAGES, SHARED_MESSAGES
from bot import event_loop
from bot.links.scan import find_links

_FILE = "twitter-text-extract.yml"
_SECTIONS = ("urls", "urls_with_indices", "urls_with_directional_markers", "tco_urls_with_params")
_WORST_CHARS = 8192
_ROUNDS = 5
_ROUND_S = 0.004
_WORST_ROUNDS = 3
_linkify = LinkifyIt()

Span = tuple[str, int, int]
Finder = Callable[[str], list[Span]]


@dataclass(frozen=True)
class Case:
    """A text and the links in it; spans only where the truth has them."""

    text: str
    links: list[str]
    spans: list[tuple[int, int]] | None = None

    def passed(self, found: list[Span]) -> bool:
        """Whether exactly these links were found, at these places."""
        if [text for text, _, _ in found] != self.links:
            return False
        return self.spans is None or [(start, end) for _, start, end in found] == self.spans


def main() -> int:
    """Run the benchmark; the exit status is 2 when there is no corpus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=None, metavar="DIR")
    parser.add_argument("--verbose", action="store_true", help="print every case that fails")
    options = parser.parse_args()
    path = cases_file(options.corpus)
    if path is None:
        print("No corpus: name the folder that holds urls/ with --corpus DIR.", file=sys.stderr)
        return 2
    cases = list(read_cases(path))
    if options.verbose:
        for case in cases:
            if not case.passed(ours(case.text)):
                print(f"{case.text[:100]!r}: {ours(case.text)}, not {case.links}")
    report = {**found_right(cases), **speed(), **worst(), **event_loop.run(led_astray())}
    for key, value in report.items():
        print(f"{key:26} {value}")
    print(json.dumps(report, ensure_ascii=False))
    return 0


def cases_file(corpus: Path | None) -> Path | None:
    """The file of cases in `corpus` or `corpus/urls`."""
    if corpus is None:
        return None
    found = (folder / _FILE for folder in (corpus / "urls", corpus))
    return next((path for path in found if path.is_file()), None)


def read_cases(path: Path) -> Iterator[Case]:
    """The cases about links in twitter-text's conformance file."""
    sections: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8"))[
        "tests"
    ]
    for section in _SECTIONS:
        for case in sections.get(section, []):
            expected = case["expected"]
            if expected and isinstance(expected[0], dict):
                spans = [(start, end) for start, end in (link["indices"] for link in expected)]
                yield Case(case["text"], [link["url"] for link in expected], spans)
            else:
                yield Case(case["text"], expected)


def ours(text: str) -> list[Span]:
    """What this project finds."""
    return [(link.text, link.start, link.end) for link in find_links(text)]


def linkifys(text: str) -> list[Span]:
    """What linkify-it-py finds."""
    found = _linkify.match(text) or []
    return [(link.raw, link.index, link.last_index) for link in found]


def found_right(cases: list[Case]) -> dict[str, int]:
    """How many cases each finder passes."""
    own = [Case(text, links) for text, links in CJK_CASES]

    def count(finder: Finder, listed: list[Case]) -> int:
        return sum(case.passed(finder(case.text)) for case in listed)

    return {
        "url_cases_passed": count(ours, cases),
        "url_cases_total": len(cases),
        "url_cases_linkify": count(linkifys, cases),
        "cjk_cases_passed": count(ours, own),
        "cjk_cases_total": len(own),
        "cjk_cases_linkify": count(linkifys, own),
    }


def speed() -> dict[str, float]:
    """Microseconds a message, and how many times faster than linkify-it-py (the median message)."""
    report: dict[str, float] = {}
    for name, messages in (("plain", PLAIN_MESSAGES), ("with_link", SHARED_MESSAGES)):
        own = [best_us(find_links, message) for message in messages]
        theirs = [best_us(_linkify.match, message) for message in messages]
        ratios = [their / our for our, their in zip(own, theirs, strict=True)]
        report[f"{name}_us"] = round(statistics.median(own), 2)
        report[f"{name}_us_linkify"] = round(statistics.median(theirs), 2)
        report[f"{name}_vs_linkify"] = round(statistics.median(ratios), 1)
    return report


def best_us(finder: Callable[[str], object], message: str) -> float:
    """The best of some rounds, in microseconds a call, by this thread's own clock."""
    finder(message)
    calls = 1
    while _spent_s(finder, message, calls) < _ROUND_S:
        calls *= 2
    best = min(_spent_s(finder, message, calls) for _ in range(_ROUNDS))
    return best / calls * 1e6


def worst() -> dict[str, float | str]:
    """The slowest of many texts of 8,192 characters that are made to be slow."""
    slowest, unit = max(
        (
            min(_spent_s(find_links, _text_of(unit), 1) for _ in range(_WORST_ROUNDS)) * 1000,
            unit,
        )
        for unit in HOSTILE_UNITS
    )
    return {"worst_8k_ms": round(slowest, 1), "worst_8k_unit": unit}


async def led_astray() -> dict[str, int]:
    """Connections to a listener on this machine that the fetcher, and an unguarded client, make."""
    attempts = await attempt_all()
    return {
        "ssrf_hits": attempts.hits,
        "ssrf_tried": attempts.tried,
        "ssrf_hits_unguarded": await plain_hits(),
    }


def _text_of(unit: str) -> str:
    return (unit * (_WORST_CHARS // len(unit) + 1))[:_WORST_CHARS]


def _spent_s(finder: Callable[[str], object], message: str, calls: int) -> float:
    start = time.thread_time()
    for _ in range(calls):
        finder(message)
    return time.thread_time() - start


if __name__ == "__main__":
    sys.exit(main())

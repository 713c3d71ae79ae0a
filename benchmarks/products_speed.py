"""Time and memory against extruct 0.18 with price-parser, on the same pages.

    python -m benchmarks.products_speed ours|extruct FOLDER

reads all pages of FOLDER in a process of its own and prints its peak memory in kilobytes.
"""

import gzip
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ROUNDS = 3
_SYNTAXES = ["json-ld", "microdata", "opengraph"]
Reader = Callable[[bytes, str], object]


@dataclass(frozen=True)
class Speed:
    """Processor time a page in milliseconds, means over all pages."""

    structured_ms: float
    whole_ms: float
    extruct_structured_ms: float
    extruct_whole_ms: float


def measure(pages: list[tuple[bytes, str]]) -> Speed:
    """The best of some rounds for each page and reader; a round is all pages by each reader.

    So each reads page after page as in use: what it keeps warm of itself is warm, and the pages are
    not. In between nobody clears up what another reader left behind in memory, which took
    milliseconds of the first allocation behind one of extruct's trees.
    """
    readers = (_ours_structured, _ours_whole, _extruct_structured, _extruct_whole)
    best_s = [[float("inf")] * len(pages) for _ in readers]
    for _ in range(_ROUNDS):
        for reader, best in zip(readers, best_s, strict=True):
            for first in pages[:1]:
                # Behind another reader's pages; it is not the page's fault.
                reader(*first)
            for number, (page, url) in enumerate(pages):
                start = time.thread_time()
                reader(page, url)
                best[number] = min(best[number], time.thread_time() - start)
    return Speed(*(sum(best) / max(1, len(pages)) * 1000 for best in best_s))


def peak_kilobytes(reader: str, folder: Path) -> int:
    """The peak memory of a process that reads every page in `folder` with `reader`."""
    import subprocess  # noqa: PLC0415 - what is measured does without

    done = subprocess.run(  # noqa: S603 (this very program)
        [sys.executable, "-m", "benchmarks.products_speed", reader, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    return int(done.stdout)


def _ours_structured(page: bytes, url: str) -> object:
    from bot.links.recognise.recogniser import PageReader  # noqa: PLC0415 - weighed apart

    return PageReader(page, url).names_price


def _ours_whole(page: bytes, url: str) -> object:
    from bot.links.recognise import recognise  # noqa: PLC0415 - weighed apart

    return recognise(page, url)


def _extruct_structured(page: bytes, url: str) -> dict[str, list[object]]:
    import extruct  # type: ignore[import-untyped] # noqa: PLC0415 - weighed apart

    text = page.decode("utf-8", "replace")
    found: dict[str, list[object]] = {}
    # Where a syntax fails on a page, it misses that one's part in the end. Then it has found
    # nothing, and the time that took counts.
    with suppress(KeyError):
        found = extruct.extract(
            text, base_url=url, syntaxes=_SYNTAXES, errors="ignore", uniform=True
        )
    return found


def _extruct_whole(page: bytes, url: str) -> list[object]:
    from price_parser import Price  # noqa: PLC0415 - weighed apart

    listed = (node for found in _extruct_structured(page, url).values() for node in found)
    nodes = [node for node in listed if isinstance(node, dict)]
    offers = [offer for node in nodes for offer in _listed(node.get("offers"))]
    return [
        Price.fromstring(
            str(offer.get("price") or offer.get("lowPrice") or ""),
            currency_hint=str(offer.get("priceCurrency") or ""),
        )
        for offer in offers
        if isinstance(offer, dict)
    ]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _read_all(reader: Reader, folder: Path) -> int:
    for path in sorted(folder.glob("*.html.gz")):
        reader(gzip.decompress(path.read_bytes()), "https://shop.example/p")
    return _peak_kilobytes()


def _peak_kilobytes() -> int:
    """The process's own peak; `getrusage` would count the parent's from before the start."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    chosen = {"ours": _ours_whole, "extruct": _extruct_whole}[sys.argv[1]]
    sys.stdout.write(f"{_read_all(chosen, Path(sys.argv[2]))}\n")

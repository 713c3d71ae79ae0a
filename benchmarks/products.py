"""How well products are recognised: prices, currencies and availability over real pages.

    python -m benchmarks.products --corpus DIR [--full] [--verbose] [--sites]

DIR holds `products/` (`ground-truth.json` and `html/ID.html.gz`) and, if there, `articles/` (pages
that sell nothing); DIR may also be the products folder itself. extruct and price-parser read the
same pages in the same run. A truth's currency may be a sign: it counts as the set of ISO codes
that it can mean on that page. `--full` writes prices in every locale and every currency, which
takes minutes; otherwise a fixed sample of these pairs. `--sites` prints the figures apart for sites
that were looked at in development and others. The last line is one JSON object.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from benchmarks.products_cldr import cldr_accuracy, three_decimal_accuracy
from benchmarks.products_sites import groups_of
from benchmarks.products_speed import measure, peak_kilobytes
from bot.links.recognise import Sighting, recognise
from bot.links.recognise.currencies import possible_currencies
from wallet_core.money import exponent_of

_SOLD_OUT = frozenset({"OutOfStock", "SoldOut", "Discontinued"})
_GROUP_DIGITS = 3


@dataclass
class Count:
    """Right, reported and existing answers of one kind."""

    right: int = 0
    reported: int = 0
    existing: int = 0

    def add(self, *, right: bool, reported: bool, existing: bool) -> None:
        """Count one page."""
        self.right += right
        self.reported += reported
        self.existing += existing

    @property
    def precision(self) -> float:
        """Right among reported."""
        return self.right / self.reported if self.reported else 1.0

    @property
    def recall(self) -> float:
        """Right among existing."""
        return self.right / self.existing if self.existing else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass
class Score:
    """What is counted over the whole corpus."""

    price: Count = field(default_factory=Count)
    structured: Count = field(default_factory=Count)
    currency: Count = field(default_factory=Count)
    availability: Count = field(default_factory=Count)
    sold_out: Count = field(default_factory=Count)
    wrong_currency: int = 0
    articles: int = 0
    false_structured: int = 0
    false_preview: int = 0
    pages: list[tuple[bytes, str]] = field(default_factory=list)
    #: The same by groups of sites.
    groups: dict[str, "Score"] = field(default_factory=dict)


def main() -> int:
    """Run the benchmark; the exit status is 2 when there is no corpus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=None, metavar="DIR")
    parser.add_argument("--full", action="store_true", help="every locale and currency")
    parser.add_argument("--verbose", action="store_true", help="print every page that is not right")
    parser.add_argument("--sites", action="store_true", help="tell known sites from others")
    options = parser.parse_args()
    folder = products_folder(options.corpus)
    if folder is None:
        print("No corpus: name the folder that holds products/ with --corpus DIR.", file=sys.stderr)
        return 2
    score = Score()
    for line in score_products(folder, score):
        if options.verbose:
            print(line)
    for line in score_articles(folder.parent / "articles", score):
        if options.verbose:
            print(line)
    report = {
        **speed_figures(score, folder / "html"),
        **summary(score),
        **price_figures(full=options.full),
    }
    if options.sites:
        print_groups(score)
    for key, value in report.items():
        print(f"{key:30} {value}")
    print(json.dumps(report))
    return 0


def products_folder(corpus: Path | None) -> Path | None:
    """The folder with `ground-truth.json`, in `corpus` or `corpus/products`."""
    if corpus is None:
        return None
    for folder in (corpus / "products", corpus):
        if (folder / "ground-truth.json").is_file():
            return folder
    return None


def score_products(folder: Path, score: Score) -> Iterator[str]:
    """Count every page of the truth; yields a line for each that is not right."""
    truth: dict[str, dict[str, list[str] | str]] = json.loads(
        (folder / "ground-truth.json").read_text(encoding="utf-8")
    )
    for page_id, facts in truth.items():
        url = facts.get("url", "")
        page = gzip.decompress((folder / "html" / f"{page_id}.html.gz").read_bytes())
        address = url if isinstance(url, str) else ""
        seen = recognise(page, address)
        score.pages.append((page, address))
        wrong = _judged(seen, facts, score)
        for group in groups_of(address):
            part = score.groups.setdefault(group, Score())
            part.pages.append((b"", address))
            _judged(seen, facts, part)
        if wrong:
            yield f"{page_id[:8]} {str(url)[:60]} {'; '.join(wrong)} {seen.disagreements}"


def _judged(seen: Sighting, facts: dict[str, list[str] | str], score: Score) -> list[str]:
    """Count one page; what is wrong in it, in words."""
    wrong = [*_price(seen, facts, score), *_currency(seen, facts, score)]
    return wrong + _availability(seen, facts, score)


def print_groups(score: Score) -> None:
    """A table of the figures by groups of sites."""
    keys = ("price_f1", "structured_precision", "wrong_currency", "currency_recall",
            "availability_accuracy", "out_of_stock_f1")  # fmt: skip
    print(f"{'':20}{'pages':>7}" + "".join(f"{key:>23}" for key in keys))
    for name in ("sites looked at", "other sites", "sites, one half", "sites, other half"):
        part = score.groups.get(name, Score())
        figures = summary(part) if part.pages else {}
        shown = "".join(f"{figures.get(key, '-'):>23}" for key in keys)
        print(f"{name:20}{len(part.pages):>7}{shown}")
    print()


def score_articles(folder: Path, score: Score) -> Iterator[str]:
    """Count the pages that sell nothing; yields a line for each with a price."""
    for path in sorted(folder.glob("*.html.gz")):
        seen = recognise(gzip.decompress(path.read_bytes()), "https://example.org/article")
        score.articles += 1
        if seen.price_minor is not None:
            score.false_structured += seen.structured
            score.false_preview += not seen.structured
            yield f"{path.name}: {seen.price_minor} {seen.currency} {seen.sources}"


def speed_figures(score: Score, html_folder: Path) -> dict[str, int | float]:
    """Processor time and peak memory beside extruct and price-parser; ratios above 1 are faster."""
    speed = measure(score.pages)
    ours, theirs = (peak_kilobytes(reader, html_folder) for reader in ("ours", "extruct"))
    return {
        "structured_ms": round(speed.structured_ms, 3),
        "extruct_structured_ms": round(speed.extruct_structured_ms, 3),
        "structured_vs_extruct": round(speed.extruct_structured_ms / speed.structured_ms, 2),
        "whole_ms": round(speed.whole_ms, 3),
        "extruct_whole_ms": round(speed.extruct_whole_ms, 3),
        "whole_vs_extruct": round(speed.extruct_whole_ms / speed.whole_ms, 2),
        "memory_mb": round(ours / 1024, 1),
        "extruct_memory_mb": round(theirs / 1024, 1),
        "memory_vs_extruct": round(ours / theirs, 3),
    }


def price_figures(*, full: bool) -> dict[str, int | float]:
    """How many prices in CLDR's formats are read right: with the currency known, nothing else."""
    blind, knowing = cldr_accuracy(full=full)
    fine = three_decimal_accuracy(full=full)
    return {
        "cldr_prices": blind.total,
        "cldr_accuracy": round(blind.share, 4),
        "cldr_accuracy_language_known": round(knowing.share, 4),
        "three_decimal_prices": fine.total,
        "three_decimal_accuracy": round(fine.share, 4) if fine.right < fine.total else 1,
    }


def summary(score: Score) -> dict[str, int | float]:
    """The figures by name."""
    return {
        "price_right": score.price.right,
        "price_total": score.price.existing,
        "price_f1": round(score.price.f1, 4),
        "price_precision": round(score.price.precision, 4),
        "price_recall": round(score.price.recall, 4),
        "structured_precision": round(score.structured.precision, 4),
        "structured_reported": score.structured.reported,
        "wrong_currency": score.wrong_currency,
        "currency_recall": round(score.currency.recall, 4),
        "availability_accuracy": round(score.availability.recall, 4),
        "out_of_stock_f1": round(score.sold_out.f1, 4),
        "articles": score.articles,
        "false_structured": score.false_structured,
        "false_preview_rate": round(score.false_preview / score.articles, 4)
        if score.articles
        else 0,
    }


def _price(seen: Sighting, facts: dict[str, list[str] | str], score: Score) -> list[str]:
    wanted = {value for text in _listed(facts, "price") for value in readings(text, seen.currency)}
    got = None
    if seen.price_minor is not None and seen.exponent is not None:
        got = Decimal(seen.price_minor).scaleb(-seen.exponent)
    right = got is not None and got in wanted
    score.price.add(right=right, reported=got is not None, existing=bool(wanted))
    if seen.structured:
        score.structured.add(right=right, reported=True, existing=bool(wanted))
    if right or (got is None and not wanted):
        return []
    return [f"price {got} ({seen.sources.get('price')}), not {sorted(wanted)}"]


def readings(text: str, currency: str | None) -> set[Decimal]:
    """What a truth's price can mean: `23.450` is 23450 where the currency has no third decimal."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return set()
    places = value.as_tuple().exponent
    if places == -_GROUP_DIGITS and currency and exponent_of(currency) < _GROUP_DIGITS:
        return {value.scaleb(_GROUP_DIGITS)}
    return {value}


def _currency(seen: Sighting, facts: dict[str, list[str] | str], score: Score) -> list[str]:
    signs = _listed(facts, "currency")
    wanted = {code for sign in signs for code in possible_currencies(sign)}
    if not wanted:
        return []
    right = seen.currency in wanted
    score.currency.add(right=right, reported=seen.currency is not None, existing=True)
    if right:
        return []
    score.wrong_currency += seen.currency is not None
    return [f"currency {seen.currency}, not {signs}"]


def _availability(seen: Sighting, facts: dict[str, list[str] | str], score: Score) -> list[str]:
    wanted = _listed(facts, "availability")
    if not wanted:
        return []
    sold_out = bool(_SOLD_OUT & set(wanted))
    said = seen.availability
    says_sold_out = said in _SOLD_OUT
    right = said is not None and says_sold_out == sold_out
    score.availability.add(right=right, reported=said is not None, existing=True)
    score.sold_out.add(right=sold_out and says_sold_out, reported=says_sold_out, existing=sold_out)
    return [] if right else [f"availability {said}, not {wanted[0]}"]


def _listed(facts: dict[str, list[str] | str], key: str) -> list[str]:
    found = facts.get(key, [])
    return [found] if isinstance(found, str) else found


if __name__ == "__main__":
    sys.exit(main())

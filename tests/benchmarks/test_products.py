"""The benchmark counts what it says."""

import gzip
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from benchmarks.products import products_folder, readings

KEYS = {
    "structured_vs_extruct", "whole_vs_extruct", "memory_vs_extruct", "price_f1",
    "structured_precision", "wrong_currency", "currency_recall", "availability_accuracy",
    "out_of_stock_f1", "false_structured", "false_preview_rate", "cldr_accuracy",
    "three_decimal_accuracy",
}  # fmt: skip
ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.products", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def corpus(folder: Path) -> Path:
    (folder / "products" / "html").mkdir(parents=True)
    (folder / "articles").mkdir()
    offer = '{"@type": "Product", "name": "T", "offers": {"price": "5.00", "priceCurrency": "EUR"}}'
    page = f'<script type="application/ld+json">{offer}</script>'
    for name in ("a", "b"):
        (folder / "products" / "html" / f"{name}.html.gz").write_bytes(gzip.compress(page.encode()))
    (folder / "articles" / "n.html.gz").write_bytes(gzip.compress(b"<p>$5</p>"))
    truth = {
        "a": {
            "url": "https://a.test/",
            "price": ["5"],
            "currency": ["€"],
            "availability": ["InStock"],
        },
        "b": {"url": "https://b.test/", "price": ["6", "7"], "currency": ["$"]},
    }
    (folder / "products" / "ground-truth.json").write_text(json.dumps(truth))
    return folder


def test_prices_and_currencies_are_counted_against_the_truth(tmp_path: Path) -> None:
    folder = corpus(tmp_path)
    done = run("--corpus", str(folder))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert set(report) >= KEYS
    assert (report["price_right"], report["price_total"]) == (1, 2)
    assert report["structured_precision"] == 0.5
    assert (report["wrong_currency"], report["currency_recall"]) == (1, 0.5)
    assert (report["false_structured"], report["false_preview_rate"]) == (0, 0)
    assert report["structured_vs_extruct"] > 0
    assert report["whole_vs_extruct"] > 0
    assert 0 < report["memory_vs_extruct"] < 1
    assert report["cldr_accuracy"] >= 0.99
    assert report["three_decimal_accuracy"] == 1


def test_the_products_folder_itself_may_be_named(tmp_path: Path) -> None:
    folder = corpus(tmp_path)
    assert products_folder(folder) == products_folder(folder / "products") == folder / "products"
    assert products_folder(tmp_path / "articles") is None


def test_without_a_corpus_it_says_so(tmp_path: Path) -> None:
    for arguments in ((), ("--corpus", str(tmp_path))):
        done = run(*arguments)
        assert done.returncode == 2
        assert "corpus" in done.stderr


def test_three_digits_behind_a_point_are_a_group_where_money_has_no_third_decimal() -> None:
    assert readings("23.450", "PKR") == {Decimal(23450)}
    assert readings("23.450", "KWD") == {Decimal("23.450")}
    assert readings("15.99", "EUR") == {Decimal("15.99")}
    assert readings("n/a", "EUR") == set()


def test_sites_that_nobody_looked_at_are_told_apart(tmp_path: Path) -> None:
    done = run("--corpus", str(corpus(tmp_path)), "--sites")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    (others,) = (row for row in rows if row[:2] == ["other", "sites"])
    assert others[2:5] == ["2", "0.5", "0.5"]
    (known,) = (row for row in rows if row[:3] == ["sites", "looked", "at"])
    assert known[3:5] == ["0", "-"]


def test_a_page_that_the_peer_fails_on_ends_nothing(tmp_path: Path) -> None:
    folder = corpus(tmp_path)
    closed_early = b"<!DOCTYPE html>\n<html></html>\n<head><title>Tea</title></head><p>Tea"
    (folder / "products" / "html" / "b.html.gz").write_bytes(gzip.compress(closed_early))
    done = run("--corpus", str(folder))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["price_right"] == 1

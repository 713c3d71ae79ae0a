"""The benchmark counts what it says."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from benchmarks.link_cases import CJK_CASES
from benchmarks.links import Case, best_us, linkifys, ours, read_cases

ROOT = Path(__file__).parents[2]


def corpus(folder: Path) -> Path:
    (folder / "urls").mkdir()
    cases = {
        "urls": [
            {"text": "see http://a.com.", "expected": ["http://a.com"]},
            {"text": "nothing", "expected": ["http://a.com"]},
        ],
        "urls_with_indices": [
            {"text": "a http://a.com", "expected": [{"url": "http://a.com", "indices": [2, 14]}]},
            {"text": "a http://a.com", "expected": [{"url": "http://a.com", "indices": [0, 12]}]},
        ],
        "hashtags": [{"text": "#a", "expected": ["a"]}],
    }
    path = folder / "urls" / "twitter-text-extract.yml"
    path.write_text(yaml.safe_dump({"tests": cases}), encoding="utf-8")
    return folder


def test_cases_are_read_and_judged_by_text_and_place(tmp_path: Path) -> None:
    cases = list(read_cases(corpus(tmp_path) / "urls" / "twitter-text-extract.yml"))
    assert [case.passed(ours(case.text)) for case in cases] == [True, False, True, False]
    assert [case.passed(linkifys(case.text)) for case in cases] == [True, False, True, False]


def test_every_case_of_our_own_is_passed() -> None:
    failed = [text for text, links in CJK_CASES if not Case(text, links).passed(ours(text))]
    assert failed == []


def test_a_slower_finder_takes_longer() -> None:
    assert best_us(lambda text: text * 2000, "x" * 50) > best_us(lambda text: text, "x" * 50)


def test_the_last_line_is_a_report(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.links", "--corpus", str(corpus(tmp_path))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["url_cases_passed"], report["url_cases_total"]) == (2, 4)
    assert report["ssrf_hits"] == 0
    assert report["ssrf_hits_unguarded"] > 50
    assert report["plain_vs_linkify"] > 1
    assert report["worst_8k_ms"] > 0


def test_without_a_corpus_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.links"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "corpus" in done.stderr

"""The top-level domains that exist, so that `foo.comm` or `setup.cfg` is no link."""

from functools import cache
from pathlib import Path

_ACE_PREFIX = "xn--"


@cache
def known_tlds() -> frozenset[str]:
    """Every top-level domain, in Unicode and lower case, as shipped in `tlds.txt`."""
    listed = Path(__file__).with_name("tlds.txt").read_text(encoding="utf-8")
    lines = (line for line in listed.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


@cache
def longest_foreign_tld() -> int:
    """How many characters the longest top-level domain outside ASCII has."""
    return max(len(tld) for tld in known_tlds() if not tld.isascii())


def is_tld(label: str) -> bool:
    """Whether `label` (any case, Unicode or punycode) is a top-level domain."""
    lowered = label.lower()
    if lowered.startswith(_ACE_PREFIX):
        try:
            lowered = lowered[len(_ACE_PREFIX) :].encode("ascii").decode("punycode")
        except UnicodeError:
            return False
    return lowered in known_tlds()

"""Which sites of a corpus were looked at while the recogniser was developed.

A figure over those says how well it was fitted; only the others say how well it generalises. The
halves share out the sites by chance: as far as they lie apart, so far is chance at work.
"""

import hashlib

from ada_url import URL

#: The sites of the sample that was at hand, by the first 8 digits of the SHA-256 of their hosts.
_LOOKED_AT = frozenset(
    {"044bde68", "0a0dc92a", "10d6fdb7", "15472092", "18769be2", "1e8493fd", "21c59ce3",
     "28da01e9", "2926f01c", "4395c07f", "46088744", "55406778", "56381877", "5c59e9f1",
     "67e3620d", "690d08ff", "6c0a4521", "6fa2db5d", "70b57b9c", "8a5002b1", "8ed2c5fc",
     "92c8daad", "ab72d9e7", "b0661e7b", "b7c0587a", "bb20ee4c", "c7d3da00", "cc213ab0",
     "d2f691e5", "d95166f2", "e15cb594", "eca3236f", "eebe3a6d", "f7784c89"}
)  # fmt: skip


def groups_of(url: str) -> tuple[str, ...]:
    """The names of the groups of sites that a page found at `url` belongs to."""
    host = URL(url).hostname.removeprefix("www.") if URL.can_parse(url) else ""
    digits = hashlib.sha256(host.encode()).hexdigest()
    return (
        "sites looked at" if digits[:8] in _LOOKED_AT else "other sites",
        "sites, one half" if int(digits[8], 16) % 2 else "sites, other half",
    )

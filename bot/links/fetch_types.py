"""What is asked of the fetcher, what it answers, and how much it may take."""

from typing import Literal

import msgspec

from bot.links.addresses import WEB_PORTS
from wallet_core.errors import PayontapError

Kind = Literal["html", "image", "text", "json"]
FetchCode = Literal[
    "bad_url", "forbidden_port", "forbidden_address", "robots", "too_many_redirects", "too_large",
    "timeout", "unreachable", "tls", "status", "content_type", "busy", "bad_response",
]  # fmt: skip

ACCEPT: dict[Kind, str] = {
    "html": "text/html,application/xhtml+xml;q=0.9",
    "image": "image/webp,image/png,image/jpeg,image/*;q=0.5",
    "text": "text/plain",
    "json": "application/json",
}
TYPES: dict[Kind, frozenset[str]] = {
    "html": frozenset({"text/html", "application/xhtml+xml"}),
    "image": frozenset(
        {"image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/webp", "image/gif",
         "image/avif", "image/bmp", "image/x-ms-bmp"}
    ),
    "text": frozenset({"text/plain"}),
    # Shops serve the JSON of /products/x.js under the name of a script.
    "json": frozenset(
        {
            *("application/json", "application/ld+json", "text/json"),
            *("application/javascript", "text/javascript"),
        }
    ),
}  # fmt: skip

#: With these a server says that there is no such page, or none any more.
_GONE = frozenset({404, 410})


class FetchError(PayontapError):
    """A page that was not fetched. `code` is for machines, the text one sentence for people."""

    def __init__(self, code: FetchCode, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code: FetchCode = code
        self.message = message
        self.status = status

    @property
    def is_gone(self) -> bool:
        """Whether there is no such page any more."""
        return self.status in _GONE

    @property
    def is_final(self) -> bool:
        """Whether the shop has said no, and does not only stumble: what it said before is over."""
        # A robots.txt that could not be had has a status; then nobody has said anything.
        return self.is_gone or (self.code == "robots" and self.status is None)


class Fetched(msgspec.Struct, frozen=True):
    """What a server sent. `hops` are the addresses that led on to `url_final`, in order.

    A page's `body` is UTF-8 whenever its charset could be told, and `charset` says so.
    `read_at_s`: when the server was last asked for it, seconds since the epoch.
    """

    url_final: str
    status: int
    content_type: str
    charset: str | None
    body: bytes
    hops: tuple[str, ...] = ()
    read_at_s: float = 0.0


class FetchLimits(msgspec.Struct, frozen=True):
    """What one request and the fetcher as a whole may take; times in seconds.

    A page counts as fresh for `fresh_s`, or longer, to `fresh_s_max`, if its server says so. Then
    it is still answered for `stale_s` while it is asked for again, and for `kept_s` it is only
    asked whether it has changed. A failure is remembered for `negative_s`, a page that does not
    exist for `fresh_s`. `file_bytes_max` and `file_total_s` are for what an owner asks to have
    read; it waits for its turn for `file_total_s` at most, too.
    """

    total_s: float = 5.0
    redirects_max: int = 5
    page_bytes_max: int = 2_000_000
    image_bytes_max: int = 8_000_000
    fresh_s: float = 300.0
    fresh_s_max: float = 900.0
    stale_s: float = 600.0
    kept_s: float = 3_600.0
    negative_s: float = 30.0
    cache_bytes_max: int = 32_000_000
    host_interval_s: float = 1.0
    host_burst: int = 3
    host_wait_s_max: float = 3.0
    connections_per_host: int = 4
    file_bytes_max: int = 256_000_000
    file_total_s: float = 900.0
    ports: frozenset[int] = WEB_PORTS


DEFAULT_LIMITS = FetchLimits()

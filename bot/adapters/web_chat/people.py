"""Who is at the page: a secret in a cookie, a public id, a name that proves nothing."""

import hashlib
import re
import secrets
import time
import unicodedata
from collections.abc import Callable

from aiohttp import web

#: As long as browsers keep a cookie at all.
COOKIE_MAX_AGE_S = 400 * 24 * 3600
NAME_LENGTH_MAX = 32
#: What the bot is called beside its words.
BOT_NAME = "Payontap"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_COLOURS = (
    "Amber", "Azure", "Coral", "Cobalt", "Copper", "Crimson", "Golden", "Indigo",
    "Ivory", "Jade", "Lilac", "Mint", "Olive", "Pearl", "Ruby", "Silver",
)  # fmt: skip
_ANIMALS = (
    "Badger", "Crane", "Dolphin", "Falcon", "Fox", "Gecko", "Heron", "Ibis",
    "Koala", "Lynx", "Otter", "Panda", "Robin", "Seal", "Swift", "Tapir",
)  # fmt: skip


class CookieJar:
    """Reads and sets the cookie that holds a person's secret.

    Over https its name begins with `__Host-`, which keeps other hosts of the same site from
    planting one.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._name = "__Host-payontap" if secure else "payontap"

    def token_of(self, request: web.Request) -> str | None:
        """The secret that the browser sent, or None when there is none, or no good one."""
        token = request.cookies.get(self._name, "")
        return token if _TOKEN.fullmatch(token) else None

    def keep(self, request: web.Request, response: web.StreamResponse) -> None:
        """Set the cookie: the secret the browser has, for longer, or a new one."""
        response.set_cookie(
            self._name,
            self.token_of(request) or secrets.token_urlsafe(32),
            max_age=COOKIE_MAX_AGE_S,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )


def digest_of(token: str) -> str:
    """What the database holds of a secret: its SHA-256, hex. Enough, as the secret is random."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_person_id() -> str:
    """A public id: random, not derived from the secret."""
    return secrets.token_hex(10)


def friendly_name(person_id: str) -> str:
    """The name of somebody who has not chosen one: the same for the same id."""
    seed = hashlib.sha256(person_id.encode()).digest()
    return f"{_COLOURS[seed[0] % 16]} {_ANIMALS[seed[1] % 16]}"


def clean_name(name: str) -> str:
    """A chosen name without what could disturb the page: controls, direction marks, excess.

    Empty when nothing of it is left.
    """
    visible = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in unicodedata.normalize("NFKC", name[: 8 * NAME_LENGTH_MAX])
        if unicodedata.category(sign) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(visible.split())[:NAME_LENGTH_MAX].strip()


def is_bots_name(name: str) -> bool:
    """Whether people would take `name` for the bot's: with signs, a tick or "bot" around it too."""
    bare = re.sub(r"[\W_]+", "", name).casefold()
    return bare.removeprefix("the").removesuffix("bot") == BOT_NAME.casefold()


def clean_text(text: str) -> str:
    """What was written, without control characters other than tab and line break."""
    return "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) != "Cc"
    ).strip()


class Allowance:
    """A bucket of tokens: `burst` at once, `per_s` a second after that."""

    def __init__(
        self, *, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_s = per_s
        self._clock = clock
        self._left = float(burst)
        self._at_s = clock()

    def take(self) -> float:
        """Take one; 0 when it was there, else how many seconds until the next one is."""
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return (1 - self._left) / self._per_s
        self._left -= 1
        return 0.0

    @property
    def full(self) -> bool:
        """Whether nothing of it is spent, so that forgetting it changes nothing."""
        return self._left + (self._clock() - self._at_s) * self._per_s >= self._burst

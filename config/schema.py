"""What can be set, section by section, with types, bounds and defaults."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from config.by_currency import CurrencyFees, CurrencyLimits, OwnCurrency, PairRate
from config.section import Percentage, Seconds, Section, Whole, refuse_bool

_TELEGRAM_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{1,100}")
_CURRENCY = re.compile(r"[A-Z][A-Z0-9]{2,9}")
_PAIR = re.compile(r"[A-Z][A-Z0-9]{2,9}_[A-Z][A-Z0-9]{2,9}")
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})")
_LAST_PORT = 65_535
_ORIGIN_SCHEMES = ("http", "https")
_REDIS_SCHEMES = ("redis", "rediss", "unix")
_DATABASE_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


def _origin(value: str) -> str:
    """An http(s) address of a whole site, without the slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in _ORIGIN_SCHEMES or not parts.hostname:
        raise ValueError('it must be an address such as "https://pay.example.org"')
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("it must name a site only, without path, query or user")
    return value.rstrip("/")


def _host_and_port(value: str) -> str:
    match = _HOST_AND_PORT.fullmatch(value)
    if match is None or not 0 < int(match["port"]) <= _LAST_PORT:
        raise ValueError('each entry must be a host and a port, such as "127.0.0.1:9000"')
    return value.lower()


Port = Annotated[Whole, Field(ge=0, le=_LAST_PORT)]
Origin = Annotated[str, AfterValidator(_origin)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
PollSeconds = Annotated[float, BeforeValidator(refuse_bool), Field(ge=0.1, le=3_600)]
"""How often a server is asked; several times a second only one next door will bear."""


class Web(Section):
    """The address at which pages, web chat and merchant API are served."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    public_url: Origin | None = None

    def origin(self, bound_port: int | None = None) -> str:
        """The address that people see: `public_url`, or else what is listened on.

        `bound_port` is the port that the system gave when `port` is 0.
        """
        if self.public_url is not None:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port if bound_port is None else bound_port}"


class Database(Section):
    """Where the money is written; no URL means SQLite inside `data_dir`."""

    url: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _known_driver(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, separator, rest = value.get_secret_value().partition("://")
        driver = _DATABASE_DRIVERS.get(scheme)
        if not separator or driver is None:
            raise ValueError('it must begin with "postgresql://" or "sqlite:///"')
        return SecretStr(f"{driver}://{rest}")


class Redis(Section):
    """Where leases and the event queue live; no URL means an embedded Valkey."""

    url: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in _REDIS_SCHEMES:
            raise ValueError('it must begin with "redis://", "rediss://" or "unix://"')
        return value


class Money(Section):
    """How long money waits for people, in seconds, and what a like may pay."""

    undo_window_s: Annotated[Whole, Field(ge=0, le=3_600)] = 8
    quote_valid_s: Annotated[Whole, Field(ge=1)] = 3_600
    price_fresh_s: Annotated[Whole, Field(ge=0)] = 300
    accept_within_s: Annotated[Whole, Field(ge=1)] = 259_200
    likes_day_times: Annotated[Whole, Field(ge=1, le=1_000)] = 5


class Settlement(Section):
    """When a merchant's money becomes available, and what becomes of fees at a refund."""

    pending_s: Annotated[Seconds, Field(le=365 * 24 * 3600)] = 0
    fees_refunded: bool = False


class Verification(Section):
    """How often the proofs of merchants' hosts are looked for, and how long one may be missing."""

    check_every_s: Annotated[Whole, Field(ge=60, le=30 * 24 * 3600)] = 24 * 3600
    grace_s: Annotated[Whole, Field(ge=0, le=365 * 24 * 3600)] = 7 * 24 * 3600


class Escrow(Section):
    """Money for the owners of hosts that nobody has claimed; off until somebody allows it."""

    enabled: bool = False
    claim_within_s: Annotated[Whole, Field(ge=60, le=365 * 24 * 3600)] = 30 * 24 * 3600


class Conversion(Section):
    """What a conversion between currencies costs, and how long its rate stands."""

    spread_percent: Percentage = Decimal(1)
    quote_valid_s: Annotated[Whole, Field(ge=1, le=3_600)] = 60


class Fetch(Section):
    """How product pages are read."""

    contact: Annotated[str, Field(min_length=1)] | None = None
    timeout_s: Annotated[float, BeforeValidator(refuse_bool), Field(gt=0, le=60)] = 5
    allowed_origins: tuple[HostAndPort, ...] = ()

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable()):
            raise ValueError("it is sent in a header, so only printable ASCII is allowed")
        return value


class Catalogue(Section):
    """How merchants' catalogues are kept fresh."""

    interval_s: Annotated[Whole, Field(ge=60, le=30 * 24 * 3600)] = 3_600
    items_max: Annotated[Whole, Field(ge=1, le=10_000_000)] = 250_000

    @property
    def fresh_s(self) -> float:
        """How old a catalogue may be for its prices to be payable: a day, or three intervals."""
        return max(24 * 3600.0, 3.0 * self.interval_s)


class Matrix(Section):
    """The bot's account on a Matrix homeserver; off until `homeserver` is set."""

    homeserver: Origin | None = None
    user: Annotated[str, Field(min_length=1)] | None = None
    password: SecretStr | None = None
    access_token: SecretStr | None = None
    device_name: Annotated[str, Field(min_length=1)] = "Payontap"
    encryption: bool = False

    @property
    def enabled(self) -> bool:
        """Whether this network is switched on."""
        return self.homeserver is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.enabled:
            return self
        if self.user is None:
            raise ValueError("matrix.homeserver is set, so matrix.user is needed too")
        if self.password is None and self.access_token is None:
            raise ValueError(
                "matrix.homeserver is set, so matrix.password or matrix.access_token is needed too"
            )
        return self


class Mastodon(Section):
    """The bot's account on a server that speaks the Mastodon API; off until `server` is set."""

    server: Origin | None = None
    access_token: SecretStr | None = None
    operator: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    poll_s: PollSeconds = 10

    @property
    def enabled(self) -> bool:
        """Whether this network is switched on."""
        return self.server is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and self.access_token is None:
            raise ValueError("mastodon.server is set, so mastodon.access_token is needed too")
        return self


class Bluesky(Section):
    """The bot's account on Bluesky; off until `handle` is set."""

    handle: Annotated[str, Field(min_length=1)] | None = None
    app_password: SecretStr | None = None
    service: Origin = "https://bsky.social"
    poll_s: PollSeconds = 10

    @property
    def enabled(self) -> bool:
        """Whether this network is switched on."""
        return self.handle is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and self.app_password is None:
            raise ValueError("bluesky.handle is set, so bluesky.app_password is needed too")
        return self


class Weibo(Section):
    """The bot's verified account on Weibo; off until `app_secret` is set."""

    app_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    account_id: Annotated[str, Field(pattern=r"[0-9]{5,20}")] | None = None
    service: Origin = "https://m.api.weibo.com"

    @property
    def enabled(self) -> bool:
        """Whether this network is switched on."""
        return self.app_secret is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.enabled:
            return self
        for name in ("access_token", "account_id"):
            if getattr(self, name) is None:
                raise ValueError(f"weibo.app_secret is set, so weibo.{name} is needed too")
        return self


class Telegram(Section):
    """The bot's account at Telegram; off until `token` is set."""

    token: SecretStr | None = None
    webhook: bool = False
    api_url: Origin = "https://api.telegram.org"
    private_in_groups: bool = True
    messages_per_s: Annotated[Whole, Field(ge=1, le=1_000)] = 30
    provider_token: SecretStr | None = None
    stars_per_unit: Annotated[Whole, Field(ge=1)] | None = None
    digital_hosts: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether this network is switched on."""
        return self.token is not None

    @property
    def collects(self) -> bool:
        """Whether Telegram may collect money for the bot."""
        return self.provider_token is not None or self.stars_per_unit is not None

    @field_validator("token")
    @classmethod
    def _looks_like_one(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TELEGRAM_TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("it must be a token as @BotFather gives it, such as 123456:AAE…")
        return value


class Checkpoints(Section):
    """Where the signed heads of the journal are exported to; a name is one in `data_dir`."""

    log: Annotated[str, Field(min_length=1)] = "checkpoints.log"
    keep_all_days: Annotated[Whole, Field(ge=1, le=36_500)] = 30
    keep_hourly_days: Annotated[Whole, Field(ge=1, le=36_500)] = 365

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.keep_hourly_days < self.keep_all_days:
            raise ValueError("checkpoints.keep_hourly_days cannot be less than keep_all_days")
        return self


class Metrics(Section):
    """Who may read `/metrics`: whoever sends this token; without one there is no such page."""

    token: Annotated[SecretStr, Field(min_length=16)] | None = None


class Demo(Section):
    """The demo shop that a first start shows."""

    enabled: bool = True
    port: Port = 0


class Log(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """All settings of one instance, as they were when it started."""

    data_dir: Path
    currency: str = "CNY"
    web: Web = Web()
    database: Database = Database()
    redis: Redis = Redis()
    money: Money = Money()
    settlement: Settlement = Settlement()
    verification: Verification = Verification()
    escrow: Escrow = Escrow()
    conversion: Conversion = Conversion()
    fetch: Fetch = Fetch()
    catalogue: Catalogue = Catalogue()
    matrix: Matrix = Matrix()
    mastodon: Mastodon = Mastodon()
    bluesky: Bluesky = Bluesky()
    weibo: Weibo = Weibo()
    telegram: Telegram = Telegram()
    checkpoints: Checkpoints = Checkpoints()
    metrics: Metrics = Metrics()
    demo: Demo = Demo()
    log: Log = Log()
    currencies: Mapping[str, OwnCurrency] = {}
    limits: Mapping[str, CurrencyLimits] = {}
    fees: Mapping[str, CurrencyFees] = {}
    rates: Mapping[str, PairRate] = {}

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _webhook_has_an_address(self) -> Self:
        public = self.web.public_url or ""
        if self.telegram.enabled and self.telegram.webhook and not public.startswith("https://"):
            raise ValueError(
                "telegram.webhook is on, so web.public_url must be the https address of this bot"
            )
        return self

    @field_validator("currency")
    @classmethod
    def _a_code(cls, value: str) -> str:
        if not _CURRENCY.fullmatch(value):
            raise ValueError("it must be an ISO 4217 code of three capitals, such as CNY")
        return value

    @field_validator("currencies", "limits", "fees")
    @classmethod
    def _codes(cls, value: Mapping[str, Section]) -> Mapping[str, Section]:
        for code in value:
            if not _CURRENCY.fullmatch(code):
                raise ValueError(f"{code!r} is no currency's code, such as CNY")
        return value

    @field_validator("rates")
    @classmethod
    def _pairs(cls, value: Mapping[str, Section]) -> Mapping[str, Section]:
        for pair in value:
            if not _PAIR.fullmatch(pair):
                raise ValueError(f"{pair!r} is no pair of currencies, such as USD_CNY")
        return value

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value that is no default came from, by its dotted key."""
        return self._origins

    def with_origins(self, origins: Mapping[str, str]) -> Self:
        """The same settings, remembering where each value came from."""
        twin = self.model_copy()
        twin._origins = dict(origins)
        return twin

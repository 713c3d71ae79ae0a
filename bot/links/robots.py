"""robots.txt after RFC 9309: which paths of a host a reader of our name may open.

Parsed by hand, since the standard library's reader ignores wildcards and the longest match, and
matched without regular expressions, so that no file can make a match slow.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import quote, unquote_to_bytes

import msgspec

#: What a host may say at least, by the RFC; what is longer is cut.
BYTES_MAX = 512_000
#: A file with more rules for one reader forbids everything: what it allows cannot be told. Those
#: with wildcards are searched for in the whole path.
_RULES_MAX = 20_000
_WILDCARD_RULES_MAX = 2_000
_KEPT_FOR_S = 6 * 3600.0
_ORIGINS_MAX = 2_048
#: All rules that are remembered, and what one costs beside its characters, roughly.
_KEPT_BYTES_MAX = 32_000_000
_RULE_OVERHEAD_BYTES = 160
#: What a larger file says is told in a thread, so that nobody waits for it.
_AT_ONCE_BYTES_MAX = 16_384
_SAFE = "/?=&%:@!'()+,;~-._"
_WILDCARDS = re.compile(r"\*+")


class RobotsFile(msgspec.Struct, frozen=True):
    """What a host answered to `/robots.txt`; `found` is False where it has none."""

    found: bool
    body: bytes = b""


class Rules(msgspec.Struct, frozen=True):
    """The rules for one reader: pairs of a pattern and whether it allows.

    In a pattern `*` stands for anything, and `$` at its end for the end; all else is in the form
    of `_normal`.
    """

    rules: tuple[tuple[str, bool], ...] = ()

    @property
    def size_bytes(self) -> int:
        """How much memory they take, roughly."""
        return sum(len(pattern) + _RULE_OVERHEAD_BYTES for pattern, _ in self.rules)

    def allow(self, path: str) -> bool:
        """Whether `path` (with its query) may be opened: the longest rule decides, then allow."""
        if path == "/robots.txt":
            return True
        normal = _normal(path)
        longest, allowed = -1, True
        for pattern, allows in self.rules:
            length = len(pattern)
            if (length > longest or (length == longest and allows)) and _matches(pattern, normal):
                longest, allowed = length, allows
        return allowed


def parse_robots(body: bytes, product: str) -> Rules:
    """The rules of the groups for `product`, or of those for everybody where it has none."""
    own: list[tuple[str, bool]] = []
    everybodys: list[tuple[str, bool]] = []
    # Whom the group that is being read is for, however often it names them.
    for_own = for_everybody = named_own = in_names = False
    for line in body[:BYTES_MAX].decode("utf-8-sig", "replace").splitlines():
        key, colon, rest = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), rest.strip()
        if not colon:
            continue
        if key == "user-agent":
            if not in_names:
                for_own = for_everybody = False
            in_names = True
            reader = value.partition("/")[0].lower()
            if reader == product.lower():
                for_own = named_own = True
            for_everybody = for_everybody or reader == "*"
        elif key in {"allow", "disallow"}:
            in_names = False
            if value and (for_own or for_everybody):
                rule = (_pattern(value), key == "allow")
                own += [rule] * for_own
                everybodys += [rule] * for_everybody
    rules = own if named_own else everybodys
    with_wildcards = sum("*" in pattern for pattern, _ in rules)
    if len(rules) > _RULES_MAX or with_wildcards > _WILDCARD_RULES_MAX:
        return Rules((("/", False),))
    return Rules(tuple(rules))


class RobotsKeeper:
    """Remembers the rules of many hosts. `read` gets a host's file; what it raises passes on."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[RobotsFile]],
        *,
        product: str,
        clock: Callable[[], float],
    ) -> None:
        self._read = read
        self._product = product
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Rules]] = OrderedDict()
        self._known_bytes = 0
        self._readings: dict[str, asyncio.Task[Rules]] = {}

    async def allow(self, origin: str, path: str) -> bool:
        """Whether `path` of `origin` (`https://host:port`) may be opened."""
        until, rules = self._known.get(origin, (0.0, Rules()))
        if until <= self._clock():
            rules = await asyncio.shield(self._reading(origin))
        return rules.allow(path)

    async def close(self) -> None:
        """Stop what is being read."""
        readings = list(self._readings.values())
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)

    def _reading(self, origin: str) -> asyncio.Task[Rules]:
        """The one reading of `origin`'s file for all who wait for it."""
        reading = self._readings.get(origin)
        if reading is None:
            reading = asyncio.create_task(self._read_rules(origin))
            self._readings[origin] = reading
            reading.add_done_callback(lambda done: self._read_done(origin, done))
        return reading

    def _read_done(self, origin: str, reading: asyncio.Task[Rules]) -> None:
        del self._readings[origin]
        if not reading.cancelled():
            reading.exception()  # whoever still waits is told; nobody may be waiting any more

    async def _read_rules(self, origin: str) -> Rules:
        file = await self._read(origin)
        if not file.found:
            rules = Rules()
        elif len(file.body) > _AT_ONCE_BYTES_MAX:
            rules = await asyncio.to_thread(parse_robots, file.body, self._product)
        else:
            rules = parse_robots(file.body, self._product)
        self._remember(origin, rules)
        return rules

    def _remember(self, origin: str, rules: Rules) -> None:
        """Keep what a host says; who was asked longest ago is asked again when it is too much."""
        self._forget(origin)
        self._known[origin] = (self._clock() + _KEPT_FOR_S, rules)
        self._known_bytes += rules.size_bytes
        while len(self._known) > _ORIGINS_MAX or self._known_bytes > _KEPT_BYTES_MAX:
            self._forget(next(iter(self._known)))

    def _forget(self, origin: str) -> None:
        _, rules = self._known.pop(origin, (0.0, Rules()))
        self._known_bytes -= rules.size_bytes


def _normal(path: str) -> str:
    """Percent-encoding in one form, so that `/ü`, `/%C3%BC` and `/%c3%bc` are the same.

    An encoded slash stays encoded: it parts no folders. `$` and `*` become encoded, as those are
    in a pattern that mean nothing but themselves.
    """
    kept = path.replace("%2F", "%252F").replace("%2f", "%252F")
    return quote(unquote_to_bytes(kept), safe=_SAFE)


def _pattern(rule: str) -> str:
    """The pattern of a rule as it is written in a file."""
    end = "$" if rule.endswith("$") else ""
    return "*".join(map(_normal, _WILDCARDS.split(rule.removesuffix("$")))) + end


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern with `*` and a closing `$` matches the beginning of a path."""
    anchored = pattern.endswith("$")
    parts = pattern.removesuffix("$").split("*")
    if not path.startswith(parts[0]):
        return False
    position = len(parts[0])
    for part in parts[1:-1]:
        found = path.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    if len(parts) == 1:
        return not anchored or position == len(path)
    if anchored:
        return len(path) - len(parts[-1]) >= position and path.endswith(parts[-1])
    return path.find(parts[-1], position) >= 0

"""Limits in words: what is left, why a payment was refused, and when it would go."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.cards import Card, Line, Role, Tone
from wallet_core.errors import Refusal
from wallet_core.ledger.allowance import Allowance
from wallet_core.limits import DAY_US, LOOSENING_DELAY_S, MONTH_US
from wallet_core.money import Money

_SECOND_US = 1_000_000
_DAY_S = 24 * 3600
#: What can be limited by its owner: word → the field of `Limits`.
LIMIT_FIELDS: Mapping[str, str] = {
    "payment": "payment_max_minor",
    "day": "day_max_minor",
    "month": "month_max_minor",
    "payee": "payee_day_max_minor",
}
_ASK = "An admin of this instance can allow more; /limits shows what holds."


def limit_refused_card(code: Refusal, price: Money, payee: str, known: Allowance) -> Card:
    """Why a payment that keeps the wallet's balance breaks its limits, and when it would go."""
    what, more = _refused_words(code, price, payee, known)
    return Card(title=f"Not charged. {what}", lines=(Line(more, Role.HINT),), tone=Tone.BAD)


def _refused_words(code: Refusal, price: Money, payee: str, known: Allowance) -> tuple[str, str]:
    limits = known.limits
    match code:
        case Refusal.PAYMENT_LIMIT if limits.payment_max_minor is not None:
            most = _money(limits.payment_max_minor, known)
            what = f"One payment may be at most {most}; this needs {price.format()}."
            return what, _way_on(known, price, "payment")
        case Refusal.DAY_LIMIT if limits.day_max_minor is not None:
            return _window(known, price, limits.day_max_minor, DAY_US, "24 hours", "day")
        case Refusal.MONTH_LIMIT if limits.month_max_minor is not None:
            return _window(known, price, limits.month_max_minor, MONTH_US, "30 days", "month")
        case Refusal.PAYEE_LIMIT if limits.payee_day_max_minor is not None:
            words = "24 hours with this seller"
            most_minor = limits.payee_day_max_minor
            return _window(known, price, most_minor, DAY_US, words, "payee", payee)
        case Refusal.NEW_PAYEE if limits.new_payee_max_minor is not None:
            most = _money(limits.new_payee_max_minor, known)
            what = (
                f"This seller is new to you: at most {most} can go to him at first; this needs "
                f"{price.format()}."
            )
            at_us = known.known_at_us(payee)
            return what, _ASK if at_us is None else f"More is free {_when(at_us, known.now_us)}."
        case _:
            return "This is more than your wallet's limits allow.", _ASK


def _window(
    known: Allowance,
    price: Money,
    most_minor: int,
    window_us: int,
    words: str,
    name: str,
    payee: str | None = None,
) -> tuple[str, str]:
    spent = sum(
        spend.amount_minor
        for spend in known.spends
        if spend.at_us > known.now_us - window_us and payee in (None, spend.payee)
    )
    left, most = _money(max(0, most_minor - spent), known), _money(most_minor, known)
    what = f"{left} of your {most} for {words} is left; this needs {price.format()}."
    at_us = known.free_at_us(price.amount_minor, most_minor, window_us, payee)
    if at_us is None:
        return what, _way_on(known, price, name)
    return what, f"More is free {_when(at_us, known.now_us)}."


def _way_on(known: Allowance, price: Money, name: str) -> str:
    """Who can allow more: an admin cannot where it is the owner's own limit that forbids it."""
    field = LIMIT_FIELDS[name]
    currency, now_us = known.currency, known.now_us
    own_minor = getattr(known.set_for.wanted(currency, now_us), field)
    most_minor = getattr(known.set_for.allowed(currency, known.default), field)
    allowed = most_minor is None or price.amount_minor <= most_minor
    if own_minor is None or own_minor != getattr(known.limits, field) or not allowed:
        return _ASK
    before = known.set_for.loosening.get(currency)
    if before is not None and before.until_us > now_us:
        return f"You set this limit yourself; it is looser {_when(before.until_us, now_us)}."
    wish, wait = f"/limits {name} off {currency}", span(LOOSENING_DELAY_S)
    return f"You set this limit yourself: {wish} lifts it {wait} later."


def limit_lines(known: Allowance) -> tuple[Line, ...]:
    """What holds for a wallet in one currency, and what of it is left."""
    limits, lines = known.limits, []
    if limits.payment_max_minor is not None:
        lines.append(f"One payment: at most {_money(limits.payment_max_minor, known)}.")
    for most_minor, left_minor, words in (
        (limits.day_max_minor, known.day_left_minor, "24 hours"),
        (limits.month_max_minor, known.month_left_minor, "30 days"),
    ):
        if most_minor is not None and left_minor is not None:
            left = _money(left_minor, known)
            lines.append(f"In {words}: {left} of {_money(most_minor, known)} is left.")
    if limits.payee_day_max_minor is not None:
        most = _money(limits.payee_day_max_minor, known)
        lines.append(f"To one seller in 24 hours: at most {most}.")
    if limits.watches_payees and limits.new_payee_max_minor is not None:
        most, wait = _money(limits.new_payee_max_minor, known), span(limits.new_payee_delay_s)
        lines.append(f"To somebody new in the first {wait}: at most {most}.")
    if not lines:
        lines.append(f"{known.currency}: no limits.")
    before = known.set_for.loosening.get(known.currency)
    if before is not None and before.until_us > known.now_us:
        when = _when(before.until_us, known.now_us)
        lines.append(f"You have loosened a limit: the stricter one holds until then, {when}.")
    return tuple(Line(text) for text in lines)


def span(seconds: int) -> str:
    """A length of time in words: `36 hours`, `2 days`, `90 seconds`."""
    for unit_s, word in ((_DAY_S, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit_s and seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return f"{seconds} seconds"


def _money(amount_minor: int, known: Allowance) -> str:
    return Money(amount_minor, known.currency).format()


def _when(at_us: int, now_us: int) -> str:
    """The next full minute after an instant: `at 18:05 UTC`, with the day if it is not today."""
    minute_us = 60 * _SECOND_US
    at = datetime.fromtimestamp(-(-at_us // minute_us) * 60, UTC)
    if at.date() == datetime.fromtimestamp(now_us // _SECOND_US, UTC).date():
        return f"at {at:%H:%M} UTC"
    return f"on {at.day} {at:%B} at {at:%H:%M} UTC"

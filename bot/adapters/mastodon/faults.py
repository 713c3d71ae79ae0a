"""What a server's refusals mean, as the errors that the port knows."""

import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from mastodon.errors import (
    MastodonAPIError,
    MastodonError,
    MastodonIllegalArgumentError,
    MastodonNetworkError,
    MastodonRatelimitError,
    MastodonServerError,
    MastodonUnauthorizedError,
)

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable

#: How long to wait where a server says 429 and not until when; Mastodon counts in five minutes.
DEFAULT_WAIT_S = 15.0
_WAIT_S_MIN = 0.05
_WAIT_S_MAX = 900.0

_CLOSED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class LoggedOut(AdapterError):
    """The server no longer takes the access token. Waiting does not mend it."""


def fault(error: MastodonError, wait_s: float | None) -> AdapterError:
    """The error that the library's one stands for; `wait_s` is what a 429 asked for, if it did."""
    sentence = "The server answered: " + " ".join(map(str, error.args[-3:])).strip() + "."
    match error:
        case MastodonRatelimitError():
            return RateLimited(DEFAULT_WAIT_S if wait_s is None else wait_s)
        case MastodonNetworkError() | MastodonServerError():
            return NetworkDown(sentence)
        case MastodonUnauthorizedError():
            return LoggedOut(
                "The server no longer accepts the bot's access token: make a new one in the"
                " account's settings and configure it."
            )
        case MastodonIllegalArgumentError():
            return SendRejected(sentence)
        case MastodonAPIError():
            status = _status_of(error)
            if status in _CLOSED:
                return Unreachable(sentence)
            # Without a status the answer was no JSON: something between us and the server spoke.
            return SendRejected(sentence) if status else NetworkDown(sentence)
        case _:
            return NetworkDown(sentence)


def wait_of(retry_after: str | None, reset: str | None) -> float | None:
    """How long a 429 asks to wait, in seconds, by either header; None when by neither."""
    for said in (retry_after, reset):
        wait_s = _seconds_until(said)
        if wait_s is not None:
            return min(max(wait_s, _WAIT_S_MIN), _WAIT_S_MAX)
    return None


def _seconds_until(said: str | None) -> float | None:
    """Seconds, an instant in seconds since the epoch, an HTTP date or an ISO 8601 instant."""
    if not said:
        return None
    try:
        number = float(said)
    except ValueError:
        return _until_date(said)
    return number - time.time() if number > _AN_INSTANT else number


def _until_date(said: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(said).timestamp() - time.time()
        except ValueError:
            continue
    return None


#: A number of seconds above this is an instant since the epoch, not a pause.
_AN_INSTANT = 1_000_000_000


def _status_of(error: MastodonAPIError) -> int:
    return next((part for part in error.args if isinstance(part, int)), 0)

"""What a server's refusals mean, as the errors that the port knows."""

import time
from http import HTTPStatus

import httpx
from atproto_client.exceptions import (  # type: ignore[import-untyped]
    LoginRequiredError,
    RequestErrorBase,
)
from atproto_client.models.common import XrpcError  # type: ignore[import-untyped]

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable

_DEFAULT_WAIT_S = 30.0
_WAIT_S_MAX = 3_600.0
_EXPIRED = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing"})
_CLOSED = frozenset(
    {"NotFound", "RecordNotFound", "RepoNotFound", "BlockedActor", "BlockedByActor"}
)


class LoggedOut(AdapterError):
    """The server does not take the handle and app password. Waiting does not mend it."""


def is_expired(error: Exception) -> bool:
    """Whether the session was refused, by all that is said: logging in again may mend it."""
    if not isinstance(error, RequestErrorBase):
        return isinstance(error, LoginRequiredError)
    status, name = _said(error)
    return status == HTTPStatus.UNAUTHORIZED or name in _EXPIRED


def barred(error: Exception) -> NetworkDown:
    """The error where the session stands, and still is refused for this one request.

    It is the operator who mends that, or a server behind this one, so what was to be sent stays
    sendable.
    """
    return NetworkDown(
        f"The server takes the session, and answered {error}. If that was about direct messages, "
        "check that the app password has access to them."
    )


def fault(error: Exception) -> AdapterError:
    """The error that the library's one stands for; some of its transport's come through as well."""
    if not isinstance(error, RequestErrorBase) or error.response is None:
        sentence = f"The server did not answer: {type(error).__name__} {error}".rstrip() + "."
        silent = isinstance(error, RequestErrorBase | httpx.HTTPError)
        return NetworkDown(sentence) if silent else SendRejected(sentence)
    status, name = _said(error)
    sentence = f"The server answered {error}."
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(_wait_s(error.response.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NetworkDown(sentence)
    if name in _CLOSED or status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
        return Unreachable(sentence)
    if status == HTTPStatus.UNAUTHORIZED:
        return LoggedOut(
            f"{sentence} Check the handle, and make a new app password if it was deleted."
        )
    return SendRejected(sentence)


def _said(error: RequestErrorBase) -> tuple[int, str]:
    """The status, and the name of the error as the protocol gives it."""
    if error.response is None:
        return 0, ""
    content = error.response.content
    return error.response.status_code, content.error if isinstance(content, XrpcError) else ""


def _wait_s(headers: dict[str, str]) -> float:
    for name, now_s in (("retry-after", 0.0), ("ratelimit-reset", time.time())):
        said = headers.get(name, "")
        if said.isdecimal():
            return min(max(int(said) - now_s, 0.1), _WAIT_S_MAX)
    return _DEFAULT_WAIT_S

"""What a homeserver's refusals mean, as the errors that the port knows."""

from http import HTTPStatus
from typing import Any

import msgspec
import nio

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable

_DEFAULT_WAIT_S = 5.0

_LOGGED_OUT = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
_CLOSED = frozenset({"M_FORBIDDEN", "M_NOT_FOUND", "M_GUEST_ACCESS_FORBIDDEN", "M_BAD_STATE"})
_OVERLOADED = frozenset({"M_RESOURCE_LIMIT_EXCEEDED", "M_USER_LIMIT_EXCEEDED"})


class LoggedOut(AdapterError):
    """The homeserver no longer takes the access token. Waiting does not mend it."""


class ServerFault(NetworkDown):
    """The homeserver failed on this one request (500, nonsense): it may do so for ever."""


class AuthWanted(SendRejected):
    """The homeserver wants to be sure who asks; `session` names the request that it waits for."""

    def __init__(self, session: str) -> None:
        super().__init__("The homeserver asks for the account's password.")
        self.session = session


class ErrorBody(msgspec.Struct, frozen=True):
    """What a homeserver says when it refuses; empty when something in between answered."""

    errcode: str = ""
    error: str = ""
    retry_after_ms: int | float | None = None
    session: str = ""


def error_body(body: bytes) -> ErrorBody:
    """The refusal in `body`; an empty one when the body is not the API's JSON."""
    try:
        return msgspec.json.decode(body, type=ErrorBody)
    except msgspec.DecodeError:
        return ErrorBody()


def fault(status: int, said: ErrorBody) -> AdapterError:
    """The error that an HTTP `status` with this body stands for."""
    sentence = f"The homeserver answered {status} {said.errcode} {said.error}".rstrip() + "."
    if said.errcode in _LOGGED_OUT:
        return LoggedOut(
            "The homeserver no longer accepts the bot's access token"
            f" ({said.errcode}): log in again or configure a new token."
        )
    if status == HTTPStatus.UNAUTHORIZED and said.session:
        return AuthWanted(said.session)
    if status == HTTPStatus.TOO_MANY_REQUESTS or said.errcode == "M_LIMIT_EXCEEDED":
        wait_ms = said.retry_after_ms
        return RateLimited(_DEFAULT_WAIT_S if wait_ms is None else max(wait_ms / 1000, 0.05))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerFault(sentence)
    # Without an error code it was a proxy in between that answered, not the homeserver.
    if status > HTTPStatus.INTERNAL_SERVER_ERROR or said.errcode in {"", *_OVERLOADED}:
        return NetworkDown(sentence)
    if said.errcode in _CLOSED:
        return Unreachable(sentence)
    return SendRejected(sentence)


def accepted(said: Any) -> Any:  # noqa: ANN401 - nio ships no types
    """A response of nio, if it is no error. Raises the error that it stands for."""
    if not isinstance(said, nio.ErrorResponse):
        return said
    raise _nio_fault(said)


def _nio_fault(said: Any) -> AdapterError:  # noqa: ANN401 - nio ships no types
    status = getattr(said.transport_response, "status", 0)
    body = ErrorBody(
        errcode=said.status_code if isinstance(said.status_code, str) else "",
        error=str(said.message),
        retry_after_ms=said.retry_after_ms,
    )
    return fault(int(status), body)

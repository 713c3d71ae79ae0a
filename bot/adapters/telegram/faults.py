"""What Telegram's refusals mean, as the errors that the port knows."""

import re
import warnings

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable

#: 400s that speak of the room and not of the message. Lower case, as they are compared.
_CLOSED = re.compile(
    r"chat not found|user not found|peer_id_invalid|user_is_blocked|bot was kicked|not a member"
    r"|not enough rights|need administrator rights|have no rights|chat_write_forbidden"
    r"|chat_send_\w+_forbidden|topic_closed|topic_deleted|thread not found|business_"
    r"|group chat was deactivated|chat_restricted|channel_private|upgraded to a supergroup"
)


class TokenRefused(AdapterError):
    """Telegram does not know the token. Waiting does not mend it."""


class Moved(AdapterError):
    """The group became a supergroup and goes on under `chat_id`."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(f"The group goes on as {chat_id}.")
        self.chat_id = chat_id


class AnotherReader(AdapterError):
    """Somebody else reads this bot's updates (409): another process, or a webhook."""


class Unchanged(AdapterError):
    """The message looks like that already."""


class WrongKind(AdapterError):
    """The message that is to be edited shows a picture where a text was thought, or neither."""


class TooLate(AdapterError):
    """A tap, an inline query or a checkout waited too long for its answer."""


def fault(error: TelegramError) -> AdapterError:
    """The port's error for one of the library's."""
    text = str(error)
    match error:
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case RetryAfter():
            return RateLimited(_seconds(error))
        case InvalidToken():
            return TokenRefused(f"Telegram does not know the bot's token ({text}).")
        case Conflict():
            return AnotherReader(text)
        case Forbidden():
            return Unreachable(text)
        case BadRequest():
            return _bad_request(text)
        case NetworkError():
            return NetworkDown(text)
        case _:
            return NetworkDown(text or type(error).__name__)


def _bad_request(text: str) -> AdapterError:
    low = text.lower()
    if "message is not modified" in low:
        return Unchanged(text)
    if "no text in the message" in low or "no caption in the message" in low:
        return WrongKind(text)
    if "query is too old" in low or "query_id_invalid" in low or "query id is invalid" in low:
        return TooLate(text)
    return Unreachable(text) if _CLOSED.search(low) else SendRejected(text)


def _seconds(error: RetryAfter) -> float:
    with warnings.catch_warnings():
        # The library warns that this will be a timedelta one day; both are understood here.
        warnings.simplefilter("ignore", DeprecationWarning)
        wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()

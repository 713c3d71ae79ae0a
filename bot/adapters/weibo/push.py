"""What Weibo pushes: the signature, how fresh it is, and the message as an event.

The signature covers a timestamp and a nonce, not the body. So a nonce counts once, with the body
that it came with; and even then nobody can prove who wrote the body, which is why nothing that
is pushed ever moves money.
"""

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from bot.events import Message

NETWORK = "weibo"
#: How old, or how far ahead, a push may be.
FRESH_S = 300.0
_NONCES_MAX = 20_000
_MILLISECONDS_FROM = 100_000_000_000
_CREATED_AT = "%a %b %d %H:%M:%S %z %Y"

#: Weibo gives numbers here and texts there.
_Uid = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")] | Annotated[int, msgspec.Meta(ge=0)]


class NotFromWeibo(Exception):
    """The push is not signed, not fresh, or was pushed before with another body."""


class Pushed(msgspec.Struct, frozen=True):
    """A message to the account, or something that happened to it."""

    type: str
    receiver_id: _Uid
    sender_id: _Uid
    created_at: str = ""
    text: str = ""
    data: Any = None


class Gate:
    """Lets in what Weibo signed with the `app_secret` of the app that the account is bound to."""

    def __init__(self, app_secret: str, clock: Callable[[], float] = time.time) -> None:
        self._app_secret = app_secret
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def admit(self, signature: str, timestamp: str, nonce: str, body: bytes) -> None:
        """Return if the push may be read. Raises `NotFromWeibo` with the reason."""
        signed = sign(self._app_secret, timestamp, nonce)
        if not hmac.compare_digest(signed.encode(), signature.encode("utf-8", "replace")):
            raise NotFromWeibo("The signature is wrong.")
        now_s = self._clock()
        if not timestamp.isdecimal() or abs(now_s - _seconds(int(timestamp))) > FRESH_S:
            raise NotFromWeibo("The timestamp is too old, or the clock of this machine is wrong.")
        digest = hashlib.sha256(body).digest()
        key = f"{timestamp} {nonce}"
        _, known = self._seen.setdefault(key, (now_s, digest))
        self._forget(now_s)
        # The same again is Weibo's own retry, which the event's id takes care of.
        if known != digest:
            raise NotFromWeibo("This nonce came with another message before.")

    def _forget(self, now_s: float) -> None:
        while self._seen:
            seen_at_s, _ = next(iter(self._seen.values()))
            # Twice the window: a timestamp may be ahead of this clock.
            if now_s - seen_at_s <= 2 * FRESH_S and len(self._seen) <= _NONCES_MAX:
                return
            self._seen.popitem(last=False)


def sign(app_secret: str, timestamp: str, nonce: str) -> str:
    """SHA-1, hex, of the three in the order of their characters, as Weibo's documents say."""
    parts = "".join(sorted((app_secret, timestamp, nonce)))
    return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()


def read_push(body: bytes, account_id: str) -> Message | None:
    """The message as an event; None for what is none, or is not meant for this account.

    Raises `msgspec.DecodeError` for a body that is not the documented JSON.
    """
    pushed = msgspec.json.decode(body, type=Pushed)
    sender_id = str(pushed.sender_id)
    if pushed.type != "text" or str(pushed.receiver_id) != account_id or sender_id == account_id:
        return None
    # A message has no id: the same sender, second and words are the same message.
    name = "\0".join((sender_id, pushed.created_at, pushed.text))
    ref = hashlib.sha256(name.encode()).hexdigest()[:40]
    return Message(
        id=f"{NETWORK}:{ref}",
        network=NETWORK,
        room_id=sender_id,
        person_id=sender_id,
        private=True,
        occurred_at_s=_instant(pushed.created_at),
        text=pushed.text,
        message_ref=ref,
    )


def _seconds(timestamp: int) -> float:
    """Weibo counts in milliseconds in its example, and in seconds elsewhere."""
    return timestamp / 1000 if timestamp >= _MILLISECONDS_FROM else float(timestamp)


def _instant(created_at: str) -> float:
    try:
        return datetime.strptime(created_at, _CREATED_AT).timestamp()  # noqa: DTZ007 - it has %z
    except ValueError:
        return 0.0

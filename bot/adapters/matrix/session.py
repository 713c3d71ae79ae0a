"""The bot's login: kept in a file so that restarts stay the same device.

Transaction ids, and so the promise that sending twice shows one message, hold for one device.
"""

import os
from pathlib import Path

import msgspec

_FILE_NAME = "session.json"


class Session(msgspec.Struct, frozen=True):
    """Who the bot is on its homeserver. `login` is the user name as it was configured."""

    homeserver: str
    login: str
    user_id: str
    device_id: str
    access_token: str


def load_session(store_dir: Path, homeserver: str, login: str) -> Session | None:
    """The kept session, or None when there is none for this homeserver and user name.

    Raises `OSError` when the file is there and cannot be read.
    """
    try:
        body = (store_dir / _FILE_NAME).read_bytes()
        session = msgspec.json.decode(body, type=Session)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if (session.homeserver, session.login) != (homeserver, login):
        return None
    return session


def save_session(store_dir: Path, session: Session) -> None:
    """Keep the session where only the bot's own account can read it, whole or not at all.

    Raises `OSError` when the folder cannot be written.
    """
    store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = store_dir / f"{_FILE_NAME}.new"
    fresh.unlink(missing_ok=True)
    # Created with its mode, so that there is no moment in which others may read it.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(session))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(store_dir / _FILE_NAME)

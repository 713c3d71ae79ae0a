"""The bot's session, kept in a file: servers allow few log-ins a day."""

import hashlib
import os
from pathlib import Path


class SessionFile:
    """One file for one account; only the bot's own user can read it."""

    def __init__(self, store_dir: Path, service: str, handle: str) -> None:
        name = hashlib.sha256(f"{service} {handle}".encode()).hexdigest()[:16]
        self._path = store_dir / f"session-{name}"

    def load(self) -> str | None:
        """The kept session, or None. Raises `OSError` when it is there and cannot be read."""
        try:
            return self._path.read_text(encoding="ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def save(self, session: str) -> None:
        """Keep the session, whole or not at all. Raises `OSError`."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        # Created with its mode, so that there is no moment in which others may read it.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(session)
        fresh.replace(self._path)

    def forget(self) -> None:
        """The kept session is of no use any more."""
        self._path.unlink(missing_ok=True)

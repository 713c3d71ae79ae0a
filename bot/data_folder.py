"""The folder in which an instance keeps its data, and the lock that makes it the only one."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from wallet_core.errors import PayontapError


class DataFolderError(PayontapError):
    """The folder cannot be used; the text is one sentence for whoever started the instance."""


class DataFolder:
    """A folder that belongs to one running instance. A context manager."""

    #: The file whose lock says that the folder is in use.
    LOCK = "instance.lock"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd = -1

    def __enter__(self) -> "DataFolder":
        """Make and lock the folder. Raises `DataFolderError` with one clear sentence."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self.path / self.LOCK
            self._lock_fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataFolderError(
                f"The data folder {self.path} cannot be written ({error.strerror}); "
                "set PAYONTAP_DATA_DIR to one that can."
            ) from error
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_fd)
            raise DataFolderError(
                f"Another Payontap runs with the data folder {self.path}; stop it, or set "
                "PAYONTAP_DATA_DIR to another folder."
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unlock it."""
        os.close(self._lock_fd)

    @property
    def database_url(self) -> str:
        """The embedded SQLite database."""
        return f"sqlite+aiosqlite:///{self.database_file}"

    @property
    def has_database(self) -> bool:
        """Whether an instance was started with this folder before."""
        return self.database_file.is_file()

    @property
    def database_file(self) -> Path:
        """Where the embedded database lies."""
        return self.path / "payontap.db"

    def remembered_port(self, name: str) -> int:
        """The port that a server of this instance had last; 0 at first."""
        try:
            return int((self.path / f"{name}.port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def remember_port(self, name: str, port: int) -> None:
        """Keep a port, so that links of an earlier run lead somewhere after a restart."""
        (self.path / f"{name}.port").write_text(str(port), encoding="ascii")

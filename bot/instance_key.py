"""The file with the instance's signing key."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from wallet_core.audit.signing import SigningKey
from wallet_core.errors import PayontapError

_OTHERS = 0o077


class InstanceKeyError(PayontapError):
    """The key cannot be used; the text is one sentence."""


def key_file(data_dir: Path) -> Path:
    """Where an instance keeps its key."""
    return data_dir / "signing.key"


def instance_key(data_dir: Path) -> SigningKey:
    """The instance's key; made at its first start. Raises `InstanceKeyError`."""
    path = key_file(data_dir)
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & _OTHERS:
            raise InstanceKeyError(f"Others can read the signing key {path}: chmod 600 it.")
        return SigningKey.of_pem(path.read_bytes())
    except OSError as error:
        raise InstanceKeyError(
            f"The signing key {path} cannot be used: {error.strerror}."
        ) from error
    except (ValueError, TypeError) as error:
        raise InstanceKeyError(f"{path} is no signing key.") from error


def _make(path: Path) -> None:
    # Whole or not at all; of two processes that make one at once, the first wins.
    with NamedTemporaryFile(dir=path.parent, prefix=".signing-") as file:
        file.write(SigningKey.new().to_pem())
        file.flush()
        os.fsync(file.fileno())
        try:
            path.hardlink_to(file.name)
        except FileExistsError:
            return

"""Cross-signing: the bot vouches for its own device.

Clients that hand keys only to devices which their owner has signed would leave the bot out
otherwise. The account gets a master key and a self-signing key, kept in the data folder; the master
key signs the self-signing key, and that signs the device. An account that has such keys from
elsewhere keeps them: then its owner signs the device in a client.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import structlog
from vodozemac import Account

from bot.adapters.base import AdapterError
from bot.adapters.matrix.homeserver import Homeserver

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_FILE_NAME = "cross_signing.json"
_ALGORITHMS = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]


class _Kept(msgspec.Struct, frozen=True):
    """The two keys as they lie in the data folder, beside the key that opens them."""

    user_id: str
    seal: bytes
    master: str
    self_signing: str


class CrossSigning:
    """The account's two signing keys."""

    def __init__(self, user_id: str, master: Account, self_signing: Account) -> None:
        self._user_id = user_id
        self._master = master
        self._self_signing = self_signing

    @classmethod
    def new(cls, user_id: str) -> "CrossSigning":
        """Fresh keys for an account."""
        return cls(user_id, Account(), Account())

    @property
    def master_id(self) -> str:
        """The public master key."""
        return str(self._master.ed25519_key.to_base64())

    @property
    def self_signing_id(self) -> str:
        """The public self-signing key."""
        return str(self._self_signing.ed25519_key.to_base64())

    def public_keys(self) -> dict[str, Any]:
        """Both public keys as the homeserver takes them."""
        own = self._public("self_signing", self.self_signing_id)
        signature = _signature(self._master, own)
        own["signatures"] = {self._user_id: {f"ed25519:{self.master_id}": signature}}
        return {"master_key": self._public("master", self.master_id), "self_signing_key": own}

    def signed(self, device: dict[str, Any]) -> dict[str, Any]:
        """A device's own public keys, signed."""
        bare = {k: v for k, v in device.items() if k not in {"signatures", "unsigned"}}
        name = f"ed25519:{self.self_signing_id}"
        return {**bare, "signatures": {self._user_id: {name: _signature(self._self_signing, bare)}}}

    def _public(self, usage: str, key: str) -> dict[str, Any]:
        return {"user_id": self._user_id, "usage": [usage], "keys": {f"ed25519:{key}": key}}


async def sign_own_device(home: Homeserver, store_dir: Path, password: str | None) -> None:
    """Have the account vouch for the bot's device, if it does not yet.

    What hinders it is logged: most clients talk to the bot all the same. `password` is for
    homeservers that want it before they take new signing keys.
    """
    try:
        known = await home.device_keys(home.user_id)
        master = _only_key(known.master_keys.get(home.user_id))
        keys = _load_or_make(store_dir, home.user_id)
        if master is None:
            await home.upload_signing_keys(keys.public_keys(), password)
        elif master != keys.master_id:
            log.warning(
                "matrix_device_unsigned",
                reason="The account has signing keys from elsewhere: sign the bot's device there.",
            )
            return
        device = known.device_keys.get(home.user_id, {}).get(home.device_id)
        if device is not None and not _is_signed(device, home.user_id, keys.self_signing_id):
            await home.upload_signatures(home.device_id, keys.signed(device))
    except AdapterError as error:
        log.warning("matrix_device_unsigned", reason=str(error))


def _is_signed(device: dict[str, Any], user_id: str, key: str) -> bool:
    signatures = device.get("signatures", {}).get(user_id, {})
    return f"ed25519:{key}" in signatures


def _only_key(public: dict[str, Any] | None) -> str | None:
    return next(iter((public or {}).get("keys", {}).values()), None)


def _signature(key: Account, content: dict[str, Any]) -> str:
    # Canonical JSON: sorted, without spaces, as UTF-8.
    return str(key.sign(msgspec.json.encode(content, order="sorted")).to_base64())


def _load_or_make(store_dir: Path, user_id: str) -> CrossSigning:
    path = store_dir / _FILE_NAME
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        kept = None
    if kept is not None and kept.user_id == user_id:
        return CrossSigning(
            user_id,
            Account.from_pickle(kept.master, kept.seal),
            Account.from_pickle(kept.self_signing, kept.seal),
        )
    master, self_signing, seal = Account(), Account(), os.urandom(32)
    fresh = _Kept(user_id, seal, master.pickle(seal), self_signing.pickle(seal))
    store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(fresh))
    return CrossSigning(user_id, master, self_signing)

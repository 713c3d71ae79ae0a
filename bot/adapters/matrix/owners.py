"""Whose a device is: by the word of its owner's own keys, and not of the homeserver alone.

A homeserver can add a device to anybody's account, and write with it. Where an account has
cross-signing keys, a device counts only with the account's signature; the master key is taken as it
is first seen, and kept. An account without such keys is as good as its homeserver.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from bot.adapters.matrix.wire import KeysAnswer

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_FILE_NAME = "owners.json"
#: Asks the homeserver for the public keys of an account.
AskKeys = Callable[[str], Awaitable[KeysAnswer]]


class Owners:
    """Remembers the master keys of people, in a file of the key store."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE_NAME
        self._masters: dict[str, str] | None = None
        self._known: set[tuple[str, str, str]] = set()

    async def vouches(self, person_id: str, curve25519: str, ed25519: str, ask: AskKeys) -> bool:
        """Whether the person's account vouches for the device with these keys.

        Raises what `ask` raises.
        """
        name = person_id, curve25519, ed25519
        if name in self._known:
            return True
        answer = await ask(person_id)
        if not self._is_signed(person_id, curve25519, ed25519, answer):
            return False
        self._known.add(name)
        return True

    def _is_signed(self, person_id: str, curve25519: str, ed25519: str, answer: KeysAnswer) -> bool:
        master = _only_key(answer.master_keys.get(person_id))
        pinned = self._pinned().get(person_id)
        if pinned is None and master is None:
            return True
        if pinned is None and master is not None:
            pinned = master
            self._pin(person_id, master)
        if pinned is None or master != pinned:
            log.warning("matrix_master_key_changed", person_id=person_id)
            return False
        signing = answer.self_signing_keys.get(person_id)
        signing_key = _only_key(signing)
        if signing is None or signing_key is None or not _verified(signing, person_id, pinned):
            return False
        for device in answer.device_keys.get(person_id, {}).values():
            keys = device.get("keys")
            if isinstance(keys, dict) and {curve25519, ed25519} <= set(keys.values()):
                return _verified(device, person_id, signing_key)
        return False

    def _pinned(self) -> dict[str, str]:
        if self._masters is None:
            try:
                self._masters = msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
            except FileNotFoundError:
                self._masters = {}
        return self._masters

    def _pin(self, person_id: str, master: str) -> None:
        masters = self._pinned()
        masters[person_id] = master
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(masters))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _only_key(public: dict[str, Any] | None) -> str | None:
    keys = public.get("keys") if public else None
    if not isinstance(keys, dict) or len(keys) != 1:
        return None
    [key] = keys.values()
    return key if isinstance(key, str) else None


def _verified(signed: dict[str, Any], person_id: str, key: str) -> bool:
    """Whether `signed` carries a good signature of this key. One that cannot be read is none."""
    # An extra, like nio's encryption, without which nobody comes here.
    from vodozemac import (  # noqa: PLC0415
        DecodeException,
        Ed25519PublicKey,
        Ed25519Signature,
        KeyException,
        SignatureException,
    )

    bare = {k: v for k, v in signed.items() if k not in {"signatures", "unsigned"}}
    try:
        signature = signed["signatures"][person_id][f"ed25519:{key}"]
        Ed25519PublicKey.from_base64(key).verify_signature(
            msgspec.json.encode(bare, order="sorted"), Ed25519Signature.from_base64(signature)
        )
    except (KeyError, TypeError, DecodeException, KeyException, SignatureException):
        return False
    return True

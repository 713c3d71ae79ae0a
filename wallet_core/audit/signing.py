"""Signed statements: compact JWS (RFC 7515) with Ed25519 (RFC 8037), made by an instance's key.

The public key travels in the header, so that a text can be checked by itself; whose key it is has
to be known from elsewhere, and a check against a known key says so.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wallet_core.errors import PayontapError

T = TypeVar("T")

#: What the payload of each kind says as `v`. Other versions may mean other things by a field.
VERSION = 1
_PARTS = 3
_KEY_BYTES = 32
_encode = msgspec.json.Encoder(order="sorted").encode


class NotProven(PayontapError):
    """A text that proves nothing; the message is one sentence that says why."""


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str
    jwk: dict[str, str]
    # Extensions that a reader has to know; this one knows none.
    crit: list[str] | None = None


class _Version(msgspec.Struct, frozen=True):
    v: int = VERSION


class PublicKey(msgspec.Struct, frozen=True):
    """An Ed25519 public key: 32 bytes."""

    raw: bytes

    @classmethod
    def of_text(cls, text: str) -> "PublicKey":
        """The key that `text` names, as `payontap keys` prints it. Raises `NotProven`."""
        raw = unpacked(text.strip(), "The key")
        if len(raw) != _KEY_BYTES:
            raise NotProven("A public key is 43 characters long, as payontap keys prints it.")
        return cls(raw)

    @property
    def text(self) -> str:
        """The key in base64url, 43 characters."""
        return packed(self.raw)

    @property
    def id(self) -> str:
        """The key's RFC 7638 thumbprint: a name that nobody else's key has."""
        return packed(sha256(_encode(self.jwk)).digest())

    def has_signed(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's under `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @property
    def jwk(self) -> dict[str, str]:
        """The key as RFC 8037 writes it."""
        return {"crv": "Ed25519", "kty": "OKP", "x": self.text}


class SigningKey:
    """The secret half. It shows itself to nobody but the file that keeps it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> "SigningKey":
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_pem(cls, pem: bytes) -> "SigningKey":
        """The key that `to_pem` wrote. Raises `ValueError` or `TypeError` for anything else."""
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("It is not an Ed25519 key.")
        return cls(key)

    def to_pem(self) -> bytes:
        """The key for its file: PKCS 8, not encrypted."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> PublicKey:
        """The half that everybody may have."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def signature(self, message: bytes) -> bytes:
        """The key's signature under `message`: 64 bytes."""
        return self._key.sign(message)

    def sign(self, kind: str, statement: msgspec.Struct) -> str:
        """`statement` as a compact JWS whose header says `kind`."""
        header = {"alg": "EdDSA", "jwk": self.public.jwk, "typ": kind}
        signed = f"{packed(_encode(header))}.{packed(_encode(statement))}"
        return f"{signed}.{packed(self.signature(signed.encode()))}"


def opened(
    text: str, kind: str, statement: type[T], known: PublicKey | None
) -> tuple[T, PublicKey]:
    """What a signed text says, and the key that signed it.

    Raises `NotProven` when it is not signed, says another `kind` or version, was changed, or was
    signed by another key than `known`.
    """
    parts = text.strip().split(".")
    if len(parts) != _PARTS:
        raise NotProven("It is not a signed text: that has three parts with dots between them.")
    header = _decoded(parts[0], _Header, "Its header cannot be read.")
    if header.alg != "EdDSA" or header.crit is not None:
        raise NotProven("It is signed in a way that this program does not know.")
    if header.typ != kind:
        raise NotProven(f"It says that it is {header.typ!r}, not {kind!r}.")
    key = PublicKey.of_text(header.jwk.get("x", ""))
    if header.jwk != key.jwk:
        raise NotProven("It does not name an Ed25519 key.")
    if known is not None and known != key:
        raise NotProven(f"It was signed with the key {key.text}, not with the key {known.text}.")
    signature = unpacked(parts[2], "The signature")
    if not key.has_signed(signature, f"{parts[0]}.{parts[1]}".encode()):
        raise NotProven("The signature does not fit: the text was changed.")
    otherwise = "It is signed, but says nothing that this program knows."
    version = _decoded(parts[1], _Version, otherwise).v
    if version != VERSION:
        raise NotProven(
            f"It is of version {version}, which this program does not know: check it with a newer "
            "one."
        )
    return _decoded(parts[1], statement, otherwise), key


def _decoded(part: str, kind: type[T], otherwise: str) -> T:
    try:
        return msgspec.json.decode(unpacked(part, "The text"), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotProven(otherwise) from error


def packed(raw: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unpacked(text: str, what: str) -> bytes:
    """What `packed` has packed; raises `NotProven`, which says that `what` cannot be read."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (NotBase64, UnicodeEncodeError) as error:
        raise NotProven(f"{what} cannot be read.") from error
    # The decoder skips what is no base64: one text must have one spelling only.
    if packed(raw) != text:
        raise NotProven(f"{what} cannot be read.")
    return raw

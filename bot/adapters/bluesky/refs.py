"""Names of records and messages.

A record is named by its URI and its CID: the URI says where it stands, the CID what it says. A
like of a post that was swapped for another under the same URI is a like of that other post.
"""

import hashlib
from typing import NamedTuple

_TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_TID_LENGTH = 13
_DM = "dm"


class RecordRef(NamedTuple):
    """A record of somebody's repository, exactly as it was."""

    uri: str
    cid: str

    def __str__(self) -> str:
        return f"{self.uri} {self.cid}"


class DirectRef(NamedTuple):
    """A direct message."""

    convo_id: str
    message_id: str

    def __str__(self) -> str:
        return f"{_DM} {self.convo_id} {self.message_id}"


def ref_of(text: str) -> RecordRef | DirectRef | None:
    """The name that `str` gave, or None for what is none."""
    match text.split(" "):
        case [uri, cid] if uri.startswith("at://") and cid:
            return RecordRef(uri, cid)
        case [kind, convo_id, message_id] if kind == _DM:
            return DirectRef(convo_id, message_id)
        case _:
            return None


def record_key(send_id: str) -> str:
    """A key for a record that is the same for the same send id, in the form of a TID.

    So a post that is sent again meets itself, whatever became of the first answer.
    """
    number = int.from_bytes(hashlib.sha256(send_id.encode()).digest()[:8], "big") >> 1
    letters = []
    for _ in range(_TID_LENGTH):
        number, digit = divmod(number, len(_TID_LETTERS))
        letters.append(_TID_LETTERS[digit])
    return "".join(reversed(letters))

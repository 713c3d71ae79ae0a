"""The port to whoever takes money in and pays it out.

A provider says how a request goes on; it never touches the books. Its answers are the four that
money outside can have: done, pending, failed, and unknown, after which the money stays where it is
until the provider is asked again.
"""

from enum import StrEnum
from typing import Protocol

import msgspec

from wallet_core.money import Money


class Progress(StrEnum):
    """How far a request is."""

    DONE = "done"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Step(msgspec.Struct, frozen=True):
    """What the provider says: how far it is, and what the person has to do next."""

    progress: Progress
    instructions: str = ""


class Provider(Protocol):
    """One way in and out. `code` is the request's name, the same whenever it is asked again."""

    @property
    def name(self) -> str:
        """The provider's name in accounts and the config."""

    async def begin_top_up(self, code: str, money: Money) -> Step:
        """Begin to take money in."""

    async def begin_payout(self, code: str, money: Money) -> Step:
        """Begin to pay money out; it is held in the books already."""

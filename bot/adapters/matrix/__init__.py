"""Matrix: rooms of a homeserver, through its client-server API."""

from bot.adapters.matrix.adapter import Matrix

__all__ = ["Matrix"]

"""Bluesky: an account on the AT Protocol."""

from bot.adapters.bluesky.adapter import Bluesky

__all__ = ["Bluesky"]

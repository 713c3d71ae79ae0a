"""Mastodon and its kin: an account on any server that speaks the Mastodon API."""

from bot.adapters.mastodon.adapter import Mastodon

__all__ = ["Mastodon"]

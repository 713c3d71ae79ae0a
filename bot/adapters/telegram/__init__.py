"""Telegram: chats of the Bot API, read by polling or by a webhook."""

from bot.adapters.telegram.adapter import Telegram

__all__ = ["Telegram"]

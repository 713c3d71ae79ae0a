"""Weibo: direct messages to a verified account, pushed in; cards with a pay link, sent out."""

from bot.adapters.weibo.adapter import PUSH_PATH, Weibo

__all__ = ["PUSH_PATH", "Weibo"]

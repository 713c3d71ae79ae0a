"""A Bot API server for tests: strict about what it is asked, and as unkind as the real one.

It stands in where no real peer can be had: Telegram runs no server of its own for tests without
an account. Each request is parsed by aiogram's models of the methods, which describe the API
independently of the library that the bot speaks it with, and checked against documented limits.
"""

from tests.peers.telegram_api.server import TelegramApi
from tests.peers.telegram_api.state import Chat, Message, Toast, User

__all__ = ["Chat", "Message", "TelegramApi", "Toast", "User"]

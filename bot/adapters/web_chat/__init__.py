"""The web chat: the network that comes with the bot.

`adapter` is the network itself, `frames` what goes over the wire, `people` who is at the page,
`rooms` how changes reach the pages, `store` what it needs to remember.
"""

from bot.adapters.web_chat.adapter import WebChat
from bot.adapters.web_chat.frames import CommandHint, Welcome
from bot.adapters.web_chat.store import ChatStore

__all__ = ["ChatStore", "CommandHint", "WebChat", "Welcome"]

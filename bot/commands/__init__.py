"""Commands, one file a topic; declared once, they work in every network."""

from bot.commands.registry import COMMANDS, PRESSES, run_command

__all__ = ["COMMANDS", "PRESSES", "run_command"]

"""Commands, one file a topic; declared once, they work in every network."""

from bot.commands.registry import COMMANDS, PRESSES, nearest_command, run_command

__all__ = ["COMMANDS", "PRESSES", "nearest_command", "run_command"]

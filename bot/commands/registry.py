"""All commands in one table, and how one of them is run."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from bot.cards import Tone
from bot.commands import (
    admin,
    convert,
    funding,
    likes,
    limits,
    linking,
    merchant,
    merchant_catalogue,
    proofs,
    shopping,
    wallet,
    wallets,
)
from bot.commands.command import Command
from bot.commands.help import make_help
from bot.conversation.dispatch import Press
from bot.conversation.turn import Desk, Turn, sentence

_TOPICS: tuple[Command, ...] = (
    *wallet.COMMANDS,
    *wallets.COMMANDS,
    *limits.COMMANDS,
    *funding.COMMANDS,
    *convert.COMMANDS,
    *shopping.COMMANDS,
    *likes.COMMANDS,
    *linking.COMMANDS,
    *proofs.COMMANDS,
    *merchant.COMMANDS,
    *admin.COMMANDS,
)

#: Every command, in the order in which help lists them.
COMMANDS: tuple[Command, ...] = (make_help(_TOPICS), *_TOPICS)

#: Buttons that are commands in disguise: verb → what it does with the rest of the action.
PRESSES: Mapping[str, Press] = {
    "topup": funding.press_top_up,
    "takeback": funding.press_take_back,
    "linkyes": linking.press_yes,
    "linkno": linking.press_no,
    "convert": convert.press_convert,
    "payby": convert.press_pay_by,
    "catyes": merchant_catalogue.press_yes,
    "catno": merchant_catalogue.press_no,
    "confirm": admin.press_confirm,
    "refuse": admin.press_refuse,
}


def table_of(commands: Sequence[Command]) -> Mapping[str, Command]:
    """Name or alias → command. Raises `ValueError` for a name that two commands have."""
    table: dict[str, Command] = {}
    for command in commands:
        for name in (command.name, *command.aliases):
            if name in table:
                raise ValueError(f"Two commands are called {name}.")
            table[name] = command
    return table


_TABLE = table_of(COMMANDS)
#: From which likeness on (difflib's ratio) a name is taken for a slip of the finger.
_LIKENESS = 0.7


async def run_command(desk: Desk, turn: Turn, name: str, args: str) -> bool:
    """Answer `name args` to the asker alone; False when there is no such command."""
    command = _TABLE.get(name)
    if command is None:
        return False
    if command.admin and not turn.person.admin:
        await desk.answer(turn, sentence(admin.NOT_ADMIN, Tone.BAD))
        return True
    await command.run(desk, turn, args)
    return True


def nearest_command(name: str, admin: bool) -> str | None:  # noqa: FBT001 - as `Dispatch` calls it
    """The command that somebody most likely meant by `name`; None where none looks like it."""
    usable = [each for each, command in _TABLE.items() if admin or not command.admin]
    return next(iter(get_close_matches(name, usable, 1, _LIKENESS)), None)

"""/help: what this person can use."""

from collections.abc import Sequence

from bot.cards import Card, Line, Role
from bot.commands.command import Command, prefix_of, split_word
from bot.conversation.turn import Desk, Turn, sentence


def make_help(others: Sequence[Command]) -> Command:
    """The command that lists `others` and itself."""

    async def run(desk: Desk, turn: Turn, args: str) -> None:
        shown = [c for c in (command, *others) if turn.person.admin or not c.admin]
        prefix = prefix_of(turn)
        word, _ = split_word(args)
        name = word.removeprefix(prefix)
        if not name:
            await desk.answer(turn, _overview(shown, prefix))
            return
        one = next((c for c in shown if name in (c.name, *c.aliases)), None)
        if one is None:
            text = f"There is no command {prefix}{name[:30]}. {prefix}help lists them all."
            await desk.answer(turn, sentence(text))
            return
        await desk.answer(turn, _details(one, prefix))

    command = Command(
        "help", "help [COMMAND]", "What I can do for you.", run, aliases=("start", "commands")
    )
    return command


def _overview(shown: Sequence[Command], prefix: str) -> Card:
    lines = [Line("Share a link to a product and I answer with a card that pays in one tap.")]
    lines += [Line(f"{prefix}{c.usage} – {c.help}") for c in shown if not c.admin]
    admin = [Line(f"{prefix}{c.usage} – {c.help}") for c in shown if c.admin]
    if admin:
        lines += [Line("For admins:", Role.STATUS), *admin]
    lines.append(Line("My answers to these are for your eyes only.", Role.HINT))
    return Card(title="Glad to help", lines=tuple(lines))


def _details(command: Command, prefix: str) -> Card:
    lines = [Line(command.help)]
    if command.aliases:
        names = ", ".join(prefix + alias for alias in command.aliases)
        lines.append(Line(f"Also: {names}", Role.HINT))
    return Card(title=f"{prefix}{command.usage}", lines=tuple(lines))

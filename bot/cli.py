"""The `payontap` command."""

import asyncio
import os
import signal
import sys
from importlib import metadata
from typing import Annotated

import typer

from bot import event_loop
from bot.cli_books import register as register_books
from bot.cli_catalogue import register as register_catalogue
from bot.cli_ground import ConfigFile, plainly, require_text, settings_of
from bot.cli_inspect import register as register_inspect
from bot.cli_links import register as register_links
from bot.cli_offers import register as register_offers
from bot.cli_simulation import register as register_simulation
from bot.logs import set_up_logs
from config.settings import Settings, render

#: How long one thread may keep another one waiting for the interpreter, in seconds.
_SWITCH_S = 0.0005

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A bot that answers shared product links with a card that pays in one tap.",
)
admin = typer.Typer(no_args_is_help=True, help="Who may steer this instance.")
app.add_typer(admin, name="admin")
register_books(app)
register_catalogue(app)
register_inspect(app)
register_links(app)
register_offers(app)
register_simulation(app)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        typer.echo(f"payontap {metadata.version('payontap')}")
        raise typer.Exit


@app.callback(help=app.info.help)
def _every_command(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Tell the version."),
    ] = False,
) -> None:
    """Options that need no command."""


def main() -> None:
    """Run the command; a mistake of the user's is one sentence and exit status 2."""
    _open_standard_files()
    app()


def _open_standard_files() -> None:
    """What was closed for us (`<&-`) leads nowhere: uvloop aborts if it gets such a number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


@app.command()
def run(config: ConfigFile = None) -> None:
    """Start the bot with everything that the config switches on."""
    with plainly():
        settings = settings_of(config)
        set_up_logs(settings.log.level, as_json=settings.log.format == "json")
        event_loop.run(_run(settings))


async def _run(settings: Settings) -> None:
    from bot import memory  # noqa: PLC0415 - only a server needs all of it
    from bot.app import running  # noqa: PLC0415 - same

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with running(settings) as instance:
        typer.echo(f"\n  Payontap runs at  {instance.url}/")
        typer.echo(f"  Its data lies in  {settings.data_dir}")
        if instance.admin_link is not None:
            typer.echo(f"  Become its admin  {instance.admin_link}  (works once, for 24 hours)")
        typer.echo("  Stop it with Ctrl-C.\n")
        sys.stdout.flush()
        memory.settle()
        # Else a thread that writes to the embedded database keeps the event loop waiting for 5 ms.
        sys.setswitchinterval(_SWITCH_S)
        instance.failed.add_done_callback(lambda _: stop.set())
        await stop.wait()
        if instance.failed.done():
            instance.failed.result()


@app.command()
def demo() -> None:
    """Walk through the whole loop in the terminal, on data of its own: link, tap, order, books."""
    from bot.journey import walk  # noqa: PLC0415 - only a server needs all of it

    with plainly():
        set_up_logs("error", as_json=False)
        held = event_loop.run(walk(typer.echo))
    raise typer.Exit(0 if held else 1)


@app.command()
def config(config: ConfigFile = None) -> None:
    """Print the settings in force and where each comes from; secrets are hidden."""
    with plainly():
        typer.echo(render(settings_of(config)))


@admin.command()
def grant(
    who: Annotated[str, typer.Argument(help="A person's id, as /whoami shows it.")],
    config: ConfigFile = None,
) -> None:
    """Make somebody an admin."""
    with plainly():
        require_text(who)
        event_loop.run(_grant(settings_of(config), who))
    typer.echo(f"{who} is an admin now.")


async def _grant(settings: Settings, who: str) -> None:
    from bot.bookkeeping import instance_database  # noqa: PLC0415 - only this command needs it
    from wallet_core.storage.people import grant_admin  # noqa: PLC0415 - same

    async with instance_database(settings) as database:
        await grant_admin(database, who)

"""The commands about catalogues: the table to begin with, and handing one in as a file."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import event_loop
from bot.cli_ground import ConfigFile, plainly, settings_of
from config.settings import Settings

if TYPE_CHECKING:
    from wallet_core.commerce.records import Merchant
    from wallet_core.storage.readers import Reader


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(name="catalogue-template")(template)
    app.command(name="import-catalogue")(import_catalogue)


def template(
    explain: Annotated[bool, typer.Option("--explain", help="Tell what they hold.")] = False,  # noqa: FBT002 - typer's way to declare a flag
) -> None:
    """Print the CSV file that a catalogue begins with."""
    from bot.catalogue.template import COLUMNS, TEMPLATE  # noqa: PLC0415 - only this command

    if explain:
        for name, meaning in COLUMNS.items():
            typer.echo(f"{name:<13} {meaning}")
        return
    typer.echo(TEMPLATE, nl=False)


def import_catalogue(
    file: Annotated[Path, typer.Argument(help="A CSV file, or a Google merchant feed.")],
    merchant: Annotated[str, typer.Option(help="The shop: its id, or a host that it has proven.")],
    apply: Annotated[bool, typer.Option("--apply", help="Take it over; else only look.")] = False,  # noqa: FBT002 - typer's way to declare a flag
    config: ConfigFile = None,
) -> None:
    """Show what a shop's catalogue file would change, and with --apply take it over."""
    with plainly():
        event_loop.run(_import(settings_of(config), file, merchant, apply=apply))


async def _import(settings: Settings, file: Path, who: str, *, apply: bool) -> None:
    from bot.bookkeeping import instance_database  # noqa: PLC0415 - only this command needs it
    from bot.catalogue.handed_in import HandIn  # noqa: PLC0415 - same
    from bot.catalogue.staging import Staging  # noqa: PLC0415 - same
    from wallet_core.storage.catalogues import Catalogues  # noqa: PLC0415 - same
    from wallet_core.storage.readers import Reader  # noqa: PLC0415 - same
    from wallet_core.storage.writer import Writer  # noqa: PLC0415 - same

    async with instance_database(settings) as database, Writer(database) as writer:
        reader, items_max = Reader(database), settings.catalogue.items_max
        staging = Staging(Catalogues(database), lambda: time.time_ns() // 1000, items_max)
        hand_in = HandIn(staging, reader, writer, typer.echo)
        await hand_in.take(await _merchant(reader, who), file, apply=apply)


async def _merchant(reader: "Reader", who: str) -> "Merchant":
    from wallet_core.commerce.merchants import host_name  # noqa: PLC0415 - only this command
    from wallet_core.errors import PayontapError  # noqa: PLC0415 - same

    found = await reader.merchant(who)
    host = host_name(who) if found is None else None
    if host is not None:
        found = await reader.merchant_of_host(host)
    if found is None:
        raise PayontapError(f"No shop has the id {who[:80]} or has proven such a host.")
    return found

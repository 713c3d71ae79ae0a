"""`payontap inspect`: what the bot sees in a merchant's pages, and how to mend what it misses."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from bot import event_loop
from bot.cli_ground import ConfigFile, plainly, settings_of
from bot.cli_progress import progress
from config.settings import Settings
from wallet_core.errors import PayontapError

if TYPE_CHECKING:
    from bot.links.fetch import Fetcher
    from bot.links.inspect import Inspection

#: Pages that are looked at side by side; the fetcher keeps its pace with each host anyway.
_AT_ONCE = 8


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(inspect)


def inspect(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="FILE-OR-URL…", help="Pages to look at; - is standard input."),
    ],
    url: Annotated[str | None, typer.Option(help="The address that a file was saved from.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a page.")] = False,  # noqa: FBT002 - typer's way to declare a flag
    config: ConfigFile = None,
) -> None:
    """Show what the bot sees in pages, what is missing in them, and how to mend it."""
    with plainly():
        ok = event_loop.run(_inspect(settings_of(config), targets, url, as_json=as_json))
    raise typer.Exit(0 if ok else 1)


async def _inspect(
    settings: Settings, targets: list[str], url: str | None, *, as_json: bool
) -> bool:
    from bot.links.fetch import Fetcher, FetchLimits  # noqa: PLC0415 - only this command needs it
    from bot.links.inspect import inspection_lines, saved_from  # noqa: PLC0415 - same

    url = saved_from(url) if url is not None else None
    ok = True
    origins = (origin.rpartition(":") for origin in settings.fetch.allowed_origins)
    fetcher = Fetcher(
        contact=settings.fetch.contact or settings.web.public_url or "",
        allowed_origins=frozenset((host, int(port)) for host, _, port in origins),
        limits=FetchLimits(total_s=float(settings.fetch.timeout_s)),
    )
    with progress(len(targets), "pages") as bar:
        async with fetcher:
            async for target, seen in _looked_at(targets, url, fetcher):
                bar.update(1)
                if isinstance(seen, Exception):
                    bar.say(f"payontap: {target}: {seen}", err=True)
                    ok = False
                    continue
                # Among several pages each says which one it is.
                name = target if len(targets) > 1 else None
                if as_json:
                    named = seen if name is None else {**seen, "target": name}
                    bar.say(json.dumps(named, ensure_ascii=False))
                else:
                    bar.say(inspection_lines(seen, name))
    return ok


async def _looked_at(
    targets: list[str], url: str | None, fetcher: "Fetcher"
) -> AsyncIterator[tuple[str, "Inspection | Exception"]]:
    """Every page in the order it was named, or the reason why it could not be looked at."""
    from bot.links.inspect import inspect as look  # noqa: PLC0415 - only this command needs it

    free = asyncio.Semaphore(_AT_ONCE)

    async def one(target: str) -> "Inspection | Exception":
        async with free:
            try:
                return await look(target, url=url, fetcher=fetcher)
            except (PayontapError, OSError) as error:
                return error

    for start in range(0, len(targets), _AT_ONCE * 4):
        batch = targets[start : start + _AT_ONCE * 4]
        tasks = [asyncio.create_task(one(target)) for target in batch]
        try:
            for target, task in zip(batch, tasks, strict=True):
                yield target, await task
        finally:
            for task in tasks:
                task.cancel()

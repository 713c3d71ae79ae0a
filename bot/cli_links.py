"""`payontap links`: which links the bot finds in messages, and which of them it doubts."""

import errno
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from bot.cli_progress import Bar, progress

if TYPE_CHECKING:
    from bot.links.inspect import Found

_DOUBTS = "docs/links.md#doubts"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(links)


def links(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE…]", help="Messages, one a line.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in, JSON out.")] = False,  # noqa: FBT002 - typer's way to declare a flag
    records: Annotated[  # noqa: FBT002 - same
        bool, typer.Option("--records", help="JSON in; out one object a link or share code.")
    ] = False,
) -> None:
    """Find links in messages: one a line in files or on standard input, with --json JSON strings.

    What the bot would not show a button for is said on standard error, or in the objects.
    """
    from bot.links.inspect import findings, links_line  # noqa: PLC0415 - only this command needs it

    ok = True
    paths: list[Path | None] = list(files) if files else [None]
    with progress(len(paths), "files") as bar:
        for path in paths:
            try:
                with _opened(path) as messages:
                    for number, line in _lines(messages, as_json=as_json or records):
                        if records:
                            _say_records(bar, path, number, findings(line))
                        elif as_json:
                            bar.say(json.dumps(links_line(line), ensure_ascii=False))
                        else:
                            _say_plainly(bar, path, number, findings(line))
            except OSError as error:
                name = "standard input" if path is None else path
                bar.say(f"payontap: {name} cannot be read: {error.strerror}.", err=True)
                ok = False
            bar.update(1)
    raise typer.Exit(0 if ok else 1)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    # A letter of another charset harms no link.
    if path is None:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        yield sys.stdin
        return
    with path.open(encoding="utf-8", errors="replace") as messages:
        yield messages


def _lines(messages: TextIO, *, as_json: bool) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(messages, 1):
        text = line.rstrip("\r\n")
        yield number, _json_string(text, number) if as_json else text


def _say_records(bar: Bar, path: Path | None, number: int, found: "list[Found]") -> None:
    place = {"line": number} if path is None else {"file": str(path), "line": number}
    for one in found:
        bar.say(json.dumps({**place, **one}, ensure_ascii=False))


def _say_plainly(bar: Bar, path: Path | None, number: int, found: "list[Found]") -> None:
    """The links themselves, and on standard error every doubt about them."""
    place = f"line {number}" if path is None else f"{path}, line {number}"
    for one in found:
        if one["url"] is not None:
            bar.say(one["url"])
        for doubt in one["warnings"]:
            bar.say(f"payontap: {place}: {doubt} ({_DOUBTS})", err=True)


def _json_string(line: str, number: int) -> str:
    try:
        text = json.loads(line)
    except json.JSONDecodeError as error:
        typer.echo(f"payontap: line {number} is not JSON: {error}.", err=True)
        raise typer.Exit(2) from None
    except (ValueError, RecursionError):
        text = None  # a number of thousands of digits, or lists within lists within lists
    if not isinstance(text, str):
        typer.echo(f"payontap: line {number} is not a JSON string.", err=True)
        raise typer.Exit(2)
    return text

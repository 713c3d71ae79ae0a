"""What all commands stand on: the config file, and one plain sentence for each mistake."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.settings import ConfigError, Settings, load
from wallet_core.errors import PayontapError

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The config file; otherwise PAYONTAP_CONFIG or ./payontap.toml."),
]


class UnusableWords(PayontapError):
    """What was typed is no text."""


class OutputLost(PayontapError):
    """What a command found can be told to nobody."""


def say(line: str) -> None:
    """Print a line. Raises `OutputLost`: a status of its own must not look like a finding."""
    try:
        typer.echo(line)
    except OSError as error:
        # Else what is left in the buffer fails once more at the end, with a status of Python's.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLost(f"Standard output cannot be written: {error.strerror}.") from error


def require_text(*words: str | None) -> None:
    """Refuse what no database and no file can hold. Raises `UnusableWords`."""
    for word in words:
        try:
            (word or "").encode("utf-8")
        except UnicodeEncodeError as error:
            shown = (word or "")[:80].encode("utf-8", "replace").decode("utf-8")
            raise UnusableWords(f"“{shown}” is no text in UTF-8.") from error


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what a person can mend into one sentence on standard error and exit status 2."""
    # Imported late: `payontap links` and `config` need no server.
    from bot.embedded_valkey import EmbeddedValkeyError  # noqa: PLC0415

    try:
        yield
    except (ConfigError, PayontapError, EmbeddedValkeyError) as error:
        typer.echo(f"payontap: {error}", err=True)
        raise typer.Exit(2) from None


def settings_of(config: Path | None) -> Settings:
    """The settings in force. Raises `ConfigError`."""
    return load(config, os.environ)

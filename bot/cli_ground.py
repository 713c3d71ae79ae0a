"""What all commands stand on: the config file, and one plain sentence for each mistake."""

import os
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

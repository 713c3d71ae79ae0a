"""A progress bar for commands that go through many things."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import typer


class Bar(Protocol):
    """Shows how far a command has come; what it says goes through here."""

    def update(self, n_steps: int) -> None:
        """Move on."""

    def say(self, text: str, *, err: bool = False) -> None:
        """Print a line."""


class _NoBar:
    """What is said goes out at once."""

    def update(self, n_steps: int) -> None:
        """Nothing is shown."""

    def say(self, text: str, *, err: bool = False) -> None:
        """Print it."""
        typer.echo(text, err=err)


class _TerminalBar:
    """A bar on standard error; what would tear it apart on a terminal waits for its end."""

    def __init__(self, steps: int, label: str) -> None:
        self._bar = typer.progressbar(length=steps, label=label, file=sys.stderr)
        self._waiting: list[tuple[str, bool]] = []
        self._bar.__enter__()

    def update(self, n_steps: int) -> None:
        """Move on."""
        self._bar.update(n_steps)

    def say(self, text: str, *, err: bool = False) -> None:
        """Print it, now or when the bar is done."""
        if err or sys.stdout.isatty():
            self._waiting.append((text, err))
        else:
            typer.echo(text)

    def close(self) -> None:
        """Finish the bar, and print what waited for it."""
        self._bar.__exit__(None, None, None)
        for text, err in self._waiting:
            typer.echo(text, err=err)


@contextmanager
def progress(steps: int, label: str) -> Iterator[Bar]:
    """A progress bar for several `label`, where somebody looks at a terminal."""
    if steps <= 1 or not sys.stderr.isatty():
        yield _NoBar()
        return
    bar = _TerminalBar(steps, label)
    try:
        yield bar
    finally:
        bar.close()

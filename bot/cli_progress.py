"""A progress bar for commands that go through many things, and what becomes of what they say."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import typer

#: As a shell reports a program that a broken pipe has ended (128 + SIGPIPE).
_BROKEN_PIPE_STATUS = 141


class Bar(Protocol):
    """Shows how far a command has come; what it says goes through here."""

    def update(self, n_steps: int) -> None:
        """Move on."""

    def say(self, text: str, *, err: bool = False) -> None:
        """Print a line; ends the command where nothing more can be printed."""


class _NoBar:
    """What is said goes out at once."""

    def update(self, n_steps: int) -> None:
        """Nothing is shown."""

    def say(self, text: str, *, err: bool = False) -> None:
        """Print it."""
        _print(text, err=err)


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
            _print(text, err=False)

    def close(self) -> None:
        """Finish the bar, and print what waited for it."""
        self._bar.__exit__(None, None, None)
        for text, err in self._waiting:
            _print(text, err=err)


@contextmanager
def progress(steps: int, label: str) -> Iterator[Bar]:
    """A progress bar for several `label`, where somebody looks at a terminal."""
    if steps <= 1 or sys.stderr is None or not sys.stderr.isatty():
        yield _NoBar()
        return
    bar = _TerminalBar(steps, label)
    try:
        yield bar
    finally:
        bar.close()


def _print(text: str, *, err: bool) -> None:
    """Print a line at once. Whoever reads no more ends the command, and so does a full disk."""
    stream = sys.stderr if err else sys.stdout
    try:
        typer.echo(text, err=err)
    except BrokenPipeError:
        # `links … | head` has what it wanted.
        _abandon(stream)
        raise typer.Exit(_BROKEN_PIPE_STATUS) from None
    except OSError as error:
        _abandon(stream)
        if not err:
            typer.echo(f"payontap: The output cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(2) from None


def _abandon(stream: TextIO) -> None:
    """What still waits for `stream` goes nowhere: Python would try it again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

"""The command that puts the money through everything that can go wrong."""

import os
from typing import Annotated

import typer

from bot.cli_ground import plainly


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(simulate)


def simulate(
    seed: Annotated[int, typer.Option(help="What decides everything; the first, if many.")] = 0,
    steps: Annotated[int, typer.Option(min=0, help="How much happens in a run.")] = 200,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, one after the other.")] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="Tell what happens.")] = False,  # noqa: FBT002 - typer's way to declare a flag
) -> None:
    """Run whole instances in simulated time, with faults; exit status 1 if anything came out wrong.

    The same seed and steps give the same run and the same digest of the books, everywhere.
    """
    from wallet_core.simulation import running  # noqa: PLC0415 - only this command needs it

    with plainly():
        running.quiet()
        if seeds == 1:
            say = typer.echo if trace else None
            runs = list(running.simulate_each([seed], steps, say=say))
            for run in runs:
                typer.echo(f"{run.events} events were heard; the books' digest is {run.digest}.")
        else:
            runs = []
            for run in running.simulate_many(seed, seeds, steps, os.cpu_count() or 1):
                runs.append(run)
                if run.wrong is not None:
                    break
    for run in runs:
        if run.wrong is not None:
            again = f"payontap simulate --seed {run.seed} --steps {run.steps} --trace"
            typer.echo(f"Seed {run.seed}: {run.wrong}\nTo see it again: {again}")
            raise typer.Exit(1)
    typer.echo(
        f"Everything held: {len(runs)} seeds of {steps} steps."
        if seeds > 1
        else "Everything held: the books are right, and nobody was told anything else."
    )

"""What is said about catalogues, in plain words."""

from collections.abc import Sequence
from typing import Protocol

from bot.cards import Button, Card, Line, Role, Style, Tone
from bot.catalogue.differences import Kind, Tally
from bot.catalogue.record import Problem
from bot.counted import counted
from wallet_core.commerce.catalogue import CatalogueSource

PROBLEMS_SHOWN = 5
_URL_CHARS = 80
_HOUR_S = 3600
_MINUTE_S = 60
_DAY_S = 24 * _HOUR_S


class Read(Protocol):
    """What a reading found."""

    items: int
    twice: int
    problem_count: int
    problems: list[Problem]


def dry_run_card(
    source: CatalogueSource, number: int, reading: Read, tally: Tally, doubt: str | None
) -> Card:
    """What would change, with the buttons to agree or not."""
    lines = [Line(source.name[:_URL_CHARS])]
    if doubt is not None:
        lines.append(Line(f"{doubt} What was listed before still counts.", Role.WARNING))
    lines += [Line(text) for text in change_lines(reading, tally)]
    lines.append(Line("Orders and prices on cards that were shown already stay.", Role.HINT))
    ref = f"{source.id}:{number}"
    if not tally.total:
        lines.append(Line("Agree, and it is read regularly from now on.", Role.HINT))
    return Card(
        title="This is what would change" if doubt is None else "Is this right?",
        lines=tuple(lines),
        buttons=(
            Button(label="Take it over", action=f"catyes:{ref}", style=Style.PLAIN),
            Button(label="Leave it", action=f"catno:{ref}", style=Style.DANGER),
        ),
        tone=Tone.WAITING,
    )


def change_lines(reading: Read, tally: Tally) -> Sequence[str]:
    """Counts, the first few changes of each kind, and the first few problems."""
    added, changed, gone = (tally.counts[k] for k in (Kind.ADDED, Kind.CHANGED, Kind.GONE))
    texts = [
        f"{counted(reading.items, 'product')}: {added:,} new, {changed:,} changed, {gone:,} gone."
    ]
    names = {Kind.ADDED: "New", Kind.CHANGED: "Changed", Kind.GONE: "Gone (unavailable from now)"}
    for kind, name in names.items():
        shown = tally.shown.get(kind, [])
        texts += [f"{name}: {text}" for text in shown]
        more = tally.counts[kind] - len(shown)
        if more > 0:
            texts.append(f"… and {more:,} more.")
    if reading.twice:
        again = f"Ids that occur again: {reading.twice:,}; the first of each counts."
        texts.append(again)
    if reading.problem_count:
        texts.append(f"Left out, for they cannot be used: {reading.problem_count:,}.")
        texts += [problem.sentence() for problem in reading.problems]
        more = reading.problem_count - len(reading.problems)
        if more > 0:
            texts.append(f"… and {more:,} more.")
    return texts


def beside_line(names: Sequence[str]) -> str:
    """What a shop's other files mean for one that is handed in."""
    return (
        f"Listed beside it, from other files: {', '.join(names)}. A file replaces only the one of "
        "the same name; /merchant catalogue remove takes the others away."
    )


def taken_card(source: CatalogueSource, reading: Read, tally: Tally) -> Card:
    """What a reading that was asked for has changed."""
    texts = [source.name[:_URL_CHARS], *change_lines(reading, tally)]
    return Card(
        title="The catalogue is up to date" if tally.total else "Nothing has changed",
        lines=tuple(Line(text) for text in texts),
        tone=Tone.GOOD,
    )


def applied_card(source: CatalogueSource, count: int, interval_s: int) -> Card:
    """What the owner agreed to stands."""
    again = f"It is read again about every {duration(interval_s)}."
    last = "Hand it in again when it changes." if source.is_file else again
    return Card(
        title=f"{counted(count, 'product')} listed",
        lines=(Line(source.name[:_URL_CHARS]), Line(last, Role.HINT)),
        tone=Tone.GOOD,
    )


def failed_card(source: CatalogueSource, why: str, failures: int) -> Card:
    """It could not be read; what that means."""
    lines = [Line(source.name[:_URL_CHARS]), Line(why, Role.WARNING)]
    if source.read_at_us is None:
        lines.append(Line("Nothing was listed. Mend it and have it read again.", Role.HINT))
    else:
        lines.append(
            Line(
                "What was listed before stays for now, but once it is too old, prices are no "
                "longer taken from it. I keep trying.",
                Role.HINT,
            )
        )
    times = "" if failures == 1 else f" {failures} times in a row"
    return Card(title=f"The catalogue could not be read{times}", lines=tuple(lines), tone=Tone.BAD)


def well_again_card(source: CatalogueSource) -> Card:
    """After the owner was told that it fails."""
    return Card(
        title="The catalogue can be read again",
        lines=(Line(source.name[:_URL_CHARS]),),
        tone=Tone.GOOD,
    )


def duration(seconds: int) -> str:
    """A round time in words, to be said after “every”."""
    if seconds >= _HOUR_S:
        hours = round(seconds / _HOUR_S)
        return "hour" if hours == 1 else f"{hours} hours"
    minutes = max(1, round(seconds / _MINUTE_S))
    return "minute" if minutes == 1 else f"{minutes} minutes"


def ago(seconds: int) -> str:
    """How long ago something was, in round words."""
    if seconds < _MINUTE_S:
        return "just now"
    if seconds < _HOUR_S:
        return f"{counted(seconds // _MINUTE_S, 'minute')} ago"
    if seconds < 2 * _DAY_S:
        return f"{counted(seconds // _HOUR_S, 'hour')} ago"
    return f"{counted(seconds // _DAY_S, 'day')} ago"

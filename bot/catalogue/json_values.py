"""Values of JSON that a shop's software answered with; nothing about their shape is believed."""

from collections.abc import Iterator

import msgspec

from bot.catalogue.record import UnreadableCatalogue


def decoded(body: bytes) -> object:
    """The JSON in `body`. Raises `UnreadableCatalogue`."""
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableCatalogue("The shop answered with something that is no JSON.") from None


def dicts(values: object) -> Iterator[dict[str, object]]:
    """The objects in a list; none in anything else."""
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value


def number_or_text(value: object) -> str:
    """A text or a whole number as text; empty for anything else."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return repr(value)
    return str(value).strip() if isinstance(value, str | int) else ""

"""Prints the settings in force as TOML, each with its origin, secrets hidden."""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from config.keys import Key, key_named, known_keys, table_names, tables
from config.schema import Settings

_HIDDEN = "********"


def render(settings: Settings) -> str:
    """The settings as a TOML document that could be read again, but for its secrets.

    Each value's comment says whether it is a default, or from which file or variable it came.
    """
    lines: list[str] = []
    section = ""
    for key in known_keys().values():
        here, dot, leaf = key.name.partition(".")
        if dot and here != section:
            section = here
            lines += ["", f"[{section}]"]
        lines.append(_line(key, leaf if dot else here, settings))
    for table, entry in _entries(settings):
        lines += ["", f"[{table}.{entry}]"]
        keys = (key_named(name) for name in table_names(table, entry))
        lines += [_line(key, key.name.rpartition(".")[2], settings) for key in keys if key]
    return "\n".join(lines) + "\n"


def _entries(settings: Settings) -> Iterable[tuple[str, str]]:
    return ((table, entry) for table in tables() for entry in getattr(settings, table))


def _line(key: Key, leaf: str, settings: Settings) -> str:
    value: object = settings
    for part in key.name.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    origin = settings.origins.get(key.name, "default").replace("\n", " ")
    if value is None:
        return f"# {leaf} is not set  # {origin}"
    return f"{leaf} = {_toml(value)}  # {origin}"


def _toml(value: object) -> str:
    if isinstance(value, SecretStr):
        return _quoted(_without_secret(value.get_secret_value()))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, str | Path | Decimal | date):
        return _quoted(str(value))
    raise TypeError(f"a setting of type {type(value).__name__} cannot be printed")


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _without_secret(secret: str) -> str:
    """An address keeps its host, so that a wrong one can be seen; everything else is hidden."""
    if "://" not in secret:
        return _HIDDEN
    parts = urlsplit(secret)
    user_and_password, at, host = parts.netloc.rpartition("@")
    user, colon, _ = user_and_password.partition(":")
    netloc = f"{user}{colon}{_HIDDEN if colon else ''}{at}{host}"
    return urlunsplit(parts._replace(netloc=netloc, query=_HIDDEN if parts.query else ""))

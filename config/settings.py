"""Reads the settings once: defaults, then a TOML file, then the environment.

>>> from config.settings import load
>>> load(None, {"HOME": "/home/ann", "PAYONTAP_WEB__PORT": "9000"}).web.port
9000
"""

import difflib
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.keys import (
    ENV_PREFIX,
    FILE_SUFFIX,
    as_written,
    key_named,
    sections,
    table_names,
    tables,
    variable_of,
    writable_names,
)
from config.rendering import render
from config.schema import Settings

__all__ = ["ConfigError", "Settings", "load", "render"]

_CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
_USUAL_FILE = Path("payontap.toml")


class ConfigError(Exception):
    """A setting that cannot be used; the text is one sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it: under which name, and where."""

    value: object
    written_as: str
    origin: str


def load(config_file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings in force.

    `config_file` is what a person asked for by hand; without it PAYONTAP_CONFIG names the
    file, and without that `payontap.toml` in the current folder is read if it is there.
    Each PAYONTAP_ variable overrides the file; an empty one counts as unset.

    Raises ConfigError for an unknown key, a value out of its bounds, a missing file, or a
    secret given twice.
    """
    path = _chosen_file(config_file, environ)
    given: dict[str, _Given] = {}
    if path is not None:
        given |= _secrets_read(_from_file(path), path.parent)
    given |= _secrets_read(_from_environment(environ), Path())
    values = {name: entry.value for name, entry in given.items()}
    if "data_dir" not in values:
        values["data_dir"] = _default_data_dir(environ)
    values["data_dir"] = _absolute(values["data_dir"], environ)
    try:
        settings = Settings.model_validate(_nested(values))
    except ValidationError as error:
        raise ConfigError(_sentence(error.errors()[0], given)) from None
    return settings.with_origins({name: entry.origin for name, entry in given.items()})


def _chosen_file(config_file: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config_file is None and environ.get(_CONFIG_VARIABLE):
        config_file = Path(environ[_CONFIG_VARIABLE])
    if config_file is None:
        return _USUAL_FILE if _USUAL_FILE.is_file() else None
    return config_file.expanduser()


def _from_file(path: Path) -> dict[str, _Given]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"The config file {path} cannot be read: {reason}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The config file {path} is not valid TOML: {error}.") from error
    given: dict[str, _Given] = {}
    for name, value in _flat(document, path):
        if not _may_be_written(name):
            near = _nearest(name, [*_names_like(name), *sections(), *tables()])
            raise ConfigError(f"There is no setting {name} ({path}); the nearest is {near}.")
        given[name] = _Given(value, f"{name} ({path})", str(path))
    return given


def _flat(document: Mapping[str, object], path: Path) -> Iterable[tuple[str, object]]:
    for name, value in document.items():
        if name in tables():
            yield from _flat_table(name, value, path)
        elif name not in sections():
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{leaf}", inner) for leaf, inner in value.items())
        else:
            raise ConfigError(f"{name} ({path}) is a section: write [{name}] and its keys below.")


def _flat_table(table: str, entries: object, path: Path) -> Iterable[tuple[str, object]]:
    if not isinstance(entries, dict):
        raise ConfigError(f"{table} ({path}) stands once for each name: write [{table}.CNY].")
    for entry, values in entries.items():
        if not isinstance(values, dict):
            raise ConfigError(
                f"{table}.{entry} ({path}) is a section: write [{table}.{entry}], its keys below."
            )
        yield from ((f"{table}.{entry}.{leaf}", inner) for leaf, inner in values.items())


def _may_be_written(name: str) -> bool:
    return name in writable_names() or key_named(name) is not None


def _names_like(name: str) -> list[str]:
    """The names that somebody may have meant by `name`."""
    table, _, rest = name.partition(".")
    of_table = table_names(table, rest.partition(".")[0]) if table in tables() and rest else []
    return [*writable_names(), *of_table]


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    given: dict[str, _Given] = {}
    for variable, text in environ.items():
        if not variable.startswith(ENV_PREFIX) or variable == _CONFIG_VARIABLE:
            continue
        name = as_written(variable.removeprefix(ENV_PREFIX).lower().replace("__", "."))
        if not _may_be_written(name):
            candidates = [variable_of(known) for known in _names_like(name)]
            near = _nearest(variable, [*candidates, _CONFIG_VARIABLE])
            raise ConfigError(
                f"There is no setting {variable} (environment); the nearest is {near}."
            )
        if text:
            value = _listed(text, variable) if _is_list(name) else text
            given[name] = _Given(value, variable, f"environment, {variable}")
    return given


def _is_list(name: str) -> bool:
    key = key_named(name)
    return key is not None and key.is_list


def _listed(text: str, variable: str) -> list[object]:
    """A list in a variable: a JSON array, or entries parted by commas."""
    if not text.lstrip().startswith("["):
        return [entry.strip() for entry in text.split(",") if entry.strip()]
    try:
        entries = json.loads(text)
    except json.JSONDecodeError:
        # "[::1]:9000,127.0.0.1:9000" begins like an array and is none.
        return [entry.strip() for entry in text.split(",") if entry.strip()]
    if not isinstance(entries, list):
        raise ConfigError(f"{variable} must be a list.")
    return entries


def _secrets_read(given: Mapping[str, _Given], folder: Path) -> dict[str, _Given]:
    """The same layer with each `x_file` replaced by the `x` that the file holds."""
    settled = {name: entry for name, entry in given.items() if key_named(name) is not None}
    for name, entry in given.items():
        if name in settled:
            continue
        plain = name.removesuffix(FILE_SUFFIX)
        if plain in settled:
            both = f"{settled[plain].written_as} and {entry.written_as}"
            raise ConfigError(f"Give the secret either itself or as a file, not both: {both}.")
        path = folder / Path(str(entry.value)).expanduser()
        settled[plain] = replace(entry, value=_secret(path, entry), origin=f"secret file {path}")
    return settled


def _secret(path: Path, entry: _Given) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"{entry.written_as} names the file {path}, which cannot be read: {reason}."
        ) from error
    if not text:
        raise ConfigError(f"{entry.written_as} names the file {path}, which is empty.")
    return text


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    share = environ.get("XDG_DATA_HOME", "")
    if share.startswith("/"):  # the XDG specification has relative ones ignored
        return Path(share) / "payontap"
    if sys.platform == "darwin":
        return _home(environ) / "Library" / "Application Support" / "payontap"
    return _home(environ) / ".local" / "share" / "payontap"


def _home(environ: Mapping[str, str]) -> Path:
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError as error:
        raise ConfigError(
            "There is no home folder to keep the data in; set PAYONTAP_DATA_DIR."
        ) from error


def _absolute(value: object, environ: Mapping[str, str]) -> object:
    """The data folder from the root on, so that a later change of folder cannot move it."""
    if not isinstance(value, str | Path):
        return value
    if not str(value).strip():
        raise ConfigError("data_dir is empty; it must name a folder.")
    path = Path(value)
    if path.parts and path.parts[0] == "~":
        path = _home(environ).joinpath(*path.parts[1:])
    return path.absolute()


def _nested(values: Mapping[str, object]) -> dict[str, object]:
    tree: dict[str, object] = {}
    groups: dict[tuple[str, ...], dict[str, object]] = {}
    for name, value in values.items():
        *above, leaf = name.split(".")
        if above:
            groups.setdefault(tuple(above), {})[leaf] = value
        else:
            tree[leaf] = value
    for (section, *entry), inner in groups.items():
        if entry:
            entries = tree.setdefault(section, {})
            assert isinstance(entries, dict)  # noqa: S101 - a table was never written as a value
            entries[entry[0]] = inner
        else:
            tree[section] = inner
    return tree


def _nearest(name: str, candidates: Iterable[str]) -> str:
    return difflib.get_close_matches(name, sorted(candidates), n=1, cutoff=0.0)[0]


def _sentence(detail: ErrorDetails, given: Mapping[str, _Given]) -> str:
    """One sentence for the first thing that pydantic found wrong, never with a secret in it."""
    place = [str(part) for part in detail["loc"]]
    depth = 3 if place and place[0] in tables() else 2 if place and place[0] in sections() else 1
    name = ".".join(place[:depth])
    reason = detail["msg"].removeprefix("Value error, ")
    key = key_named(name)
    if name not in given or key is None:
        return f"{name}: {reason}." if place and place[0] in tables() else f"{reason}."
    entry = given[name]
    # What a parser could not do tells nobody more than what should stand there.
    reason = reason.replace("Input should", "it should").partition(", unable to")[0]
    shown = "" if key.is_secret else f" (it is {entry.value!r})"
    return f"{entry.written_as} cannot be used: {reason}{shown}."

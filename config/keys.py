"""The dotted name of every setting, and what is known about each.

Most settings have a fixed name. Those of tables stand once for each entry that somebody writes:
`limits.CNY.day_max`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import get_args, get_origin

from pydantic import SecretStr

from config.schema import Settings
from config.section import Section

ENV_PREFIX = "PAYONTAP_"
FILE_SUFFIX = "_file"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name, and how its value is written."""

    name: str
    is_secret: bool
    is_list: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_of(self.name)


def variable_of(dotted: str) -> str:
    """The environment variable for a dotted name: `web.port` is PAYONTAP_WEB__PORT."""
    return ENV_PREFIX + dotted.upper().replace(".", "__")


@cache
def sections() -> Mapping[str, type[Section]]:
    """Each section of the file by its name."""
    found: dict[str, type[Section]] = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found[name] = kind
    return MappingProxyType(found)


@cache
def tables() -> Mapping[str, type[Section]]:
    """Each group of sections that stand under names of their own: `limits` for `[limits.CNY]`."""
    found: dict[str, type[Section]] = {}
    for name, field in Settings.model_fields.items():
        if get_origin(field.annotation) is Mapping:
            found[name] = get_args(field.annotation)[1]
    return MappingProxyType(found)


def table_names(table: str, entry: str) -> list[str]:
    """Every dotted name that may be written in one entry of a table, such as `limits.CNY`."""
    return [f"{table}.{entry}.{leaf}" for leaf in tables()[table].model_fields]


def key_named(name: str) -> Key | None:
    """What is known of a dotted name; None where no setting has it."""
    fixed = known_keys().get(name)
    if fixed is not None:
        return fixed
    table, entry, leaf = [*name.split("."), "", ""][:3]
    if table not in tables() or name not in table_names(table, entry):
        return None
    return _key(name, tables()[table].model_fields[leaf].annotation)


def as_written(variable_name: str) -> str:
    """The dotted name that a variable means: in tables the entries are written in capitals."""
    table, dot, rest = variable_name.partition(".")
    if table not in tables() or not dot:
        return variable_name
    entry, dot, leaf = rest.partition(".")
    return f"{table}.{entry.upper()}{dot}{leaf}"


@cache
def known_keys() -> Mapping[str, Key]:
    """Each setting by its dotted name, in the order in which it is declared."""
    found: dict[str, Key] = {}
    for name, field in Settings.model_fields.items():
        section = sections().get(name)
        if section is None:
            if name not in tables():
                found[name] = _key(name, field.annotation)
            continue
        for leaf, leaf_field in section.model_fields.items():
            dotted = f"{name}.{leaf}"
            found[dotted] = _key(dotted, leaf_field.annotation)
    return MappingProxyType(found)


def _key(name: str, annotation: object) -> Key:
    is_secret = annotation is SecretStr or SecretStr in get_args(annotation)
    return Key(name, is_secret=is_secret, is_list=get_origin(annotation) is tuple)


@cache
def writable_names() -> frozenset[str]:
    """Every dotted name that may be written: the settings, and `x_file` beside each secret `x`."""
    keys = known_keys().values()
    return frozenset(key.name for key in keys) | {
        key.name + FILE_SUFFIX for key in keys if key.is_secret
    }

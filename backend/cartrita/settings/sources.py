"""Reads the sources of settings: configuration file, `.env`, environment, command line."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import cast

from dotenv.parser import parse_stream

from cartrita.settings.errors import Source, unknown_name
from cartrita.settings.fields import Entry, entries
from cartrita.settings.settings import Settings

CONFIG_VARIABLE = "CARTRITA_CONFIG"
CLIENT_PREFIX = "CARTRITA_CLIENT_"
"""Variables of clients, which may run beside a server: no settings of ours."""
ENTRIES = tuple(entries(Settings))

_GROUPS = frozenset(entry.path[0] for entry in ENTRIES if len(entry.path) > 1)
_BY_PATH = {entry.path: entry for entry in ENTRIES}


@dataclass(frozen=True, slots=True)
class RawValue:
    """A value as it was given, with its setting's path and its source."""

    path: tuple[str, ...]
    value: object
    source: Source


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that is not empty, and where it was set."""

    value: str
    where: str


@dataclass(slots=True)
class RawSettings:
    """What all sources contain; of two values for one path the later one counts.

    `dotenv` are the names in the `.env`; `tables` are the custom providers of the file `file`, and
    `routes`, `agents` and `mcp` its routes, agents and servers of tools.
    """

    values: list[RawValue] = field(default_factory=list[RawValue])
    variables: dict[str, Variable] = field(default_factory=dict[str, Variable])
    dotenv: tuple[str, ...] = ()
    tables: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    routes: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    agents: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    mcp: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    file: str = ""
    errors: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])


def environment() -> Mapping[str, str]:
    """A copy of the environment of this process; no other module reads it."""
    return dict(os.environ)


def read_sources(
    environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object]
) -> RawSettings:
    """All values, those of the lowest source first."""
    raw = RawSettings()
    dotenv = _read_dotenv(cwd / ".env", raw)
    raw.dotenv = tuple(dotenv)
    for where, names in ((".env", dotenv), ("environment", environ)):
        for name, text in names.items():
            if text.strip():
                raw.variables[name] = Variable(text.strip(), where)
    _read_file(cwd, raw)
    for entry in ENTRIES:
        variable = raw.variables.get(entry.env)
        if variable:
            raw.values.append(
                RawValue(entry.path, variable.value, Source(entry.env, variable.where))
            )
    for key, value in overrides.items():
        if value is not None:
            _add_override(key, value, raw)
    return raw


def entry_at(path: tuple[str | int, ...]) -> Entry | None:
    """The setting at a path, or at the nearest path above it."""
    return next((entry for entry in ENTRIES if entry.path == path[: len(entry.path)]), None)


def _read_dotenv(path: Path, raw: RawSettings) -> dict[str, str]:
    text = _read_text(path, Source(".env", "file"), raw) if path.exists() else ""
    bindings = list(parse_stream(StringIO(text)))
    for binding in bindings:
        if binding.error:
            place = Source(f"line {binding.original.line}", ".env")
            raw.errors.append(place.message("it cannot be read; write NAME=value"))
    return {one.key: one.value or "" for one in bindings if one.key and not one.error}


def _read_file(cwd: Path, raw: RawSettings) -> None:
    named = raw.variables.get(CONFIG_VARIABLE)
    path = cwd / (named.value if named else "cartrita.toml")
    raw.file = path.name
    if not named and not path.exists():
        return
    source = Source(CONFIG_VARIABLE, named.where) if named else Source(path.name, "file")
    text = _read_text(path, source, raw)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raw.errors.append(Source(path.name, "file").message(f"it is not TOML; correct it: {error}"))
        return
    for path_, value in _file_values(tables, raw):
        raw.values.append(RawValue(path_, value, Source(".".join(path_), path.name)))


def _file_values(
    tables: Mapping[str, object], raw: RawSettings
) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in tables.items():
        if (name,) in _BY_PATH:
            yield (name,), value
        elif name not in _GROUPS:
            _add_unknown(name, raw)
        elif not isinstance(value, dict):
            text = f"it is a table of settings; write [{name}] and its settings below"
            raw.errors.append(Source(name, raw.file).message(text))
        else:
            yield from _group_values(name, cast("dict[str, object]", value), raw)


def _group_values(
    group: str, table: dict[str, object], raw: RawSettings
) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in table.items():
        if (group, name) in _BY_PATH:
            yield (group, name), value
        elif (tables := _tables(group, raw)) is not None and isinstance(value, dict):
            tables[name] = cast("dict[str, object]", value)
        else:
            _add_unknown(f"{group}.{name}", raw)


def _tables(group: str, raw: RawSettings) -> dict[str, Mapping[str, object]] | None:
    """Where the tables of a group are kept that have names of their own."""
    match group:
        case "providers":
            return raw.tables
        case "routes":
            return raw.routes
        case "agents":
            return raw.agents
        case "mcp":
            return raw.mcp
        case _:
            return None


def _add_unknown(key: str, raw: RawSettings) -> None:
    known = [*(entry.key for entry in ENTRIES), *sorted(_GROUPS)]
    raw.errors.append(Source(key, raw.file).message(unknown_name(key, known)))


def _add_override(key: str, value: object, raw: RawSettings) -> None:
    path, source = tuple(key.split(".")), Source(key, "command line")
    if path in _BY_PATH:
        raw.values.append(RawValue(path, value, source))
    else:
        text = unknown_name(key, (entry.key for entry in ENTRIES))
        raw.errors.append(source.message(text))


def _read_text(path: Path, source: Source, raw: RawSettings) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raw.errors.append(source.message("the file is not UTF-8 text; save it as UTF-8"))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raw.errors.append(source.message(f"the file cannot be read: {reason}; correct that"))
    return ""

"""Where settings are given: the configuration file, `.env`, the environment, the command line."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import cast

from dotenv.parser import parse_stream

from cartrita.settings.fields import Entry, entries
from cartrita.settings.model import Settings
from cartrita.settings.problems import Origin, no_such

CONFIG = "CARTRITA_CONFIG"
ENTRIES = tuple(entries(Settings))

_GROUPS = frozenset(entry.path[0] for entry in ENTRIES if len(entry.path) > 1)
_BY_PATH = {entry.path: entry for entry in ENTRIES}


@dataclass(frozen=True, slots=True)
class Given:
    """One value from one source."""

    path: tuple[str, ...]
    value: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment name with a value; an empty one counts as absent."""

    value: str
    where: str


@dataclass(slots=True)
class Found:
    """What all sources together hold; of two values for one path the later one counts."""

    given: list[Given] = field(default_factory=list[Given])
    variables: dict[str, Variable] = field(default_factory=dict[str, Variable])
    dotenv: tuple[str, ...] = ()
    tables: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    file: str = ""
    problems: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])


def environment() -> Mapping[str, str]:
    """The environment of this process; nothing else in the house reads it."""
    return dict(os.environ)


def read(environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object]) -> Found:
    """Lowest source first."""
    found = Found()
    dotenv = _dotenv(cwd / ".env", found)
    found.dotenv = tuple(dotenv)
    for where, names in ((".env", dotenv), ("environment", environ)):
        for name, text in names.items():
            if text.strip():
                found.variables[name] = Variable(text.strip(), where)
    _configuration(cwd, found)
    for entry in ENTRIES:
        variable = found.variables.get(entry.env)
        if variable:
            found.given.append(Given(entry.path, variable.value, Origin(entry.env, variable.where)))
    for key, value in overrides.items():
        if value is not None:
            _override(key, value, found)
    return found


def entry_at(path: tuple[str | int, ...]) -> Entry | None:
    """The setting at a place in the tree, or at the nearest place above it."""
    return next((entry for entry in ENTRIES if entry.path == path[: len(entry.path)]), None)


def _dotenv(path: Path, found: Found) -> dict[str, str]:
    text = _text(path, Origin(".env", "file"), found) if path.exists() else ""
    bindings = list(parse_stream(StringIO(text)))
    for binding in bindings:
        if binding.error:
            place = Origin(f"line {binding.original.line}", ".env")
            found.problems.append(place.says("it cannot be read; write NAME=value"))
    return {one.key: one.value or "" for one in bindings if one.key and not one.error}


def _configuration(cwd: Path, found: Found) -> None:
    named = found.variables.get(CONFIG)
    path = cwd / (named.value if named else "cartrita.toml")
    found.file = path.name
    if not named and not path.exists():
        return
    origin = Origin(CONFIG, named.where) if named else Origin(path.name, "file")
    text = _text(path, origin, found)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found.problems.append(
            Origin(path.name, "file").says(f"it is not TOML; correct it: {error}")
        )
        return
    for path_, value in _leaves(tables, found):
        found.given.append(Given(path_, value, Origin(".".join(path_), path.name)))


def _leaves(tables: Mapping[str, object], found: Found) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in tables.items():
        if (name,) in _BY_PATH:
            yield (name,), value
        elif name not in _GROUPS:
            _unknown(name, found)
        elif not isinstance(value, dict):
            text = f"it is a table of settings; write [{name}] and its settings below"
            found.problems.append(Origin(name, found.file).says(text))
        else:
            yield from _members(name, cast("dict[str, object]", value), found)


def _members(
    group: str, table: dict[str, object], found: Found
) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in table.items():
        if (group, name) in _BY_PATH:
            yield (group, name), value
        elif group == "providers" and isinstance(value, dict):
            found.tables[name] = cast("dict[str, object]", value)
        else:
            _unknown(f"{group}.{name}", found)


def _unknown(key: str, found: Found) -> None:
    known = [*(entry.key for entry in ENTRIES), *sorted(_GROUPS)]
    found.problems.append(Origin(key, found.file).says(no_such(key, known)))


def _override(key: str, value: object, found: Found) -> None:
    path, origin = tuple(key.split(".")), Origin(key, "command line")
    if path in _BY_PATH:
        found.given.append(Given(path, value, origin))
    else:
        text = no_such(key, (entry.key for entry in ENTRIES))
        found.problems.append(origin.says(text))


def _text(path: Path, origin: Origin, found: Found) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found.problems.append(origin.says("the file is not UTF-8 text; save it as UTF-8"))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        found.problems.append(origin.says(f"the file cannot be read: {reason}; correct that"))
    return ""

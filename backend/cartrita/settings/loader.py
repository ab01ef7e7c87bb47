"""Loads the settings from all sources, or reports every error in them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cartrita.adapters.providers.registry import PROVIDERS
from cartrita.settings.agent_resolution import resolve_agents
from cartrita.settings.conflicts import SettingsConflict, conflicts, warnings
from cartrita.settings.data_directory import default_data_directory, home_directory
from cartrita.settings.errors import (
    SettingsError,
    Source,
    closest_name,
    display_value,
    unknown_name,
)
from cartrita.settings.provider_resolution import (
    FieldPath,
    custom_variable_names,
    resolve_providers,
)
from cartrita.settings.route_resolution import resolve_routes
from cartrita.settings.settings import Settings
from cartrita.settings.sources import (
    CLIENT_PREFIX,
    CONFIG_VARIABLE,
    ENTRIES,
    RawSettings,
    entry_at,
    read_sources,
)
from cartrita.settings.tool_server_resolution import resolve_tool_servers, tool_server_variables
from cartrita.settings.types import BaseDirectories

_NONE: Mapping[str, object] = MappingProxyType({})
_PREFIX = "CARTRITA_"


def load(
    environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object] = _NONE
) -> Settings:
    """The settings; sources from lowest to highest: defaults, file, `.env`, environ, overrides.

    `overrides` has dotted names as in the file ("server.port"); None there means not given.
    Raises SettingsError, with one line for each error.
    """
    raw = read_sources(environ, cwd, overrides)
    _check_names(raw, environ)
    values = {value.path: value for value in raw.values}
    api_provider = values.get(("providers", "api_provider"))
    resolved = resolve_providers(raw, str(api_provider.value) if api_provider else None)
    sources: dict[FieldPath, Source] = {path: value.source for path, value in values.items()}
    sources |= resolved.sources

    home = home_directory(environ)
    tree: dict[str, object] = {"data_dir": str(default_data_directory(environ, home))}
    for path, value in values.items():
        _insert(tree, path, value.value)
    _insert(tree, ("providers", "entries"), resolved.entries)
    _insert(tree, ("routes", "entries"), resolve_routes(raw))
    _insert(tree, ("agents", "entries"), resolve_agents(raw, cwd))
    sources["agents", "entries"] = Source("agents", raw.file)
    directories = BaseDirectories(cwd.absolute(), home)
    _insert(tree, ("mcp", "entries"), resolve_tool_servers(raw, directories))
    sources["mcp", "entries"] = Source("mcp", raw.file)
    settings, invalid = _validate(tree, sources, directories)

    errors = raw.errors + [text for _, text in invalid]
    errors += _messages(conflicts(settings), sources, {path for path, _ in invalid})
    if errors:
        raise SettingsError(errors)
    doubtful = _messages(warnings(settings), sources, frozenset())
    return settings.model_copy(update={"warnings": (*raw.warnings, *doubtful)})


def _check_names(raw: RawSettings, environ: Mapping[str, str]) -> None:
    """Add an error for each unknown CARTRITA_* name, and a warning for any other in the `.env`."""
    known = {entry.env for entry in ENTRIES} | {CONFIG_VARIABLE}
    known |= {*custom_variable_names(raw), *tool_server_variables(raw)}
    known |= {name for spec in PROVIDERS.values() for name in spec.variable_names}
    for where, names in ((".env", raw.dotenv), ("environment", environ)):
        for name in names:
            if _is_of_ours(name) and name not in known:
                raw.errors.append(Source(name, where).message(unknown_name(name, sorted(known))))
    for name in raw.dotenv:
        if name not in known and not name.startswith(_PREFIX):
            closest = closest_name(name, sorted(known))
            reason = f"; did you mean {closest}?" if closest else ", nothing reads it"
            text = f"it is ignored{reason}"
            raw.warnings.append(Source(name, ".env").message(text))


def _is_of_ours(name: str) -> bool:
    return name.startswith(_PREFIX) and not name.startswith(CLIENT_PREFIX)


def _validate(
    tree: dict[str, object], sources: Mapping[FieldPath, Source], directories: BaseDirectories
) -> tuple[Settings, list[tuple[FieldPath, str]]]:
    """The settings without the invalid values, for further checks; and the errors."""
    try:
        return Settings.model_validate(tree, context=directories), []
    except ValidationError as error:
        invalid = [_message(detail, sources) for detail in error.errors(include_url=False)]
    for path, _ in invalid:
        _remove(tree, path)
    return Settings.model_validate(tree, context=directories), invalid


def _message(detail: ErrorDetails, sources: Mapping[FieldPath, Source]) -> tuple[FieldPath, str]:
    loc = detail["loc"]
    path = next(loc[:length] for length in range(len(loc), 0, -1) if loc[:length] in sources)
    reason = cast("Mapping[str, object]", detail.get("ctx", {})).get("error")
    entry = entry_at(path)
    if isinstance(reason, ValueError) or entry is None:  # a sentence of our own validators
        return path, sources[path].message(str(reason))
    fix = f"for example {entry.example}" if entry.example else "correct or remove it"
    value = display_value(detail["input"])
    return path, sources[path].message(f"{value} is not {entry.expected}; {fix}")


def _messages(
    conflicts: Iterable[SettingsConflict],
    sources: Mapping[FieldPath, Source],
    invalid: Iterable[FieldPath],
) -> list[str]:
    """Each at the first of its settings that was given; none about a value that is invalid."""
    valid = [one for one in conflicts if not set(one.paths) & set(invalid)]
    return [
        next(sources[path] for path in one.paths if path in sources).message(one.text)
        for one in valid
    ]


def _insert(tree: dict[str, object], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        tree = cast("dict[str, object]", tree.setdefault(name, {}))
    tree[path[-1]] = value


def _remove(tree: dict[str, object], path: FieldPath) -> None:
    # One invalid part of a provider removes all configured providers.
    target = path[:2] if path[:2] == ("providers", "entries") else path
    for name in target[:-1]:
        tree = cast("dict[str, object]", tree[str(name)])
    tree.pop(str(target[-1]), None)

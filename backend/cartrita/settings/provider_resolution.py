"""Determines the configured providers from the registry, the environment and the file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec.structs import replace

from cartrita.adapters.providers.addresses import endpoint_of
from cartrita.adapters.providers.factory import CONSTRUCTORS
from cartrita.adapters.providers.registry import PROVIDERS, ProviderSpec, custom_provider
from cartrita.domain.models import OFFLINE
from cartrita.domain.relays import DIALECTS
from cartrita.settings.errors import Source, display_value, unknown_name
from cartrita.settings.provider_oauth import (
    OAUTH,
    missing_variable,
    oauth_errors,
    oauth_variables,
    resolve_oauth,
    source_of,
)
from cartrita.settings.sources import RawSettings

FieldPath: TypeAlias = tuple[str | int, ...]
ProviderTable: TypeAlias = Mapping[str, object]
Part: TypeAlias = tuple[object, Source | None]
"""The value of one key of a provider, and where it was given; None for a default."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL_WITHOUT_PATH = re.compile(r"https?://[^/?#]+/?")
_KEYS = ("base_url", "api_key_env", "dialect", "models", "default_model", OAUTH)
_RESERVED_NAMES = (OFFLINE, "cartrita")


@dataclass(slots=True)
class ResolvedProviders:
    """The providers before validation, and the source of each of their values."""

    entries: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    sources: dict[FieldPath, Source] = field(default_factory=dict[FieldPath, Source])

    def add(self, entry: dict[str, Part]) -> None:
        """Append a provider."""
        for key, (_, source) in entry.items():
            if source:
                self.sources["providers", "entries", len(self.entries), key] = source
        self.entries.append({key: value for key, (value, _) in entry.items()})


def resolve_providers(raw: RawSettings, api_provider: str | None) -> ResolvedProviders:
    """Known providers in the order of the registry, then custom ones in the order of the file.

    A known provider is configured by its key, its address or a table in the file. The environment
    takes precedence over the file. Errors and warnings are added to `raw`.
    """
    resolved = ResolvedProviders()
    known = {spec.name: spec for spec in _known_providers(api_provider)}
    custom = {name: custom_provider(name) for name in raw.tables if name not in known}
    for name, spec in (known | custom).items():
        table = raw.tables.get(name)
        if table is None or _check_table(name, table, raw, custom=name in custom):
            _resolve(spec, table, raw, resolved)
    return resolved


def custom_variable_names(raw: RawSettings) -> Iterator[str]:
    """The environment variables of the providers that the file declares."""
    for name, table in raw.tables.items():
        yield from custom_provider(name).variable_names
        if isinstance(variable := table.get("api_key_env"), str):
            yield variable
        yield from oauth_variables(table)


def _known_providers(api_provider: str | None) -> Iterator[ProviderSpec]:
    """The registry; with API_PROVIDER=comet, ANTHROPIC_API_KEY and ANTHROPIC_MODEL are Comet's.

    They never belong to both: a key must not be sent to a company that did not issue it.
    """
    anthropic = PROVIDERS["anthropic"]
    for spec in PROVIDERS.values():
        if api_provider == "comet" and spec.name == "anthropic":
            yield replace(spec, key_variables=(), model_variables=())
        elif api_provider == "comet" and spec.name == "comet":
            keys = (*spec.key_variables, *anthropic.key_variables)
            yield replace(spec, key_variables=keys, model_variables=anthropic.model_variables)
        else:
            yield spec


def _check_table(name: str, table: ProviderTable, raw: RawSettings, *, custom: bool) -> bool:
    errors = [*_name_errors(name, custom=custom), *_value_errors(name, table)]
    raw.errors += [Source(key, raw.file).message(text) for key, text in errors]
    return not errors


def _name_errors(name: str, *, custom: bool) -> Iterator[tuple[str, str]]:
    if name in _RESERVED_NAMES:
        yield f"providers.{name}", "the name is one of ours; choose another"
    elif custom and not _NAME.fullmatch(name):
        yield f"providers.{name}", "a provider's name is a small letter and then a-z, 0-9, _ or -"


def _value_errors(name: str, table: ProviderTable) -> Iterator[tuple[str, str]]:
    known = [f"providers.{name}.{key}" for key in _KEYS]
    for key, value in table.items():
        path = f"providers.{name}.{key}"
        if key not in _KEYS:
            yield path, unknown_name(path, known)
        elif key == "models":
            continue  # a list, which is validated later
        elif key == OAUTH:
            yield from oauth_errors(name, value)
        elif not isinstance(value, str):
            yield path, f"{display_value(value)} is not a text; put it in quotes"
        elif key in _CHECKS and (text := _CHECKS[key](value)):
            yield path, text


def _check_dialect(value: str) -> str | None:
    if value in CONSTRUCTORS:
        return None
    return f"{display_value(value)} is not spoken; use {', '.join(CONSTRUCTORS)}"


def _check_variable(value: str) -> str | None:
    if value.startswith("CARTRITA_"):  # it would send a secret of ours to the provider
        return "that variable is Cartrita's own; name the provider's"
    if not _VARIABLE.fullmatch(value):
        return "it is not a variable's name; the key itself stays out of the file"
    return None


_CHECKS = {"dialect": _check_dialect, "api_key_env": _check_variable}


def _resolve(
    spec: ProviderSpec, table: ProviderTable | None, raw: RawSettings, resolved: ResolvedProviders
) -> None:
    key_variable = (table or {}).get("api_key_env")
    url = _first_set(spec.url_variables, raw)
    key = _first_set((str(key_variable),) if key_variable else spec.key_variables, raw)
    if url is None and key is None and table is None:
        return
    unset = key_variable if key_variable and key is None else missing_variable(table or {}, raw)
    if unset:
        source = Source(f"providers.{spec.name}", raw.file)
        text = f"{unset} is not set, so this provider is left out"
        raw.warnings.append(source.message(text))
        return
    from_file = _file_parts(table or {}, spec.name, raw)
    if not (url or from_file.get("base_url") or spec.base_url):
        _report_missing_address(spec, key, raw)
        return
    defaults: dict[str, Part] = {
        "name": (spec.name, None),
        "dialect": (spec.dialect, None),
        "base_url": (spec.base_url, None),
    }
    model = _first_set(spec.model_variables, raw)
    from_environment = {"base_url": url, "api_key": key, "default_model": model}
    entry = defaults | from_file | {key: part for key, part in from_environment.items() if part}
    base_url, source = entry["base_url"]
    if "dialect" not in from_file and (endpoint := endpoint_of(str(base_url))):
        entry["dialect"] = (DIALECTS[endpoint], None)
    entry["base_url"] = (_with_default_path(base_url, spec.default_path), source)
    resolved.add(entry)


def _file_parts(table: ProviderTable, name: str, raw: RawSettings) -> dict[str, Part]:
    parts: dict[str, Part] = {
        key: (value, Source(f"providers.{name}.{key}", raw.file))
        for key, value in table.items()
        if key not in ("api_key_env", OAUTH)
    }
    if OAUTH in table:
        parts[OAUTH] = (resolve_oauth(table, raw), source_of(name, raw))
    return parts


def _report_missing_address(spec: ProviderSpec, key: Part | None, raw: RawSettings) -> None:
    if spec.name in raw.tables:
        source = Source(f"providers.{spec.name}", raw.file)
        text = 'it has no base_url; write base_url = "https://host/v1"'
        raw.errors.append(source.message(text))
    elif key and key[1]:
        text = f"there is no address for it; set {spec.url_variables[0]}"
        raw.warnings.append(key[1].message(text))


def _with_default_path(url: object, path: str) -> object:
    if isinstance(url, str) and _URL_WITHOUT_PATH.fullmatch(url):
        return f"{url.rstrip('/')}{path}"
    return url


def _first_set(names: tuple[str, ...], raw: RawSettings) -> Part | None:
    for name in names:
        if name in raw.variables:
            variable = raw.variables[name]
            return variable.value, Source(name, variable.where)
    return None

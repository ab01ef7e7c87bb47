"""Which providers are configured: the table of vendors, met with the environment and the file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cartrita.settings.addresses import shown
from cartrita.settings.problems import Origin, no_such
from cartrita.settings.sources import Found
from cartrita.settings.vendors import EXTRA_DIALECTS, Vendor, vendors

Place: TypeAlias = tuple[str | int, ...]
Table: TypeAlias = Mapping[str, object]
Part: TypeAlias = tuple[object, Origin | None]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_PATH = re.compile(r"https?://[^/?#]+/?")
_PARTS = ("base_url", "api_key_env", "dialect", "models", "default_model")
_RESERVED = ("offline", "cartrita")


@dataclass(slots=True)
class Resolved:
    """Entries as they stand before validation, and where each of their parts came from."""

    entries: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    origins: dict[Place, Origin] = field(default_factory=dict[Place, Origin])

    def add(self, entry: dict[str, Part]) -> None:
        """One more provider, part by part."""
        for part, (_, origin) in entry.items():
            if origin:
                self.origins["providers", "entries", len(self.entries), part] = origin
        self.entries.append({part: value for part, (value, _) in entry.items()})


def resolve(found: Found, api_provider: str | None) -> Resolved:
    """Vendors first, in the order of their table, then the file's own providers in theirs.

    A key, an address or a table in the file brings a vendor; the environment goes before the file.
    """
    resolved = Resolved()
    rows = {vendor.name: vendor for vendor in vendors(api_provider)}
    own = {name: _own(name) for name in found.tables if name not in rows}
    for name, row in (rows | own).items():
        table = found.tables.get(name)
        if table is None or _sound(name, table, found, own=name in own):
            _bring(row, table, found, resolved)
    return resolved


def variable_names(found: Found) -> Iterator[str]:
    """The environment names that the file's own providers are read from."""
    for name, table in found.tables.items():
        yield from (f"{_upper(name)}_API_KEY", f"{_upper(name)}_BASE_URL")
        if isinstance(named := table.get("api_key_env"), str):
            yield named


def _own(name: str) -> Vendor:
    upper = _upper(name)
    return Vendor(name, "openai", "", (f"{upper}_API_KEY",), (f"{upper}_BASE_URL",))


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def _sound(name: str, table: Table, found: Found, *, own: bool) -> bool:
    wrong = [*_misnamed(name, own=own), *_wrong(name, table)]
    found.problems += [Origin(key, found.file).says(text) for key, text in wrong]
    return not wrong


def _misnamed(name: str, *, own: bool) -> Iterator[tuple[str, str]]:
    if name in _RESERVED:
        yield f"providers.{name}", "the name is one of ours; choose another"
    elif own and not _NAME.fullmatch(name):
        yield f"providers.{name}", "a provider's name is a small letter and then a-z, 0-9, _ or -"


def _wrong(name: str, table: Table) -> Iterator[tuple[str, str]]:
    known = [f"providers.{name}.{part}" for part in _PARTS]
    for part, value in table.items():
        key = f"providers.{name}.{part}"
        if part not in _PARTS:
            yield key, no_such(key, known)
        elif part == "models":
            continue  # a list, which validation looks at
        elif not isinstance(value, str):
            yield key, f"{shown(value)} is not a text; put it in quotes"
        elif part in _CHECKS and (text := _CHECKS[part](value)):
            yield key, text


def _dialect(value: str) -> str | None:
    spoken = ", ".join(EXTRA_DIALECTS)
    return None if value in EXTRA_DIALECTS else f"{shown(value)} is not spoken; use {spoken}"


def _variable(value: str) -> str | None:
    if value.startswith("CARTRITA_"):  # it would send a secret of ours to the provider
        return "that variable is Cartrita's own; name the provider's"
    if not _VARIABLE.fullmatch(value):
        return "it is not a variable's name; the key itself stays out of the file"
    return None


_CHECKS = {"dialect": _dialect, "api_key_env": _variable}


def _bring(row: Vendor, table: Table | None, found: Found, resolved: Resolved) -> None:
    named = (table or {}).get("api_key_env")
    url = _first(row.urls, found)
    key = _first((str(named),) if named else row.keys, found)
    if url is None and key is None and table is None:
        return
    if named and key is None:
        origin = Origin(f"providers.{row.name}", found.file)
        found.warnings.append(origin.says(f"{named} is not set, so this provider is left out"))
        return
    entry = _file_parts(table or {}, row.name, found)
    address = url or entry.get("base_url")
    if not address and not row.base_url:
        _without_address(row, key, found)
        return
    usual: dict[str, Part] = {
        "name": (row.name, None),
        "dialect": (row.dialect, None),
        "base_url": (row.base_url, None),
    }
    given = {"base_url": url, "api_key": key, "default_model": _first(row.models, found)}
    entry = usual | entry | {part: value for part, value in given.items() if value}
    entry["base_url"] = (_versioned(entry["base_url"][0], row.version), entry["base_url"][1])
    resolved.add(entry)


def _file_parts(table: Table, name: str, found: Found) -> dict[str, Part]:
    return {
        part: (value, Origin(f"providers.{name}.{part}", found.file))
        for part, value in table.items()
        if part != "api_key_env"
    }


def _without_address(row: Vendor, key: Part | None, found: Found) -> None:
    if row.name in found.tables:
        origin = Origin(f"providers.{row.name}", found.file)
        found.problems.append(origin.says('it has no base_url; write base_url = "https://host/v1"'))
    elif key and key[1]:
        found.warnings.append(key[1].says(f"there is no address for it; set {row.urls[0]}"))


def _versioned(url: object, version: str) -> object:
    bare = isinstance(url, str) and _NO_PATH.fullmatch(url)
    return f"{str(url).rstrip('/')}{version}" if bare else url


def _first(names: tuple[str, ...], found: Found) -> Part | None:
    for name in names:
        if name in found.variables:
            variable = found.variables[name]
            return variable.value, Origin(name, variable.where)
    return None

"""The `oauth` table of a provider in the file: which client fetches its access tokens."""

from collections.abc import Iterator, Mapping
from typing import cast

from cartrita.settings.errors import Source, display_value, unknown_name
from cartrita.settings.sources import RawSettings

OAUTH = "oauth"

_VARIABLES = {"client_id_env": "client_id", "client_secret_env": "client_secret"}
_REQUIRED = ("token_url", *_VARIABLES)
_KEYS = (*_REQUIRED, "scope", "client_auth")


def oauth_errors(name: str, value: object) -> Iterator[tuple[str, str]]:
    """The paths of what is wrong in the table, each with a sentence."""
    prefix = f"providers.{name}.{OAUTH}"
    if not isinstance(value, dict):
        yield prefix, f"it is a table; write {OAUTH} = {{ token_url = ... }}"
        return
    table = cast("dict[str, object]", value)
    for key, given in table.items():
        path = f"{prefix}.{key}"
        if key not in _KEYS:
            yield path, unknown_name(path, [f"{prefix}.{known}" for known in _KEYS])
        elif not isinstance(given, str):
            yield path, f"{display_value(given)} is not a text; put it in quotes"
        elif key in _VARIABLES and given.startswith("CARTRITA_"):
            yield path, "that variable is Cartrita's own; name the client's"
    missing = [key for key in _REQUIRED if key not in table]
    if missing:
        yield prefix, f"it does not work without {', '.join(missing)}"


def oauth_variables(table: Mapping[str, object]) -> tuple[str, ...]:
    """The environment variables that the `oauth` table in a provider's table names."""
    oauth = table.get(OAUTH)
    if not isinstance(oauth, dict):
        return ()
    given = cast("dict[str, object]", oauth)
    return tuple(str(given[key]) for key in _VARIABLES if key in given)


def resolve_oauth(table: Mapping[str, object], raw: RawSettings) -> dict[str, object]:
    """The client with the values of its variables, which are all set."""
    given = dict(cast("dict[str, object]", table[OAUTH]))
    for key, field in _VARIABLES.items():
        given[field] = raw.variables[str(given.pop(key))].value
    return given


def missing_variable(table: Mapping[str, object], raw: RawSettings) -> str | None:
    """The first of its variables that is not set; None if there is none."""
    return next((name for name in oauth_variables(table) if name not in raw.variables), None)


def source_of(name: str, raw: RawSettings) -> Source:
    """Where the table stands."""
    return Source(f"providers.{name}.{OAUTH}", raw.file)

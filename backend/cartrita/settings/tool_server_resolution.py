"""Reads the servers of tools of the file, the tables `[mcp.NAME]`, and what they name elsewhere."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Final, cast

from pydantic import ValidationError

from cartrita.settings.errors import Source, display_value
from cartrita.settings.sources import RawSettings
from cartrita.settings.tool_servers import ConfiguredToolServer
from cartrita.settings.types import BaseDirectories

_PASSED: Final = "pass_env"
_TOKEN: Final = "token_env"  # noqa: S105 - the name of a setting
_OUR_OWN: Final = "CARTRITA_"
_ALWAYS: Final = "PATH"


def resolve_tool_servers(
    raw: RawSettings, directories: BaseDirectories
) -> tuple[ConfiguredToolServer, ...]:
    """The servers, without those that are invalid: their errors are added to `raw`."""
    servers: list[ConfiguredToolServer] = []
    for name, table in raw.mcp.items():
        problems = len(raw.errors)
        given = {**table, "name": name}
        _pass_variables(given, name, raw)
        usable = _add_token(given, name, raw)
        if not usable or len(raw.errors) > problems:
            continue
        try:
            server = ConfiguredToolServer.model_validate(given, context=directories)
        except ValidationError as error:
            _add_problems(name, error, raw)
            continue
        servers.append(server)
    if servers and find_spec("mcp") is None:
        text = (
            "the client for it is not installed; it is the extra mcp, in a clone: .venv/bin/uv pip "
            "install --python .venv -c requirements-dev.lock -e 'backend[mcp]'"
        )
        raw.errors.append(Source(f"mcp.{servers[0].name}", raw.file).message(text))
    return tuple(servers)


def tool_server_variables(raw: RawSettings) -> Iterator[str]:
    """The environment variables that these tables name."""
    for table in raw.mcp.values():
        yield from _names(table.get(_PASSED))
        yield from _names([table.get(_TOKEN)])


def _pass_variables(given: dict[str, object], name: str, raw: RawSettings) -> None:
    """Put the variables that a program gets of our environment into its own."""
    passed = given.pop(_PASSED, [])
    source = Source(f"mcp.{name}.{_PASSED}", raw.file)
    names = _names(passed)
    if not isinstance(passed, list) or len(names) != len(cast("list[object]", passed)):
        raw.errors.append(source.message("it is no list of names of variables"))
        return
    found: dict[str, object] = {}
    for one in (_ALWAYS, *names) if "command" in given else names:
        if one.startswith(_OUR_OWN):
            raw.errors.append(source.message(f"{one} is Cartrita's own; name others"))
        elif one in raw.variables:
            found[one] = raw.variables[one].value
        elif one != _ALWAYS:
            raw.warnings.append(source.message(f"{one} is not set"))
    env = given.get("env", {})
    if found and isinstance(env, dict):
        given["env"] = {**found, **cast("dict[str, object]", env)}


def _add_token(given: dict[str, object], name: str, raw: RawSettings) -> bool:
    """Make the header that shows the token in a variable; False where there is none."""
    variable = given.pop(_TOKEN, None)
    if variable is None:
        return True
    source = Source(f"mcp.{name}.{_TOKEN}", raw.file)
    if not isinstance(variable, str) or variable.startswith(_OUR_OWN):
        raw.errors.append(source.message("it is not the name of a variable of the server's"))
        return False
    if variable not in raw.variables:
        text = f"{display_value(variable)} is not set, so this server is left out"
        raw.warnings.append(source.message(text))
        return False
    headers = given.get("headers", {})
    if isinstance(headers, dict):
        token = f"Bearer {raw.variables[variable].value}"
        given["headers"] = {"Authorization": token, **cast("dict[str, object]", headers)}
    return True


def _add_problems(name: str, error: ValidationError, raw: RawSettings) -> None:
    for problem in error.errors(include_url=False, include_input=False):
        path = ".".join(map(str, ("mcp", name, *problem["loc"])))
        reason = cast("Mapping[str, object]", problem.get("ctx", {})).get("error")
        told = str(reason) if isinstance(reason, ValueError) else problem["msg"]
        raw.errors.append(Source(path, raw.file).message(told[:1].lower() + told[1:]))


def _names(values: object) -> list[str]:
    if not isinstance(values, list):
        return []
    return [one for one in cast("list[object]", values) if isinstance(one, str)]

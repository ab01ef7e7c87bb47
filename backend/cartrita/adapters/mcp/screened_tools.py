"""Lists of tools before the SDK reads them: it takes all of a list, or nothing."""

from typing import Final, cast

import structlog

from cartrita.domain.json import JsonObject
from cartrita.domain.tools import LONGEST_TOOL_NAME
from cartrita.kit.text import shortened, storable_text

_TEXTS: Final = ("title", "description")
MOST_TOOLS: Final = 1000
"""Of one server; all others are left out unseen."""
_MOST_TOLD: Final = 10
_NO_NAME = "(no name)"

log = structlog.get_logger(__name__)


def screen_tools(result: dict[str, object], server: str) -> None:
    """Leave of a list of tools those that can be read, and of each what is used of it.

    The SDK would not read the others because of one, or of an icon; and it would check results
    against a stranger's patterns, of which one that never ends would hold the event loop.
    """
    tools = result.get("tools")
    if not isinstance(tools, list):
        return
    given = cast("list[object]", tools)
    kept: list[object] = []
    first: list[str] = []
    for tool in given[:MOST_TOOLS]:
        problem = _problem(tool)
        if problem is None:
            kept.append(_used(cast("JsonObject", tool)))
        elif len(first) < _MOST_TOLD:
            first.append(f"{_name(tool)}: {problem}")
    result["tools"] = kept
    if count := len(given) - len(kept):
        log.warning("served_tool_left_out", server=server, count=count, first=first)


def _used(tool: JsonObject) -> dict[str, object]:
    used: dict[str, object] = {"name": tool["name"], "inputSchema": tool["inputSchema"]}
    return used | {key: tool[key] for key in _TEXTS if isinstance(tool.get(key), str)}


def _problem(tool: object) -> str | None:
    """Why a definition is none, in words."""
    if not isinstance(tool, dict):
        return "it is no object"
    known = cast("JsonObject", tool)
    if not isinstance(known.get("name"), str):
        return "it has no name"
    schema = known.get("inputSchema")
    if not isinstance(schema, dict) or not _is_readable(cast("JsonObject", schema)):
        return "its schema is none of an object"
    return None


def _is_readable(schema: JsonObject) -> bool:
    """Whether it is one as every version of the protocol has it."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return (
        schema.get("type") == "object"
        and isinstance(schema.get("$schema", ""), str)
        and isinstance(properties, dict)
        and all(isinstance(each, dict | bool) for each in cast("JsonObject", properties).values())
        and isinstance(required, list)
        and all(isinstance(name, str) for name in cast("list[object]", required))
    )


def _name(tool: object) -> str:
    """What it calls itself, for the log."""
    name = cast("JsonObject", tool).get("name") if isinstance(tool, dict) else None
    return shortened(storable_text(name), LONGEST_TOOL_NAME) if isinstance(name, str) else _NO_NAME

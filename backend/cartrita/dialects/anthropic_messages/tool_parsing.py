"""Parses the tools of callers and their choice among them."""

import re

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.block_parsing import breakpoint_of
from cartrita.dialects.anthropic_messages.json_checks import convert
from cartrita.dialects.anthropic_messages.schemas import schema_problem
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.places import Places
from cartrita.domain.tools import NamedTool, Tool, ToolSpec, VendorTool
from cartrita.domain.tools import ToolChoice as DomainChoice

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_KNOWN = ("type", "defer_loading", "allowed_callers", *wire.Tool.__struct_fields__)
_NULLABLE = ("properties", "required")
_CHOICES: dict[str, DomainChoice] = {"auto": "auto", "any": "required", "none": "none"}


class Choice(msgspec.Struct, frozen=True):
    """How the model should use the tools; `parallel` is whether it may call several at once."""

    choice: DomainChoice = "auto"
    parallel: bool | None = None


def parse_tools(values: list[JsonObject], places: Places) -> tuple[Tool, ...]:
    """The tools, whose places are added; those that are not the caller's own are Anthropic's.

    Raises InvalidInput.
    """
    tools = tuple(_tool(value, f"tools.{index}") for index, value in enumerate(values))
    for index, tool in enumerate(tools):
        places.add(tool, f"tools.{index}")
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise InvalidInput.of("tools", "Tool names must be unique.")
    return tools


def parse_choice(choice: wire.ToolChoice | None, tools: tuple[Tool, ...]) -> Choice:
    """The choice. Raises InvalidInput for one that fits no tool."""
    if choice is None:
        return Choice()
    if not tools:
        raise InvalidInput.of("tool_choice", "may only be specified while providing tools")
    single = choice.disable_parallel_tool_use
    parallel = None if single is None else not single
    if choice.type != "tool":
        return Choice(_CHOICES[choice.type], parallel)
    if choice.name is None:
        raise InvalidInput.of("tool_choice.name", "Field required")
    if choice.name not in {tool.name for tool in tools}:
        raise InvalidInput.of(
            "tool_choice.name", f"Tool '{choice.name}' not found in provided tools"
        )
    return Choice(NamedTool(choice.name), parallel)


def _tool(value: JsonObject, path: str) -> Tool:
    kind = value.get("type")
    if kind not in (None, "custom"):
        if not isinstance(kind, str):
            raise InvalidInput.of(f"{path}.type", "Input should be a valid string")
        name = value.get("name")
        return VendorTool(DIALECT, name if isinstance(name, str) else kind, value)
    path = f"{path}.custom"
    tool = convert(value, wire.Tool, path)
    if not _NAME.fullmatch(tool.name):
        problem = f"String should match pattern '^{_NAME.pattern}$'"
        raise InvalidInput.of(f"{path}.name", problem)
    schema = _without_nulls(tool.input_schema)
    _check_schema(schema, f"{path}.input_schema")
    if value.get("defer_loading") or value.get("allowed_callers", ["direct"]) != ["direct"]:
        return VendorTool(DIALECT, tool.name, value)
    more: JsonObject = {
        name: one for name, one in value.items() if name not in _KNOWN and one is not None
    }
    return ToolSpec(
        tool.name,
        tool.description or "",
        schema,
        tool.strict,
        breakpoint_of(tool.cache_control),
        DIALECT if more else None,
        more,
    )


def _without_nulls(schema: JsonObject) -> JsonObject:
    """The schema of the input without the fields that the API takes as null, which means none."""
    return {
        name: value for name, value in schema.items() if value is not None or name not in _NULLABLE
    }


def _check_schema(schema: JsonObject, path: str) -> None:
    if "type" not in schema:
        raise InvalidInput.of(f"{path}.type", "Field required")
    if schema["type"] != "object":
        raise InvalidInput.of(f"{path}.type", "Input should be 'object'")
    if problem := schema_problem(schema):
        raise InvalidInput.of(path, f"JSON schema is invalid. {problem}")

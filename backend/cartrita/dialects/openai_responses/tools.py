"""Parses and renders tools and the choice among them."""

from typing import Final, cast

import msgspec

from cartrita.dialects import function_schemas
from cartrita.dialects.computer_functions import function_of
from cartrita.dialects.losses import Losses
from cartrita.dialects.openai_refusals import refusal, wrong_type
from cartrita.dialects.openai_responses import DIALECT, json_checks
from cartrita.dialects.openai_responses.computer_items import is_own_form, tool_entry
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool, NamedTool, Tool, ToolChoice, ToolSpec, VendorTool

_FUNCTION: Final = {"type", "name", "description", "parameters", "strict"}
_CHOICES: Final = ("none", "auto", "required")
_NO_PARAMETERS: Final[JsonObject] = {"type": "object", "properties": {}}


class Choice(msgspec.Struct, frozen=True):
    """A tool choice; `vendor` is one that only OpenAI understands, and `choice` the nearest."""

    choice: ToolChoice = "auto"
    vendor: JsonValue = None


def parse_tools(value: JsonValue) -> tuple[Tool, ...]:
    """The tools of a request; a function with options that only OpenAI has is a vendor's tool."""
    if value is None:
        return ()
    return tuple(
        _parse_tool(tool, f"tools[{n}]")
        for n, tool in enumerate(json_checks.as_list(value, "tools"))
    )


def parse_choice(value: JsonValue, tools: tuple[Tool, ...]) -> Choice:
    """The tool choice of a request. Raises InvalidInput for a function that is no tool."""
    if value is None:
        return Choice()
    if isinstance(value, str):
        if value not in _CHOICES:
            raise json_checks.wrong_value("tool_choice", value, _CHOICES)
        return Choice(cast("ToolChoice", value))
    choice = json_checks.as_object(value, "tool_choice")
    kind = json_checks.string(choice, "type", "tool_choice")
    if kind == "allowed_tools":
        mode = json_checks.choice(choice, "mode", "tool_choice", ("auto", "required"))
        return Choice("required" if mode == "required" else "auto", choice)
    if kind != "function":
        return Choice("auto", choice)
    name = json_checks.string(choice, "name", "tool_choice")
    if name not in {tool.name for tool in tools}:
        problem = f"Tool choice '{name}' not found in 'tools' parameter."
        raise refusal("tool_choice", problem, "invalid_value")
    return Choice(NamedTool(name))


def render_tools(request: ModelRequest, losses: Losses) -> list[JsonObject]:
    """The tools of a request; those of other vendors are lost."""
    rendered: list[JsonObject] = []
    for tool in request.tools:
        if isinstance(tool, ComputerTool):
            own = is_own_form(tool)
            rendered.append(tool_entry(tool) if own else _function(function_of(tool), False))
        elif isinstance(tool, ToolSpec):
            rendered.append(_function(tool, request.origin == DIALECT))
            losses.dropped_tool_fields(tool)
            if tool.cache is not None:
                why = "OpenAI caches prompts by itself."
                losses.dropped("tools.cache_control", why, tool, "cache_control")
        elif tool.origin == DIALECT:
            rendered.append(tool.definition)
        else:
            losses.dropped(
                f"tools.{tool.name}", "Only the provider of this tool has it.", tool, "type"
            )
    return rendered


def render_choice(choice: ToolChoice, computer: ComputerTool | None) -> JsonValue:
    """The tool choice; None for the default."""
    if isinstance(choice, NamedTool):
        if computer is not None and choice.name == computer.name and is_own_form(computer):
            return {"type": computer.form}
        return {"type": "function", "name": choice.name}
    return None if choice == "auto" else choice


def _parse_tool(value: JsonValue, path: str) -> Tool:
    tool = json_checks.as_object(value, path)
    kind = json_checks.string(tool, "type", path)
    if kind != "function":
        label = tool.get("name") or tool.get("server_label")
        return VendorTool(DIALECT, label if isinstance(label, str) else kind, tool)
    name = json_checks.string(tool, "name", path)
    if any(value is not None for key, value in tool.items() if key not in _FUNCTION):
        return VendorTool(DIALECT, name, tool)
    strict = tool.get("strict")
    if strict is not None and not isinstance(strict, bool):
        raise wrong_type(f"{path}.strict", "a boolean", strict)
    parameters = json_checks.optional_object(tool, "parameters", path) or _NO_PARAMETERS
    if parameters.get("type") != "object":
        problem = (
            f"Invalid schema for function '{name}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: \"{parameters.get('type')}\"'."
        )
        raise refusal(f"{path}.parameters", problem, "invalid_function_parameters")
    if (wrong := function_schemas.find_problem(parameters)) is not None:
        problem = f"Invalid schema for function '{name}': {wrong}."
        raise refusal(f"{path}.parameters", problem, "invalid_function_parameters")
    description = json_checks.optional_string(tool, "description", path) or ""
    return ToolSpec(name, description, parameters, strict)


def _function(tool: ToolSpec, own: bool) -> JsonObject:
    """A function; where strict is not said, OpenAI assumes it here and nowhere else."""
    function: JsonObject = {"type": "function", "name": tool.name, "parameters": tool.parameters}
    if tool.description:
        function["description"] = tool.description
    if tool.strict is not None or not own:
        function["strict"] = bool(tool.strict)
    return function

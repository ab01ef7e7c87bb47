"""Parses the body of a chat completion request into a model request."""

from typing import Any, Literal, cast

import msgspec

from cartrita.dialects.openai_chat import (
    DIALECT,
    message_checks,
    message_parsing,
    request_checks,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.places import Places
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.tools import NamedTool, Tool, ToolChoice, ToolSpec, VendorTool

_KNOWN = {
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
}
"""The fields that are read, here or to decide how to answer: all others are vendor fields."""

_NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what concerns only the surface."""

    request: ModelRequest
    metadata: JsonObject = {}


def parse(body: JsonObject, owner_id: str, *, continued: bool = False) -> Parsed:
    """The request. Raises InvalidInput with the field, sentence and code of OpenAI's own error.

    `continued` is for messages that follow a stored conversation.
    """
    fields = {
        name: value for name, value in body.items() if value is not None or name == "messages"
    }
    request_checks.check(fields)
    messages = message_checks.check(fields["messages"], continued=continued)
    return Parsed(
        request=_request(fields, messages, owner_id),
        metadata=cast("JsonObject", fields.get("metadata", {})),
    )


def _request(fields: JsonObject, messages: list[JsonObject], owner_id: str) -> ModelRequest:
    places = Places()
    instructions, said = message_parsing.parse(messages, places)
    tools = _tools(fields)
    for number, tool in enumerate(tools):
        places.add(tool, f"tools[{number}]")
    vendor: JsonObject = {name: value for name, value in fields.items() if name not in _KNOWN}
    choice = fields.get("tool_choice")
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        vendor["tool_choice"] = choice
    return ModelRequest(
        owner_id=owner_id,
        model=cast("str", fields["model"]),
        messages=said,
        instructions=instructions,
        tools=tools,
        tool_choice=_tool_choice(choice or fields.get("function_call")),
        parallel_tool_calls=cast("bool | None", fields.get("parallel_tool_calls")),
        sampling=_sampling(fields),
        response_format=_response_format(fields),
        reasoning=ReasoningOptions(effort=cast("str | None", fields.get("reasoning_effort"))),
        user=cast("str | None", fields.get("user")),
        origin=DIALECT,
        vendor=VendorFields(DIALECT, vendor) if vendor else None,
        places=places,
    )


def _tools(fields: JsonObject) -> tuple[Tool, ...]:
    functions = cast("list[JsonObject]", fields.get("functions", []))
    legacy: list[JsonObject] = [{"type": "function", "function": each} for each in functions]
    tools = cast("list[JsonObject]", fields.get("tools", legacy))
    return tuple(_tool(tool) for tool in tools)


def _tool(tool: JsonObject) -> Tool:
    if tool["type"] == "custom":
        custom = cast("JsonObject", tool["custom"])
        return VendorTool(DIALECT, cast("str", custom["name"]), tool)
    function = cast("dict[str, Any]", tool["function"])
    return ToolSpec(
        function["name"],
        function.get("description") or "",
        function.get("parameters") or _NO_PARAMETERS,
        function.get("strict"),
    )


def _tool_choice(choice: object) -> ToolChoice:
    if choice is None or isinstance(choice, str):
        return cast("ToolChoice", choice or "auto")
    fields = cast("dict[str, Any]", choice)
    match fields.get("type"):
        case "allowed_tools":
            return fields["allowed_tools"]["mode"]
        case "custom":
            return NamedTool(fields["custom"]["name"])
        case "function":
            return NamedTool(fields["function"]["name"])
        case _:
            return NamedTool(fields["name"])


def _sampling(fields: JsonObject) -> Sampling:
    known = cast("dict[str, Any]", fields)
    stop = known.get("stop") or ()
    return Sampling(
        temperature=known.get("temperature"),
        top_p=known.get("top_p"),
        max_tokens=known.get("max_completion_tokens", known.get("max_tokens")),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        seed=known.get("seed"),
        presence_penalty=known.get("presence_penalty"),
        frequency_penalty=known.get("frequency_penalty"),
        logit_bias=known.get("logit_bias"),
        logprobs=known.get("top_logprobs", 0) if known.get("logprobs") else None,
    )


def _response_format(fields: JsonObject) -> ResponseFormat:
    wanted = cast("dict[str, Any]", fields.get("response_format", {"type": "text"}))
    kind: Literal["text", "json_object", "json_schema"] = wanted["type"]
    if kind == "text":
        return ResponseFormat()
    if kind == "json_object":
        return ResponseFormat("json")
    schema = wanted["json_schema"]
    return ResponseFormat(
        "json_schema",
        schema["name"],
        schema.get("schema", {}),
        schema.get("description"),
        schema.get("strict"),
    )

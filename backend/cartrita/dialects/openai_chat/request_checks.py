"""Checks of a request's fields other than its messages, one by one and together."""

from typing import cast

from cartrita.dialects import function_schemas
from cartrita.dialects.openai_chat import json_checks
from cartrita.dialects.openai_refusals import missing, missing_model, refusal
from cartrita.domain.json import JsonObject

_NAME = json_checks.string(longest=64, pattern="[a-zA-Z0-9_-]+")
_NAMED = json_checks.record({"name": _NAME})
_OBJECT = json_checks.table(json_checks.anything)


def _parameters(value: object, path: str) -> None:
    """A JSON Schema of an object."""
    schema = json_checks.mapping(value, path)
    kind = schema.get("type")
    if schema and kind != "object" and not {"$ref", "anyOf", "oneOf", "allOf"} & schema.keys():
        shown = "None" if kind is None else kind
        raise refusal(
            path,
            f"Invalid schema for function: schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: \"{shown}\"'.",
            "invalid_function_parameters",
        )
    if (wrong := function_schemas.find_problem(schema, path)) is not None:
        problem = f"Invalid schema for function: {wrong}."
        raise refusal(path, problem, "invalid_function_parameters")


_FUNCTION = json_checks.record(
    {"name": _NAME},
    {
        "description": json_checks.nullable(json_checks.string()),
        "parameters": json_checks.nullable(_parameters),
        "strict": json_checks.nullable(json_checks.boolean),
    },
)
_TOOL = json_checks.tagged(
    {
        "function": json_checks.record({"function": _FUNCTION}),
        "custom": json_checks.record(
            {
                "custom": json_checks.record(
                    {"name": _NAME},
                    {"description": json_checks.nullable(json_checks.string()), "format": _OBJECT},
                )
            }
        ),
    }
)
_TOOL_CHOICE = json_checks.either(
    "one of a string or object",
    {
        str: json_checks.choice("none", "auto", "required"),
        dict: json_checks.tagged(
            {
                "function": json_checks.record({"function": _NAMED}),
                "custom": json_checks.record({"custom": _NAMED}),
                "allowed_tools": json_checks.record(
                    {
                        "allowed_tools": json_checks.record(
                            {
                                "mode": json_checks.choice("auto", "required"),
                                "tools": json_checks.array(_OBJECT),
                            }
                        )
                    }
                ),
            }
        ),
    },
)
_RESPONSE_FORMAT = json_checks.tagged(
    {
        "text": json_checks.anything,
        "json_object": json_checks.anything,
        "json_schema": json_checks.record(
            {
                "json_schema": json_checks.record(
                    {"name": _NAME},
                    {
                        "description": json_checks.nullable(json_checks.string()),
                        "schema": _OBJECT,
                        "strict": json_checks.nullable(json_checks.boolean),
                    },
                )
            }
        ),
    }
)
_STOP = json_checks.either(
    "one of a string or array of strings",
    {str: json_checks.string(), list: json_checks.array(json_checks.string(), 1, 4, "strings")},
)
_FIELDS: dict[str, json_checks.Check] = {
    "model": json_checks.string(),
    "frequency_penalty": json_checks.decimal(-2, 2),
    "function_call": json_checks.either(
        "one of a string or object", {str: json_checks.choice("none", "auto"), dict: _NAMED}
    ),
    "functions": json_checks.array(_FUNCTION, 1, 128),
    "logit_bias": json_checks.table(json_checks.decimal(-100, 100)),
    "logprobs": json_checks.boolean,
    "max_completion_tokens": json_checks.integer(1),
    "max_tokens": json_checks.integer(1),
    "metadata": json_checks.table(json_checks.string(longest=512), at_most=16),
    "modalities": json_checks.array(json_checks.choice("text", "audio"), 1, items="strings"),
    "n": json_checks.integer(1, 128),
    "parallel_tool_calls": json_checks.boolean,
    "presence_penalty": json_checks.decimal(-2, 2),
    "reasoning_effort": json_checks.choice(
        "none", "minimal", "low", "medium", "high", "xhigh", "max"
    ),
    "response_format": _RESPONSE_FORMAT,
    "seed": json_checks.integer(-(2**63), 2**63 - 1),
    "stop": _STOP,
    "store": json_checks.boolean,
    "stream": json_checks.boolean,
    "stream_options": json_checks.record(
        {},
        {
            "include_usage": json_checks.nullable(json_checks.boolean),
            "include_obfuscation": json_checks.nullable(json_checks.boolean),
        },
    ),
    "temperature": json_checks.decimal(0, 2),
    "tool_choice": _TOOL_CHOICE,
    "tools": json_checks.array(_TOOL, 1, 128),
    "top_logprobs": json_checks.integer(0, 20),
    "top_p": json_checks.decimal(0, 1),
    "user": json_checks.string(),
    "verbosity": json_checks.choice("low", "medium", "high"),
}
"""Null is the same as absence."""


def check(fields: JsonObject) -> None:
    """Raise InvalidInput as OpenAI refuses the fields; `fields` are those that are not null."""
    if not fields.get("model"):
        raise missing_model()
    if "messages" not in fields:
        raise missing("messages")
    for name, value in fields.items():
        if name in _FIELDS:
            _FIELDS[name](value, name)
    _check_together(fields)


def _check_together(fields: JsonObject) -> None:
    if "stream_options" in fields and not fields.get("stream"):
        raise refusal(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in fields and "tools" not in fields and fields[name] != "none":
            raise refusal(
                name,
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
            )
    if "top_logprobs" in fields and not fields.get("logprobs"):
        raise refusal(
            "top_logprobs",
            "Invalid value for 'top_logprobs': 'logprobs' must be set to true when 'top_logprobs' "
            "is set.",
        )
    if "max_tokens" in fields and "max_completion_tokens" in fields:
        raise refusal(
            "max_tokens",
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "invalid_parameter_combination",
        )
    _check_named_choice(fields)


def _check_named_choice(fields: JsonObject) -> None:
    choice = fields.get("tool_choice")
    if not isinstance(choice, dict) or choice["type"] == "allowed_tools":
        return
    kind = cast("str", choice["type"])
    name = cast("JsonObject", choice[kind])["name"]
    tools = cast("list[JsonObject]", fields["tools"])
    offered = [cast("JsonObject", tool[kind])["name"] for tool in tools if tool["type"] == kind]
    if name not in offered:
        raise refusal(
            "tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.", "invalid_value"
        )

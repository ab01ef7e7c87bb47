"""A chat completion request, checked as strictly as OpenAI checks it."""

from collections.abc import Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import errors, messages, shapes, words

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_NAME = shapes.string(longest=64, pattern="[a-zA-Z0-9_-]+")
_SCHEMA = shapes.table(shapes.anything)
_NAMED = shapes.record({"name": _NAME})
_FUNCTION = shapes.record(
    {"name": _NAME},
    {
        "description": shapes.string(),
        "parameters": _SCHEMA,
        "strict": shapes.nullable(shapes.boolean),
    },
)
_TOOL = shapes.tagged(
    {
        "function": shapes.record({"type": shapes.anything, "function": _FUNCTION}),
        "custom": shapes.record(
            {
                "type": shapes.anything,
                "custom": shapes.record(
                    {"name": _NAME}, {"description": shapes.string(), "format": _SCHEMA}
                ),
            }
        ),
    }
)
_TOOL_CHOICE = shapes.either(
    "one of a string or object",
    {
        str: shapes.choice("none", "auto", "required"),
        dict: shapes.tagged(
            {
                "function": shapes.record({"type": shapes.anything, "function": _NAMED}),
                "custom": shapes.record({"type": shapes.anything, "custom": _NAMED}),
                "allowed_tools": shapes.record({"type": shapes.anything, "allowed_tools": _SCHEMA}),
            }
        ),
    },
)
_RESPONSE_FORMAT = shapes.tagged(
    {
        "text": shapes.record({"type": shapes.anything}),
        "json_object": shapes.record({"type": shapes.anything}),
        "json_schema": shapes.record(
            {
                "type": shapes.anything,
                "json_schema": shapes.record(
                    {"name": _NAME},
                    {
                        "description": shapes.string(),
                        "schema": _SCHEMA,
                        "strict": shapes.nullable(shapes.boolean),
                    },
                ),
            }
        ),
    }
)
_STOP = shapes.either(
    "one of a string or array of strings",
    {str: shapes.string(), list: shapes.array(shapes.string(), 1, 4, "strings")},
)
_PARAMETERS: dict[str, shapes.Check] = {
    "messages": messages.check,
    "model": shapes.string(),
    "audio": shapes.nullable(shapes.record({"voice": shapes.anything, "format": shapes.string()})),
    "frequency_penalty": shapes.nullable(shapes.decimal(-2, 2)),
    "function_call": shapes.either(
        "one of a string or object", {str: shapes.choice("none", "auto"), dict: _NAMED}
    ),
    "functions": shapes.array(_FUNCTION, 1, 128),
    "logit_bias": shapes.nullable(shapes.table(shapes.decimal(-100, 100))),
    "logprobs": shapes.nullable(shapes.boolean),
    "max_completion_tokens": shapes.nullable(shapes.integer(1)),
    "max_tokens": shapes.nullable(shapes.integer(1)),
    "metadata": shapes.nullable(shapes.table(shapes.string(longest=512), at_most=16)),
    "modalities": shapes.nullable(shapes.array(shapes.choice("text", "audio"), 1, items="strings")),
    "n": shapes.nullable(shapes.integer(1, 128)),
    "parallel_tool_calls": shapes.boolean,
    "prediction": shapes.nullable(
        shapes.tagged(
            {"content": shapes.record({"type": shapes.anything, "content": shapes.anything})}
        )
    ),
    "presence_penalty": shapes.nullable(shapes.decimal(-2, 2)),
    "prompt_cache_key": shapes.nullable(shapes.string()),
    "prompt_cache_retention": shapes.nullable(shapes.choice("in-memory", "24h")),
    "reasoning_effort": shapes.nullable(shapes.choice(*_EFFORTS)),
    "response_format": _RESPONSE_FORMAT,
    "safety_identifier": shapes.nullable(shapes.string()),
    "seed": shapes.nullable(shapes.integer(-(2**63), 2**63 - 1)),
    "service_tier": shapes.nullable(shapes.choice("auto", "default", "flex", "scale", "priority")),
    "stop": shapes.nullable(_STOP),
    "store": shapes.nullable(shapes.boolean),
    "stream": shapes.nullable(shapes.boolean),
    "stream_options": shapes.nullable(
        shapes.record({}, {"include_usage": shapes.boolean, "include_obfuscation": shapes.boolean})
    ),
    "temperature": shapes.nullable(shapes.decimal(0, 2)),
    "tool_choice": _TOOL_CHOICE,
    "tools": shapes.array(_TOOL, 1, 128),
    "top_logprobs": shapes.nullable(shapes.integer(0, 20)),
    "top_p": shapes.nullable(shapes.decimal(0, 1)),
    "user": shapes.string(),
    "verbosity": shapes.nullable(shapes.choice("low", "medium", "high")),
    "web_search_options": _SCHEMA,
}


class ChatRequest(msgspec.Struct, frozen=True):
    """What of a valid request decides its answer.

    `prompt` is the text of the last user message, `after_tool` says that the last message of all is
    a tool's result, `max_tokens` is None where nothing bounds the answer.
    """

    model: str
    prompt: str
    after_tool: bool
    prompt_tokens: int
    stream: bool
    include_usage: bool
    n: int
    max_tokens: int | None
    stop: tuple[str, ...]


def parse(body: bytes, models: Sequence[str]) -> ChatRequest:
    """Return the request, or raise the Refusal that OpenAI answers it with."""
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.not_json() from error
    if not isinstance(value, dict):
        raise errors.not_json()
    fields = cast("dict[str, object]", value)
    _check(fields)
    if fields["model"] not in models:
        raise errors.no_such_model(cast("str", fields["model"]))
    return _request(fields)


def _check(fields: dict[str, object]) -> None:
    if unknown := [name for name in fields if name not in _PARAMETERS]:
        raise errors.unrecognized(unknown)
    if not fields.get("model"):
        raise errors.Refusal("you must provide a model parameter")
    if "messages" not in fields:
        raise errors.missing("messages")
    for name, value in fields.items():
        _PARAMETERS[name](value, name)
    _check_together(fields)


def _check_together(fields: dict[str, object]) -> None:
    if fields.get("stream_options") is not None and not fields.get("stream"):
        raise errors.Refusal(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in fields and "tools" not in fields and fields[name] != "none":
            raise errors.Refusal(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                param=name,
            )
    if fields.get("top_logprobs") is not None and not fields.get("logprobs"):
        raise errors.Refusal(
            "Invalid value for 'top_logprobs': 'logprobs' must be set to true when 'top_logprobs' "
            "is set.",
            param="top_logprobs",
        )
    if fields.get("max_tokens") is not None and fields.get("max_completion_tokens") is not None:
        raise errors.Refusal(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )


def _request(fields: dict[str, object]) -> ChatRequest:
    said = cast("list[messages.Message]", fields["messages"])
    from_user = [message for message in said if message["role"] == "user"]
    options = cast("dict[str, bool]", fields.get("stream_options") or {})
    limit = fields.get("max_completion_tokens") or fields.get("max_tokens")
    stop = fields.get("stop") or ()
    return ChatRequest(
        model=cast("str", fields["model"]),
        prompt=messages.text_of(from_user[-1]) if from_user else "",
        after_tool=said[-1]["role"] in {"tool", "function"},
        # OpenAI counts about four tokens of framing for each message and three for the answer.
        prompt_tokens=3 + sum(4 + words.count(messages.text_of(message)) for message in said),
        stream=bool(fields.get("stream")),
        include_usage=options.get("include_usage", False),
        n=cast("int", fields.get("n") or 1),
        max_tokens=cast("int | None", limit),
        stop=(stop,) if isinstance(stop, str) else tuple(cast("Sequence[str]", stop)),
    )

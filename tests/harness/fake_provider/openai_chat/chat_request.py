"""A chat completion request, checked as strictly as OpenAI checks it."""

from collections.abc import Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question, question
from tests.harness.fake_provider.openai import errors, json_checks, parameters, schemas
from tests.harness.fake_provider.openai_chat import messages

Json = dict[str, object]
_NAME = json_checks.string(longest=64, pattern="[a-zA-Z0-9_-]+")
_SCHEMA = json_checks.table(json_checks.anything)
_NAMED = json_checks.record({"name": _NAME})
_FUNCTION = json_checks.record(
    {"name": _NAME},
    {
        "description": json_checks.string(),
        "parameters": _SCHEMA,
        "strict": json_checks.nullable(json_checks.boolean),
    },
)
_TOOL = json_checks.tagged(
    {
        "function": json_checks.record({"type": json_checks.anything, "function": _FUNCTION}),
        "custom": json_checks.record(
            {
                "type": json_checks.anything,
                "custom": json_checks.record(
                    {"name": _NAME}, {"description": json_checks.string(), "format": _SCHEMA}
                ),
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
                "function": json_checks.record({"type": json_checks.anything, "function": _NAMED}),
                "custom": json_checks.record({"type": json_checks.anything, "custom": _NAMED}),
                "allowed_tools": json_checks.record(
                    {"type": json_checks.anything, "allowed_tools": _SCHEMA}
                ),
            }
        ),
    },
)
_RESPONSE_FORMAT = json_checks.tagged(
    {
        "text": json_checks.record({"type": json_checks.anything}),
        "json_object": json_checks.record({"type": json_checks.anything}),
        "json_schema": json_checks.record(
            {
                "type": json_checks.anything,
                "json_schema": json_checks.record(
                    {"name": _NAME},
                    {
                        "description": json_checks.string(),
                        "schema": _SCHEMA,
                        "strict": json_checks.nullable(json_checks.boolean),
                    },
                ),
            }
        ),
    }
)
_STOP = json_checks.either(
    "one of a string or array of strings",
    {str: json_checks.string(), list: json_checks.array(json_checks.string(), 1, 4, "strings")},
)
_PARAMETERS: dict[str, json_checks.Check] = parameters.SHARED | {
    "messages": messages.check,
    "audio": json_checks.nullable(
        json_checks.record({"voice": json_checks.anything, "format": json_checks.string()})
    ),
    "frequency_penalty": json_checks.nullable(json_checks.decimal(-2, 2)),
    "function_call": json_checks.either(
        "one of a string or object", {str: json_checks.choice("none", "auto"), dict: _NAMED}
    ),
    "functions": json_checks.array(_FUNCTION, 1, 128),
    "logit_bias": json_checks.nullable(json_checks.table(json_checks.decimal(-100, 100))),
    "logprobs": json_checks.nullable(json_checks.boolean),
    "max_completion_tokens": json_checks.nullable(json_checks.integer(1)),
    "max_tokens": json_checks.nullable(json_checks.integer(1)),
    "modalities": json_checks.nullable(
        json_checks.array(json_checks.choice("text", "audio"), 1, items="strings")
    ),
    "n": json_checks.nullable(json_checks.integer(1, 128)),
    "parallel_tool_calls": json_checks.boolean,
    "prediction": json_checks.nullable(
        json_checks.tagged(
            {
                "content": json_checks.record(
                    {"type": json_checks.anything, "content": json_checks.anything}
                )
            }
        )
    ),
    "presence_penalty": json_checks.nullable(json_checks.decimal(-2, 2)),
    "reasoning_effort": json_checks.nullable(json_checks.choice(*parameters.EFFORTS)),
    "response_format": _RESPONSE_FORMAT,
    "seed": json_checks.nullable(json_checks.integer(-(2**63), 2**63 - 1)),
    "stop": json_checks.nullable(_STOP),
    "stream_options": json_checks.nullable(
        json_checks.record(
            {}, {"include_usage": json_checks.boolean, "include_obfuscation": json_checks.boolean}
        )
    ),
    "tool_choice": _TOOL_CHOICE,
    "tools": json_checks.array(_TOOL, 1, 128),
    "verbosity": parameters.VERBOSITY,
    "web_search_options": _SCHEMA,
}


class ChatRequest(msgspec.Struct, frozen=True):
    """What of a valid request decides its answer.

    `max_tokens` is None where nothing bounds the answer, `top_logprobs` where no log probabilities
    are wanted. `schema` is the one that the text must fit. `legacy` says that what is called is a
    function of `functions` and no tool.
    """

    model: str
    asked: Question
    prompt_tokens: int
    stream: bool
    include_usage: bool
    n: int
    max_tokens: int | None
    stop: tuple[str, ...]
    top_logprobs: int | None = None
    schema: Json | None = None
    forced_tool: Json | None = None
    offered: Sequence[Json] = ()
    legacy: bool = False


def parse(body: bytes, models: Sequence[str]) -> ChatRequest:
    """Return the request, or raise the Refusal that OpenAI answers it with."""
    fields = parameters.decode(body)
    _check(fields)
    if fields["model"] not in models:
        raise errors.no_such_model(cast("str", fields["model"]))
    return _request(fields)


def _check(fields: dict[str, object]) -> None:
    if unknown := [name for name in fields if name not in _PARAMETERS]:
        raise errors.unrecognized(unknown)
    if not fields.get("model"):
        raise errors.OpenAIRefusal("you must provide a model parameter")
    if "messages" not in fields:
        raise errors.missing("messages")
    for name, value in fields.items():
        _PARAMETERS[name](value, name)
    _check_together(fields)
    _check_schemas(fields)
    _check_format(fields)


def _check_together(fields: dict[str, object]) -> None:
    if fields.get("stream_options") is not None and not fields.get("stream"):
        raise errors.OpenAIRefusal(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in fields and "tools" not in fields and fields[name] != "none":
            raise errors.OpenAIRefusal(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                param=name,
            )
    parameters.check_named_tool(fields)
    if "function_call" in fields and "functions" not in fields:
        raise errors.OpenAIRefusal(
            "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' "
            "are specified.",
            param="function_call",
        )
    if fields.get("top_logprobs") is not None and not fields.get("logprobs"):
        raise errors.OpenAIRefusal(
            "Invalid value for 'top_logprobs': 'logprobs' must be set to true when 'top_logprobs' "
            "is set.",
            param="top_logprobs",
        )
    if fields.get("max_tokens") is not None and fields.get("max_completion_tokens") is not None:
        raise errors.OpenAIRefusal(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )


def _request(fields: dict[str, object]) -> ChatRequest:
    said = cast("list[messages.Message]", fields["messages"])
    options = cast("dict[str, bool]", fields.get("stream_options") or {})
    limit = fields.get("max_completion_tokens") or fields.get("max_tokens")
    stop = fields.get("stop") or ()
    return ChatRequest(
        model=cast("str", fields["model"]),
        asked=question([messages.turn_of(message) for message in said]),
        # OpenAI counts about four tokens of framing for each message and three for the answer.
        prompt_tokens=3 + sum(4 + words.count(messages.text_of(message)) for message in said),
        stream=bool(fields.get("stream")),
        include_usage=options.get("include_usage", False),
        n=cast("int", fields.get("n") or 1),
        max_tokens=cast("int | None", limit),
        top_logprobs=_top_logprobs(fields),
        schema=_schema(fields),
        forced_tool=_forced(fields),
        offered=parameters.offered(fields),
        legacy="functions" in fields and "tools" not in fields,
        stop=(stop,) if isinstance(stop, str) else tuple(cast("Sequence[str]", stop)),
    )


def _check_schemas(fields: Json) -> None:
    for index, tool in enumerate(cast("list[Json]", fields.get("tools") or [])):
        if tool["type"] == "function":
            schemas.check_function(cast("Json", tool["function"]), f"tools[{index}].function")
    for index, function in enumerate(cast("list[Json]", fields.get("functions") or [])):
        schemas.check_function(function, f"functions[{index}]")


def _check_format(fields: Json) -> None:
    form = cast("Json", fields.get("response_format") or {"type": "text"})
    if form["type"] == "json_schema":
        schemas.check_format(cast("Json", form["json_schema"]), "response_format")
    said = cast("list[messages.Message]", fields["messages"])
    if form["type"] == "json_object" and not any(
        "json" in messages.text_of(message).lower() for message in said
    ):
        raise errors.OpenAIRefusal(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            param="messages",
        )


def _schema(fields: Json) -> Json | None:
    form = cast("Json", fields.get("response_format") or {"type": "text"})
    if form["type"] == "json_schema":
        return cast("Json", cast("Json", form["json_schema"]).get("schema") or {})
    return {} if form["type"] == "json_object" else None


def _forced(fields: Json) -> Json | None:
    chosen = fields.get("function_call")
    if isinstance(chosen, dict):
        wanted = cast("Json", chosen)["name"]
        functions = cast("list[Json]", fields["functions"])
        return next((each for each in functions if each["name"] == wanted), None)
    return parameters.forced_tool(fields)


def _top_logprobs(fields: Json) -> int | None:
    return cast("int", fields.get("top_logprobs") or 0) if fields.get("logprobs") else None

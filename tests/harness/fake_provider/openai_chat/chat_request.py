"""A chat completion request, checked as strictly as OpenAI checks it."""

from collections.abc import Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question, question
from tests.harness.fake_provider.openai import errors, limits, media_checks, parameters, schemas
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.openai_chat import messages
from tests.harness.fake_provider.shape_checks import Rule, Shapes

Json = dict[str, object]
_REQUEST = "CompletionCreateParamsNonStreaming"
_NAME = limits.text(64, limits.NAME)
_CONTENT = limits.count(1)
_RULES: dict[str, Rule] = parameters.RULES | {
    "messages": limits.count(1),
    "messages[].content": _CONTENT,
    "messages[].content[].file.file_data": media_checks.file_part,
    "messages[].content[].image_url.url": media_checks.image_url,
    "messages[].content[].input_audio.data": media_checks.sound,
    "messages[].tool_calls": limits.count(1),
    "frequency_penalty": limits.decimal(-2, 2),
    "functions": limits.count(1, 128),
    "functions[].name": _NAME,
    "logit_bias.*": limits.decimal(-100, 100),
    "max_completion_tokens": limits.integer(1),
    "max_tokens": limits.integer(1),
    "modalities": limits.count(1),
    "n": limits.integer(1, 128),
    "presence_penalty": limits.decimal(-2, 2),
    "response_format.json_schema.name": _NAME,
    "seed": limits.integer(-(2**63), 2**63 - 1),
    "stop": limits.count(1, 4),
    "tools": limits.count(1, 128),
    "tools[].function.name": _NAME,
    "tools[].custom.name": _NAME,
}
_SHAPES = Shapes("openai_chat", OpenAIWords(), _RULES)
_PARAMETERS = frozenset({*_SHAPES.fields(_REQUEST), "stream"})


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
    messages.refuse_null_content(fields["messages"])
    _SHAPES.check(_REQUEST, fields)
    messages.check_order(cast("list[messages.Message]", fields["messages"]))
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

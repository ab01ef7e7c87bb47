"""What OpenAI answers 400 is refused with the same parameter and code."""

from typing import Any

import pytest

from cartrita.dialects.openai_chat.request_parsing import parse
from cartrita.domain.errors import InvalidInput

NONE = "validation_error"
PART = "messages[0].content[0]"
HI: Any = {"role": "user", "content": "Hi"}
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}


def image(url: Any, **fields: Any) -> dict[str, Any]:
    return {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": url, **fields}}],
    }


def part(kind: str, value: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": kind, kind: value}]}


def tools(**function: Any) -> list[Any]:
    return [{"type": "function", "function": {"name": "f", **function}}]


def refused(body: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse(body, "owner")
    (param,) = caught.value.fields
    assert caught.value.fields[param] == [caught.value.message]
    return param, caught.value.code


@pytest.mark.parametrize(
    ("messages", "param", "code"),
    [
        (None, "messages", "invalid_type"),
        ("Hi", "messages", "invalid_type"),
        ([], "messages", "empty_array"),
        (["Hi"], "messages[0]", "invalid_type"),
        ([{"content": "Hi"}], "messages[0].role", "missing_required_parameter"),
        ([{"role": "robot", "content": "Hi"}], "messages[0].role", "invalid_value"),
        ([{"role": 3, "content": "Hi"}], "messages[0].role", "invalid_type"),
        ([{"role": "user"}], "messages[0].content", "missing_required_parameter"),
        ([{"role": "user", "content": None}], "messages.[0].content", NONE),
        ([HI, {"role": "assistant"}], "messages.[1].content", NONE),
        ([{"role": "user", "content": 3}], "messages[0].content", "invalid_type"),
        ([{"role": "user", "content": []}], "messages[0].content", "empty_array"),
        ([part("video", {})], f"{PART}.type", "invalid_value"),
        ([part("text", 3)], f"{PART}.text", "invalid_type"),
        ([RESULT], "messages.[0].role", NONE),
        ([HI, RESULT], "messages.[1].role", NONE),
        ([HI, CALLING], "messages", NONE),
        ([HI, CALLING, HI], "messages", NONE),
        ([HI, CALLING, {**RESULT, "tool_call_id": "x"}], "messages.[2].tool_call_id", NONE),
        (
            [HI, CALLING, {"role": "tool", "content": "1"}],
            "messages[2].tool_call_id",
            "missing_required_parameter",
        ),
        (
            [HI, {"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}]}],
            "messages[1].tool_calls[0].function",
            "missing_required_parameter",
        ),
        ([image("ftp://x/a.png")], f"{PART}.image_url.url", "invalid_value"),
        (
            [image("data:text/plain;base64,AA==")],
            f"{PART}.image_url.url",
            "invalid_value",
        ),
        (
            [image("data:image/png;base64,?")],
            f"{PART}.image_url.url",
            "invalid_base64",
        ),
        ([image("data:image/png,abc")], f"{PART}.image_url.url", "invalid_base64"),
        (
            [image("https://x", detail="huge")],
            f"{PART}.image_url.detail",
            "invalid_value",
        ),
        (
            [part("input_audio", {"data": "AAAA", "format": "ogg"})],
            f"{PART}.input_audio.format",
            "invalid_value",
        ),
        (
            [part("input_audio", {"data": "?", "format": "wav"})],
            f"{PART}.input_audio.data",
            "invalid_base64",
        ),
        ([part("file", {})], f"{PART}.file.file_id", "missing_required_parameter"),
        (
            [part("file", {"file_data": "x"})],
            f"{PART}.file.file_data",
            "invalid_value",
        ),
    ],
)
def test_messages(messages: Any, param: str, code: str) -> None:
    assert refused({"model": "gpt", "messages": messages}) == (param, code)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", NONE),
        ({"model": 3}, "model", "invalid_type"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
        ({"temperature": -1}, "temperature", "decimal_below_min_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": True}, "temperature", "invalid_type"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        (
            {"max_tokens": 1, "max_completion_tokens": 1},
            "max_tokens",
            "invalid_parameter_combination",
        ),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", NONE),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"stop": 3}, "stop", "invalid_type"),
        ({"top_logprobs": 2}, "top_logprobs", NONE),
        ({"logit_bias": {"1": 200}}, "logit_bias.1", "decimal_above_max_value"),
        ({"reasoning_effort": "much"}, "reasoning_effort", "invalid_value"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"response_format": {}}, "response_format.type", "missing_required_parameter"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "missing_required_parameter",
        ),
        ({"metadata": {"a": 3}}, "metadata.a", "invalid_type"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
        (
            {"metadata": {str(number): "" for number in range(17)}},
            "metadata",
            "object_above_max_properties",
        ),
        ({"tool_choice": "auto"}, "tool_choice", NONE),
        ({"parallel_tool_calls": True}, "parallel_tool_calls", NONE),
        ({"tools": []}, "tools", "empty_array"),
        ({"tools": [{"type": "web"}]}, "tools[0].type", "invalid_value"),
        ({"tools": tools(name="a b")}, "tools[0].function.name", "invalid_value"),
        ({"tools": tools(), "tool_choice": "any"}, "tool_choice", "invalid_value"),
        (
            {"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice",
            "invalid_value",
        ),
    ],
)
def test_fields(fields: Any, param: str, code: str) -> None:
    assert refused({"model": "gpt", "messages": [HI], **fields}) == (param, code)


def test_no_messages_at_all() -> None:
    assert refused({"model": "gpt"}) == ("messages", "missing_required_parameter")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"properties": {}},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": 3}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": 3}}}},
        {"type": "object", "required": "a"},
    ],
)
def test_parameters_that_are_no_schema(schema: Any) -> None:
    param, code = refused({"model": "m", "messages": [HI], "tools": tools(parameters=schema)})
    assert (param, code) == ("tools[0].function.parameters", "invalid_function_parameters")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": True}},
        {"type": "object", "properties": {"a": {}}, "required": ["a"], "x-own": 1},
    ],
)
def test_parameters_that_are_a_schema(schema: Any) -> None:
    parse({"model": "m", "messages": [HI], "tools": tools(parameters=schema)}, "owner")

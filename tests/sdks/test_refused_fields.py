"""Bad bodies of the official clients are refused with the type, param and code of the vendor."""

from typing import Any, TypeAlias

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.server import Server
from tests.sdks import targets

Fields: TypeAlias = dict[str, Any]
TEXT = {"type": "text", "text": "Look"}
GIF = "R0lGODlhAQABAAAAACw="
ZIP = "data:application/zip;base64,UEsDBA=="
STRICT = {"X-Cartrita-Strict": "true"}
CACHE = {"cache_control": {"type": "ephemeral"}}
CALL = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
TOOLS = [{"name": "add", "input_schema": {"type": "object"}}]
FUNCTION_CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def user(*content: Any) -> list[Any]:
    return [{"role": "user", "content": list(content)}]


def image(url: Any) -> Fields:
    return {"type": "image_url", "image_url": url}


def sourced(**source: str) -> Fields:
    return {"type": "image", "source": source}


CHAT: list[tuple[Fields, str, str | None]] = [
    ({"messages": user(TEXT, {"type": "image"})}, "messages[0].content[1].type", "invalid_value"),
    ({"messages": user(image("x"))}, "messages[0].content[0].image_url", "invalid_type"),
    (
        {"messages": user(image({"url": "x"}))},
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
    (
        {"messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]},
        "messages.[0].role",
        None,
    ),
    (
        {"messages": user({"type": "file", "file": {"filename": "a.zip", "file_data": ZIP}})},
        "messages[0].content[0].file.file_data",
        "unsupported_value",
    ),
    (
        {
            "messages": user({**TEXT, "prompt_cache_breakpoint": {}}),
            "tools": [{"type": "function"}],
        },
        "tools[0].function",
        "missing_required_parameter",
    ),
    ({"temperature": 3}, "temperature", "decimal_above_max_value"),
]
RESPONSES: list[tuple[Fields, str, str | None]] = [
    ({"input": user({"type": "image"})}, "input[0].content[0].type", "invalid_value"),
    (
        {"input": user({"type": "input_image", "image_url": "x"})},
        "input[0].content[0].image_url",
        "invalid_value",
    ),
    (
        {"input": user({"type": "input_file", "filename": "a.zip", "file_data": ZIP})},
        "input[0].content[0].file_data",
        "unsupported_value",
    ),
    ({"input": [FUNCTION_CALL]}, "input", None),
    ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role", "invalid_value"),
    ({"max_output_tokens": 1}, "max_output_tokens", "integer_below_min_value"),
]
MESSAGES: list[tuple[Fields, str]] = [
    ({"messages": user(TEXT, {"type": "image"})}, "messages.0.content.1.source"),
    (
        {"messages": user(TEXT, sourced(type="base64", media_type="image/png", data=GIF))},
        "messages.0.content.1.source.data",
    ),
    ({"messages": user({"type": "text"})}, "messages.0.content.0.text"),
    ({"messages": user(CALL)}, "messages.0.content.0"),
    (
        {"messages": [*user(TEXT), {"role": "system", "content": [TEXT, {"type": "x"}]}]},
        "messages.1.content.1.type",
    ),
    (
        {"messages": user(TEXT, {"type": "image", "source": {"type": "file", "file_id": "f"}})},
        "messages.0.content.1.source.file_id",
    ),
    ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.custom.name"),
]
NOT_EXACT: list[tuple[Fields, str]] = [
    ({"messages": user(TEXT, {**TEXT, **CACHE})}, "messages.0.content.1.cache_control"),
    ({"system": [TEXT, {**TEXT, **CACHE}]}, "system.1.cache_control"),
    ({"tools": [TOOLS[0], {**TOOLS[0], "name": "b", **CACHE}]}, "tools.1.cache_control"),
    ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools.0.type"),
    (
        {
            "messages": [
                *user(TEXT),
                {"role": "assistant", "content": [TEXT, CALL]},
                *user(
                    {"type": "tool_result", "tool_use_id": "t1", "content": "No", "is_error": True}
                ),
            ],
            "tools": TOOLS,
        },
        "messages.2.content.0.is_error",
    ),
]


def openai_error(server: Server, api: str, upstream: str, **fields: Any) -> openai.BadRequestError:
    target = targets.through(upstream, server)
    asked: Fields = {"model": target.model, **fields}
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        send: dict[str, tuple[Any, Fields]] = {
            "chat": (client.chat.completions.create, {"messages": user(TEXT)}),
            "responses": (client.responses.create, {"input": "Hello", "store": False}),
            "embeddings": (client.embeddings.create, {"input": "Hello"}),
        }
        create, least = send[api]
        with pytest.raises(openai.BadRequestError) as refused:
            create(**{**least, **asked})
    return refused.value


def anthropic_message(
    server: Server, upstream: str, *, counted: bool = False, **fields: Any
) -> str:
    target = targets.through(upstream, server)
    asked: Fields = {"model": target.model, "messages": user(TEXT), **fields}
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        send: Any = client.messages.count_tokens if counted else client.messages.create
        with pytest.raises(anthropic.BadRequestError) as refused:
            send(**asked, **({} if counted else {"max_tokens": 100}))
    body: Any = refused.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    return body["error"]["message"]


@pytest.mark.parametrize(("fields", "param", "code"), CHAT)
def test_chat_completions(server: Server, fields: Fields, param: str, code: str | None) -> None:
    error = openai_error(server, "chat", "anthropic_messages", **fields)
    assert (error.type, error.param, error.code) == ("invalid_request_error", param, code)


@pytest.mark.parametrize(("fields", "param", "code"), RESPONSES)
def test_responses(server: Server, fields: Fields, param: str, code: str | None) -> None:
    error = openai_error(server, "responses", "anthropic_messages", **fields)
    assert (error.type, error.param, error.code) == ("invalid_request_error", param, code)


@pytest.mark.parametrize(
    ("fields", "param"), [({"model": None}, "model"), ({"model": ""}, "model")]
)
def test_embeddings(server: Server, fields: Fields, param: str) -> None:
    error = openai_error(server, "embeddings", "openai_chat", **fields)
    assert (error.type, error.param) == ("invalid_request_error", param)


@pytest.mark.parametrize(("fields", "field"), MESSAGES)
@pytest.mark.parametrize("counted", [False, True])
def test_messages_and_counts(server: Server, fields: Fields, field: str, counted: bool) -> None:
    told = anthropic_message(server, "openai_chat", counted=counted, **fields)
    assert told.startswith(f"{field}: ")


@pytest.mark.parametrize(("fields", "field"), NOT_EXACT)
@pytest.mark.parametrize("upstream", ["openai_chat", "openai_responses"])
def test_strict_mode(server: Server, upstream: str, fields: Fields, field: str) -> None:
    told = anthropic_message(server, upstream, extra_headers=STRICT, **fields)
    assert told.startswith(f"{field}: ")

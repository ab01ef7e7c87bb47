"""Requests of OpenAI's SDK become model requests."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_chat.request_parsing import Parsed, parse
from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ResponseFormat, VendorFields
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

HI: Any = {"role": "user", "content": "Hi"}
DEEP = '{"a":' * 600 + "1" + "}" * 600
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
FUNCTION: Any = {"type": "function", "function": {"name": "f"}}
PNG = "data:image/png;base64,iVBORw0KGgo="


def parsed(*messages: Any, **fields: Any) -> Parsed:
    return parse({"model": "gpt", "messages": list(messages or (HI,)), **fields}, "owner")


def said(*messages: Any) -> tuple[Message, ...]:
    return parsed(*messages).request.messages


def rendered(result: Parsed) -> dict[str, Any]:
    return json.loads(render(result.request, ServerOptions()).body)


def test_instructions_are_the_first_messages() -> None:
    request = parsed(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        HI,
        {"role": "developer", "content": "Now in French."},
    ).request
    assert request.instructions == (Text("Be brief."), Text("Be kind."))
    assert request.messages == (
        Message(Role.USER, (Text("Hi"),)),
        Message(Role.SYSTEM, (Text("Now in French."),)),
    )


def test_parts_of_a_user_message() -> None:
    content: list[Any] = [
        {"type": "text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.webp?x=1"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}},
    ]
    (message,) = said({"role": "user", "content": content, "name": "Ada"})
    assert message.parts == (
        VendorPart("openai_chat", {"name": "Ada"}),
        Text("Look", CacheBreakpoint()),
        Attachment("image/png", url=PNG, detail="low"),
        Attachment("image/webp", url="https://example.com/a.webp?x=1"),
        Attachment("image/jpeg", url="https://example.com/a"),
        Attachment("audio/mpeg", url="data:audio/mpeg;base64,AAAA"),
        Attachment("application/pdf", url="data:application/pdf;base64,AAAA"),
        Attachment("application/octet-stream", attachment_id="file-1", name="a.pdf"),
    )
    written = rendered(parsed({"role": "user", "content": content, "name": "Ada"}))
    content[5]["file"]["filename"] = "file"
    assert written["messages"] == [{"role": "user", "content": content, "name": "Ada"}]


def test_another_gateways_mark_of_the_cache() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    (message,) = said(
        {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": mark}]}
    )
    assert message.parts == (Text("x", CacheBreakpoint("1h")),)


def test_calls_and_their_results() -> None:
    custom: Any = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free text"}}
    messages = (
        HI,
        {"role": "assistant", "content": None, "tool_calls": [CALL, custom]},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        HI,
    )
    assert said(*messages)[1:3] == (
        Message(Role.ASSISTANT, (ToolCall("c1", "f", {"a": 1}), VendorPart("openai_chat", custom))),
        Message(Role.TOOL, (ToolResult("c2", (Text("2"),)), ToolResult("c1", (Text("1"),), "f"))),
    )
    assert rendered(parsed(*messages))["messages"][1]["tool_calls"] == [CALL, custom]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", {}),
        (DEEP, {"arguments": DEEP}),
        ('{"a', {"arguments": '{"a'}),
        ("[1]", {"arguments": "[1]"}),
        ("{}", {}),
    ],
)
def test_arguments_that_are_no_object(text: str, arguments: dict[str, Any]) -> None:
    call = {**CALL, "function": {"name": "f", "arguments": text}}
    result = {"role": "tool", "tool_call_id": "c1", "content": ""}
    _, answer, _ = said(HI, {"role": "assistant", "tool_calls": [call]}, result)
    assert answer.parts == (ToolCall("c1", "f", arguments),)


def test_what_an_assistant_said() -> None:
    _, message = said(
        HI,
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Well."}, {"type": "refusal", "refusal": "No."}],
            "refusal": "Never.",
            "audio": {"id": "audio_1"},
            "reasoning_content": "hm",
            "tool_calls": None,
            "annotations": [],
        },
    )
    assert message.parts == (
        VendorPart("openai_chat", {"audio": {"id": "audio_1"}}),
        Reasoning("hm", origin="openai_chat"),
        Text("Well."),
        Refusal("No."),
        Refusal("Never."),
    )


def test_sealed_reasoning_belongs_to_its_vendor() -> None:
    details: Any = [
        {
            "type": "reasoning.text",
            "text": "a",
            "signature": "s",
            "format": "anthropic-claude-v1",
            "index": 0,
        },
        {"type": "reasoning.encrypted", "data": "d", "format": "openai-responses-v1", "id": "r"},
        {"type": "reasoning.summary", "summary": "b", "format": "xai-responses-v1"},
    ]
    answer = {"role": "assistant", "content": "x", "reasoning": "ab", "reasoning_details": details}
    assert said(HI, answer)[1].parts == (
        Reasoning("a", "s", None, "anthropic_messages"),
        Reasoning("", None, "d", "openai_responses", "r"),
        Reasoning("b", origin="openai_chat/xai-responses-v1"),
        Text("x"),
    )


def test_the_old_form_of_functions() -> None:
    result = parsed(
        HI,
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "done"},
        functions=[{"name": "f", "description": "F.", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    assert result.request.tools == (ToolSpec("f", "F.", {"type": "object"}),)
    assert result.request.tool_choice == NamedTool("f")
    assert result.request.messages[1:] == (
        Message(Role.ASSISTANT, (ToolCall("call_1", "f", {}),)),
        Message(Role.TOOL, (ToolResult("call_1", (Text("done"),), "f"),)),
    )


def test_choices_of_tools() -> None:
    custom: Any = {"type": "custom", "custom": {"name": "g"}}
    tools = [FUNCTION, custom]
    allowed: Any = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [FUNCTION]},
    }
    for choice in ("none", "required", FUNCTION, custom, allowed):
        result = parsed(tools=tools, tool_choice=choice)
        assert rendered(result)["tool_choice"] == choice
        assert rendered(result)["tools"] == [
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
            },
            custom,
        ]
    assert result.request.tool_choice == "required"
    assert result.request.tools[1] == VendorTool("openai_chat", "g", custom)


def test_fields_of_the_surface() -> None:
    result = parsed(
        stream=True,
        stream_options={"include_usage": True},
        n=2,
        store=False,
        metadata={"a": "b"},
        temperature=None,
    )
    assert (result.metadata, result.request.vendor) == ({"a": "b"}, None)


def test_fields_that_only_the_vendor_knows_are_kept() -> None:
    fields: JsonObject = {
        "verbosity": "low",
        "service_tier": "flex",
        "web_search_options": {},
        "prediction": {"type": "content", "content": "x"},
        "unheard_of": [1],
    }
    result = parsed(**fields)
    assert result.request.vendor == VendorFields("openai_chat", fields)
    assert fields.items() <= rendered(result).items()


def test_limits_stops_and_formats() -> None:
    request = parsed(max_completion_tokens=5, stop="x", logprobs=True, top_logprobs=3).request
    assert request.sampling.max_tokens == 5
    assert request.sampling.stop == ("x",)
    assert request.sampling.logprobs == 3
    assert parsed(logprobs=True, max_tokens=4).request.sampling.logprobs == 0
    assert parsed(logprobs=False).request.sampling.logprobs is None
    assert parsed(response_format={"type": "text"}).request.response_format == ResponseFormat()
    assert parsed(response_format={"type": "json_object"}).request.response_format.kind == "json"
    assert parsed(reasoning_effort="low").request.reasoning.effort == "low"


def test_a_conversation_may_be_continued_with_results() -> None:
    result: JsonObject = {"role": "tool", "tool_call_id": "c9", "content": "1"}
    body: JsonObject = {"model": "gpt", "messages": [result, HI]}
    request = parse(body, "owner", continued=True).request
    assert request.messages[0] == Message(Role.TOOL, (ToolResult("c9", (Text("1"),)),))

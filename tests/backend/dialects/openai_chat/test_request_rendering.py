"""What is sent is what the vendor documents."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.types import ServerOptions
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.tools import NamedTool, ToolSpec

WEATHER = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {}})


def rendered(
    *messages: Message, options: ServerOptions | None = None, **fields: Any
) -> dict[str, Any]:
    request = ModelRequest(owner_id="o", model="gpt", messages=messages, **fields)
    return json.loads(render(request, options or ServerOptions()).body)


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


def assistant(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def test_the_least_is_a_stream_that_reports_its_usage() -> None:
    assert rendered(user(Text("Hi"))) == {
        "model": "gpt",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_instructions_come_first() -> None:
    body = rendered(user(Text("Hi")), instructions=(Text("Be brief."),))
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_tool_round_trip() -> None:
    body = rendered(
        user(Text("Weather?")),
        assistant(Text("Let me see."), ToolCall("c1", "weather", {"city": "Köln"})),
        Message(
            Role.TOOL,
            (ToolResult("c1", (Text("rain"),)), ToolResult("c2", (Text("sun"),), success=False)),
        ),
        tools=(WEATHER,),
    )
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Köln"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "tool", "tool_call_id": "c2", "content": "sun"},
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells the weather.",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    assert "tool_choice" not in body


def test_a_call_without_words_has_null_content() -> None:
    body = rendered(assistant(ToolCall("c1", "weather", {})))
    assert body["messages"][0]["content"] is None


def test_reasoning_and_citations_are_left_out() -> None:
    body = rendered(
        assistant(Reasoning("hm"), Text("Yes [1]."), Citation("A page", index=1)),
        assistant(Reasoning("only thought")),
        user(Citation("nothing said")),
    )
    assert body["messages"] == [{"role": "assistant", "content": "Yes [1]."}]


@pytest.mark.parametrize(
    ("choice", "rendered_choice"),
    [
        ("none", "none"),
        ("required", "required"),
        (NamedTool("weather"), {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_a_choice_of_tools(choice: Any, rendered_choice: object) -> None:
    assert (
        rendered(user(Text("x")), tools=(WEATHER,), tool_choice=choice)["tool_choice"]
        == rendered_choice
    )
    assert "tool_choice" not in rendered(user(Text("x")), tool_choice=choice)


def test_the_format_of_the_answer() -> None:
    schema: JsonObject = {"type": "object"}
    assert rendered(response_format=ResponseFormat("json"))["response_format"] == {
        "type": "json_object"
    }
    assert rendered(response_format=ResponseFormat("json_schema", "x", schema))[
        "response_format"
    ] == {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    unnamed = rendered(response_format=ResponseFormat("json_schema"))["response_format"]
    assert unnamed["json_schema"] == {"name": "answer", "schema": {}}


def test_sampling() -> None:
    sampling = Sampling(temperature=0.0, top_p=0.5, max_tokens=7, stop=("a", "b"), seed=3)
    body = rendered(sampling=sampling)
    assert {key: body[key] for key in ("temperature", "top_p", "max_tokens", "stop", "seed")} == {
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": 3,
    }
    renamed = rendered(
        sampling=sampling, options=ServerOptions(limit_field="max_completion_tokens")
    )
    assert renamed["max_completion_tokens"] == 7
    assert "max_tokens" not in renamed


def test_attachments_by_kind() -> None:
    body = rendered(
        user(
            Text("Look:"),
            Attachment("image/png", url="https://example.com/a.png"),
            Attachment("audio/mpeg", url="data:audio/mpeg;base64,AAAA"),
            Attachment("application/pdf", url="data:application/pdf;base64,BBBB", name="b.pdf"),
        )
    )
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {
            "type": "file",
            "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        },
    ]


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment("image/png", attachment_id="file_1", name="a.png"),
        Attachment("application/pdf", url="https://example.com/b.pdf"),
    ],
)
def test_what_cannot_be_carried_is_refused(attachment: Attachment) -> None:
    with pytest.raises(InvalidInput, match="cannot be sent") as caught:
        rendered(user(attachment))
    assert list(caught.value.fields) == ["attachments"]

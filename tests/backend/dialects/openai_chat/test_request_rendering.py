"""What is sent is what the vendor documents."""

import json
from typing import Any

import msgspec
import pytest

from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Citation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

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


def test_what_only_another_vendor_knows_of_a_tool_is_told() -> None:
    more: JsonObject = {"input_examples": [{}]}
    tool = ToolSpec("a", "", {"type": "object"}, origin="anthropic_messages", more=more)
    request = ModelRequest(owner_id="o", model="gpt", messages=(user(Text("Hi")),), tools=(tool,))
    sent = render(request, ServerOptions())
    assert b"input_examples" not in sent.body
    assert [receipt.field for receipt in sent.receipts] == ["tools.input_examples"]


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


def lost(*messages: Message, **fields: Any) -> list[tuple[str, str]]:
    request = ModelRequest(
        owner_id="o", model="gpt", messages=messages, origin="anthropic_messages", **fields
    )
    receipts = render(request, ServerOptions()).receipts
    return [(receipt.field, receipt.kind) for receipt in receipts]


def test_all_of_sampling() -> None:
    sampling = Sampling(
        presence_penalty=1.0, frequency_penalty=-1.0, logit_bias={"5": 1}, logprobs=2
    )
    body = rendered(sampling=sampling, user="ada", reasoning=ReasoningOptions(effort="low"))
    assert body["presence_penalty"] == 1.0
    assert body["frequency_penalty"] == -1.0
    assert body["logit_bias"] == {"5": 1}
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)
    assert (body["user"], body["reasoning_effort"]) == ("ada", "low")
    alone = rendered(sampling=Sampling(logprobs=0))
    assert alone["logprobs"] is True
    assert "top_logprobs" not in alone


@pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (9000, "medium"), (30000, "high")])
def test_a_budget_becomes_an_effort(budget: int, effort: str) -> None:
    options = ReasoningOptions(budget_tokens=budget)
    assert rendered(reasoning=options)["reasoning_effort"] == effort
    assert lost(reasoning=options) == [("thinking.budget_tokens", "approximated")]


def test_what_reasoning_loses() -> None:
    options = ReasoningOptions("high", 1024, summary="auto", encrypted=True)
    assert lost(reasoning=options) == [
        ("thinking.summary", "dropped"),
        ("thinking.budget_tokens", "dropped"),
    ]
    assert lost(reasoning=ReasoningOptions(mode="disabled")) == [("thinking.mode", "dropped")]
    assert lost(reasoning=ReasoningOptions(mode="adaptive")) == []


def test_what_only_another_vendor_knows_is_told() -> None:
    cache = CacheBreakpoint()
    assert lost(
        user(Text("Hi", cache), VendorPart("anthropic_messages", {"type": "search_result"})),
        assistant(
            Reasoning("hm", "signature", origin="anthropic_messages"),
            Text("Yes."),
            Citation("A", origin="anthropic_messages", vendor={"cited_text": "A"}),
            Attachment("image/png", url="https://example.com/a.png"),
            ToolCall("c1", "weather", {}, cache),
        ),
        Message(
            Role.TOOL,
            (
                ToolResult(
                    "c1", (VendorPart("anthropic_messages", {}),), success=False, cache=cache
                ),
                VendorPart("openai_responses", {"type": "computer_call_output"}),
            ),
        ),
        instructions=(Text("Be brief.", cache),),
        tools=(
            msgspec.structs.replace(WEATHER, cache=cache),
            VendorTool("anthropic_messages", "web_search", {}),
        ),
        sampling=Sampling(top_k=5),
        vendor=VendorFields("anthropic_messages", {"container": "x"}),
    ) == [
        ("container", "dropped"),
        ("cache_control", "dropped"),
        ("tools.web_search", "dropped"),
        ("top_k", "dropped"),
        ("messages.content", "dropped"),
        ("messages.reasoning", "dropped"),
        ("messages.citations", "dropped"),
        ("messages.attachments", "dropped"),
        ("messages.tool_result.is_error", "approximated"),
    ]


def test_files_of_results_follow_all_results() -> None:
    picture = Attachment("image/png", url="https://example.com/a.png")
    messages = (
        assistant(ToolCall("c1", "look", {}), ToolCall("c2", "look", {})),
        Message(Role.TOOL, (ToolResult("c1", (Text("seen"), picture)),)),
        Message(Role.TOOL, (ToolResult("c2", (Text("also"),)), Text("And now?"))),
    )
    assert rendered(*messages)["messages"][1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
        {"role": "tool", "tool_call_id": "c2", "content": "also"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "The files of the result of c1:"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "text", "text": "And now?"},
            ],
        },
    ]
    assert lost(*messages) == [("messages.tool_result", "approximated")]
    assert [each["role"] for each in rendered(*messages, user(Text("x")))["messages"]] == [
        "assistant",
        "tool",
        "tool",
        "user",
        "user",
    ]


def test_documents_of_text_are_sent_as_text() -> None:
    document = Attachment("text/plain", url="data:text/plain;base64,SGk=", name="a.txt", cited=True)
    plain = Attachment("text/plain", url="data:,Hi%21")
    assert rendered(user(document, plain))["messages"][0]["content"] == [
        {"type": "text", "text": "a.txt:\nHi"},
        {"type": "text", "text": "Hi!"},
    ]
    assert lost(user(document)) == [
        ("messages.documents", "dropped"),
        ("messages.documents", "approximated"),
    ]
    with pytest.raises(InvalidInput, match="UTF-8"):
        rendered(user(Attachment("text/plain", url="data:text/plain;base64,/w==")))


def test_own_reasoning_goes_back() -> None:
    body = rendered(
        assistant(
            Reasoning("open", origin="openai_chat"),
            Reasoning("a", "s", origin="openai_chat/google-gemini-v1", id="r1"),
            Reasoning("b", None, "d", origin="openai_chat"),
            Text("Yes."),
        )
    )
    assert body["messages"][0]["reasoning_content"] == "open"
    assert body["messages"][0]["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "text": "a",
            "signature": "s",
            "format": "google-gemini-v1",
            "id": "r1",
            "index": 0,
        },
        {"type": "reasoning.encrypted", "data": "d", "text": "b", "index": 1},
    ]


def test_instructions_keep_their_places_in_the_cache() -> None:
    instructions = (Text("Long.", CacheBreakpoint("12h")), Text("Short."))
    body = rendered(instructions=instructions, origin="openai_chat")
    assert body["messages"][0]["content"] == [
        {
            "type": "text",
            "text": "Long.",
            "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"},
        },
        {"type": "text", "text": "Short."},
    ]
    joined = rendered(instructions=(Text("Long."), Text("Short.")))
    assert joined["messages"][0]["content"] == "Long.\n\nShort."


def test_a_refusal_and_parallel_calls() -> None:
    body = rendered(assistant(Refusal("No.")), tools=(WEATHER,), parallel_tool_calls=False)
    assert body["messages"] == [{"role": "assistant", "content": None, "refusal": "No."}]
    assert body["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in rendered(parallel_tool_calls=False)


def test_a_call_that_is_not_streamed() -> None:
    request = ModelRequest(owner_id="o", model="gpt", messages=(user(Text("Hi")),))
    body = json.loads(render(request, ServerOptions(), stream=False).body)
    assert body == {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}

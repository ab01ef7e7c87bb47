"""Requests become bodies that the Messages API takes, and what they lose is told."""

import base64
import json
from typing import Any

import msgspec
import pytest

from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.anthropic_messages.request_rendering import render
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
from cartrita.domain.receipts import Receipt
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

ORIGIN = "anthropic_messages"
CACHE = CacheBreakpoint()
ADAPTIVE = ModelOptions(thinking="adaptive", effort=True, output_tokens=64_000)
SCHEMA: JsonObject = {"type": "object", "properties": {}, "additionalProperties": False}
TOOL = ToolSpec("add", "Adds.", SCHEMA)


def user(*parts: Part | str) -> Message:
    return Message(Role.USER, _parts(parts))


def assistant(*parts: Part | str) -> Message:
    return Message(Role.ASSISTANT, _parts(parts))


def tool(*parts: Part) -> Message:
    return Message(Role.TOOL, parts)


def _parts(parts: tuple[Part | str, ...]) -> tuple[Part, ...]:
    return tuple(Text(part) if isinstance(part, str) else part for part in parts)


def request(*messages: Message, **fields: Any) -> ModelRequest:
    messages = messages or (user("hi"),)
    return ModelRequest(owner_id="o", model="claude-x", messages=messages, **fields)


def body(wanted: ModelRequest, options: ModelOptions | None = None) -> dict[str, Any]:
    return json.loads(render(wanted, options or ModelOptions()).body)


def messages(*given: Message, **fields: Any) -> list[Any]:
    return body(request(*given, **fields))["messages"]


def receipts(wanted: ModelRequest, options: ModelOptions | None = None) -> list[tuple[str, str]]:
    told: tuple[Receipt, ...] = render(wanted, options or ModelOptions()).receipts
    return [(receipt.field, receipt.kind) for receipt in told]


def data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def test_a_plain_request() -> None:
    assert body(request()) == {
        "model": "claude-x",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }
    assert receipts(request()) == []
    assert "stream" not in json.loads(render(request(), ModelOptions(), stream=False).body)


def test_instructions_are_a_string_unless_one_is_cached() -> None:
    assert body(request(instructions=(Text("a"), Text(" "))))["system"] == "a"
    cached = Text("b", CacheBreakpoint("1h"))
    assert body(request(instructions=(Text("a"), cached)))["system"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]


def test_results_come_first_in_the_users_turn() -> None:
    call, other = ToolCall("c1", "add", {"a": 1}), ToolCall("c.2", "add", {})
    vendor: JsonObject = {"type": "tool_result", "tool_use_id": "v", "toolset_name": "computer"}
    answer: JsonObject = {"type": "tool_use", "id": "v", "name": "zoom", "toolset_name": "computer"}
    result = messages(
        user("a"),
        assistant("b", call, other, VendorPart(ORIGIN, answer)),
        user("late"),
        tool(ToolResult("c1", (Text("3"),)), ToolResult("c.2", (Text("x", CACHE), Text("y")))),
        user(VendorPart(ORIGIN, vendor)),
        tools=(TOOL,),
    )
    assert result[1]["content"][2]["id"] == "c_2"
    assert result[2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": "3"},
            {
                "type": "tool_result",
                "tool_use_id": "c_2",
                "content": [
                    {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "y"},
                ],
            },
            vendor,
            {"type": "text", "text": "late"},
        ],
    }


def test_what_a_result_holds() -> None:
    image = Attachment("image/png", url=data("image/png", b"p"), cache=CACHE)
    reference: JsonObject = {"type": "tool_reference", "tool_name": "x"}
    parts = (
        ToolResult("a", (image, VendorPart(ORIGIN, reference), VendorPart("x", {})), cache=CACHE),
        ToolResult("b", (Text(" "),)),
        ToolResult("c", (), success=False),
    )
    assert messages(user("a"), tool(*parts))[0]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "cA=="},
                    "cache_control": {"type": "ephemeral"},
                },
                reference,
            ],
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "tool_result", "tool_use_id": "b"},
        {
            "type": "tool_result",
            "tool_use_id": "c",
            "content": "The tool failed.",
            "is_error": True,
        },
        {"type": "text", "text": "a"},
    ]


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (
            Attachment("image/jpg", url=data("image/jpg", b"j")),
            {"type": "base64", "media_type": "image/jpeg", "data": "ag=="},
        ),
        (
            Attachment("image/gif", url="data:image/gif,j"),
            {"type": "base64", "media_type": "image/gif", "data": "ag=="},
        ),
        (
            Attachment("image/*", url="https://a/b.png"),
            {"type": "url", "url": "https://a/b.png"},
        ),
        (
            Attachment("application/pdf", url=data("application/pdf", b"j")),
            {"type": "base64", "media_type": "application/pdf", "data": "ag=="},
        ),
        (
            Attachment("application/pdf", url="https://a/b.pdf"),
            {"type": "url", "url": "https://a/b.pdf"},
        ),
        (
            Attachment("text/plain", url=data("text/plain", "é".encode())),
            {"type": "text", "media_type": "text/plain", "data": "é"},
        ),
        (
            Attachment("application/json", url="data:application/json,%7B%7D"),
            {"type": "text", "media_type": "text/plain", "data": "{}"},
        ),
    ],
)
def test_files(part: Attachment, source: dict[str, str]) -> None:
    [block] = messages(user(part))[0]["content"]
    assert block["source"] == source
    assert block["type"] == ("image" if part.media_type.startswith("image/") else "document")


def test_what_is_said_of_a_document() -> None:
    part = Attachment(
        "text/csv", url="data:text/csv,a", name="t.csv", context="c", cited=True, cache=CACHE
    )
    [block] = messages(user(part))[0]["content"]
    del block["source"]
    assert block == {
        "type": "document",
        "title": "t.csv",
        "context": "c",
        "citations": {"enabled": True},
        "cache_control": {"type": "ephemeral"},
    }


@pytest.mark.parametrize(
    "part",
    [
        Attachment("image/png", attachment_id="att_1"),
        Attachment("image/bmp", url=data("image/bmp", b"b")),
        Attachment("image/png", url="data:image/png;base64,***"),
        Attachment("audio/wav", url=data("audio/wav", b"w"), name="w.wav"),
        Attachment("text/plain", url="https://a/b.txt"),
        Attachment("text/plain", url=data("text/plain", b"\xff")),
    ],
)
def test_files_that_cannot_be_sent(part: Attachment) -> None:
    with pytest.raises(InvalidInput, match=r"w.wav|attachments"):
        render(request(user(part)), ModelOptions())


def test_the_detail_of_an_image_is_dropped() -> None:
    low = Attachment("image/png", url="https://a", detail="low")
    auto = Attachment("image/png", url="https://a", detail="auto")
    assert receipts(request(user(low, auto))) == [("messages.content.detail", "dropped")]


def test_signed_reasoning_goes_back_to_its_origin_only() -> None:
    parts = (
        Reasoning("a", signature="S+/=", origin=ORIGIN),
        Reasoning("", signature="", origin=ORIGIN),
        Reasoning("", encrypted="E", origin=ORIGIN),
        Reasoning("unsigned", origin=ORIGIN),
        Reasoning("x", signature="T", origin="openai_responses"),
        Reasoning("", encrypted="F", origin="openai_responses"),
        Text("b"),
    )
    wanted = request(user("hi"), assistant(*parts), user("more"))
    assert body(wanted)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "S+/="},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "redacted_thinking", "data": "E"},
        {"type": "text", "text": "b"},
    ]
    assert receipts(wanted) == [("messages.reasoning", "dropped")]


def test_parts_of_vendors() -> None:
    own: JsonObject = {"type": "server_tool_use", "id": "s"}
    wanted = request(
        user("a"), assistant(VendorPart(ORIGIN, own), VendorPart("x", {"type": "y"})), user("b")
    )
    assert body(wanted)["messages"][1]["content"] == [own]
    assert receipts(wanted) == [("messages.content", "dropped")]


def test_citations_stay_with_their_text() -> None:
    vendor: JsonObject = {"type": "char_location", "cited_text": "x"}
    own = Citation("t", origin=ORIGIN, vendor=vendor)
    foreign = Citation("t", url="https://a")
    answer = assistant(own, "a", own, foreign, own, "b", foreign, Refusal("No."))
    content = messages(user("a"), answer, user("b"))[1]["content"]
    assert content == [
        {"type": "text", "text": "a", "citations": [vendor, vendor]},
        {"type": "text", "text": "b"},
        {"type": "text", "text": "No."},
    ]


def test_blank_texts_are_left_out_and_turns_are_merged() -> None:
    given = (user("a", " "), user(""), user("b"), assistant(""), assistant("c"), assistant("d"))
    assert messages(*given, user("e")) == [
        {"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]},
        {"role": "assistant", "content": [{"type": "text", "text": t} for t in "cd"]},
        {"role": "user", "content": "e"},
    ]


def test_instructions_in_mid_conversation() -> None:
    middle = Message(Role.SYSTEM, (Text("be brief"),))
    blank = Message(Role.SYSTEM, (Text(" "),))
    wanted = request(user("a"), assistant("b"), middle, blank, user("c"))
    assert body(wanted)["messages"][2]["content"][0]["text"] == "<system>\nbe brief\n</system>"
    assert receipts(wanted) == [("messages.role", "approximated")]
    after_user = request(user("a"), middle)
    options = ModelOptions(system_messages=True)
    assert body(after_user, options)["messages"][1] == {"role": "system", "content": "be brief"}
    assert receipts(after_user, options) == []
    assert receipts(wanted, options) == [("messages.role", "approximated")]
    assert len(body(msgspec.structs.replace(after_user, origin=ORIGIN))["messages"]) == 2


def test_instructions_between_two_users_are_sent_as_theirs() -> None:
    middle = Message(Role.SYSTEM, (Text("be brief"),))
    options = ModelOptions(system_messages=True)
    wanted = request(user("a"), middle, user("c"), assistant("d"), user("e"), middle)
    first, _, _, last = body(wanted, options)["messages"]
    texts = [block["text"] for block in first["content"]]
    assert (first["role"], texts) == ("user", ["a", "<system>\nbe brief\n</system>", "c"])
    assert last == {"role": "system", "content": "be brief"}
    assert receipts(wanted, options) == [("messages.role", "approximated")]
    own = msgspec.structs.replace(wanted, origin=ORIGIN)
    roles = [each["role"] for each in body(own, options)["messages"]]
    assert roles == ["user", "system", "user", "assistant", "user", "system"]


def test_instructions_at_the_beginning_are_those_of_the_system() -> None:
    leading = [Message(Role.SYSTEM, (Text(text),)) for text in ("a", "b")]
    wanted = request(*leading, user("c"), instructions=(Text("first"),))
    texts = [block["text"] for block in body(wanted)["system"]]
    assert (texts, body(wanted)["messages"]) == (
        ["first", "a", "b"],
        [{"role": "user", "content": "c"}],
    )
    assert receipts(wanted) == []


def test_a_user_begins() -> None:
    wanted = request(assistant("hello"), user("hi"))
    assert body(wanted)["messages"][0] == {"role": "user", "content": "Continue."}
    assert receipts(wanted) == [("messages", "approximated")]
    empty = ModelRequest(owner_id="o", model="m", messages=(), instructions=(Text("Greet."),))
    assert body(empty)["messages"] == [{"role": "user", "content": "Continue."}]
    assert receipts(empty) == []


def test_the_beginning_of_an_answer() -> None:
    wanted = request(user("a"), assistant("The answer is \n"))
    assert body(wanted)["messages"][-1] == {"role": "assistant", "content": "The answer is"}
    options = ModelOptions(prefill=False)
    assert body(wanted, options)["messages"][-1]["role"] == "user"
    assert receipts(wanted, options) == [("messages", "approximated")]
    native = msgspec.structs.replace(wanted, origin=ORIGIN)
    assert body(native, options)["messages"][-1]["role"] == "assistant"
    called = request(user("a"), assistant(ToolCall("c", "n", {})))
    assert body(called)["messages"][-1]["content"][0]["id"] == "c"


def test_more_of_a_tool_goes_to_its_own_vendor_only() -> None:
    more: JsonObject = {"input_examples": [{"a": 1}]}
    own = request(tools=(ToolSpec("a", "", {}, origin=ORIGIN, more=more),))
    assert body(own)["tools"] == [{"name": "a", "input_schema": {"type": "object"}, **more}]
    foreign = request(tools=(ToolSpec("a", "", {}, origin="other", more=more),))
    assert body(foreign)["tools"] == [{"name": "a", "input_schema": {"type": "object"}}]
    assert receipts(foreign) == [("tools.input_examples", "dropped")]


def test_tools() -> None:
    own: JsonObject = {"type": "web_search_20260318", "name": "web_search"}
    tools = (
        ToolSpec("a", "", {}, strict=True, cache=CACHE),
        TOOL,
        VendorTool(ORIGIN, "web_search", own),
        VendorTool("openai_responses", "file_search", {}),
    )
    wanted = request(tools=tools)
    assert body(wanted)["tools"] == [
        {
            "name": "a",
            "input_schema": {"type": "object"},
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        },
        {"name": "add", "input_schema": SCHEMA, "description": "Adds."},
        own,
    ]
    assert receipts(wanted) == [("tools", "dropped")]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        ("auto", None, None),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ("required", True, {"type": "any", "disable_parallel_tool_use": False}),
        (NamedTool("add"), None, {"type": "tool", "name": "add"}),
    ],
)
def test_tool_choices(choice: Any, parallel: bool | None, expected: Any) -> None:
    wanted = request(tools=(TOOL,), tool_choice=choice, parallel_tool_calls=parallel)
    assert body(wanted).get("tool_choice") == expected
    without = request(tool_choice=choice, parallel_tool_calls=parallel)
    assert "tool_choice" not in body(without)


@pytest.mark.parametrize("choice", ["required", NamedTool("add")])
def test_a_model_that_cannot_be_told_to_call_a_tool(choice: Any) -> None:
    options = ModelOptions(forced_tools=False)
    wanted = request(tools=(TOOL,), tool_choice=choice, parallel_tool_calls=False)
    told = body(wanted, options)["tool_choice"]
    assert told == {"type": "auto", "disable_parallel_tool_use": True}
    assert receipts(wanted, options) == [("tool_choice", "approximated")]
    own = msgspec.structs.replace(wanted, origin=ORIGIN)
    assert body(own, options)["tool_choice"]["type"] in ("any", "tool")


def test_the_limit_of_output_tokens() -> None:
    options = ModelOptions(output_tokens=8192)
    foreign = request(origin="openai_chat")
    assert body(foreign, options)["max_tokens"] == 8192
    assert receipts(foreign, options) == []
    assert body(foreign)["max_tokens"] == 4096
    assert receipts(foreign) == [("max_completion_tokens", "approximated")]
    assert body(request(), options)["max_tokens"] == 8192
    large = request(origin="openai_chat", sampling=Sampling(max_tokens=10_000))
    assert body(large, options)["max_tokens"] == 8192
    assert receipts(large, options) == [("max_completion_tokens", "approximated")]
    assert body(request(sampling=Sampling(max_tokens=5)), options)["max_tokens"] == 5


def test_sampling() -> None:
    sampling = Sampling(0.5, 0.9, 10, stop=("a", "\n"), top_k=4)
    wanted = request(sampling=sampling, user="u")
    fields = body(wanted)
    assert fields["temperature"] == 0.5
    assert fields["top_p"] == 0.9
    assert fields["top_k"] == 4
    assert fields["stop_sequences"] == ["a"]
    assert fields["metadata"] == {"user_id": "u"}
    assert receipts(wanted) == [("stop", "dropped")]
    hot = request(sampling=Sampling(temperature=1.5))
    assert body(hot)["temperature"] == 1
    assert receipts(hot) == [("temperature", "approximated")]
    assert receipts(wanted, ModelOptions(sampling=False)) == [
        ("temperature", "dropped"),
        ("top_p", "dropped"),
        ("top_k", "dropped"),
        ("stop", "dropped"),
    ]
    native = msgspec.structs.replace(hot, origin=ORIGIN)
    assert body(native)["temperature"] == 1.5


def test_what_the_api_has_no_field_for() -> None:
    sampling = Sampling(
        seed=1, presence_penalty=0.1, frequency_penalty=0.2, logit_bias={"1": 1}, logprobs=0
    )
    wanted = request(sampling=sampling, vendor=VendorFields("openai_chat", {"prediction": {}}))
    assert receipts(wanted) == [
        ("seed", "dropped"),
        ("presence_penalty", "dropped"),
        ("frequency_penalty", "dropped"),
        ("logit_bias", "dropped"),
        ("logprobs", "dropped"),
        ("prediction", "dropped"),
    ]


def test_fields_that_only_the_vendor_knows() -> None:
    fields: JsonObject = {"container": "c", "output_config": {"novel": 1}, "model": "other"}
    wanted = request(
        vendor=VendorFields(ORIGIN, fields),
        origin=ORIGIN,
        reasoning=ReasoningOptions(effort="high"),
    )
    result = body(wanted)
    assert result["container"] == "c"
    assert result["model"] == "claude-x"
    assert result["output_config"] == {"novel": 1, "effort": "high"}
    plain = request(vendor=VendorFields(ORIGIN, {"container": "c"}), origin=ORIGIN)
    assert "output_config" not in body(plain)
    odd = request(vendor=VendorFields(ORIGIN, {"output_config": 3}), origin=ORIGIN)
    assert "output_config" not in body(odd)


def test_answers_in_json() -> None:
    exact = request(response_format=ResponseFormat("json_schema", "n", SCHEMA))
    assert body(exact)["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert receipts(exact) == []
    schema: JsonObject = {"type": "object", "properties": {"a": {"anyOf": [{"type": "object"}]}}}
    open_ = request(response_format=ResponseFormat("json_schema", "n", schema))
    sent = body(open_)["output_config"]["format"]["schema"]
    assert sent["additionalProperties"] is False
    assert sent["properties"]["a"]["anyOf"][0]["additionalProperties"] is False
    assert receipts(open_) == [("response_format", "approximated")]
    native = msgspec.structs.replace(open_, origin=ORIGIN)
    assert body(native)["output_config"]["format"]["schema"] == schema
    any_json = request(response_format=ResponseFormat("json"), instructions=(Text("Be brief."),))
    assert "JSON object" in body(any_json)["system"][1]["text"]
    assert receipts(any_json) == [("response_format", "approximated")]
    assert '"additionalProperties":false' in body(exact, ModelOptions(json_schema=False))["system"]

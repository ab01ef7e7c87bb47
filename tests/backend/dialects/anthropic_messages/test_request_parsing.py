"""Requests of callers are read whole, and refused in Anthropic's words where it refuses them."""

import json
from typing import Any

import pytest
from tests.backend.dialects.anthropic_messages.bodies import (
    CALL,
    EPHEMERAL,
    PDF,
    PNG,
    RESULT,
    SCHEMA,
    TOOL,
    assistant,
    body,
    text,
    user,
)

from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.anthropic_messages.request_parsing import Parsed, parse, parse_count
from cartrita.dialects.anthropic_messages.request_rendering import render
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Citation,
    Message,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ReasoningOptions, ResponseFormat, Sampling, VendorFields
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

ORIGIN = "anthropic_messages"


def parsed(*messages: JsonObject, **fields: Any) -> Parsed:
    return parse(body(*messages, **fields), "owner")


def parts(*content: Any) -> tuple[Any, ...]:
    [message] = parsed(user(*content)).request.messages
    return message.parts


def test_a_plain_request() -> None:
    result = parsed()
    request = result.request
    assert (request.owner_id, request.model, request.origin) == ("owner", "claude-x", ORIGIN)
    assert request.messages == (Message(Role.USER, (Text("hi"),)),)
    assert request.sampling == Sampling(max_tokens=10)
    assert request.vendor is None


def test_every_field() -> None:
    result = parsed(
        stream=True,
        system=[text("a", cache_control={"type": "ephemeral", "ttl": "1h"}), text("b")],
        tools=[{**TOOL, "type": "custom", "strict": True, "cache_control": EPHEMERAL}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "adaptive", "display": "omitted"},
        output_config={
            "effort": "max",
            "format": {"type": "json_schema", "schema": SCHEMA},
            "novel": 1,
        },
        temperature=1,
        top_p=0.5,
        top_k=3,
        stop_sequences=["x"],
        metadata={"user_id": "u"},
        service_tier="auto",
        container="c",
        mcp_servers=None,
    )
    request = result.request
    assert request.instructions == (Text("a", CacheBreakpoint("1h")), Text("b"))
    assert request.tools == (ToolSpec("add", "Adds.", SCHEMA, True, CacheBreakpoint()),)
    assert request.tool_choice == "required"
    assert request.parallel_tool_calls is False
    assert request.reasoning == ReasoningOptions("max", None, "adaptive", "omitted")
    assert request.response_format == ResponseFormat("json_schema", schema=SCHEMA)
    assert request.sampling == Sampling(1, 0.5, 10, ("x",), top_k=3)
    assert request.user == "u"
    assert request.vendor == VendorFields(
        ORIGIN, {"service_tier": "auto", "container": "c", "output_config": {"novel": 1}}
    )


def test_a_count_needs_no_limit() -> None:
    wanted = body()
    del wanted["max_tokens"]
    assert parse_count(wanted, "o").sampling.max_tokens is None
    with pytest.raises(InvalidInput, match="max_tokens: Field required"):
        parse(wanted, "o")


def test_instructions() -> None:
    assert parsed(system="a").request.instructions == (Text("a"),)
    assert parsed(system="").request.instructions == ()


def test_blocks() -> None:
    image = {"type": "base64", "media_type": "image/png", "data": PNG}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    plain = {"type": "text", "media_type": "text/plain", "data": "é"}
    kept: list[JsonObject] = [
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "content", "content": "x"}},
        {"type": "search_result", "source": "s", "title": "t", "content": []},
        {"type": "container_upload", "file_id": "f"},
        {"type": "novel"},
    ]
    assert parts(
        text("a", cache_control=EPHEMERAL),
        {"type": "image", "source": image, "cache_control": EPHEMERAL},
        {"type": "image", "source": {"type": "url", "url": "https://a/b.webp?x=.gif"}},
        {"type": "image", "source": {"type": "url", "url": "https://a/b"}},
        {"type": "document", "source": pdf, "title": "t", "context": "c"},
        {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
        {"type": "document", "source": plain, "citations": {"enabled": True}},
        *kept,
    ) == (
        Text("a", CacheBreakpoint()),
        Attachment("image/png", url=f"data:image/png;base64,{PNG}", cache=CacheBreakpoint()),
        Attachment("image/webp", url="https://a/b.webp?x=.gif"),
        Attachment("image/jpeg", url="https://a/b"),
        Attachment(
            "application/pdf", url=f"data:application/pdf;base64,{PDF}", name="t", context="c"
        ),
        Attachment("application/pdf", url="https://a/b.pdf"),
        Attachment("text/plain", url="data:text/plain;base64,w6k=", cited=True),
        *(VendorPart(ORIGIN, block) for block in kept),
    )


def test_an_answer_is_read_back() -> None:
    cited: JsonObject = {"type": "char_location", "cited_text": "x", "document_title": "D"}
    search: JsonObject = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    found: JsonObject = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    answer = assistant(
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "redacted_thinking", "data": "E"},
        text("a", citations=[cited]),
        text("b", citations=None),
        search,
        found,
        {**CALL, "caller": {"type": "direct"}, "cache_control": EPHEMERAL},
    )
    messages = parsed(user(text()), answer, user(RESULT, text("more"))).request.messages
    assert messages[1].parts == (
        Reasoning("hm", signature="", origin=ORIGIN),
        Reasoning("", encrypted="E", origin=ORIGIN),
        Text("a"),
        Citation("D", None, "x", 1, origin=ORIGIN, vendor=cited),
        Text("b"),
        VendorPart(ORIGIN, search),
        VendorPart(ORIGIN, found),
        ToolCall("t1", "add", {"a": 1}, CacheBreakpoint()),
    )
    assert messages[2:] == (
        Message(Role.TOOL, (ToolResult("t1", (Text("3"),)),)),
        Message(Role.USER, (Text("more"),)),
    )


def test_results() -> None:
    image: JsonObject = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
    }
    document: JsonObject = {"type": "document", "source": {"type": "url", "url": "https://a"}}
    reference: JsonObject = {"type": "tool_reference", "tool_name": "x"}
    calls = [{**CALL, "id": f"t{index}"} for index in range(1, 5)]
    content = [text("a"), image, document, reference]
    results = user(
        {**RESULT, "content": content, "is_error": True, "cache_control": EPHEMERAL},
        {"type": "tool_result", "tool_use_id": "t2"},
        {**RESULT, "tool_use_id": "t3", "content": ""},
        {**RESULT, "tool_use_id": "t4", "content": []},
    )
    [message] = parsed(user(text()), assistant(*calls), results).request.messages[2:]
    assert message.role is Role.TOOL
    [first, *others] = message.parts
    assert isinstance(first, ToolResult)
    assert [type(part) for part in first.content] == [Text, Attachment, Attachment, VendorPart]
    assert not first.success
    assert first.cache == CacheBreakpoint()
    assert others == [ToolResult(f"t{index}", ()) for index in (2, 3, 4)]


def test_calls_of_a_toolset_stay_the_vendors() -> None:
    call = {**CALL, "toolset_name": "computer"}
    result = {**RESULT, "toolset_name": "computer"}
    messages = parsed(user(text()), assistant(call), user(result)).request.messages
    assert messages[1:] == (
        Message(Role.ASSISTANT, (VendorPart(ORIGIN, call),)),
        Message(Role.TOOL, (VendorPart(ORIGIN, result),)),
    )


def test_turns_of_several_messages() -> None:
    other = {**CALL, "id": "t2"}
    messages = parsed(
        user(text()),
        assistant(CALL),
        assistant(other),
        user(RESULT),
        user({**RESULT, "tool_use_id": "t2"}),
        {"role": "system", "content": "be brief"},
        {"role": "system", "content": [text("and kind")]},
        assistant(),
    ).request.messages
    assert [message.role.value for message in messages] == [
        *("user", "assistant", "assistant", "tool", "tool", "system", "system"),
    ]


def test_instructions_between_turns_may_be_cited() -> None:
    cited = {"type": "char_location", "cited_text": "b", "document_index": 0}
    between: JsonObject = {"role": "system", "content": [text("be brief", citations=[cited])]}
    (_, system) = parsed(user(text()), between).request.messages
    assert system.parts[0] == Text("be brief")
    assert isinstance(system.parts[1], Citation)
    assert system.parts[1].vendor == cited


def test_a_stored_conversation_may_hold_the_call() -> None:
    body: JsonObject = {"model": "claude-x", "max_tokens": 10, "messages": [user(RESULT)]}
    assert parse(body, "owner", continued=True).request.messages[0].role is Role.TOOL
    with pytest.raises(InvalidInput):
        parsed(user(text()), assistant(CALL), user({**RESULT, "tool_use_id": "t2"}))


def test_tools_of_the_vendor() -> None:
    search: JsonObject = {"type": "web_search_20260318", "name": "web_search", "max_uses": 2}
    computer: JsonObject = {"type": "computer_toolset_20260801"}
    deferred: JsonObject = {**TOOL, "defer_loading": True}
    wanted = parsed(
        tools=[search, computer, deferred, {"name": "plain", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "plain"},
    ).request
    assert wanted.tools == (
        VendorTool(ORIGIN, "web_search", search),
        VendorTool(ORIGIN, "computer_toolset_20260801", computer),
        VendorTool(ORIGIN, "add", deferred),
        ToolSpec("plain", "", {"type": "object"}),
    )
    assert wanted.tool_choice == NamedTool("plain")
    assert wanted.parallel_tool_calls is None


def test_what_only_anthropic_knows_of_a_tool_is_kept() -> None:
    more: JsonObject = {"input_examples": [{"a": 1}], "eager_input_streaming": True}
    tool = {"name": "plain", "input_schema": {"type": "object"}, **more, "strict": None}
    wanted = parsed(tools=[tool]).request
    assert wanted.tools == (ToolSpec("plain", "", {"type": "object"}, origin=ORIGIN, more=more),)


def test_what_is_read_is_written_again() -> None:
    wanted = body(
        user(text("a", cache_control=EPHEMERAL), text("b")),
        assistant({"type": "thinking", "thinking": "", "signature": "S=="}, text("c"), CALL),
        user(RESULT, {"type": "novel"}),
        stream=True,
        system="s",
        tools=[TOOL, {"type": "bash_20250124", "name": "bash"}],
        tool_choice={"type": "auto", "disable_parallel_tool_use": False},
        thinking={"type": "enabled", "budget_tokens": 2048},
        output_config={"effort": "low"},
        metadata={"user_id": "u"},
        container="c",
    )
    rendered = render(parse(wanted, "o").request, ModelOptions())
    assert json.loads(rendered.body) == wanted
    assert rendered.receipts == ()


def test_text_is_storable() -> None:
    wanted = body({"role": "user", "content": "a\x00\ud800"})
    assert parse(wanted, "o").request.messages[0].text == "a\ufffd"


def test_a_schema_with_nulls_where_the_api_takes_them() -> None:
    schema = {"type": "object", "properties": None, "required": None, "default": None}
    parsed = parse(body(tools=[{"name": "f", "input_schema": schema}]), "o")
    [tool] = parsed.request.tools
    assert isinstance(tool, ToolSpec)
    assert tool.parameters == {"type": "object", "default": None}

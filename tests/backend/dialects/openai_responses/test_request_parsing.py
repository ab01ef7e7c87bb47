"""Requests are read as the vendor reads them, and refused where and as it refuses them."""

import json
from typing import Any

import pytest
from hypothesis import given
from tests.backend.dialects.openai_responses.requests import requests
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses import DIALECT
from cartrita.dialects.openai_responses.item_parsing import ItemReference, parse_items
from cartrita.dialects.openai_responses.request_parsing import Parsed, parse
from cartrita.dialects.openai_responses.request_rendering import render
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest, ReasoningOptions, ResponseFormat, VendorFields
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool


def parsed(**fields: Any) -> Parsed:
    return parse({"model": "gpt", "input": "Hi", **fields}, "owner")


def messages(*items: Any, **fields: Any) -> tuple[Message, ...]:
    return parsed(input=list(items), **fields).request.messages


def refused(**fields: Any) -> tuple[str, str | None]:
    with pytest.raises(InvalidInput) as caught:
        parsed(**fields)
    return next(iter(caught.value.fields)), caught.value.code


@given(requests())
@dialect_examples
def test_what_is_rendered_is_parsed_again(request: ModelRequest) -> None:
    rendered = render(request)
    assert rendered.receipts == ()
    assert parse(json.loads(rendered.body), "owner").request == request


def test_text_is_the_message_of_a_user() -> None:
    request = parsed().request
    assert request.messages == (Message(Role.USER, (Text("Hi"),)),)
    assert (request.model, request.origin, request.vendor) == ("gpt", DIALECT, None)


def test_what_concerns_the_response_and_not_the_model() -> None:
    told = parsed(
        stream=True, background=True, previous_response_id="resp_1", metadata={"a": "b"}, user="u"
    )
    assert (told.background, told.previous_response_id) == (True, "resp_1")
    assert (told.metadata, told.echo, told.request.vendor) == ({"a": "b"}, {"user": "u"}, None)


def test_a_conversation_that_the_body_does_not_name() -> None:
    said: JsonObject = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    begun: JsonObject = {"model": "gpt", "input": [{"role": "system", "content": "Hi"}, said]}
    read = parse(begun, "owner", continued=True)
    roles = [message.role for message in read.request.messages]
    assert (roles, read.leading) == ([Role.SYSTEM, Role.TOOL], ())
    assert parse({"model": "gpt"}, "owner", continued=True).request.messages == ()


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_by_either_form(conversation: Any) -> None:
    assert parsed(conversation=conversation).conversation_id == "conv_1"


def test_messages_without_a_type() -> None:
    assert messages(
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": "Hello"},
    ) == (
        Message(Role.USER, (Text("Hi"),)),
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.ASSISTANT, (Text("Hello"),)),
    )


def test_the_systems_first_messages_are_instructions() -> None:
    system: JsonObject = {"role": "system", "content": "Be brief."}
    sent: list[JsonObject] = [system, {"id": "msg_1"}, system, {"role": "user", "content": "Hi"}]
    found = parsed(input=sent, instructions="Be kind.")
    assert found.request.instructions == (Text("Be kind."), Text("Be brief."))
    assert found.leading == (Message(Role.SYSTEM, (Text("Be brief."),)),)
    assert found.references == (ItemReference("msg_1", 0),)
    assert [message.role for message in found.request.messages] == [Role.SYSTEM, Role.USER]


def test_the_systems_messages_stay_in_a_conversation_that_goes_on() -> None:
    found = parsed(input=[{"role": "system", "content": "x"}], previous_response_id="resp_1")
    assert (found.leading, found.request.instructions) == ((), ())
    assert found.request.messages == (Message(Role.SYSTEM, (Text("x"),)),)


def test_the_items_of_one_answer_are_one_message() -> None:
    search: JsonObject = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    annotation = {
        "type": "url_citation",
        "url": "https://a",
        "title": "A",
        "start_index": 0,
        "end_index": 2,
    }
    file: JsonObject = {
        "type": "file_citation",
        "file_id": "file_1",
        "filename": "a.txt",
        "index": 3,
    }
    assert messages(
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        search,
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Hm", "annotations": [annotation, file]},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c", "output": "sun"},
    )[1:] == (
        Message(
            Role.ASSISTANT,
            (
                Reasoning("", None, "gAAA", DIALECT, "rs_1"),
                VendorPart(DIALECT, search),
                Text("Hm"),
                Citation("A", "https://a", index=1, start=0, end=2),
                Citation("a.txt", index=2, origin=DIALECT, vendor=file),
                Refusal("No."),
                ToolCall("c", "f", {"a": 1}),
            ),
        ),
        Message(Role.TOOL, (ToolResult("c", (Text("sun"),)),)),
    )


def test_files_of_every_kind() -> None:
    shot: JsonObject = {"type": "computer_screenshot", "image_url": "https://a"}
    content = [
        {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,QQ==", "filename": "a"},
        {"type": "input_file", "file_url": "https://a/b.pdf"},
        {"type": "input_file", "file_id": "file_2"},
        {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
        shot,
    ]
    assert messages({"role": "user", "content": content})[0].parts == (
        Attachment("image/*", url="https://a/b.png", detail="low"),
        Attachment("image/*", attachment_id="file_1"),
        Attachment("application/pdf", url="data:application/pdf;base64,QQ==", name="a"),
        Attachment("application/pdf", url="https://a/b.pdf"),
        Attachment("application/octet-stream", attachment_id="file_2"),
        Attachment("audio/mpeg", url="data:audio/mpeg;base64,QQ=="),
        VendorPart(DIALECT, shot),
    )


def test_references_keep_their_place() -> None:
    found = parsed(
        input=[
            {"role": "user", "content": "a"},
            {"type": "item_reference", "id": "msg_1"},
            {"id": "fc_1"},
            {"type": "function_call_output", "call_id": "c", "output": "x"},
        ]
    )
    assert found.references == (ItemReference("msg_1", 1), ItemReference("fc_1", 1))
    assert [message.role for message in found.request.messages] == [Role.USER, Role.TOOL]


def test_an_answer_continues_after_a_reference_in_a_message_of_its_own() -> None:
    said: JsonObject = {"role": "assistant", "content": "a"}
    reference: JsonObject = {"id": "msg_1"}
    found = parse_items([said, reference, said], "items")
    assert [message.role for message in found.messages] == [Role.ASSISTANT, Role.ASSISTANT]


def test_tools_of_functions_and_of_the_vendor() -> None:
    function = {"type": "function", "name": "f", "parameters": None, "strict": True}
    later: JsonObject = {"type": "function", "name": "g", "defer_loading": True}
    mcp: JsonObject = {"type": "mcp", "server_label": "files"}
    request = parsed(
        tools=[function, later, mcp], tool_choice={"type": "function", "name": "f"}
    ).request
    assert request.tools == (
        ToolSpec("f", "", {"type": "object", "properties": {}}, True),
        VendorTool(DIALECT, "g", later),
        VendorTool(DIALECT, "files", mcp),
    )
    assert request.tool_choice == NamedTool("f")


@pytest.mark.parametrize(
    ("choice", "nearest"),
    [
        ({"type": "allowed_tools", "mode": "required", "tools": []}, "required"),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, "auto"),
        ({"type": "web_search_preview"}, "auto"),
    ],
)
def test_choices_that_only_the_vendor_has(choice: Any, nearest: str) -> None:
    request = parsed(tool_choice=choice).request
    assert request.tool_choice == nearest
    assert request.vendor == VendorFields(DIALECT, {"tool_choice": choice})


def test_options_of_text_and_reasoning() -> None:
    request = parsed(
        text={"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
        reasoning={"effort": "high", "generate_summary": "auto", "mode": "pro"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs", "other"],
        truncation="disabled",
        service_tier="flex",
        seed=None,
    ).request
    assert request.response_format == ResponseFormat("json_schema", "n", {})
    assert request.reasoning == ReasoningOptions("high", summary="auto", encrypted=True)
    assert request.sampling.logprobs == 0
    assert request.vendor == VendorFields(
        DIALECT,
        {
            "text": {"verbosity": "low"},
            "reasoning": {"mode": "pro"},
            "include": ["other"],
            "service_tier": "flex",
        },
    )


def test_a_stored_conversation_needs_no_input() -> None:
    assert parsed(input=None, conversation="c").request.messages == ()


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": ""}, "model", "missing_required_parameter"),
        ({"model": 3}, "model", "invalid_type"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 3.5}, "input", "invalid_type"),
        ({"input": [True]}, "input[0]", "invalid_type"),
        ({"input": [{"type": "x"}]}, "input[0].type", "invalid_value"),
        ({"input": [{"content": "x"}]}, "input[0].role", "missing_required_parameter"),
        ({"input": [{"role": "robot", "content": ""}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": [{"role": "user", "content": {}}]}, "input[0].content", "invalid_type"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
        ({"temperature": "1"}, "temperature", "invalid_type"),
        ({"top_p": -1}, "top_p", "decimal_below_min_value"),
        ({"max_output_tokens": 1}, "max_output_tokens", "integer_below_min_value"),
        ({"max_output_tokens": 1.5}, "max_output_tokens", "invalid_type"),
        ({"top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"background": True, "store": False}, "background", "invalid_value"),
        ({"conversation": {}}, "conversation.id", "missing_required_parameter"),
        ({"conversation": []}, "conversation", "invalid_type"),
        (
            {"conversation": "c", "previous_response_id": "r"},
            "previous_response_id",
            "mutually_exclusive_parameters",
        ),
        ({"include": ["a", None]}, "include[1]", "invalid_type"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {"a": "b" * 513}}, "metadata.a", "string_above_max_length"),
        ({"metadata": dict.fromkeys("abcdefghijklmnopq", "")}, "metadata", None),
        ({"tools": {}}, "tools", "invalid_type"),
        ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
        ({"tools": [{"type": "function", "name": "f", "strict": 1}]}, "tools[0].strict", None),
        (
            {"tools": [{"type": "function", "name": "f", "parameters": {"type": "array"}}]},
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "name": "f",
                        "parameters": {"type": "object", "required": 1},
                    }
                ]
            },
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        ({"tool_choice": "some"}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "tool_choice", "invalid_value"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value"),
        ({"text": {"format": {"name": "x"}}}, "text.format.type", "missing_required_parameter"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema", None),
    ],
)
def test_what_the_vendor_refuses(fields: dict[str, Any], path: str, code: str | None) -> None:
    assert refused(**fields) in [(path, code)] if code else refused(**fields)[0] == path


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({}, "type"),
        ({"type": "output_text", "text": ""}, "type"),
        ({"type": "input_text"}, "text"),
        ({"type": "input_image"}, "image_url"),
        ({"type": "input_image", "image_url": "cat.png"}, "image_url"),
        ({"type": "input_image", "image_url": "data:image/png;base64,Q"}, "image_url"),
        ({"type": "input_image", "image_url": "data:text/plain;base64,QQ=="}, "image_url"),
        ({"type": "input_image", "image_url": "data:nothing"}, "image_url"),
        ({"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8="}, "image_url"),
        ({"type": "input_image", "image_url": "https://a", "detail": "x"}, "detail"),
        ({"type": "input_file"}, "file_data"),
        ({"type": "input_file", "file_data": "QQ=="}, "file_data"),
        ({"type": "input_audio", "input_audio": {"data": ""}}, "input_audio.format"),
    ],
)
def test_content_that_the_vendor_refuses(part: Any, path: str) -> None:
    fine = {"type": "input_text", "text": "a"}
    item = {"role": "user", "content": [fine, part]}
    assert refused(input=[item])[0] == f"input[0].content[1].{path}"


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"role": "assistant", "content": [{"type": "input_text"}]}, "content[0].type"),
        ({"role": "assistant", "content": [{}]}, "content[0].type"),
        ({"type": "function_call", "call_id": "c", "name": "f"}, "arguments"),
        ({"type": "function_call", "call_id": "c", "name": "f", "arguments": "["}, "arguments"),
        ({"type": "function_call_output", "output": ""}, "call_id"),
        ({"type": "function_call_output", "call_id": "c"}, "output"),
        ({"type": "reasoning", "encrypted_content": "cartrita:?"}, "encrypted_content"),
        ({"type": "reasoning", "summary": [{}]}, "summary[0].text"),
    ],
)
def test_items_that_the_vendor_refuses(item: Any, path: str) -> None:
    assert refused(input=[item])[0] == f"input[0].{path}"


def test_calls_and_results_belong_together() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    result = {"type": "function_call_output", "call_id": "d", "output": "x"}
    assert refused(input=[result])[0] == "input"
    assert refused(input=[call])[0] == "input"
    assert messages(result, previous_response_id="r")[0].role is Role.TOOL

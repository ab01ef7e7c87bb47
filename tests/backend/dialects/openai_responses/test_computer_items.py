"""Desktops in OpenAI's own forms: what is offered, how calls are read, and how they go back."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import pytest
from openai.types.responses import ResponseInputItemParam, ToolParam
from pydantic import TypeAdapter

from cartrita.dialects.computer_calls import with_computer
from cartrita.dialects.openai_responses import DIALECT
from cartrita.dialects.openai_responses.computer_items import call_form
from cartrita.dialects.openai_responses.request_rendering import render
from cartrita.dialects.openai_responses.stream_parsing import StreamParser, parse_completion
from cartrita.domain.deltas import Finished, FinishReason, ToolCallDelta
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerForm, ComputerTool, NamedTool, ToolChoice

PICTURE = Attachment("image/png", url="data:image/png;base64,AAAA")
CHECK: JsonObject = {"id": "cu_sc_1", "code": "malicious_instructions", "message": "Look at it."}
ACTIONS: JsonObject = {
    "actions": [{"type": "click", "at": {"x": 10, "y": 20}}, {"type": "screenshot"}]
}
CALL: JsonObject = {
    "type": "computer_call",
    "id": "cu_1",
    "call_id": "call_1",
    "status": "completed",
    "pending_safety_checks": [],
    "actions": [
        {"type": "click", "x": 10, "y": 20, "button": "left"},
        {"type": "screenshot"},
    ],
}
CHECKED: JsonObject = {**CALL, "pending_safety_checks": [CHECK]}
Reader: TypeAlias = Callable[[ComputerForm, JsonObject], list[object]]


def _body(form: ComputerForm, *messages: Message, choice: ToolChoice = "auto") -> JsonObject:
    request = ModelRequest(
        owner_id="o",
        model="gpt-5.4",
        messages=(Message(Role.USER, (Text("Go"),)), *messages),
        tools=(ComputerTool(1280, 800, form=form),),
        tool_choice=choice,
    )
    return msgspec.json.decode(render(request).body, type=JsonObject)


def _items(
    form: ComputerForm, call: ToolCall, result: ToolResult, *before: Part
) -> list[JsonObject]:
    said = Message(Role.ASSISTANT, (*before, call)), Message(Role.TOOL, (result,))
    items = msgspec.convert(_body(form, *said)["input"], list[JsonObject])[1:]
    for item in items:
        TypeAdapter(ResponseInputItemParam).validate_python(item)
    return items


def _call(item: JsonObject = CALL) -> ToolCall:
    return ToolCall("call_1", "computer", ACTIONS, origin=DIALECT, vendor=item)


def _result(
    *content: Text | Attachment, success: bool = True, approved: bool = False
) -> ToolResult:
    return ToolResult("call_1", content, "computer", success, approved=approved)


@pytest.mark.parametrize("form", ["computer", "computer_use_preview", "function"])
def test_what_is_offered_is_of_the_vendors_types(form: ComputerForm) -> None:
    body = _body(form)
    (tool,) = msgspec.convert(body["tools"], list[JsonObject])
    TypeAdapter(ToolParam).validate_python(tool)
    assert tool["type"] == form
    assert body.get("truncation") == ("auto" if form == "computer_use_preview" else None)
    own = form != "function"
    assert body.get("include") == (["reasoning.encrypted_content"] if own else None)
    if form == "computer":
        assert tool == {"type": "computer"}


def test_the_tool_is_chosen_by_its_type() -> None:
    choice = NamedTool("computer")
    assert _body("computer", choice=choice)["tool_choice"] == {"type": "computer"}
    called = {"type": "function", "name": "computer"}
    assert _body("function", choice=choice)["tool_choice"] == called


def _read(form: ComputerForm, item: JsonObject) -> list[object]:
    _, parse = with_computer(
        call_form(ComputerTool(1280, 800, form=form)), StreamParser, parse_completion
    )
    whole = {"object": "response", "status": "completed", "output": [item]}
    return [*parse("p", msgspec.json.encode(whole), ())]


def _streamed(form: ComputerForm, item: JsonObject) -> list[object]:
    create, _ = with_computer(
        call_form(ComputerTool(1280, 800, form=form)), StreamParser, parse_completion
    )
    parser = create("p", ())
    deltas: list[object] = []
    response: JsonObject = {"status": "completed", "output": [item]}
    events: list[JsonObject] = [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    for event in events:
        deltas += parser.feed(msgspec.json.encode(event))
    return [*deltas, *parser.end()]


@pytest.mark.parametrize("read", [_read, _streamed])
@pytest.mark.parametrize(
    ("item", "arguments"),
    [
        (CALL, ACTIONS),
        (CHECKED, {**ACTIONS, "checks": [CHECK]}),
        (
            {**CALL, "actions": None, "action": {"type": "wait"}},
            {"actions": [{"type": "wait"}]},
        ),
    ],
)
def test_a_call_is_read(read: Reader, item: JsonObject, arguments: JsonObject) -> None:
    call, finished = read("computer", item)
    assert isinstance(call, ToolCallDelta)
    assert (call.call_id, call.name, call.problem) == ("call_1", "computer", None)
    assert (call.origin, call.vendor) == (DIALECT, item)
    assert msgspec.json.decode(call.arguments) == arguments
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.TOOL_CALL


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"actions": []}, "A call has 1 to 64 actions, and this one 0."),
        ({"actions": None}, "This call has no actions."),
        ({"actions": [{"type": "launch"}]}, "An action of this call cannot be read: "),
    ],
)
def test_a_call_that_cannot_be_read_says_why(changes: JsonObject, problem: str) -> None:
    call, _ = _read("computer", {**CALL, **changes})
    assert isinstance(call, ToolCallDelta)
    assert (call.problem or "").startswith(problem)


@pytest.mark.parametrize(
    ("pending", "check"),
    [
        (["odd"], {"id": "", "message": '"odd"'}),
        ("odd", {"id": "", "message": '"odd"'}),
        (CHECK, CHECK),
        ({}, {"id": "", "message": "{}"}),
        ("", {"id": "", "message": '""'}),
        (False, {"id": "", "message": "false"}),
    ],
)
def test_a_check_that_cannot_be_read_is_still_one(pending: JsonValue, check: JsonObject) -> None:
    item: JsonObject = {**CALL, "pending_safety_checks": pending}
    call, _ = _read("computer", item)
    assert isinstance(call, ToolCallDelta)
    assert msgspec.json.decode(call.arguments)["checks"] == [check]
    unapproved, _ = _items("computer", _call(item), _result(PICTURE))
    assert unapproved["type"] == "function_call", "nobody approved of it"


def test_a_call_goes_back_as_it_came_with_the_last_picture() -> None:
    first = Attachment("image/png", url="data:image/png;base64,BBBB")
    assert _items("computer", _call(), _result(first, PICTURE)) == [
        CALL,
        {
            "type": "computer_call_output",
            "call_id": "call_1",
            "output": {"type": "computer_screenshot", "image_url": PICTURE.url},
        },
    ]


def test_what_is_said_of_a_call_follows_its_picture() -> None:
    *_, told = _items("computer", _call(), _result(Text("Off the screen."), PICTURE, success=False))
    assert told == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Of that: Off the screen."}],
    }


def test_checks_are_acknowledged_for_a_call_that_a_person_approved() -> None:
    call, output = _items("computer", _call(CHECKED), _result(PICTURE, approved=True))
    assert call == CHECKED
    assert output["acknowledged_safety_checks"] == [CHECK]


@pytest.mark.parametrize(
    ("item", "result"),
    [
        (CHECKED, _result(PICTURE)),
        (CHECKED, _result(Text("No."), success=False)),
        (CALL, _result(Text("It was long ago."))),
    ],
)
def test_any_other_call_is_one_of_a_function(item: JsonObject, result: ToolResult) -> None:
    """No check is acknowledged that nobody approved, and no call is without its picture."""
    sealed = Reasoning("", encrypted="x", origin=DIALECT, id="rs_1")
    call, output = _items("computer", _call(item), result, sealed)
    assert call["type"] == "function_call"
    assert msgspec.json.decode(str(call["arguments"])) == ACTIONS
    assert output["type"] == "function_call_output"
    assert "acknowledged_safety_checks" not in output


def test_the_reasoning_of_a_call_that_goes_back_stays() -> None:
    sealed = Reasoning("", encrypted="x", origin=DIALECT, id="rs_1")
    reasoning, call, _ = _items("computer", _call(), _result(PICTURE), sealed)
    assert (reasoning["type"], call["type"]) == ("reasoning", "computer_call")


def test_a_call_of_another_vendor_is_one_of_a_function() -> None:
    foreign = ToolCall("call_1", "computer", ACTIONS, origin="anthropic_messages", vendor={"a": 1})
    call, output = _items("computer", foreign, _result(PICTURE))
    assert (call["type"], output["type"]) == ("function_call", "function_call_output")

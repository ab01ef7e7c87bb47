"""Desktops in Anthropic's own forms: what is offered, how calls are read, and how they go back."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import pytest
from anthropic.types import beta
from pydantic import TypeAdapter

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages.computer_calls import betas, call_form
from cartrita.dialects.anthropic_messages.models import known_options
from cartrita.dialects.anthropic_messages.request_rendering import render
from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.computer_calls import with_computer
from cartrita.domain.deltas import Finished, FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Attachment, Message, Part, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerForm, ComputerTool, NamedTool, ToolChoice

TOOLSET, NEWER, OLDER = "computer_toolset_20260801", "computer_20251124", "computer_20250124"
FORMS: list[ComputerForm] = [TOOLSET, NEWER, OLDER, "function"]
CLICK: JsonObject = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "left_click",
    "input": {"coordinate": [10, 20]},
    "toolset_name": "computer",
}
CLICKED: JsonObject = {"actions": [{"type": "click", "at": {"x": 10, "y": 20}}]}
OLDER_CLICK: JsonObject = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "computer",
    "input": {"action": "left_click", "coordinate": [10, 20]},
}
Reader: TypeAlias = Callable[..., list[object]]
SEEN = ToolResult("toolu_1", (Attachment("image/png", url="data:image/png;base64,AAAA"),))


def _request(
    form: ComputerForm,
    *parts: Part,
    zoom: bool = True,
    choice: ToolChoice = "auto",
    result: ToolResult = SEEN,
) -> ModelRequest:
    said = (Message(Role.ASSISTANT, parts), Message(Role.TOOL, (result,))) if parts else ()
    return ModelRequest(
        owner_id="o",
        model="claude-opus-5-5",
        messages=(Message(Role.USER, (Text("Go"),)), *said),
        tools=(ComputerTool(1280, 800, zoom, form),),
        tool_choice=choice,
    )


def _body(request: ModelRequest, model: str = "claude-opus-5-5") -> JsonObject:
    return msgspec.json.decode(render(request, known_options(model)).body, type=JsonObject)


def _blocks(request: ModelRequest) -> tuple[JsonObject, JsonObject]:
    """The block of the call, and of its result, up to which everything is to be cached."""
    messages = msgspec.convert(_body(request)["messages"], list[JsonObject])
    call, result = (msgspec.convert(one["content"], list[JsonObject]) for one in messages[1:3])
    assert result[0].pop("cache_control") == {"type": "ephemeral"}
    return call[0], result[0]


@pytest.mark.parametrize("zoom", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_offered_is_of_the_vendors_types(form: ComputerForm, *, zoom: bool) -> None:
    (tool,) = msgspec.convert(_body(_request(form, zoom=zoom))["tools"], list[JsonObject])
    TypeAdapter(beta.BetaToolUnionParam).validate_python(tool)
    assert tool.get("type", "function") == form
    if form == TOOLSET:
        assert tool.get("configs") == (None if zoom else {"zoom": {"enabled": False}})
    elif form != "function":
        assert (tool["display_width_px"], tool["display_height_px"]) == (1280, 800)
        assert tool.get("enable_zoom", False) is (zoom and form == NEWER)


@pytest.mark.parametrize(
    ("model", "form", "asked"),
    [
        ("claude-opus-5-5", TOOLSET, ("context-management-2025-06-27",)),
        ("claude-opus-5", TOOLSET, ()),
        ("claude-opus-4-6", NEWER, ("computer-use-2025-11-24",)),
        ("claude-sonnet-4-5", OLDER, ("computer-use-2025-01-24",)),
        ("claude-opus-5-5", "function", ()),
    ],
)
def test_betas_are_asked_for(model: str, form: ComputerForm, asked: tuple[str, ...]) -> None:
    request = _request(form)
    assert betas(request, known_options(model)) == asked
    clears = "context_management" in _body(request, model)
    assert clears == ("context-management-2025-06-27" in asked)


def _answer(*blocks: JsonObject, stop_reason: str = "tool_use") -> bytes:
    whole = {"type": "message", "content": blocks, "stop_reason": stop_reason}
    return msgspec.json.encode(whole)


def _read(form: ComputerForm, *blocks: JsonObject) -> list[object]:
    tool = ComputerTool(1280, 800, form=form)
    _, parse = with_computer(call_form(tool), StreamParser, parse_completion)
    return [*parse("p", _answer(*blocks), ())]


def _streamed(form: ComputerForm, *blocks: JsonObject) -> list[object]:
    """The same blocks as events, with their input in pieces."""
    tool = ComputerTool(1280, 800, form=form)
    create, _ = with_computer(call_form(tool), StreamParser, parse_completion)
    parser = create("p", ())
    deltas: list[object] = []
    for index, block in enumerate(blocks):
        written = msgspec.json.encode(block.get("input")).decode()
        start = {"type": "content_block_start", "index": index, "content_block": {**block}}
        if "input" in block:
            start["content_block"] = {**block, "input": {}}
        events: list[JsonObject] = [msgspec.to_builtins(start)]
        if "input" in block:
            events += [_piece(index, written[:7]), _piece(index, written[7:])]
        events.append({"type": "content_block_stop", "index": index})
        for event in events:
            deltas += parser.feed(msgspec.json.encode(event))
    for event in (
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ):
        deltas += parser.feed(msgspec.json.encode(event))
    return [*deltas, *parser.end()]


def _piece(index: int, text: str) -> JsonObject:
    delta: JsonObject = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


@pytest.mark.parametrize("read", [_read, _streamed])
def test_members_of_one_answer_are_calls_in_their_order(read: Reader) -> None:
    other: JsonObject = {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {"a": 1}}
    shot: JsonObject = {**CLICK, "id": "toolu_3", "name": "screenshot", "input": {}}
    text: JsonObject = {"type": "text", "text": "Now"}
    deltas = read(TOOLSET, text, CLICK, other, shot)
    texts = [one.text for one in deltas if isinstance(one, TextDelta)]
    calls = {one.index: one for one in deltas if isinstance(one, ToolCallDelta) and one.name}
    assert texts == ["Now"]
    assert [calls[index].name for index in sorted(calls)] == ["computer", "look", "computer"]
    first = calls[0]
    assert (first.call_id, first.origin, first.vendor) == ("toolu_1", DIALECT, CLICK)
    assert msgspec.json.decode(first.arguments) == CLICKED
    last = deltas[-1]
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.TOOL_CALL


@pytest.mark.parametrize("read", [_read, _streamed])
def test_the_older_tools_have_their_action_in_the_input(read: Reader) -> None:
    call, finished = read(NEWER, OLDER_CLICK)
    assert isinstance(call, ToolCallDelta)
    assert (call.index, call.call_id, call.name) == (0, "toolu_1", "computer")
    assert msgspec.json.decode(call.arguments) == CLICKED
    assert (call.origin, call.vendor) == (DIALECT, OLDER_CLICK)
    assert isinstance(finished, Finished)


@pytest.mark.parametrize("read", [_read, _streamed])
def test_a_function_is_read_too(read: Reader) -> None:
    call, _ = read("function", {**OLDER_CLICK, "input": CLICKED})
    assert isinstance(call, ToolCallDelta)
    assert msgspec.json.decode(call.arguments) == CLICKED
    assert (call.origin, call.vendor) == (None, {})


@pytest.mark.parametrize(
    ("form", "block", "problem"),
    [
        (TOOLSET, {**CLICK, "name": "launch"}, "There is no action launch; there are"),
        (TOOLSET, {**CLICK, "input": "{"}, "The input of left_click was no JSON object"),
        (NEWER, {**OLDER_CLICK, "input": {"a": 1}}, "The input of this call has no `action`."),
        ("function", {**OLDER_CLICK, "input": {"actions": []}}, "The arguments of this call"),
    ],
)
def test_a_call_that_cannot_be_read_says_why(
    form: ComputerForm, block: JsonObject, problem: str
) -> None:
    call, _ = _read(form, block)
    assert isinstance(call, ToolCallDelta)
    assert (call.problem or "").startswith(problem)
    assert not isinstance(call.vendor.get("input", {}), str)


def _call(block: JsonObject | None = None, arguments: JsonObject = CLICKED) -> ToolCall:
    origin = DIALECT if block else None
    return ToolCall("toolu_1", "computer", arguments, origin=origin, vendor=block or {})


@pytest.mark.parametrize(
    ("form", "call", "sent", "echoed"),
    [
        (TOOLSET, _call(CLICK), CLICK, True),
        (NEWER, _call(OLDER_CLICK), OLDER_CLICK, False),
        (TOOLSET, _call(OLDER_CLICK), CLICK, True),
        (OLDER, _call(CLICK), OLDER_CLICK, False),
        (TOOLSET, _call(), CLICK, True),
        ("function", _call(CLICK), {**OLDER_CLICK, "input": CLICKED}, False),
    ],
)
def test_a_call_goes_back_in_the_form_that_is_offered(
    form: ComputerForm, call: ToolCall, sent: JsonObject, *, echoed: bool
) -> None:
    block, result = _blocks(_request(form, call))
    assert block == sent
    assert result.get("toolset_name") == ("computer" if echoed else None)


def test_a_batch_of_another_vendor_goes_back_as_a_function() -> None:
    batch: JsonObject = {"actions": [{"type": "screenshot"}, {"type": "wait"}]}
    block, result = _blocks(_request(TOOLSET, _call(None, batch)))
    assert block == {"type": "tool_use", "id": "toolu_1", "name": "computer", "input": batch}
    assert "toolset_name" not in result


def test_a_failed_call_says_so_and_repeats_the_toolset() -> None:
    halted = "Not executed: an earlier computer action in this turn failed."
    failed = ToolResult("toolu_1", (Text(halted),), success=False)
    _, result = _blocks(_request(TOOLSET, _call(CLICK), result=failed))
    assert result == {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": halted,
        "is_error": True,
        "toolset_name": "computer",
    }


@pytest.mark.parametrize(
    ("form", "sent"),
    [(TOOLSET, {"type": "any"}), (NEWER, {"type": "tool", "name": "computer"})],
)
def test_a_toolset_cannot_be_chosen_by_name(form: ComputerForm, sent: JsonObject) -> None:
    body = _body(_request(form, choice=NamedTool("computer")), "claude-opus-5")
    assert body["tool_choice"] == sent


def test_a_callers_own_breakpoints_are_the_only_ones() -> None:
    request = msgspec.structs.replace(_request(TOOLSET, _call(CLICK)), origin=DIALECT)
    assert b"cache_control" not in render(request, known_options("claude-opus-5")).body

"""The fake provider is as strict with desktops as Anthropic and OpenAI are."""

import base64
import struct
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from anthropic.types import ComputerToolUseBlock
from openai.types.responses import ResponseComputerToolCall
from pydantic import TypeAdapter
from tests.harness.fake_provider.anthropic_messages.computer import HALTED, TOOLSET
from tests.harness.fake_provider.client import Reply, ask
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, ToolCall

MODELS = ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-6", "claude-sonnet-4-5"]
OPENAIS = ["gpt-5.4", "gpt-4.1", "computer-use-preview"]
NEWER = {"type": "computer_20251124", "name": "computer"}
SIZED = {"display_width_px": 1280, "display_height_px": 800}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(models=[*MODELS, *OPENAIS]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


def png(width: int = 1280, height: int = 800) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02"
    return base64.b64encode(head).decode()


def image(width: int = 1280, height: int = 800) -> Json:
    source = {"type": "base64", "media_type": "image/png", "data": png(width, height)}
    return {"type": "image", "source": source}


def ask_claude(
    fake: FakeProvider, messages: list[Json], *, betas: str = "", **fields: object
) -> Reply:
    """Send a request with the toolset, unless `fields` say otherwise."""
    headers = {
        "x-api-key": fake.key,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        **({"anthropic-beta": betas} if betas else {}),
    }
    whole: Json = {
        "model": "claude-opus-5-5",
        "max_tokens": 999,
        "tools": [{"type": TOOLSET}],
        "messages": messages,
    }
    return ask(fake, whole | fields, path="/v1/messages", headers=headers)


HI: list[Json] = [{"role": "user", "content": "hi"}]


def turn() -> list[Json]:
    """Two actions of one turn, the first of which failed."""
    calls: list[Json] = [
        {"type": "tool_use", "id": f"toolu_{number}", "name": "left_click", "input": {}}
        for number in range(2)
    ]
    results: list[Json] = [
        {"type": "tool_result", "tool_use_id": f"toolu_{number}", "is_error": True}
        for number in range(2)
    ]
    results[0]["content"], results[1]["content"] = "The point is off.", HALTED
    for block in (*calls, *results):
        block["toolset_name"] = "computer"
    said: list[Json] = [
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
    ]
    return [*HI, *said]


def refused(reply: Reply, words: str) -> None:
    assert reply.status == 400, reply.body
    assert words in reply.json()["error"]["message"]


def test_a_turn_by_the_rules_is_taken(fake: FakeProvider) -> None:
    assert ask_claude(fake, turn()).status == 200


@pytest.mark.parametrize(
    ("place", "changes", "words"),
    [
        ((1, 0), {"toolset_name": "browser"}, "no toolset 'browser' is among the tools"),
        ((1, 0), {"name": "launch"}, "'launch' is no member"),
        ((1, 0), {"toolset_name": None}, "must be the `toolset_name` of"),
        ((2, 0), {"toolset_name": None}, "must be the `toolset_name` of"),
        ((2, 1), {"toolset_name": "browser"}, "must be the `toolset_name` of"),
        ((2, 0), {"content": []}, "content cannot be empty if `is_error` is true"),
        ((2, 0), {"content": ""}, "content cannot be empty if `is_error` is true"),
        ((2, 1), {"content": "Not done."}, "the result after a failed action must be"),
        ((2, 1), {"is_error": False}, "the result after a failed action must be"),
        ((2, 0), {"content": [image(2577, 10)]}, "exceeds the maximum size"),
        ((2, 0), {"content": [image(2500, 2500)]}, "exceeds the maximum size"),
        ((2, 0), {"content": [image(2001, 10)] * 21}, "many-image requests: 2000 pixels"),
    ],
)
def test_a_turn_against_the_rules_is_refused(
    fake: FakeProvider, place: tuple[int, int], changes: Json, words: str
) -> None:
    messages = deepcopy(turn())
    block = messages[place[0]]["content"][place[1]]
    block.update(changes)
    refused(ask_claude(fake, messages), words)


def test_documents_are_no_results_of_a_toolset(fake: FakeProvider) -> None:
    messages = turn()
    source = {"type": "text", "media_type": "text/plain", "data": "a"}
    messages[2]["content"][0]["content"] = [{"type": "document", "source": source}]
    refused(ask_claude(fake, messages), "results of a toolset hold text and images only")


def test_a_result_that_is_missing_is_refused(fake: FakeProvider) -> None:
    messages = turn()
    del messages[2]["content"][1]
    refused(ask_claude(fake, messages), "toolu_1")


@pytest.mark.parametrize(
    ("fields", "betas", "words"),
    [
        ({"tools": [{"type": TOOLSET, "name": "computer"}]}, "", "Extra inputs are not permitted"),
        ({"tools": [{"type": TOOLSET, **SIZED}]}, "", "Extra inputs are not permitted"),
        ({"tools": [{"type": TOOLSET, "configs": {"drag": {}}}]}, "", "Extra inputs are not"),
        ({"tools": [NEWER | SIZED]}, "", "Input tag 'computer_20251124'"),
        ({"tools": [NEWER | SIZED]}, "computer-use-2025-01-24", "Input tag 'computer_20251124'"),
        (
            {"tools": [NEWER | SIZED]},
            "computer-use-2025-11-24",
            "'claude-opus-5-5' does not support tool types: computer_20251124",
        ),
        ({"model": "claude-opus-4-6"}, "", "does not support tool types: computer_toolset"),
        ({}, "fine-grained-tool-streaming-2025-05-14", "cannot be used together with a toolset"),
        ({"tool_choice": {"type": "any"}}, "", "does not support a forced tool choice"),
        ({"thinking": {"type": "disabled"}}, "", "thinking cannot be disabled"),
        ({"context_management": {"edits": []}}, "", "Extra inputs are not permitted"),
        ({"context_management": {"edits": []}}, "computer-use-2025-11-24", "Extra inputs are not"),
    ],
)
def test_what_a_model_does_not_take_is_refused(
    fake: FakeProvider, fields: Json, betas: str, words: str
) -> None:
    refused(ask_claude(fake, HI, betas=betas, **fields), words)


@pytest.mark.parametrize(
    ("fields", "betas"),
    [
        ({"tools": [{"type": TOOLSET, "configs": {"zoom": {"enabled": False}}}]}, ""),
        ({"context_management": {"edits": []}}, "context-management-2025-06-27"),
        ({"model": "claude-opus-5", "tool_choice": {"type": "any"}}, ""),
        ({"model": "claude-opus-4-6", "tools": [NEWER | SIZED]}, "computer-use-2025-11-24"),
        (
            {
                "model": "claude-sonnet-4-5",
                "tools": [{**NEWER, **SIZED, "type": "computer_20250124"}],
            },
            "computer-use-2025-01-24",
        ),
    ],
)
def test_what_a_model_takes_is_taken(fake: FakeProvider, fields: Json, betas: str) -> None:
    assert ask_claude(fake, HI, betas=betas, **fields).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_calls_of_members_are_of_the_vendors_types(fake: FakeProvider, *, stream: bool) -> None:
    calls = (
        ToolCall(name="left_click", arguments={"coordinate": [1, 2]}),
        ToolCall(name="screenshot", arguments={}),
    )
    fake.script(Script(tool_calls=calls))
    reply = ask_claude(fake, HI, stream=stream)
    if stream:
        starts = [one for one in reply.events() if one["type"] == "content_block_start"]
        blocks = [start["content_block"] for start in starts]
    else:
        blocks = reply.json()["content"]
        assert blocks[0]["input"] == {"coordinate": [1, 2]}
    assert [block["name"] for block in blocks] == ["left_click", "screenshot"]
    assert {block["toolset_name"] for block in blocks} == {"computer"}
    TypeAdapter(ComputerToolUseBlock).validate_python(blocks[-1])


CHECK: Json = {"id": "cu_sc_1", "code": "malicious_instructions", "message": "Look."}
CALL: Json = {
    "type": "computer_call",
    "id": "cu_1",
    "call_id": "call_1",
    "status": "completed",
    "pending_safety_checks": [],
    "actions": [{"type": "screenshot"}],
}
OUTPUT: Json = {
    "type": "computer_call_output",
    "call_id": "call_1",
    "output": {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{png()}"},
}
CHECKED: Json = {**CALL, "pending_safety_checks": [CHECK]}


def ask_gpt(fake: FakeProvider, *items: Json, **fields: object) -> Reply:
    whole: Json = {
        "model": "gpt-5.4",
        "input": [{"role": "user", "content": "hi"}, *items],
        "tools": [{"type": "computer"}],
        "store": False,
    }
    return ask(fake, whole | fields, path="/v1/responses")


@pytest.mark.parametrize(
    "items", [(CALL, OUTPUT), (CHECKED, {**OUTPUT, "acknowledged_safety_checks": [CHECK]})]
)
def test_a_call_by_the_rules_is_taken(fake: FakeProvider, items: tuple[Json, Json]) -> None:
    assert ask_gpt(fake, *items).status == 200


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((CALL,), "No tool output found for computer call call_1."),
        ((OUTPUT,), "No tool call found for computer call output with call_id call_1."),
        ((CHECKED, OUTPUT), "safety checks that were not acknowledged: cu_sc_1"),
        (
            (CALL, {**OUTPUT, "acknowledged_safety_checks": [CHECK]}),
            "has no such safety checks: cu_sc_1",
        ),
        (({**CALL, "actions": []}, OUTPUT), "A computer call needs actions."),
        ((CALL, {**OUTPUT, "output": {"type": "computer_screenshot"}}), "needs a screenshot"),
        (
            (CALL, {**OUTPUT, "output": {"type": "computer_screenshot", "image_url": "data:x"}}),
            "Expected a valid URL",
        ),
        ((CALL, {**OUTPUT, "output": "Done."}), "output"),
    ],
)
def test_a_call_against_the_rules_is_refused(
    fake: FakeProvider, items: tuple[Json, ...], words: str
) -> None:
    refused(ask_gpt(fake, *items), words)


PREVIEW: Json = {
    "type": "computer_use_preview",
    "display_width": 1280,
    "display_height": 800,
    "environment": "linux",
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "gpt-4.1"}, "Tool 'computer' is not supported with gpt-4.1."),
        ({"model": "computer-use-preview"}, "Tool 'computer' is not supported with"),
        ({"tools": [PREVIEW]}, "Tool 'computer_use_preview' is not supported with gpt-5.4."),
        (
            {"model": "computer-use-preview", "tools": [PREVIEW]},
            "requires truncation to be 'auto'",
        ),
        ({"tools": [{"type": "computer", "display_width": 1}]}, "display_width"),
    ],
)
def test_tools_that_a_model_has_not_are_refused(
    fake: FakeProvider, fields: Json, words: str
) -> None:
    refused(ask_gpt(fake, **fields), words)


def test_the_preview_has_a_tool_of_its_own(fake: FakeProvider) -> None:
    own: Json = {"model": "computer-use-preview", "tools": [PREVIEW], "truncation": "auto"}
    assert ask_gpt(fake, **own).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_computer_calls_are_of_the_vendors_types(fake: FakeProvider, *, stream: bool) -> None:
    said = {"actions": [{"type": "screenshot"}], "pending_safety_checks": [CHECK]}
    fake.script(Script(tool_calls=(ToolCall(name="computer_call", arguments=said),)))
    reply = ask_gpt(fake, stream=stream)
    response = reply.events()[-1]["response"] if stream else reply.json()
    (item,) = response["output"]
    call = TypeAdapter(ResponseComputerToolCall).validate_python(item)
    assert call.pending_safety_checks[0].id == "cu_sc_1"
    assert call.actions is not None

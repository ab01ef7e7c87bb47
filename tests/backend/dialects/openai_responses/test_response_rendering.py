"""Responses are whole in every state, and stored messages become the items that they were."""

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace
from tests.backend.dialects.openai_responses.requests import conversations
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses.item_parsing import parse_input
from cartrita.dialects.openai_responses.output_items import ItemPlace, parse_item_id
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING
from cartrita.dialects.openai_responses.response_objects import Ending, ResponseHead, Status
from cartrita.dialects.openai_responses.response_rendering import (
    OwnedMessage,
    input_items,
    output_items_of,
    render,
    render_state,
)
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import InvalidInput
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
from cartrita.domain.places import Places
from cartrita.domain.usage import Usage
from cartrita.kit import sse

HEAD = ResponseHead(
    id="resp_0a",
    created_at=7,
    model="m",
    conversation_id="conv_1",
    metadata={"a": "b"},
    echo={"text": {"verbosity": "low"}, "temperature": 0.5, "user": "u"},
    extra={"execution_time_seconds": 1},
)


def test_a_response_repeats_its_request() -> None:
    usage = Usage(1, 2)
    body = json.loads(
        render(HEAD, [TextDelta("a"), Finished(FinishReason.STOP, usage)], completed_at=9)
    )
    assert (body["object"], body["status"], body["completed_at"]) == ("response", "completed", 9)
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert (body["temperature"], body["top_p"], body["user"]) == (0.5, 1.0, "u")
    assert (body["conversation"], body["metadata"]) == ({"id": "conv_1"}, {"a": "b"})
    assert body["execution_time_seconds"] == 1
    assert "cartrita" not in body


def test_an_estimate_is_marked_beside_the_usage() -> None:
    end = Finished(FinishReason.STOP, Usage(1, 2, estimated=True, error_bound=0.1))
    head = replace(HEAD, extra={"cartrita": {"receipts": ["r"]}})
    whole = json.loads(render(head, [TextDelta("a"), end]))
    streamed = sse.Parser().feed(StreamRenderer(head).feed(end))
    first, last = (json.loads(streamed[index].data)["response"] for index in (0, -1))
    marked = {"receipts": ["r"], "usage": "estimated;bound=0.1"}
    assert whole["cartrita"] == last["cartrita"] == marked
    assert first["cartrita"] == {"receipts": ["r"]}
    assert "estimated" not in whole["usage"]


@pytest.mark.parametrize("status", ["queued", "in_progress", "failed", "cancelled"])
def test_a_response_in_other_states(status: Status) -> None:
    error = InvalidInput.of("input", "Too long.") if status == "failed" else None
    body = json.loads(render_state(HEAD, status, (Text("Hal"),), Ending(error=error)))
    (item,) = body["output"]
    assert (body["status"], item["content"][0]["text"]) == (status, "Hal")
    assert item["status"] == "incomplete"
    assert body["error"] == (
        error
        and {
            "code": "invalid_prompt",
            "message": "input: Too long.",
            "type": "invalid_request_error",
            "param": "input",
        }
    )


def test_the_items_of_an_answer_without_what_the_runs_own_tools_did() -> None:
    own = (ToolCall("c", "f", {}), ToolResult("c", (Text("x"),)))
    items = output_items_of(HEAD, (Text("a"), *own, Text("b"), ToolCall("d", "g", {})))
    assert [item["id"] for item in items] == ["msg_0a0000", "fc_0a0001"]
    assert all(item["status"] == "completed" for item in items)
    assert items[1]["call_id"] == "d"
    cut = output_items_of(HEAD, (Text("a"), ToolCall("d", "g", {})), "incomplete")
    assert [item["type"] for item in cut] == ["message"]
    assert parse_item_id("fc_0a0001") == ItemPlace("0a", 1)
    assert parse_item_id("ws_1") is None


def without_marks(part: Part) -> Part:
    """As it is listed: without cache breakpoints, which are for the model."""
    if isinstance(part, Text) and part.cache is not None:
        return Text(part.text)
    if isinstance(part, Attachment) and part.cache is not None:
        return Attachment(part.media_type, None, part.url, part.name, part.detail)
    return part


@given(conversations())
@dialect_examples
def test_what_is_listed_can_be_sent_again(messages: tuple[Message, ...]) -> None:
    told = (OwnedMessage(f"msg_{number}", each) for number, each in enumerate(messages))
    items = input_items(told, include=(ENCRYPTED_REASONING,))
    ids = [item["id"] for item in items if item["type"] != "web_search_call"]
    assert len(set(ids)) == len(ids)
    again = parse_input(json.loads(json.dumps(items)), Places()).messages
    for wanted in (Reasoning, ToolCall, VendorPart):
        kept = [
            [p for m in each for p in m.parts if type(p) is wanted] for each in (again, messages)
        ]
        assert kept[0] == kept[1]
    asked = [
        tuple(without_marks(part) for part in m.parts) for m in messages if m.role is Role.USER
    ]
    assert [m.parts for m in again if m.role is Role.USER] == asked
    for kind in (Text, Refusal):
        said = ["".join(p.text for p in m.parts if isinstance(p, kind)) for m in messages]
        assert "".join(said) == "".join(
            p.text for m in again for p in m.parts if isinstance(p, kind)
        )


def test_encrypted_reasoning_is_listed_where_it_is_asked_for() -> None:
    said = Message(Role.ASSISTANT, (Reasoning("", encrypted="x", origin="openai_responses"),))
    (hidden,) = input_items([OwnedMessage("msg_1", said)])
    (shown,) = input_items([OwnedMessage("msg_1", said)], include=(ENCRYPTED_REASONING,))
    assert hidden.get("encrypted_content") is None
    assert shown["encrypted_content"]


def test_stored_files_are_listed_by_their_ids() -> None:
    parts: tuple[Part, ...] = (
        Attachment("image/png", attachment_id="a", cache=CacheBreakpoint()),
        Attachment("application/pdf", attachment_id="b"),
        VendorPart("openai_responses", {"type": "computer_screenshot"}),
        VendorPart("anthropic_messages", {"type": "other"}),
    )
    (item,) = input_items([OwnedMessage("msg_1", Message(Role.USER, parts))])
    assert item["content"] == [
        {"type": "input_image", "file_id": "a", "detail": "auto"},
        {"type": "input_file", "file_id": "b"},
        {"type": "computer_screenshot"},
    ]


def test_results_of_tools_are_items_of_their_own() -> None:
    image = Attachment("image/png", url="https://a/b.png")
    output: dict[str, Any] = {"type": "computer_call_output"}
    parts: tuple[Part, ...] = (
        ToolResult("a", (Text("x"),)),
        ToolResult("b", (image,)),
        VendorPart("openai_responses", output),
        VendorPart("anthropic_messages", {}),
        Citation("x"),
    )
    first, second, third = input_items([OwnedMessage("msg_1", Message(Role.TOOL, parts))])
    assert (first["id"], first["output"]) == ("fco_10000", "x")
    assert second["output"] == [
        {"type": "input_image", "image_url": "https://a/b.png", "detail": "auto"}
    ]
    assert third == output

"""Answers leave as the events of the vendor: in order, complete, and each time the same."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import Abilities, Content, answers, content_of, splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses import reasoning
from cartrita.dialects.openai_responses.content_parsing import citation
from cartrita.dialects.openai_responses.response_objects import ResponseHead
from cartrita.dialects.openai_responses.response_rendering import render
from cartrita.dialects.openai_responses.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.errors import RateLimited, UpstreamCut
from cartrita.domain.file_places import FilePlace
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage
from cartrita.kit import sse

SEALED = "reasoning.encrypted_content"
HEAD = ResponseHead(id="resp_0a", created_at=7, model="model-1", include=(SEALED,))
ABILITIES = Abilities(
    sealed=("openai_responses", "anthropic_messages"), reasoning_ids=True, interleaved_calls=True
)


def rendered(*deltas: Delta, head: ResponseHead = HEAD, after: float = -1) -> bytes:
    renderer = StreamRenderer(head, after=after)
    return b"".join(renderer.feed(delta) for delta in deltas)


def events(data: bytes) -> list[dict[str, Any]]:
    frames = sse.Parser().feed(data)
    found = [json.loads(frame.data) for frame in frames]
    assert [frame.event for frame in frames] == [event["type"] for event in found]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def kinds(data: bytes) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events(data)]


def parsed(pieces: list[bytes]) -> list[Delta]:
    frames, parser = sse.Parser(), StreamParser("fake")
    deltas = [
        delta
        for piece in pieces
        for frame in frames.feed(piece)
        for delta in parser.feed(frame.data, frame.event)
    ]
    return deltas + parser.end()


def unwrapped(said: Content) -> Content:
    """With the seals of reasoning taken out of what they were wrapped in."""
    blocks = [
        (text, seal.signature, seal.encrypted, seal.origin, seal.id)
        for text, _, encrypted, _, item_id in said.reasoning
        for seal in (reasoning.unwrap(encrypted, item_id),)
    ]
    return said._replace(reasoning=blocks)


@given(st.data())
@dialect_examples
def test_what_is_rendered_is_parsed_again_on_every_split(data: st.DataObject) -> None:
    deltas = data.draw(answers(ABILITIES))
    stream = rendered(*deltas)
    said = content_of(parsed(data.draw(splits(stream))))
    wanted = content_of(deltas)
    told = [msgspec.structs.replace(each, vendor_reason=_told(each)) for each in wanted.finished]
    assert unwrapped(said) == wanted._replace(finished=told)
    assert content_of(parse_completion("fake", render(HEAD, deltas))) == said


def _told(finished: Finished) -> str | None:
    reasons = {
        FinishReason.LENGTH: "max_output_tokens",
        FinishReason.CONTENT_FILTER: "content_filter",
    }
    return reasons.get(finished.reason)


@given(answers(ABILITIES), st.booleans())
@dialect_examples
def test_the_same_deltas_give_the_same_events(deltas: list[Delta], background: bool) -> None:
    head = ResponseHead(id="resp_1", created_at=1, model="m", background=background)
    stream = rendered(*deltas, head=head)
    assert rendered(*deltas, head=head) == stream
    found = events(stream)
    assert found[-1]["response"]["output"] == json.loads(render(head, deltas))["output"]
    added = [e["item"]["id"] for e in found if e["type"] == "response.output_item.added"]
    assert [each["id"] for each in found[-1]["response"]["output"]] == added
    for number in (0, len(found) // 2, len(found)):
        frames = sse.Parser().feed(rendered(*deltas, head=head, after=number))
        assert [json.loads(frame.data) for frame in frames] == found[number + 1 :]


def test_the_events_of_a_text() -> None:
    usage = Usage(3, 2, 1, 0, 1)
    logprob: JsonObject = {"token": "Hi", "logprob": -1}
    stream = rendered(
        Accepted("p", "m"),
        TextDelta("Hi", (logprob,)),
        TextDelta("", (logprob,)),
        CitationDelta(Citation("T", "https://a")),
        CitationDelta(Citation("no address")),
        TextDelta(""),
        RefusalDelta("No"),
        Finished(FinishReason.STOP, usage),
    )
    assert kinds(stream) == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.delta", "output_text.delta"),
        *("output_text.annotation.added", "output_text.done"),
        *("content_part.done", "content_part.added", "refusal.delta", "refusal.done"),
        *("content_part.done", "output_item.done", "completed"),
    ]
    response = events(stream)[-1]["response"]
    annotation = {
        "type": "url_citation",
        "url": "https://a",
        "title": "T",
        "start_index": 0,
        "end_index": 2,
    }
    text = {
        "type": "output_text",
        "text": "Hi",
        "annotations": [annotation],
        "logprobs": [logprob, logprob],
    }
    assert response["output"] == [
        {
            "id": "msg_0a0000",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [text, {"type": "refusal", "refusal": "No"}],
        }
    ]
    assert response["usage"]["total_tokens"] == 5


def test_a_place_in_a_stored_file_is_a_citation_of_the_file() -> None:
    place = FilePlace("file_" + "0a" * 16, "beds.pdf", 217, 1)
    cited = CitationDelta(Citation(place.title, place.url, "The heliotrope", 2))
    stream = rendered(TextDelta("At the pump."), cited, Finished(FinishReason.STOP, Usage()))
    [item] = events(stream)[-1]["response"]["output"]
    [annotation] = item["content"][0]["annotations"]
    assert annotation == {
        "type": "file_citation",
        "file_id": place.file_id,
        "filename": "beds.pdf",
        "index": 12,
    }
    assert citation(annotation, 2) == Citation(
        "beds.pdf", f"/api/files/{place.file_id}/content", index=2
    )
    theirs = {**annotation, "file_id": "file-abc"}
    assert citation(theirs, 2).vendor == theirs


def test_the_events_of_reasoning_a_call_and_a_vendors_item() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    stream = rendered(
        ReasoningDelta("hm"),
        ReasoningDelta("", encrypted="gAAA", origin="openai_responses", id="rs_1"),
        VendorDelta(VendorPart("openai_responses", dict(search))),
        VendorDelta(VendorPart("anthropic_messages", {"type": "other"})),
        ReasoningDelta(""),
        ToolCallDelta(0, "c", arguments='{"a":'),
        ToolCallDelta(0, None, "f"),
        ToolCallDelta(0, arguments="1}"),
        Finished(FinishReason.TOOL_CALL, Usage()),
    )
    assert kinds(stream)[2:] == [
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "output_item.done", "output_item.added"),
        *("function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done", "completed"),
    ]
    thought, found, call = events(stream)[-1]["response"]["output"]
    assert found == search
    assert thought["encrypted_content"].startswith("cartrita:")
    assert (call["id"], call["arguments"]) == ("fc_0a0002", '{"a":1}')


def test_sealed_reasoning_is_sent_where_it_is_asked_for() -> None:
    head = ResponseHead(id="resp_1", created_at=1, model="m")
    sealed = ReasoningDelta("", encrypted="x", origin="openai_responses", id="rs_1")
    stream = rendered(sealed, Finished(FinishReason.STOP, Usage()), head=head)
    assert "encrypted_content" not in events(stream)[-1]["response"]["output"][0]


def test_a_call_without_a_name_is_not_lost() -> None:
    stream = rendered(ToolCallDelta(0, arguments="{}"), Finished(FinishReason.STOP, Usage()))
    (call,) = events(stream)[-1]["response"]["output"]
    assert (call["call_id"], call["name"], call["arguments"]) == ("call_fc_0a0000", "", "{}")


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        (FinishReason.LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (FinishReason.CONTENT_FILTER, "incomplete", {"reason": "content_filter"}),
        (FinishReason.ERROR, "failed", None),
    ],
)
def test_other_ends(reason: FinishReason, status: str, details: Any) -> None:
    stream = rendered(TextDelta("a"), Finished(reason, Usage(1, 1)))
    last = events(stream)[-1]
    response = last["response"]
    assert (last["type"], response["status"]) == (f"response.{status}", status)
    assert response["incomplete_details"] == details
    assert response["output"][0]["content"][0]["text"] == "a"


def test_an_error_ends_the_stream_with_what_there_is() -> None:
    renderer = StreamRenderer(HEAD)
    stream = renderer.feed(TextDelta("Hal")) + renderer.error(UpstreamCut("Cut.", provider="p"))
    *_, error, failed = events(stream)
    assert (error["type"], error["message"], error["code"]) == ("error", "Cut.", "upstream_cut")
    assert error["error"]["type"] == "server_error"
    assert failed["response"]["error"]["code"] == "server_error"
    assert failed["response"]["output"][0]["status"] == "incomplete"
    assert renderer.status == "failed"


def test_an_error_before_the_first_delta() -> None:
    stream = StreamRenderer(HEAD).error(RateLimited("Slow."))
    assert kinds(stream) == ["created", "in_progress", "error", "failed"]
    assert events(stream)[-1]["response"]["error"]["code"] == "rate_limit_exceeded"


def test_a_response_in_the_background_is_queued_first() -> None:
    head = ResponseHead(id="resp_1", created_at=1, model="m", background=True)
    stream = StreamRenderer(head).cancelled()
    assert kinds(stream) == ["created", "queued", "in_progress", "cancelled"]

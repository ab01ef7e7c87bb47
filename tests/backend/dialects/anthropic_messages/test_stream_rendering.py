"""Deltas become the events of a streamed message, with blocks that open and close in order."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.dialects.anthropic_messages.events import opened, piece, start

from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.dialects.anthropic_messages.relay import Monitor
from cartrita.dialects.anthropic_messages.response_parsing import citation
from cartrita.dialects.anthropic_messages.response_rendering import render
from cartrita.dialects.anthropic_messages.stream_rendering import StreamRenderer
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
from cartrita.domain.errors import Unavailable
from cartrita.domain.file_places import FilePlace
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage
from cartrita.kit import sse

ORIGIN = "anthropic_messages"
HEAD = MessageHead(id="msg_1", model="m", input_tokens=7, extra={"conversation_id": "c"})
END = Finished(FinishReason.STOP, Usage(10, 5))


def events(data: bytes) -> list[Any]:
    frames = sse.Parser().feed(data)
    payloads = [json.loads(frame.data) for frame in frames]
    assert [frame.event for frame in frames] == [payload["type"] for payload in payloads]
    return payloads


def rendered(*deltas: Delta) -> list[Any]:
    renderer = StreamRenderer(HEAD)
    return events(b"".join(renderer.feed(delta) for delta in deltas))


def blocks(*deltas: Delta) -> list[Any]:
    """What lies between the first event and the last two."""
    return rendered(*deltas, END)[1:-2]


def content(*deltas: Delta) -> list[Any]:
    return json.loads(render(HEAD, [*deltas, END]))["content"]


def begin(index: int, **block: Any) -> JsonObject:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta_of(index: int, kind: str, **fields: Any) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> JsonObject:
    return {"type": "content_block_stop", "index": index}


TEXT: dict[str, Any] = {"type": "text", "text": ""}


def test_an_ordinary_answer() -> None:
    result = rendered(Accepted("p", "m"), TextDelta('H"'), TextDelta("é"), TextDelta(""), END)
    assert result == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 7,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": 1,
                },
                "conversation_id": "c",
            },
        },
        begin(0, **TEXT),
        delta_of(0, "text_delta", text='H"'),
        delta_of(0, "text_delta", text="é"),
        stop(0),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 5,
            },
        },
        {"type": "message_stop"},
    ]


def test_an_estimate_is_marked_in_the_metadata() -> None:
    end = Finished(FinishReason.STOP, Usage(10, 5, estimated=True, error_bound=0.25))
    head = replace(HEAD, finishing={"metadata": {"receipts": ["r"]}})
    renderer = StreamRenderer(head)
    marked = "estimated;bound=0.25"
    streamed = events(renderer.feed(TextDelta("x")) + renderer.feed(end))[-2]
    for told in (streamed, json.loads(render(head, [TextDelta("x"), end]))):
        assert told["metadata"] == {"receipts": ["r"], "usage": marked}
        assert "estimated" not in told["usage"]
    assert rendered(end)[-2]["metadata"] == {"usage": marked}
    assert "metadata" not in rendered(END)[-2]


def test_usage_of_caches_and_reasoning() -> None:
    usage = Usage(100, 9, 50, 20, 4, 5)
    end = rendered(Finished(FinishReason.STOP, usage))[-2]
    assert end["usage"] == {
        "input_tokens": 30,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 5},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    unknown = rendered(Finished(FinishReason.STOP, Usage()))[-2]
    assert unknown["usage"]["input_tokens"] == 7


@pytest.mark.parametrize(
    ("finished", "reason", "sequence"),
    [
        (Finished(FinishReason.STOP, Usage()), "end_turn", None),
        (Finished(FinishReason.STOP, Usage(), stop_sequence="x"), "stop_sequence", "x"),
        (Finished(FinishReason.LENGTH, Usage()), "max_tokens", None),
        (Finished(FinishReason.TOOL_CALL, Usage()), "tool_use", None),
        (Finished(FinishReason.CONTENT_FILTER, Usage()), "refusal", None),
        (Finished(FinishReason.STOP, Usage(), vendor_reason="pause_turn"), "pause_turn", None),
        (Finished(FinishReason.STOP, Usage(), vendor_reason="novel"), "end_turn", None),
    ],
)
def test_stop_reasons(finished: Finished, reason: str, sequence: str | None) -> None:
    expected = {"stop_reason": reason, "stop_sequence": sequence}
    assert rendered(finished)[-2]["delta"] == expected
    assert expected.items() <= json.loads(render(HEAD, [finished])).items()


def test_reasoning() -> None:
    deltas = (
        ReasoningDelta("a"),
        ReasoningDelta("", signature="S+/=", origin=ORIGIN),
        ReasoningDelta("", signature="", origin=ORIGIN),
        ReasoningDelta("", encrypted="E", origin=ORIGIN),
        ReasoningDelta(""),
        TextDelta("b"),
    )
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    assert blocks(*deltas) == [
        begin(0, **thinking),
        delta_of(0, "thinking_delta", thinking="a"),
        delta_of(0, "signature_delta", signature="S+/="),
        stop(0),
        begin(1, **thinking),
        delta_of(1, "signature_delta", signature=""),
        stop(1),
        begin(2, type="redacted_thinking", data="E"),
        stop(2),
        begin(3, **TEXT),
        delta_of(3, "text_delta", text="b"),
        stop(3),
    ]
    assert content(*deltas) == [
        {"type": "thinking", "thinking": "a", "signature": "S+/="},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "redacted_thinking", "data": "E"},
        {"type": "text", "text": "b"},
    ]


def test_reasoning_without_a_seal_says_so() -> None:
    deltas = (ReasoningDelta("a"), TextDelta("b"))
    signature = blocks(*deltas)[2]["delta"]["signature"]
    assert signature.startswith("cartrita.")
    assert content(*deltas)[0] == {"type": "thinking", "thinking": "a", "signature": signature}


def test_tool_calls() -> None:
    deltas = (
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(1, None, "g"),
        ToolCallDelta(0, arguments='{"x":1}'),
        ToolCallDelta(1, arguments=""),
        ToolCallDelta(2, "c", "h", '{"cut'),
    )
    assert blocks(*deltas) == [
        begin(0, type="tool_use", id="a", name="f", input={}),
        delta_of(0, "input_json_delta", partial_json='{"x":1}'),
        stop(0),
        begin(1, type="tool_use", id="toolu_msg_1_1", name="g", input={}),
        stop(1),
        begin(2, type="tool_use", id="c", name="h", input={}),
        delta_of(2, "input_json_delta", partial_json='{"cut'),
        stop(2),
    ]
    assert [block["input"] for block in content(*deltas)] == [{"x": 1}, {}, {"arguments": '{"cut'}]
    assert content(*deltas)[1]["id"] == "toolu_msg_1_1"


def test_citations_before_any_text_belong_to_the_first() -> None:
    file_id = "file_" + "0a" * 16
    place = FilePlace(file_id, "beds, page 9.pdf", 217, 1)
    cited = Citation(place.title, place.url, "The heliotrope", 2)
    deltas = (CitationDelta(cited), TextDelta("At "), TextDelta("the pump."))
    told: JsonObject = {
        "type": "page_location",
        "file_id": file_id,
        "document_index": 0,
        "document_title": "beds, page 9.pdf",
        "start_page_number": 217,
        "end_page_number": 218,
        "cited_text": "The heliotrope",
    }
    assert blocks(*deltas) == [
        begin(0, **TEXT),
        delta_of(0, "citations_delta", citation=told),
        delta_of(0, "text_delta", text="At "),
        delta_of(0, "text_delta", text="the pump."),
        stop(0),
    ]
    assert content(*deltas) == [{"type": "text", "text": "At the pump.", "citations": [told]}]
    page = FilePlace(file_id, place.name, 217)
    assert citation(told, 2) == Citation(page.title, page.url, "The heliotrope", 2)
    theirs: JsonObject = {**told, "file_id": "file_011CNha8iCJcU1wXNR6q4V8w"}
    assert citation(theirs, 2).vendor == theirs


def test_citations_belong_to_the_text_before_them() -> None:
    own: JsonObject = {"type": "char_location", "cited_text": "x"}
    deltas = (
        CitationDelta(Citation("t", "https://a")),
        TextDelta("a"),
        CitationDelta(Citation("t", origin=ORIGIN, vendor=own)),
        CitationDelta(Citation("T", "https://b", "s")),
        CitationDelta(Citation("without an address")),
        TextDelta("b"),
    )
    page = {
        "type": "web_search_result_location",
        "url": "https://b",
        "title": "T",
        "cited_text": "s",
        "encrypted_index": "",
    }
    early = {**page, "url": "https://a", "title": "t", "cited_text": ""}
    assert blocks(*deltas) == [
        begin(0, **TEXT),
        delta_of(0, "citations_delta", citation=early),
        delta_of(0, "text_delta", text="a"),
        delta_of(0, "citations_delta", citation=own),
        delta_of(0, "citations_delta", citation=page),
        stop(0),
        begin(1, **TEXT),
        delta_of(1, "text_delta", text="b"),
        stop(1),
    ]
    assert content(*deltas) == [
        {"type": "text", "text": "a", "citations": [early, own, page]},
        {"type": "text", "text": "b"},
    ]


def test_a_refusal_is_text() -> None:
    deltas = (RefusalDelta("No."), RefusalDelta(""))
    assert rendered(*deltas, END)[-2]["delta"]["stop_reason"] == "refusal"
    assert content(*deltas) == [{"type": "text", "text": "No."}]
    assert json.loads(render(HEAD, [*deltas, END]))["stop_reason"] == "refusal"


def test_blocks_of_the_vendor() -> None:
    own: JsonObject = {"type": "server_tool_use", "id": "s", "input": {"q": 1}}
    deltas = (
        TextDelta("a"),
        VendorDelta(VendorPart(ORIGIN, own)),
        VendorDelta(VendorPart("openai_responses", {})),
    )
    assert blocks(*deltas)[3:] == [begin(1, **own), stop(1)]
    assert content(*deltas) == [{"type": "text", "text": "a"}, own]


def test_an_answer_that_ends_with_an_error_does_not_end_cleanly() -> None:
    result = rendered(TextDelta("a"), Finished(FinishReason.ERROR, Usage()))
    assert result[-1]["type"] == "error"
    assert not any(event["type"] == "message_stop" for event in result)


def test_an_error_is_the_last_event() -> None:
    renderer = StreamRenderer(HEAD)
    assert events(renderer.error(Unavailable("Try again."))) == [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Try again."}}
    ]


def frames(*data: str) -> bytes:
    return b"".join(sse.frame(one, event=json.loads(one)["type"]) for one in data)


def test_a_relayed_answer_goes_on_in_its_block() -> None:
    monitor = Monitor("fake")
    monitor.feed(frames(start(), opened(0, **TEXT), piece(0, "text_delta", text="Hel")))
    renderer = StreamRenderer.resumed(monitor, HEAD)
    result = events(b"".join(renderer.feed(d) for d in (Accepted("p", "m"), TextDelta("lo"), END)))
    assert result[:2] == [delta_of(0, "text_delta", text="lo"), stop(0)]
    assert result[-1] == {"type": "message_stop"}


def test_a_relayed_answer_goes_on_after_its_blocks() -> None:
    monitor = Monitor("fake")
    relayed = frames(start(), opened(0, **TEXT), json.dumps(stop(0)), opened(1, type="thinking"))
    monitor.feed(relayed)
    result = events(StreamRenderer.resumed(monitor, HEAD).feed(TextDelta("lo")))
    assert result[-2:] == [begin(2, **TEXT), delta_of(2, "text_delta", text="lo")]
    monitor = Monitor("fake")
    assert (
        StreamRenderer.resumed(monitor, HEAD)
        .feed(TextDelta("x"))
        .startswith(b"event: message_start")
    )
    monitor.feed(frames(start()))
    assert events(StreamRenderer.resumed(monitor, HEAD).feed(TextDelta("x")))[0] == begin(0, **TEXT)

"""Events and whole messages of the Messages API become deltas, and nothing of them is lost."""

import json
from typing import Any

import pytest
from tests.backend.dialects.anthropic_messages.events import (
    STOP,
    closed,
    ending,
    event,
    finished,
    opened,
    parsed,
    piece,
    start,
    text_block,
)

from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser, parse_completion
from cartrita.domain.deltas import (
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
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage

ORIGIN = "anthropic_messages"


def test_an_ordinary_stream() -> None:
    deltas = parsed(start(), event("ping"), *text_block(0, "Hel", "lo"), ending(), STOP)
    assert deltas == [
        TextDelta("Hel"),
        TextDelta("lo"),
        Finished(FinishReason.STOP, Usage(3, 2), "claude-x"),
    ]


def test_thinking_ends_with_its_signature_byte_for_byte() -> None:
    deltas = parsed(
        start(),
        opened(0, type="thinking", thinking="", signature=""),
        piece(0, "thinking_delta", thinking="hm"),
        piece(0, "signature_delta", signature="EqoB+/=="),
        piece(0, "signature_delta", signature="tail"),
        closed(0),
        opened(1, type="redacted_thinking", data="sealed+/="),
        closed(1),
        ending(),
        STOP,
    )
    assert deltas[:-1] == [
        ReasoningDelta("hm"),
        ReasoningDelta("", signature="EqoB+/==tail", origin=ORIGIN),
        ReasoningDelta("", encrypted="sealed+/=", origin=ORIGIN),
    ]


def test_an_empty_signature_is_kept_and_a_missing_one_is_none() -> None:
    block = [opened(0, type="thinking", thinking="a", signature=""), closed(0)]
    assert parsed(start(), *block, ending(), STOP)[:-1] == [
        ReasoningDelta("a"),
        ReasoningDelta("", signature="", origin=ORIGIN),
    ]
    block = [opened(0, type="thinking"), piece(0, "thinking_delta", thinking="a"), closed(0)]
    assert parsed(start(), *block, ending(), STOP)[:-1] == [ReasoningDelta("a")]


def test_tool_calls_are_numbered_from_zero() -> None:
    deltas = parsed(
        start(),
        *text_block(0, "x"),
        opened(1, type="tool_use", id="t1", name="add", input={}),
        piece(1, "input_json_delta", partial_json=""),
        piece(1, "input_json_delta", partial_json='{"a":'),
        piece(1, "input_json_delta", partial_json="1}"),
        closed(1),
        opened(2, type="tool_use", id="t2", name="now", input={}, caller={"type": "direct"}),
        closed(2),
        opened(3, type="tool_use", id="t3", name="whole", input={"b": 2}),
        closed(3),
        ending("tool_use"),
        STOP,
    )
    assert deltas[1:-1] == [
        ToolCallDelta(0, "t1", "add"),
        ToolCallDelta(0, arguments='{"a":'),
        ToolCallDelta(0, arguments="1}"),
        ToolCallDelta(1, "t2", "now"),
        ToolCallDelta(1, arguments="{}"),
        ToolCallDelta(2, "t3", "whole"),
        ToolCallDelta(2, arguments='{"b":2}'),
    ]
    assert finished(deltas).reason is FinishReason.TOOL_CALL


def test_citations_follow_the_text_of_their_block() -> None:
    page: JsonObject = {
        "type": "web_search_result_location",
        "url": "https://a",
        "title": "A",
        "cited_text": "says",
        "encrypted_index": "E",
    }
    place: JsonObject = {
        "type": "char_location",
        "cited_text": "green",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 1,
        "end_char_index": 6,
    }
    result: JsonObject = {"type": "search_result_location", "source": "https://s", "title": None}
    deltas = parsed(
        start(),
        opened(0, type="text", text="", citations=[]),
        piece(0, "citations_delta", citation=page),
        piece(0, "text_delta", text="It is "),
        piece(0, "citations_delta", citation=place),
        piece(0, "text_delta", text="green."),
        closed(0),
        opened(1, type="text", text="Yes.", citations=[result]),
        closed(1),
        ending(),
        STOP,
    )
    assert deltas[:-1] == [
        TextDelta("It is "),
        TextDelta("green."),
        CitationDelta(Citation("A", "https://a", "says", 1, origin=ORIGIN, vendor=page)),
        CitationDelta(Citation("document", None, "green", 2, origin=ORIGIN, vendor=place)),
        TextDelta("Yes."),
        CitationDelta(Citation("https://s", "https://s", None, 3, origin=ORIGIN, vendor=result)),
    ]


def test_blocks_of_the_vendor_are_kept_whole() -> None:
    search: JsonObject = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    found: JsonObject = {
        "type": "web_search_tool_result",
        "tool_use_id": "s1",
        "content": [{"url": "u"}],
    }
    member: JsonObject = {
        "type": "tool_use",
        "id": "t",
        "name": "zoom",
        "input": {},
        "toolset_name": "computer",
    }
    deltas = parsed(
        start(),
        opened(0, **search),
        piece(0, "input_json_delta", partial_json='{"query":'),
        piece(0, "input_json_delta", partial_json='"x"}'),
        closed(0),
        opened(1, **found),
        closed(1),
        opened(2, **member),
        closed(2),
        opened(3, **search),
        piece(3, "input_json_delta", partial_json='{"que'),
        closed(3),
        ending("pause_turn"),
        STOP,
    )
    assert deltas[:-1] == [
        VendorDelta(VendorPart(ORIGIN, {**search, "input": {"query": "x"}})),
        VendorDelta(VendorPart(ORIGIN, found)),
        VendorDelta(VendorPart(ORIGIN, member)),
        VendorDelta(VendorPart(ORIGIN, {**search, "input": '{"que'})),
    ]
    assert finished(deltas).vendor_reason == "pause_turn"


@pytest.mark.parametrize(
    ("told", "searches"),
    [({"web_search_requests": 2}, 2), (None, 0), ("two", 0), ({"web_search_requests": "2"}, 0)],
)
def test_searches_of_the_server_are_counted(told: JsonValue, searches: int) -> None:
    end = event("message_delta", delta={}, usage={"output_tokens": 7, "server_tool_use": told})
    usage = finished(parsed(start({"input_tokens": 10}), end, STOP)).usage
    assert usage == Usage(10, 7, web_searches=searches)


@pytest.mark.parametrize(
    ("iterations", "told"),
    [
        ([{"type": "message", "input_tokens": 10}, {"type": "compaction", "input_tokens": 5}], 15),
        ([{"type": "compaction", "input_tokens": "5"}, {"type": "compaction"}, 7, None], 10),
        ([{"type": "advisor_message", "model": "other", "input_tokens": 5}], 10),
        ("many", 10),
        (None, 10),
    ],
)
def test_what_made_a_conversation_shorter_is_added(iterations: JsonValue, told: int) -> None:
    end = event("message_delta", delta={}, usage={"output_tokens": 7, "iterations": iterations})
    usage = finished(parsed(start({"input_tokens": 10}), end, STOP)).usage
    assert usage == Usage(told, 7)


def test_usage_is_inclusive_and_later_counts_replace_earlier_ones() -> None:
    first = {
        "input_tokens": 10,
        "output_tokens": 1,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 5},
    }
    deltas = parsed(
        start(first),
        ending(output_tokens=7, output_tokens_details={"thinking_tokens": 4}, input_tokens=None),
        STOP,
    )
    assert finished(deltas).usage == Usage(130, 7, 100, 20, 4, 5)


def test_counts_that_cannot_be_true_are_none() -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": 10**25, "output_tokens": -1}
    deltas = parsed(start(first), ending(output_tokens=-7), STOP)
    assert finished(deltas).usage == Usage(10)


def test_an_input_of_nothing_at_the_end_is_none() -> None:
    first = {"input_tokens": 10, "output_tokens": 1}
    deltas = parsed(start(first), ending(output_tokens=7, input_tokens=0), STOP)
    assert finished(deltas).usage == Usage(10, 7)
    cached = ending(input_tokens=0, cache_read_input_tokens=9)
    assert finished(parsed(start(first), cached, STOP)).usage == Usage(9, 2, 9)


@pytest.mark.parametrize(
    ("value", "reason", "vendor"),
    [
        ("end_turn", FinishReason.STOP, None),
        ("max_tokens", FinishReason.LENGTH, None),
        ("stop_sequence", FinishReason.STOP, None),
        ("tool_use", FinishReason.TOOL_CALL, None),
        ("pause_turn", FinishReason.STOP, "pause_turn"),
        ("refusal", FinishReason.CONTENT_FILTER, "refusal"),
        ("model_context_window_exceeded", FinishReason.LENGTH, "model_context_window_exceeded"),
        ("novel", FinishReason.STOP, "novel"),
    ],
)
def test_stop_reasons(value: str, reason: FinishReason, vendor: str | None) -> None:
    end = finished(parsed(start(), ending(value), STOP))
    assert (end.reason, end.vendor_reason) == (reason, vendor)


def test_the_stop_sequence_is_told() -> None:
    assert finished(parsed(start(), ending("stop_sequence", "\n\n"), STOP)).stop_sequence == "\n\n"


def test_the_words_for_a_refusal_are_said_before_the_end() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "I will not."}
    stop = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    end = event("message_delta", delta=stop, usage={"output_tokens": 2})
    streamed = parsed(start(), *text_block(0, "Hm"), end, STOP)
    assert streamed[:2] == [TextDelta("Hm"), RefusalDelta("I will not.")]
    at_once = parse_completion("claude", whole(**stop))
    assert at_once[0] == RefusalDelta("I will not.")
    assert finished(streamed).reason is FinishReason.CONTENT_FILTER
    assert finished(at_once).reason is FinishReason.STOP  # a whole answer in words of refusal
    assert finished(streamed).vendor_reason == finished(at_once).vendor_reason == "refusal"


def test_an_explanation_of_another_end_is_no_refusal() -> None:
    details = {"type": "other", "explanation": "Enough was said."}
    body = whole(stop_details=details)
    assert [type(delta) for delta in parse_completion("claude", body)] == [Finished]


def test_a_server_that_says_end_turn_after_a_call_means_the_call() -> None:
    call = [opened(0, type="tool_use", id="t", name="n", input={}), closed(0)]
    assert finished(parsed(start(), *call, ending(), STOP)).reason is FinishReason.TOOL_CALL
    paused = finished(parsed(start(), *call, ending("pause_turn"), STOP))
    assert paused.reason is FinishReason.STOP


def test_without_message_stop_it_is_cut() -> None:
    parser = StreamParser("fake")
    for data in (start(), *text_block(0, "x"), ending()):
        parser.feed(data)
    assert not parser.complete
    with pytest.raises(UpstreamCut) as caught:
        parser.end()
    assert caught.value.provider == "fake"


@pytest.mark.parametrize("name", ["error", "message"])
def test_an_error_event_is_raised(name: str) -> None:
    data = event("error", error={"type": "overloaded_error", "message": "busy"})
    with pytest.raises(UpstreamOverloaded, match="busy"):
        StreamParser("fake").feed(data, name)


@pytest.mark.parametrize("data", ["nothing", "[1]", '{"type": 1}', "[" * 5000, "5"])
def test_what_is_not_an_event_is_malformed(data: str) -> None:
    with pytest.raises(UpstreamMalformed):
        StreamParser("fake").feed(data)


def test_what_it_does_not_know_is_ignored_and_counted() -> None:
    parser = StreamParser("fake")
    for data in (
        "",
        "{}",
        event("novel"),
        piece(5, "text_delta", text="of no block"),
        closed(5),
        event("content_block_delta", delta=None),
        event("content_block_stop"),
        event("content_block_start", index=0),
    ):
        assert parser.feed(data) == []
    for block in ("text", "thinking", "redacted_thinking", "tool_use", "novel"):
        parser.feed(opened(0, type=block, text=""))
        parser.feed(piece(0, "novel_delta", novel=1))
        parser.feed(closed(0))
    parser.feed(event("message_start"))
    parser.feed(event("message_delta", delta=None))
    assert parser.ignored == 13
    parser.feed(STOP)
    assert parser.feed(start()) == []
    assert parser.ignored == 14
    assert finished(parser.end()).usage == Usage()


def test_blocks_that_the_server_does_not_close_are_closed() -> None:
    deltas = parsed(
        start(),
        opened(0, type="thinking", signature="S"),
        opened(0, type="text", text="a"),
        opened(1, type="tool_use", id="t", name="n"),
        ending("tool_use"),
        STOP,
    )
    assert deltas[:-1] == [
        ReasoningDelta("", signature="S", origin=ORIGIN),
        TextDelta("a"),
        ToolCallDelta(0, "t", "n"),
        ToolCallDelta(0, arguments="{}"),
    ]


def test_a_pair_of_surrogates_split_over_two_events_is_joined() -> None:
    def raw(index: int, text: str) -> str:
        return piece(index, "text_delta", text="@").replace("@", text)

    deltas = parsed(
        start(),
        opened(0, type="text", text=""),
        raw(0, "a\\ud83d"),
        raw(0, "\\ude00\\u0000"),
        raw(0, "\\ud83d"),
        closed(0),
        opened(1, type="thinking"),
        piece(1, "thinking_delta", thinking="@").replace("@", "\\ud83d"),
        closed(1),
        ending(),
        STOP,
    )
    assert deltas[:-1] == [
        TextDelta("a"),
        TextDelta("😀"),
        TextDelta("\ufffd"),
        ReasoningDelta("\ufffd"),
    ]


def whole(**fields: Any) -> bytes:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    return json.dumps({**message, **fields}).encode()


def test_a_whole_message() -> None:
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "text", "text": "Hi", "citations": None},
        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
    ]
    expected: list[Delta] = [
        ReasoningDelta("hm"),
        ReasoningDelta("", signature="S", origin=ORIGIN),
        TextDelta("Hi"),
        ToolCallDelta(0, "t", "n"),
        ToolCallDelta(0, arguments="{}"),
        Finished(FinishReason.TOOL_CALL, Usage(3, 2), "claude-x"),
    ]
    assert parse_completion("fake", whole(content=content, stop_reason="tool_use")) == expected


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"no", UpstreamMalformed),
        (b"{}", UpstreamMalformed),
        (whole(stop_reason=None), UpstreamMalformed),
        (whole(content="text"), UpstreamMalformed),
        (b'{"type": "error", "error": {"type": "overloaded_error"}}', UpstreamOverloaded),
        (b'{"type": "error"}', UpstreamError),
    ],
)
def test_what_is_not_a_message(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error):
        parse_completion("fake", body)

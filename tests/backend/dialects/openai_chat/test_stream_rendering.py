"""Chunks are OpenAI's, field by field."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.stream_rendering import DONE, StreamRenderer, usage_chunk
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
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage
from cartrita.kit import sse

HEAD = CompletionHead(id="chatcmpl-1", model="gpt", created=7)
STOP = Finished(FinishReason.STOP, Usage(3, 2, cache_read_tokens=1, reasoning_tokens=1))


def chunks(*deltas: Delta, head: CompletionHead = HEAD, **options: Any) -> list[Any]:
    renderer = StreamRenderer(head, **options)
    frames = sse.Parser().feed(b"".join(renderer.feed(delta) for delta in deltas))
    assert all(frame.event == "message" for frame in frames)
    return [frame.data if frame.data == "[DONE]" else json.loads(frame.data) for frame in frames]


def said(*deltas: Delta) -> list[Any]:
    """What the chunks after the first say."""
    return [chunk["choices"][0]["delta"] for chunk in chunks(*deltas)[1:]]


def test_a_whole_stream() -> None:
    shared = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "gpt",
        "system_fingerprint": None,
    }

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        told = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**shared, "choices": [told]}

    assert chunks(Accepted("p", "m"), TextDelta('Hé"l\n'), TextDelta("lo"), STOP) == [
        choice({"role": "assistant", "content": "", "refusal": None}),
        choice({"content": 'Hé"l\n'}),
        choice({"content": "lo"}),
        choice({}, "stop"),
        "[DONE]",
    ]


def test_usage_has_a_chunk_of_its_own() -> None:
    head = CompletionHead(id="chatcmpl-1", model="gpt", created=7, include_usage=True)
    *others, usage, done = chunks(TextDelta("x"), STOP, head=head)
    assert all(chunk["usage"] is None for chunk in others)
    assert usage["choices"] == []
    assert usage["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 1,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    assert done == "[DONE]"


def test_an_estimate_is_marked_in_the_metadata() -> None:
    usage = Usage(3, 2, estimated=True, error_bound=0.25)
    assert "estimated" not in json.loads(usage_chunk(HEAD, usage)[6:])["usage"]
    *_, told, _ = chunks(TextDelta("x"), Finished(FinishReason.STOP, usage))
    assert told["metadata"] == {"usage": "estimated;bound=0.25"}


def test_what_has_no_place_in_a_completion_is_told_at_its_end() -> None:
    page = CitationDelta(Citation("a page of a file", origin="anthropic_messages"))
    part = VendorDelta(VendorPart("anthropic_messages", {"type": "server_tool_use"}))
    told = chunks(TextDelta("x"), page, page, part, STOP)
    assert len(told) == 4
    receipts = told[-2]["metadata"]["receipts"]
    assert [(one["field"], one["from"], one["kind"]) for one in receipts] == [
        ("annotations", "anthropic_messages", "dropped"),
        ("content", "anthropic_messages", "dropped"),
    ]


def test_several_answers_on_one_stream_leave_its_end_to_their_caller() -> None:
    told = chunks(TextDelta("x"), STOP, index=1, alone=False)
    assert [chunk["choices"][0]["index"] for chunk in told] == [1, 1, 1]
    assert DONE == b"data: [DONE]\n\n"


def test_more_fields_of_the_top_level() -> None:
    head = CompletionHead(
        id="c", model="gpt", extra={"conversation_id": "x"}, finishing={"metadata": {"a": 1}}
    )
    first, text, finish, _ = chunks(TextDelta("x"), STOP, head=head)
    assert {chunk["conversation_id"] for chunk in (first, text, finish)} == {"x"}
    assert "metadata" not in text
    assert finish["metadata"] == {"a": 1}


def test_calls_of_tools() -> None:
    custom: Any = {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "x"}}
    assert said(
        ToolCallDelta(4, "c1", "f"),
        ToolCallDelta(9, "c2", "g", "{"),
        ToolCallDelta(4, arguments="{}"),
        VendorDelta(VendorPart("openai_chat", custom)),
        VendorDelta(VendorPart("anthropic_messages", {})),
    ) == [
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        },
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "c2",
                    "type": "function",
                    "function": {"name": "g", "arguments": "{"},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 2, **custom}]},
    ]


def test_reasoning_is_sealed_in_one_piece() -> None:
    assert said(
        ReasoningDelta("a"),
        ReasoningDelta("b"),
        ReasoningDelta("", "s", origin="anthropic_messages"),
        ReasoningDelta("", encrypted="d", origin="openai_responses", id="rs_1"),
        RefusalDelta("No."),
        ReasoningDelta(""),
    ) == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "text": "ab",
                    "signature": "s",
                    "format": "anthropic-claude-v1",
                    "index": 0,
                }
            ]
        },
        {
            "reasoning_details": [
                {
                    "type": "reasoning.encrypted",
                    "data": "d",
                    "format": "openai-responses-v1",
                    "id": "rs_1",
                    "index": 1,
                }
            ]
        },
        {"refusal": "No."},
    ]


def test_citations() -> None:
    deltas = said(
        TextDelta("One. "),
        CitationDelta(Citation("A", "https://a", "cited")),
        TextDelta("Two."),
        CitationDelta(Citation("B", "https://b")),
        CitationDelta(Citation("C", "https://c", start=1, end=2)),
    )
    cited = [each["annotations"][0] for each in deltas if "annotations" in each]
    assert cited[0] == {
        "index": 0,
        "type": "url_citation",
        "url_citation": {
            "start_index": 0,
            "end_index": 5,
            "title": "A",
            "url": "https://a",
            "content": "cited",
        },
    }
    places = [
        (each["url_citation"]["start_index"], each["url_citation"]["end_index"]) for each in cited
    ]
    assert places == [(0, 5), (5, 9), (1, 2)]


def test_log_probabilities() -> None:
    token: Any = {"token": "x", "logprob": -0.5, "bytes": [120], "top_logprobs": []}
    chunk = chunks(TextDelta("x", (token,)))[1]
    assert chunk["choices"][0]["logprobs"] == {"content": [token], "refusal": None}


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (FinishReason.LENGTH, "length"),
        (FinishReason.TOOL_CALL, "tool_calls"),
        (FinishReason.CONTENT_FILTER, "content_filter"),
        (FinishReason.ERROR, "error"),
    ],
)
def test_finish_reasons(reason: FinishReason, word: str) -> None:
    first, finish, _ = chunks(Finished(reason, Usage()))
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert finish["choices"][0]["finish_reason"] == word


def test_an_error_ends_the_stream() -> None:
    renderer = StreamRenderer(HEAD)
    (frame,) = sse.Parser().feed(renderer.error(UpstreamCut("It broke.", provider="p")))
    error = json.loads(frame.data)["error"]
    assert error["message"] == "It broke."
    assert error["code"] == "upstream_cut"


def test_a_caller_of_the_old_form_gets_one_function_call() -> None:
    head = CompletionHead(id="c", model="gpt", legacy=True)
    _, name, arguments, finish, _ = chunks(
        ToolCallDelta(3, "c1", "f"),
        ToolCallDelta(4, "c2", "g"),
        ToolCallDelta(3, arguments="{}"),
        Finished(FinishReason.TOOL_CALL, Usage()),
        head=head,
    )
    assert name["choices"][0]["delta"] == {"function_call": {"name": "f", "arguments": ""}}
    assert arguments["choices"][0]["delta"] == {"function_call": {"arguments": "{}"}}
    assert finish["choices"][0]["finish_reason"] == "function_call"

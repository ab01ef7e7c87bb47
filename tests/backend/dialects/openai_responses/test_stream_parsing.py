"""Events become deltas, in whatever pieces they come, and nothing comes twice."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_responses import DIALECT
from cartrita.dialects.openai_responses.stream_parsing import StreamParser, parse_completion
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
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": f"response.{kind}", "output_index": 0, **fields})


def item(whole: dict[str, Any], index: int = 0) -> str:
    return event("output_item.done", output_index=index, item=whole)


def completed(*output: Any, status: str = "completed", **fields: Any) -> str:
    response = {"status": status, "output": list(output), **fields}
    return event(status, response=response)


def parsed(*data: str) -> list[Delta]:
    parser = StreamParser("fake")
    deltas = [delta for one in data for delta in parser.feed(one)]
    assert parser.complete == parser.done
    return deltas + parser.end()


def message(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text, **fields}]}


STOP = Finished(FinishReason.STOP, Usage())
CALL = Finished(FinishReason.TOOL_CALL, Usage())


def test_an_ordinary_stream() -> None:
    usage = {
        "input_tokens": 9,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    logprob: JsonObject = {"token": "Hel", "logprob": -1}
    deltas = parsed(
        event("created", response={"model": "gpt-x", "status": "in_progress"}),
        event("in_progress", response={}),
        event("output_item.added", item={"type": "message", "content": []}),
        event("content_part.added", part={"type": "output_text", "text": ""}),
        event("output_text.delta", delta="Hel", logprobs=[logprob]),
        event("output_text.delta", delta="lo"),
        event("output_text.done", text="Hello"),
        event("content_part.done", part={"type": "output_text", "text": "Hello"}),
        item(message("Hello")),
        completed(message("Hello"), model="gpt-x-1", usage=usage),
    )
    assert deltas == [
        TextDelta("Hel", (logprob,)),
        TextDelta("lo"),
        Finished(FinishReason.STOP, Usage(9, 5, 4, 2, 3), "gpt-x-1"),
    ]


COUNTED: JsonObject = {"input_tokens": 9, "output_tokens": 5}


def test_writes_that_are_kept_for_long_are_told_apart() -> None:
    details: JsonObject = {"cache_write_tokens": 5, "cached_tokens": 2}
    for told, longer in (({"ttl_12h_tokens": 3}, 3), ({"ttl_12h_tokens": 9}, 5), ("none", 0)):
        usage = {
            **COUNTED,
            "input_tokens_details": {**details, "cache_write_tokens_details": told},
        }
        [*_, last] = parsed(completed(message("Hi"), usage=usage))
        assert isinstance(last, Finished)
        assert last.usage == Usage(9, 5, 2, 5, cache_write_1h_tokens=longer)


@pytest.mark.parametrize(
    ("tool_usage", "searches"),
    [
        ({"web_search": {"num_requests": 7}}, 7),
        ({"web_search": {"num_requests": 0}}, 0),
        ({"web_search": {"num_requests": -1}}, 0),
        (None, 1),
        ({}, 1),
        ("many", 1),
        ({"web_search": 7}, 1),
        ({"web_search": {"num_requests": "7"}}, 1),
        ({"web_search": {"num_requests": True}}, 1),
    ],
)
def test_searches_are_those_that_are_billed(tool_usage: JsonValue, searches: int) -> None:
    """Where nobody counts them they are the items that search; what is told otherwise is none."""
    opened = {"type": "web_search_call", "action": {"type": "open_page", "url": "https://a.b"}}
    items = ({"type": "web_search_call", "action": {"type": "search"}}, opened, message("Hi"))
    [*_, last] = parsed(completed(*items, usage=COUNTED, tool_usage=tool_usage))
    assert isinstance(last, Finished)
    assert last.usage == Usage(9, 5, web_searches=searches)


def test_counts_that_cannot_be_true_are_none() -> None:
    usage = {"input_tokens": 10**25, "output_tokens": -5}
    assert parsed(completed(message("Hi"), usage=usage))[-1] == STOP


CALL_ITEM: JsonObject = {
    "type": "function_call",
    "call_id": "c",
    "name": "f",
    "arguments": '{"a":1}',
}
ADDED = event("output_item.added", item={**CALL_ITEM, "arguments": ""})


@pytest.mark.parametrize(
    "events",
    [
        [
            ADDED,
            event("function_call_arguments.delta", delta='{"a":'),
            event("function_call_arguments.delta", delta="1}"),
            event("function_call_arguments.done", arguments='{"a":1}'),
            item(CALL_ITEM),
        ],
        [ADDED, event("function_call_arguments.done", arguments='{"a":1}')],
        [ADDED, event("function_call_arguments.delta", delta='{"a"'), item(CALL_ITEM)],
        [item(CALL_ITEM)],
        [item({**CALL_ITEM, "arguments": {"a": 1}})],
        [],
    ],
)
def test_arguments_in_every_form(events: list[str]) -> None:
    *deltas, last = parsed(*events, completed(CALL_ITEM))
    assert deltas[0] == ToolCallDelta(0, "c", "f")
    arguments = [delta.arguments for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert "".join(arguments) == '{"a":1}'
    assert last == CALL


def test_parallel_calls_are_numbered_as_they_come() -> None:
    deltas = parsed(
        event("output_item.added", output_index=1, item={"type": "function_call", "id": "fc_1"}),
        event("function_call_arguments.delta", output_index=1, delta="{"),
        item(CALL_ITEM, 2),
        event("function_call_arguments.delta", output_index=1, delta="}"),
        completed(),
    )
    assert deltas == [
        ToolCallDelta(0, "fc_1", ""),
        ToolCallDelta(0, arguments="{"),
        ToolCallDelta(1, "c", "f"),
        ToolCallDelta(1, arguments='{"a":1}'),
        ToolCallDelta(0, arguments="}"),
        CALL,
    ]


def test_reasoning_is_sealed_by_its_item() -> None:
    whole = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"text": "One"}, {"text": "Two"}],
        "content": [{"text": "Raw"}],
        "encrypted_content": "gAAA",
    }
    deltas = parsed(
        event("reasoning_summary_text.delta", summary_index=0, delta="One"),
        event("reasoning_summary_text.done", summary_index=0, text="One"),
        event("reasoning_summary_text.done", summary_index=1, text="Two"),
        event("reasoning_text.delta", content_index=0, delta="R"),
        event("reasoning_text.done", content_index=0, text="Raw"),
        item(whole),
        completed(whole),
    )
    assert "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)) == "One\n\nTwo\n\nRaw"
    assert deltas[-2] == ReasoningDelta("", encrypted="gAAA", origin=DIALECT, id="rs_1")


def test_refusals_and_citations() -> None:
    link: JsonObject = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0}
    other: JsonObject = {"type": "file_path", "file_id": "f", "index": 1}
    whole = {
        "type": "message",
        "content": [
            {"type": "output_text", "text": "x", "annotations": [link, other]},
            {"type": "refusal", "refusal": "No, no."},
        ],
    }
    deltas = parsed(
        event("output_text.delta", delta="x"),
        event("output_text.annotation.added", annotation=link),
        event("refusal.delta", content_index=1, delta="No"),
        event("refusal.done", content_index=1, refusal="No, no"),
        item(whole),
        completed(whole),
    )
    assert deltas == [
        TextDelta("x"),
        CitationDelta(Citation("A", "https://a", index=1, start=0)),
        RefusalDelta("No"),
        RefusalDelta(", no"),
        CitationDelta(Citation("", index=2, origin=DIALECT, vendor=other)),
        RefusalDelta("."),
        STOP,
    ]


def test_items_of_the_vendor_are_kept_whole() -> None:
    search: JsonObject = {"type": "web_search_call", "id": "ws_1", "action": {"query": "a\x00"}}
    call: JsonObject = {"type": "custom_tool_call", "call_id": "c", "input": "x"}
    parser = StreamParser("fake")
    deltas = parser.feed(item(search)) + parser.feed(item(call, 1))
    assert parser.feed(event("web_search_call.searching")) == []
    assert parser.feed('{"novel": true}') == []
    assert parser.ignored == 2
    parser.feed(completed(search, call))
    assert deltas == [
        VendorDelta(VendorPart(DIALECT, {**search, "action": {"query": "a"}})),
        VendorDelta(VendorPart(DIALECT, call)),
    ]
    assert parser.end() == [CALL]


def test_a_surrogate_pair_over_two_events() -> None:
    halves = "\\ud83d", "\\ude00"
    kinds = ("output_text", "refusal", "function_call_arguments", "reasoning_text")
    for kind in kinds:
        deltas = parsed(
            *(event(f"{kind}.delta", delta="X").replace("X", half) for half in halves),
            event(f"{kind}.delta", delta="X").replace("X", halves[0]),
            completed(),
        )
        texts = [getattr(d, "arguments", None) or getattr(d, "text", "") for d in deltas]
        assert "".join(texts) == "😀�"


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, FinishReason.LENGTH),
        ({"reason": "content_filter"}, FinishReason.CONTENT_FILTER),
        ({"reason": "steered"}, FinishReason.STOP),
        (None, FinishReason.STOP),
    ],
)
def test_why_a_response_is_incomplete(details: Any, reason: FinishReason) -> None:
    last = parsed(completed(status="incomplete", incomplete_details=details))[-1]
    told = details and details["reason"]
    assert last == Finished(reason, Usage(), vendor_reason=told)


def test_a_whole_response() -> None:
    body = {"object": "response", "status": "completed", "output": [message("Hi", logprobs=[{}])]}
    assert parse_completion("fake", json.dumps(body).encode()) == [TextDelta("Hi", ({},)), STOP]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"x", b'{"output": [{}]}', b"[" * 100_000])
def test_what_is_no_response(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        parse_completion("fake", body)


def test_a_whole_response_that_failed_or_has_not_ended() -> None:
    failed = {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow."}}
    with pytest.raises(UpstreamLimited):
        parse_completion("fake", json.dumps(failed).encode())
    with pytest.raises(UpstreamCut):
        parse_completion("fake", b'{"status": "in_progress", "output": []}')


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (event("failed", response={"error": {"code": "server_error"}}), "", UpstreamOverloaded),
        (event("failed"), "", UpstreamOverloaded),
        ('{"type": "error", "code": "rate_limit_exceeded"}', "", UpstreamLimited),
        ('{"error": {"type": "invalid_request_error"}}', "error", UpstreamRejected),
        ('{"error": {"code": "rate_limit_exceeded"}}', "", UpstreamLimited),
        ("[]", "", UpstreamMalformed),
        (event("output_item.added", item=3), "", UpstreamMalformed),
    ],
)
def test_errors_within_a_stream(data: str, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        StreamParser("fake").feed(data, name)


def test_a_stream_without_its_end_was_cut() -> None:
    parser = StreamParser("fake")
    assert parser.feed(event("output_text.delta", delta=None)) == []
    assert parser.feed("") == []
    assert parser.feed("[DONE]") == []
    assert (parser.done, parser.complete, parser.ignored) == (True, False, 1)
    with pytest.raises(UpstreamCut):
        parser.end()

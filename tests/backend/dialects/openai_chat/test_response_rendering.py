"""Whole completions are OpenAI's, field by field."""

import json
from typing import Any

from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.response_rendering import render
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
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage

HEAD = CompletionHead(
    id="chatcmpl-1", model="gpt", created=7, extra={"a": 1}, finishing={"metadata": {}}
)


def message(*deltas: Delta) -> Any:
    return json.loads(render(HEAD, deltas))["choices"][0]["message"]


def test_a_whole_completion() -> None:
    token: Any = {"token": "Hi", "logprob": -0.5}
    body = json.loads(
        render(
            HEAD,
            [
                Accepted("p", "m"),
                TextDelta("Hi", (token,)),
                Finished(FinishReason.LENGTH, Usage(3, 2)),
            ],
        )
    )
    usage = body.pop("usage")
    assert body == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "gpt",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": {"content": [token], "refusal": None},
                "finish_reason": "length",
            }
        ],
        "system_fingerprint": None,
        "a": 1,
        "metadata": {},
    }
    assert usage["total_tokens"] == 5


def test_several_answers() -> None:
    answers = [[TextDelta(text), Finished(FinishReason.STOP, Usage(3, 2))] for text in "ab"]
    body = json.loads(render(HEAD, *answers))
    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert [choice["message"]["content"] for choice in body["choices"]] == ["a", "b"]
    assert body["usage"]["total_tokens"] == 10


def test_calls_and_a_refusal() -> None:
    custom: Any = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
    told = message(
        RefusalDelta("No"),
        RefusalDelta("."),
        ToolCallDelta(0, "c1", "f", "{"),
        VendorDelta(VendorPart("openai_chat", custom)),
        VendorDelta(VendorPart("anthropic_messages", {})),
        ToolCallDelta(0, arguments="}"),
    )
    assert (told["content"], told["refusal"]) == (None, "No.")
    assert told["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        custom,
    ]


def test_reasoning() -> None:
    told = message(
        ReasoningDelta("a"),
        ReasoningDelta("", "s", origin="anthropic_messages"),
        TextDelta("x"),
        ReasoningDelta("b"),
        TextDelta("y"),
    )
    assert told["reasoning_content"] == "ab"
    assert [block.get("signature") for block in told["reasoning_details"]] == ["s", None]
    assert "reasoning_details" not in message(ReasoningDelta("a"), TextDelta("x"))


def test_citations() -> None:
    told = message(
        TextDelta("One. "),
        CitationDelta(Citation("A", "https://a")),
        CitationDelta(Citation("B", "https://b")),
        TextDelta("Two."),
        CitationDelta(Citation("C", "https://c")),
    )
    places = [
        (each["url_citation"]["start_index"], each["url_citation"]["end_index"])
        for each in told["annotations"]
    ]
    assert places == [(0, 5), (0, 5), (5, 9)]


def test_a_caller_of_the_old_form_gets_one_function_call() -> None:
    head = CompletionHead(id="c", model="gpt", legacy=True)
    body = render(
        head, [ToolCallDelta(0, "c1", "f", "{}"), Finished(FinishReason.TOOL_CALL, Usage())]
    )
    choice = json.loads(body)["choices"][0]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"

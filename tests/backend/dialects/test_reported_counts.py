"""Usage that is told in odd ways spoils no answer: what cannot be read of it is not told."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

from cartrita.dialects import anthropic_messages, openai_chat, openai_responses
from cartrita.dialects.anthropic_messages import relay as anthropic_relay
from cartrita.dialects.anthropic_messages import stream_parsing as anthropic_parsing
from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.dialects.openai_chat import relay as chat_relay
from cartrita.dialects.openai_chat import stream_parsing as chat_parsing
from cartrita.dialects.openai_responses import relay as responses_relay
from cartrita.dialects.openai_responses import stream_parsing as responses_parsing
from cartrita.dialects.reported_counts import count_at, count_of
from cartrita.domain.deltas import Delta, Finished, TextDelta
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.usage import Usage
from cartrita.kit import sse

ESTIMATE: Final = Usage(9, 7, estimated=True, error_bound=0.5)
UNREADABLE: Final[Sequence[JsonValue]] = (
    [],
    [{}],
    "12",
    12,
    True,
    {"{in}": "ten", "{out}": [5]},
    {"{in}": 10.5, "{out}": {}},
    {"{in}": 1e308, "{out}": True},
    {"{in}_details": [], "{out}_details": 3},
)
ODD: Final[Sequence[JsonValue]] = (
    {"{in}": 10.0, "{out}": 5.0, "total_tokens": 15.0},
    {"{in}": 10, "{out}": 5, "{in}_details": [], "{out}_details": []},
    {"{in}": 10, "{out}": 5, "{in}_details": {"cached_tokens": "no"}},
    {"{in}": 10, "{out}": 5, "{out}_details": {"reasoning_tokens": [1]}},
    {"{in}": 10, "{out}": 5, "cache_creation": [], "server_tool_use": [], "iterations": 3},
    {"{in}": 10, "{out}": 5, "total_tokens": "15", "cache_read_input_tokens": {}},
)


def estimate(reported: Usage | None, deltas: Sequence[Delta]) -> Usage:
    return ESTIMATE


class Dialect(NamedTuple):
    """How an answer tells its usage; its parser and monitors."""

    id: str
    counts: tuple[str, str]
    parser: Any
    monitors: Any

    def named(self, usage: JsonValue) -> JsonValue:
        text = json.dumps(usage)
        for place, name in zip(("{in}", "{out}"), self.counts, strict=True):
            text = text.replace(place, name)
        return json.loads(text)

    def events(self, usage: JsonValue) -> list[JsonObject]:
        if self.id == openai_chat.DIALECT:
            said: JsonObject = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
            last: JsonObject = {"index": 0, "delta": {}, "finish_reason": "stop"}
            return [{"choices": [said]}, {"choices": [last]}, {"choices": [], "usage": usage}]
        if self.id == openai_responses.DIALECT:
            return [
                {"type": "response.created", "response": {"id": "r", "usage": usage}},
                {"type": "response.completed", "response": self.whole(usage)},
            ]
        return [
            {"type": "message_start", "message": {"content": [], "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": TEXT | {"text": ""}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hi"},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
            {"type": "message_stop"},
        ]

    def whole(self, usage: JsonValue) -> JsonObject:
        if self.id == openai_chat.DIALECT:
            message: JsonObject = {"role": "assistant", "content": "Hi"}
            choice: JsonObject = {"index": 0, "message": message, "finish_reason": "stop"}
            return {"choices": [choice], "usage": usage}
        if self.id == openai_responses.DIALECT:
            part: JsonObject = {"type": "output_text", "text": "Hi"}
            item: JsonObject = {"type": "message", "id": "m", "content": [part]}
            return {"id": "r", "status": "completed", "output": [item], "usage": usage}
        return {
            "type": "message",
            "content": [TEXT],
            "stop_reason": "end_turn",
            "usage": usage,
        }


TEXT: Final[JsonObject] = {"type": "text", "text": "Hi"}
DIALECTS: Final = (
    Dialect(openai_chat.DIALECT, ("prompt_tokens", "completion_tokens"), chat_parsing, chat_relay),
    Dialect(
        openai_responses.DIALECT,
        ("input_tokens", "output_tokens"),
        responses_parsing,
        responses_relay,
    ),
    Dialect(
        anthropic_messages.DIALECT,
        ("input_tokens", "output_tokens"),
        anthropic_parsing,
        anthropic_relay,
    ),
)
CASES: Final = [(one, Usage()) for one in UNREADABLE] + [(one, Usage(10, 5)) for one in ODD]

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=[one.id for one in DIALECTS])
each_usage = pytest.mark.parametrize(
    ("told", "usage"), CASES, ids=[json.dumps(told) for told, _ in CASES]
)


def ended(deltas: Sequence[Delta]) -> tuple[str, Usage]:
    """The text of an answer, and its usage."""
    *said, end = deltas
    assert isinstance(end, Finished)
    return "".join(one.text for one in said if isinstance(one, TextDelta)), end.usage


@each_dialect
@each_usage
def test_a_translated_stream_stands(dialect: Dialect, told: JsonValue, usage: Usage) -> None:
    parser = dialect.parser.StreamParser("fake")
    deltas: list[Delta] = []
    for event in dialect.events(dialect.named(told)):
        deltas += parser.feed(json.dumps(event))
    assert parser.complete
    assert ended(deltas + parser.end()) == ("Hi", usage)


@each_dialect
@each_usage
def test_a_translated_answer_stands(dialect: Dialect, told: JsonValue, usage: Usage) -> None:
    body = json.dumps(dialect.whole(dialect.named(told))).encode()
    assert ended(dialect.parser.parse_completion("fake", body)) == ("Hi", usage)


@each_dialect
@each_usage
def test_a_relayed_stream_stands(dialect: Dialect, told: JsonValue, usage: Usage) -> None:
    monitor = dialect.monitors.Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    passed = b"".join(
        monitor.feed(sse.frame(json.dumps(event), event=str(event.get("type") or "") or None))
        for event in dialect.events(dialect.named(told))
    )
    passed += monitor.end()
    assert passed.count(b"Hi") == 1
    assert monitor.complete
    assert monitor.usage == (usage if usage.whole else ESTIMATE)
    assert b"error" not in passed


@each_dialect
@each_usage
def test_a_relayed_answer_stands(dialect: Dialect, told: JsonValue, usage: Usage) -> None:
    monitor = dialect.monitors.BodyMonitor("fake")
    monitor.prepare(1 << 20, estimate)
    body = dialect.whole(dialect.named(told))
    passed = json.loads(monitor.feed(json.dumps(body).encode()))
    assert monitor.usage == (usage if usage.whole else ESTIMATE)
    unchanged = passed == body
    assert unchanged is usage.whole
    assert passed["usage"][dialect.counts[1]] == monitor.usage.output_tokens


def test_what_cannot_be_read_after_the_end_of_a_chat_answer() -> None:
    """Python's own JSON writes NaN for a number that is none."""
    dialect = DIALECTS[0]
    *events, _ = (json.dumps(event) for event in dialect.events({}))
    unreadable = '{"choices": [], "usage": {"prompt_tokens": NaN}}'
    parser = dialect.parser.StreamParser("fake")
    deltas = [delta for data in (*events, unreadable) for delta in parser.feed(data)]
    assert ended(deltas + parser.end()) == ("Hi", Usage())
    assert parser.ignored == 1
    monitor = dialect.monitors.Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    passed = b"".join(monitor.feed(sse.frame(data)) for data in (*events, unreadable, "[DONE]"))
    passed += monitor.end()
    assert b"NaN" not in passed
    assert passed.endswith(sse.frame("[DONE]"))
    assert (monitor.usage, monitor.ignored) == (ESTIMATE, 1)


def test_embeddings_tell_their_input_as_a_fraction() -> None:
    monitor = CountMonitor("fake")
    monitor.feed(b'{"data":[],"usage":{"prompt_tokens":7.0}}')
    assert monitor.usage == Usage(7)
    unreadable = CountMonitor("fake")
    unreadable.feed(b'{"data":[],"usage":[]}')
    assert unreadable.usage is None


@pytest.mark.parametrize(
    ("value", "count"),
    [
        *((0, 0), (7, 7), (7.0, 7), (-7, 0), (1e308, 0), (7.5, None), (True, None), ("7", None)),
        *((float("inf"), None), (float("nan"), None), ([], None), ({}, None), (None, None)),
    ],
)
def test_counts(value: Any, count: int | None) -> None:
    assert count_of(value) == count
    assert count_at({"a": {"b": value}}, "a", "b") == count
    assert count_at([value], "a") is None

"""Requests are relayed but for their model, and answers in whole events that are watched."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.anthropic_messages.events import (
    STOP,
    closed,
    ending,
    event,
    finished,
    opened,
    piece,
    start,
    text_block,
)
from tests.backend.dialects.strategies import splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.anthropic_messages.relay import (
    BodyMonitor,
    Monitor,
    OpenBlock,
    is_relayable,
    rewrite,
)
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import Malformed, UpstreamCut, UpstreamMalformed, UpstreamOverloaded
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse

BUSY = event("error", error={"type": "overloaded_error", "message": "busy"})


def frames(*data: str) -> bytes:
    return b"".join(sse.frame(one, event=json.loads(one)["type"]) for one in data)


def begun() -> Monitor:
    """Of an answer in which a text block has begun."""
    monitor = Monitor("fake")
    monitor.feed(frames(start(), opened(0, type="text", text="")))
    return monitor


def test_only_the_model_changes() -> None:
    body = b'{ "max_tokens": 1e1, "model":"a/b" , "novel": [1.0,  2]}'
    assert rewrite(RelayedBody.of(body), model="b") == body.replace(b'"a/b"', b'"b"')
    with pytest.raises(Malformed):
        rewrite(RelayedBody.of(b'{"model": "a", "model": "b"}'), model="c")


def test_our_own_seals_are_not_relayed() -> None:
    assert is_relayable(RelayedBody.of(b'{"signature": "S"}'))
    assert not is_relayable(RelayedBody.of(b'{"signature": "cartrita.e30="}'))


def test_an_answer() -> None:
    monitor = Monitor("fake")
    assert monitor.usage is None
    head = frames(start())
    assert monitor.feed(head[:-3]) == b""
    assert monitor.feed(head[-3:]) == head
    assert not monitor.visible
    assert monitor.model == "claude-x"
    assert monitor.usage == Usage(3, 1)
    opening = frames(opened(0, type="text", text=""))
    assert monitor.feed(opening) == opening
    assert not monitor.visible
    assert monitor.open_block == OpenBlock(0, "text")
    monitor.feed(frames(piece(0, "text_delta", text="Hi")))
    assert monitor.visible
    assert not monitor.complete
    with pytest.raises(UpstreamCut):
        monitor.end()
    assert monitor.deltas() == [TextDelta("Hi")]
    monitor.feed(frames(closed(0), event("ping"), ending("max_tokens"), STOP))
    assert monitor.open_block is None
    assert monitor.complete
    assert monitor.usage == Usage(3, 2)
    assert monitor.finish_reason is FinishReason.LENGTH
    monitor.end()
    finished = Finished(FinishReason.LENGTH, Usage(3, 2), "claude-x")
    assert monitor.deltas() == [TextDelta("Hi"), finished]


def test_what_is_told_oddly() -> None:
    monitor = Monitor("fake")
    monitor.feed(
        frames(event("message_start", message={"content": []}), event("message_delta", delta={}))
    )
    assert monitor.open_block is None
    assert monitor.usage is None
    monitor.feed(frames(ending("novel")))
    assert monitor.finish_reason is FinishReason.STOP
    monitor.feed(frames(opened(0, type="novel")))
    assert monitor.open_block == OpenBlock(0, "novel")


def test_an_error_is_raised() -> None:
    with pytest.raises(UpstreamOverloaded):
        Monitor("fake").feed(frames(BUSY))
    with pytest.raises(UpstreamOverloaded):
        Monitor("fake").feed(sse.frame(BUSY))


def test_what_precedes_an_error_is_passed_on() -> None:
    before = frames(start(), *text_block(0, "Hi"))
    monitor = Monitor("fake")
    assert monitor.feed(before + frames(BUSY, STOP)) == before
    assert monitor.visible
    assert not monitor.complete
    for _ in range(2):
        with pytest.raises(UpstreamOverloaded):
            monitor.feed(b"more")
    with pytest.raises(UpstreamOverloaded):
        monitor.end()
    assert monitor.deltas() == [TextDelta("Hi")]


def test_what_is_no_event_is_malformed() -> None:
    with pytest.raises(UpstreamMalformed):
        Monitor("fake").feed(b"event: message_start\ndata: nothing\n\n")
    with pytest.raises(UpstreamMalformed):
        Monitor("fake").feed(b'event: content_block_delta\ndata: {"type": "cont\n\n')


NOVEL = event("vendor.novelty", novel=None)


@pytest.mark.parametrize(
    "odd",
    [
        b"data:\n\n",
        b"event: content_block_delta\n\n",
        b'event: vendor.novelty\ndata: {"novel":true}\n\n',
        frames(event("message_start", message=None)),
        frames(event("message_delta", delta=None)),
        frames(event("content_block_start", index=0, content_block=None)),
        frames(event("content_block_start", content_block={"type": "text"})),
        frames(event("content_block_stop")),
        frames(event("content_block_delta", index=0, delta=None)),
        frames(event("content_block_delta", index=0)),
        frames(event("content_block_delta", index=None, delta={"type": "text_delta", "text": ""})),
        frames(event("content_block_delta", index=0, delta={})),
        frames(piece(0, "text_delta", text=None)),
        frames(piece(0, "thinking_delta", thinking=None)),
    ],
)
def test_what_clients_cannot_read_is_left_out_and_counted(odd: bytes) -> None:
    monitor, text = Monitor("fake"), frames(start(), *text_block(0, "Hi"))
    assert monitor.feed(text + odd) + monitor.feed(odd) == text
    assert monitor.ignored == 2


@pytest.mark.parametrize("unknown", [NOVEL, event("ping"), piece(0, "novel_delta", novel=None)])
def test_what_is_not_known_is_passed_on(unknown: str) -> None:
    monitor, data = begun(), b": ping\n\n" + frames(unknown)
    assert monitor.feed(data) == data
    assert monitor.ignored == 0


def test_text_that_looks_like_an_event_is_read_in_vain() -> None:
    monitor, data = begun(), frames(piece(0, "text_delta", text="message_stop error"))
    assert monitor.feed(data) == data
    assert not monitor.complete


def test_only_so_much_is_kept() -> None:
    monitor = Monitor("fake", keep_bytes=10)
    monitor.feed(frames(start()))
    assert monitor.overlong
    with pytest.raises(UpstreamMalformed):
        monitor.deltas()


def test_a_whole_answer() -> None:
    message = {
        "type": "message",
        "model": "m",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    monitor = BodyMonitor("fake")
    with pytest.raises(UpstreamCut):
        monitor.end()
    body = json.dumps(message).encode()
    assert monitor.feed(body) == body
    monitor.end()
    assert monitor.visible
    assert monitor.complete
    assert not monitor.overlong
    assert monitor.usage == Usage(3, 2)
    assert monitor.finish_reason is FinishReason.STOP
    assert monitor.deltas()[0] == TextDelta("Hi")
    silent = BodyMonitor("fake")
    silent.feed(json.dumps({**message, "usage": None}).encode())
    assert silent.usage is None
    with pytest.raises(UpstreamMalformed):
        BodyMonitor("fake").feed(b"<html>")


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_an_answer_is_complete_wherever_it_is_split(end: bytes) -> None:
    whole = frames(start(), *text_block(0, "Hi"), ending(), STOP).replace(b"\n", end)
    for split in range(len(whole)):
        monitor = Monitor("fake")
        passed_on = monitor.feed(whole[:split]) + monitor.feed(whole[split:])
        # The LF of a last CRLF may be held back: its CR has ended the line.
        assert passed_on.rstrip(b"\n") == whole.rstrip(b"\n")
        assert monitor.end() == b""


NAMES = ModelNames("anthropic/claude-x", "claude-x")


@given(st.data())
@dialect_examples
def test_the_name_that_was_asked_for_is_told_once(data: st.DataObject) -> None:
    text = '"message":{"model":"claude-x"} message_start'
    stream = frames(start(), *text_block(0, text), ending(), STOP)
    monitor = Monitor("fake", (), NAMES)
    passed = b"".join(monitor.feed(one) for one in data.draw(splits(stream)))
    assert passed == stream.replace(b'"claude-x"', b'"anthropic/claude-x"', 1)
    assert finished(monitor.deltas()).model == "claude-x"


def test_a_whole_answer_tells_the_name_that_was_asked_for() -> None:
    monitor = BodyMonitor("fake", (), NAMES)
    content = [{"type": "tool_use", "id": "c", "name": "f", "input": {"model": "claude-x"}}]
    whole = {"content": content, "stop_reason": "tool_use", "model": "claude-x"}
    body = json.dumps({"type": "message", "role": "assistant", **whole})
    told = body.removesuffix('"claude-x"}') + '"anthropic/claude-x"}'
    assert monitor.feed(body.encode()).decode() == told
    assert finished(monitor.deltas()).model == "claude-x"


def estimate(reported: Usage | None, deltas: Sequence[Delta]) -> Usage:
    tokens = 9 if reported is None else reported.input_tokens
    return Usage(tokens, len(deltas), estimated=True, error_bound=0.5)


@pytest.mark.parametrize(("counts", "tokens"), [(None, 9), ({"input_tokens": 7}, 7)])
def test_a_stream_without_usage_has_an_estimate(counts: dict[str, int] | None, tokens: int) -> None:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    begin = event("message_start", message={"model": "m", "content": [], "usage": counts})
    end = event("message_delta", delta={"stop_reason": "end_turn"})
    passed = monitor.feed(frames(begin)) + monitor.feed(frames(*text_block(0, "Hi"), end, STOP))
    first, *_, last, _ = [json.loads(frame.data) for frame in sse.Parser().feed(passed)]
    assert first["message"]["model"] == "m"
    assert first["message"]["usage"]["input_tokens"] == tokens
    assert last["delta"] == {"stop_reason": "end_turn"}
    assert (last["usage"]["input_tokens"], last["usage"]["output_tokens"]) == (tokens, 1)
    assert last["metadata"] == {"usage": "estimated;bound=0.5"}
    assert monitor.complete


def test_an_event_with_a_field_twice_is_passed_on_without_an_estimate() -> None:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    begin = b'data: {"type":"x","type":"message_start","message":{"model":"m","content":[]}}\n\n'
    end = b'data: {"type":"x","type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    for sent, name in ((begin, "message_start"), (end, "message_delta")):
        [frame] = sse.Parser().feed(monitor.feed(sent))
        assert sent == b"data: %b\n\n" % frame.data.encode()
        assert frame.event == name


def test_a_stream_that_tells_its_usage_stays_as_it_is() -> None:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    stream = frames(start(), *text_block(0, "Hi"), ending("end_turn"), STOP)
    assert monitor.feed(stream) == stream


def test_a_message_without_usage_has_an_estimate() -> None:
    body = b'{"content":[{"type":"text","text":"Hi"}], "stop_reason":"end_turn"}'
    monitor = BodyMonitor("fake")
    monitor.prepare(1, estimate)
    told = json.loads(monitor.feed(body))
    assert told["usage"]["input_tokens"] == 9
    assert told["metadata"] == {"usage": "estimated;bound=0.5"}
    twice = body.replace(b"{", b'{"stop_reason":null,', 1)
    assert monitor.feed(twice) == twice

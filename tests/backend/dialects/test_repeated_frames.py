"""Frames that repeat one that was read are passed on alike, and nothing else is taken for one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import splits
from tests.backend.examples import examples

from cartrita.dialects import relayed_frames, repeated_frames
from cartrita.dialects.anthropic_messages.relay import Monitor as MessagesMonitor
from cartrita.dialects.openai_chat.relay import Monitor as ChatMonitor
from cartrita.dialects.openai_responses.relay import Monitor as ResponsesMonitor
from cartrita.dialects.repeated_frames import RepeatedFrames
from cartrita.domain.errors import UpstreamError, UpstreamMalformed
from cartrita.domain.relays import ModelNames

Monitor = ChatMonitor | MessagesMonitor | ResponsesMonitor
CHUNK = b'data: {"model":"m","c":[{"i":0,"delta":{"content":"%b"},"reason":null}]}\n\n'
LEARNT, TOLD = CHUNK % b"Hello", CHUNK.replace(b'"m"', b'"p/m"') % b"Hello"


def knowing(learnt: bytes = LEARNT, told: bytes | None = None) -> RepeatedFrames:
    frames = RepeatedFrames()
    frames.learn(learnt, learnt if told is None else told)
    return frames


@pytest.mark.parametrize(
    "text", [b"", b"Hi", b" \\n", b'\\"', b"\\\\", b'\\\\\\"}', b"\\u00fc", b"\xc3\xbc", b"}" * 99]
)
def test_a_frame_with_another_text(text: bytes) -> None:
    piece = CHUNK % text
    assert knowing().told(piece) == piece
    assert knowing(told=TOLD).told(piece) == piece.replace(b'"m"', b'"p/m"')


def test_frames_that_come_together() -> None:
    piece = (CHUNK % b"a") + (CHUNK % b'{\\"model\\":\\"m\\"}') + (CHUNK % b"")
    assert knowing().told(piece) == piece
    told = knowing(told=TOLD).told(piece)
    assert told is not None
    assert told == piece.replace(b'{"model":"m"', b'{"model":"p/m"')


def test_a_name_that_is_told_after_the_text() -> None:
    learnt = b'data: {"delta":{"content":"a"},"model":"m"}\n\n'
    frames = knowing(learnt, learnt.replace(b'"m"', b'"p/m"'))
    assert frames.told(learnt.replace(b'"a"', b'"b"')) == (
        b'data: {"delta":{"content":"b"},"model":"p/m"}\n\n'
    )


def test_several_values_that_vary() -> None:
    event = (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
        b'"sequence_number":%d,"item_id":"i","delta":"%b","logprobs":[],"obfuscation":"%b"}\n\n'
    )
    frames = knowing(event % (4, b"Hello", b"x1"))
    assert frames.told(event % (1234, b"", b"abcdefg")) == event % (1234, b"", b"abcdefg")
    assert frames.told(event.replace(b'"i"', b'"j"') % (5, b"a", b"b")) is None


@pytest.mark.parametrize(
    "number", [b"", b"01", b"-1", b"1.5", b"9" * 19, b"4,,}}", b'4,"x":1', b'"4"']
)
@pytest.mark.parametrize("rest", [b"", b',"delta":"x"'])
def test_a_number_that_is_none(number: bytes, rest: bytes) -> None:
    event = b'data: {"sequence_number":%b' + rest + b"}\n\n"
    frames = knowing(event % b"4")
    assert frames.told(event % b"5") == event % b"5"
    assert frames.told(event % number) is None


@pytest.mark.parametrize(
    "piece",
    [
        b"",
        LEARNT[:-1],
        LEARNT + b"\n",
        LEARNT + LEARNT[:9],
        LEARNT + b": comment\n\n",
        b": comment\n\n" + LEARNT,
        LEARNT.replace(b"null", b'"x"'),
        LEARNT.replace(b"}\n", b',"error":{"message":"x"}}\n'),
        LEARNT.replace(b'"Hello"', b'"Hello","error":"x"'),
        LEARNT.replace(b'"Hello"', b"null"),
        CHUNK % b"\\",
        CHUNK % b"a\n\ndata: b",
        CHUNK % b"a\rb",
        CHUNK % b"\xff",
        CHUNK % b"\0",
        CHUNK % b"a\tb",
        CHUNK % b"\\q",
        CHUNK % b"\\u12",
        CHUNK % b"\\u12g4",
        LEARNT.replace(b"}]}", b"}}"),
        LEARNT.replace(b"\n\n", b"\r\n\r\n"),
        b"data: [DONE]\n\n",
    ],
)
def test_what_repeats_nothing(piece: bytes) -> None:
    assert knowing().told(piece) is None
    assert knowing(told=TOLD).told(piece) is None


@pytest.mark.parametrize(
    "learnt",
    [b'data: {"a":1}\n\n', LEARNT.replace(b"\n", b"\r"), LEARNT + LEARNT, LEARNT[:-2], b""],
)
def test_what_is_not_learnt(learnt: bytes) -> None:
    assert knowing(learnt).told(learnt) is None


def test_a_stream_without_repetitions_is_given_up() -> None:
    frames = RepeatedFrames()
    for letter in b"abcd":
        frames.learn(*[LEARNT.replace(b'"m"', b'"%c"' % letter)] * 2)
    assert frames.told(LEARNT.replace(b'"m"', b'"d"')) is None
    assert frames.told(LEARNT.replace(b'"m"', b'"c"')) is not None  # which begins it anew
    frames.learn(LEARNT, LEARNT)
    assert frames.told(LEARNT) == LEARNT


TEXTS = ("Hello", "", "\n", '"', "\\", "ü", "[DONE]", "event: error", '"error"', "x" * 300)
TAILS: tuple[dict[str, Any], ...] = (
    *({}, {}, {}, {}, {"usage": None}, {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
    *({"error": {"message": "x"}}, {"obfuscation": "ab"}),
)


def chat_chunk(text: str, tail: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    finish = "stop" if text == "x" * 300 else None
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return "", {"id": "a", "model": "m", "choices": [choice], **tail}


def messages_event(text: str, tail: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    delta = {"type": "text_delta", "text": text}
    event = {"type": "content_block_delta", "index": 0, "delta": delta, **tail}
    return "content_block_delta", event


def responses_event(text: str, tail: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = "response.output_text.delta"
    place = {"sequence_number": len(text), "output_index": 0, "content_index": 0}
    return kind, {"type": kind, **place, "delta": text, **tail}


def begin(monitor: Monitor) -> None:
    """Feed the events that come before the first piece of text."""
    part: Any = {"type": "output_text", "text": ""}
    message: Any = {"type": "message", "content": [part]}
    events: list[dict[str, Any]] = []
    if isinstance(monitor, MessagesMonitor):
        events = [
            {"type": "message_start", "message": {"content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {**part, "type": "text"}},
        ]
    elif isinstance(monitor, ResponsesMonitor):
        events = [
            {"type": "response.created", "response": {}},
            {"type": "response.output_item.added", "output_index": 0, "item": message},
        ]
    for each in events:
        monitor.feed(framed(each["type"], each))


def framed(
    event: str, fields: dict[str, Any], end: str = "\n\n", *, ensure_ascii: bool = True
) -> bytes:
    line = f"event: {event}\n" if event else ""
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=ensure_ascii)
    return f"{line}data: {body}{end}".encode()


MONITORS: tuple[tuple[Callable[..., Monitor], Callable[..., tuple[str, dict[str, Any]]]], ...] = (
    (ChatMonitor, chat_chunk),
    (MessagesMonitor, messages_event),
    (ResponsesMonitor, responses_event),
)


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        (b"Hello", b"a\1b"),
        (b"Hello", b"\\q"),
        (b"Hello", b'a"b'),
        (b"}\n\n", b"]}\n\n"),
        (b"}\n\n", b",,}}\n\n"),
    ],
)
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(("monitor", "write"), MONITORS)
def test_what_is_no_json_is_not_passed_on(
    monitor: Callable[..., Monitor],
    write: Callable[..., tuple[str, dict[str, Any]]],
    times: int,
    sound: bytes,
    broken: bytes,
) -> None:
    good = framed(*write("Hello", {}))
    bad = good.replace(sound, broken)
    alone, together = monitor("fake"), monitor("fake")
    begin(alone)
    begin(together)
    for _ in range(times):
        assert alone.feed(good) == together.feed(good) == good
    with pytest.raises(UpstreamMalformed):
        alone.feed(bad)
    assert together.feed(good + bad + good) == good
    with pytest.raises(UpstreamMalformed):
        together.feed(good)


def watched(monitor: Monitor, pieces: list[bytes]) -> tuple[object, ...]:
    """What is passed on, up to an error, and what was learnt of it."""
    passed, failure = b"", None
    begin(monitor)
    try:
        for piece in pieces:
            passed += monitor.feed(piece)
    except UpstreamError as error:
        failure = (type(error), error.message)
    learnt = (monitor.visible, monitor.complete, monitor.usage, monitor.finish_reason)
    return passed, failure, learnt, monitor._frames.passed_on()


@pytest.mark.parametrize(("monitor", "write"), MONITORS)
@given(
    st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(TAILS)), min_size=2, max_size=8),
    st.sampled_from([None, ModelNames("p/m", "m"), ModelNames("p/m", "other")]),
    st.sampled_from(["\n\n", "\n\n", "\n\n", "\r\n\r\n"]),
    st.data(),
)
@examples
def test_a_monitor_sees_the_same_as_one_that_looks_into_each_frame(
    monitor: Callable[..., Monitor],
    write: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]],
    values: list[tuple[str, dict[str, Any]]],
    names: ModelNames | None,
    end: str,
    data: st.DataObject,
) -> None:
    stream = b""
    for text, tail in values:
        stream += framed(*write(text, tail), end=end, ensure_ascii=text != "ü")
    whole = list(relayed_frames.split(stream))
    pieces = data.draw(st.one_of(st.just(whole), splits(stream)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeated_frames, "_GIVE_UP", 0)
        expected = watched(monitor("fake", (), names), pieces)
    assert watched(monitor("fake", (), names), pieces) == expected

"""What is relayed is passed on byte for byte, and understood well enough."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from cartrita.dialects.openai_chat.relay import BodyMonitor, Monitor, rewrite
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import (
    InvalidInput,
    Malformed,
    UpstreamCut,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamRejected,
)
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse


def chunk(delta: Any = None, finish: str | None = None, index: int = 0, **fields: Any) -> bytes:
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    body = {"id": "x", "created": 5, "model": "gpt", "choices": [choice], **fields}
    return b"data: %s\n\n" % json.dumps(body).encode()


def usage_chunk(**fields: Any) -> bytes:
    return chunk(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2}, **fields)


ROLE = chunk({"role": "assistant", "content": ""})
HI = chunk({"content": "Hi"})
STOP = chunk(finish="stop")
DONE = b"data: [DONE]\n\n"


def watched(*pieces: bytes, **options: Any) -> tuple[Monitor, bytes]:
    monitor = Monitor("fake", **options)
    return monitor, b"".join(monitor.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    ("body", "rewritten"),
    [
        (b'{"model":"a","x":1e5}', b'{"model":"b","x":1e5}'),
        (b' {"x" : {"model":"a"} ,\n"model" :"a"}\n', b' {"x" : {"model":"a"} ,\n"model" :"b"}\n'),
        (b'{"mod\\u0065l": null, "\\"": "}"}', b'{"mod\\u0065l": "b", "\\"": "}"}'),
    ],
)
def test_only_the_model_is_replaced(body: bytes, rewritten: bytes) -> None:
    assert rewrite(RelayedBody.of(body), model="b") == rewritten


@pytest.mark.parametrize(
    ("body", "rewritten"),
    [
        (
            b'{"model":"a","stream":true }',
            b'{"model":"b","stream":true ,"stream_options":{"include_usage":true}}',
        ),
        (
            b'{"stream_options":null,"model":"a"}',
            b'{"stream_options":{"include_usage":true},"model":"b"}',
        ),
        (
            b'{"model":"a","stream_options":{"include_obfuscation":false,"include_usage":false}}',
            b'{"model":"b","stream_options":{"include_obfuscation":false,"include_usage":true}}',
        ),
        (b'{"model":"a","stream_options":3}', b'{"model":"b","stream_options":3}'),
    ],
)
def test_usage_is_asked_for(body: bytes, rewritten: bytes) -> None:
    assert rewrite(RelayedBody.of(body), model="b", ask_for_usage=True) == rewritten


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"model":',
        b"\xff",
        b'{"model":"a","model":"b"}',
        b'{"model":"a","model":"a"}',
        b'{"x":1,"model":"a","x":1}',
        b'{"model":"a","x":1,"\\u0078":2}',
    ],
)
def test_what_cannot_be_rewritten(body: bytes) -> None:
    with pytest.raises(Malformed):
        rewrite(RelayedBody.of(body), model="b")


def test_a_body_without_a_model() -> None:
    with pytest.raises(InvalidInput, match="model"):
        rewrite(RelayedBody.of(b"{}"), model="b")


def test_half_frames_are_held_back() -> None:
    monitor = Monitor("fake")
    assert monitor.feed(HI[:20]) == b""
    assert monitor.feed(HI[20:] + STOP[:5]) == HI
    assert monitor.feed(STOP[5:-1]) == b""
    assert monitor.feed(STOP[-1:]) == STOP


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_any_line_ends(line_end: bytes, size: int) -> None:
    stream = b"\xef\xbb\xbf: hello\n\n" + ROLE + HI + HI + STOP + usage_chunk() + DONE
    stream = stream.replace(b"\n", line_end)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    monitor, passed = watched(*pieces)
    assert stream.startswith(passed)
    assert stream.removeprefix(passed) in (b"", b"\n")
    assert monitor.usage == Usage(3, 2)
    assert monitor.deltas()[:2] == [TextDelta("Hi"), TextDelta("Hi")]
    monitor.end()


def test_visibility() -> None:
    monitor, _ = watched(ROLE)
    assert not monitor.visible
    monitor.feed(HI)
    assert monitor.visible
    assert watched(chunk({"reasoning_content": "hm"}))[0].visible


@pytest.mark.parametrize(
    ("delta", "visible"),
    [
        ({"audio": {"id": "audio_1", "transcript": "Hi"}}, True),
        ({"function_call": {"name": "f", "arguments": ""}}, True),
        ({"images": [{"type": "image_url"}]}, True),
        ({"of_tomorrow": "\ud83d"}, True),
        ({"role": "assistant", "content": None, "audio": None, "tool_calls": []}, False),
        ({"role": "assistant", "name": "a", "provider_specific_fields": {"x": 1}}, False),
    ],
)
def test_which_deltas_show_a_part_of_an_answer(delta: Any, visible: bool) -> None:
    assert watched(chunk(delta))[0].visible is visible


BOTH = HI + STOP + chunk({"content": "Ho"}, index=1)


@pytest.mark.parametrize("begun", [HI, chunk({"content": "Ho"}, "stop", 1), BOTH])
def test_an_answer_that_was_begun_and_is_missing_is_a_cut(begun: bytes) -> None:
    monitor, passed = watched(begun, choices=2)
    assert (passed, monitor.complete) == (begun, False)
    with pytest.raises(UpstreamCut):
        monitor.end()
    monitor.feed(chunk({"content": "Ho"}, "stop", 0) + chunk({"content": "Ho"}, "stop", 1))
    assert monitor.complete
    assert monitor.end() == DONE


@pytest.mark.parametrize("index", [{"index": 0}, {}])
def test_a_provider_that_ignores_how_many_are_asked_for_may_just_end(index: Any) -> None:
    choice = {"delta": {"content": "Hi"}, "finish_reason": "stop", **index}
    monitor, _ = watched(chunk(choices=[choice]), chunk(choices=[choice]), choices=2)
    assert not monitor.complete
    assert monitor.end() == DONE
    assert monitor.complete


def test_a_provider_that_gives_one_answer_says_that_it_is_all() -> None:
    monitor, _ = watched(HI + STOP, DONE, choices=3)
    assert monitor.complete
    assert monitor.end() == b""


def test_only_the_chunk_of_usage_is_hidden() -> None:
    monitor, passed = watched(ROLE + HI, HI + STOP + usage_chunk() + DONE, hide_usage=True)
    assert passed == ROLE + HI + HI + STOP + DONE
    assert monitor.usage == Usage(3, 2)
    with_text = chunk({"content": "x"}, usage={"prompt_tokens": 1})
    assert watched(with_text, hide_usage=True)[1] == with_text


@pytest.mark.parametrize("before", [b"", ROLE, ROLE + HI])
@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}\n\n',
        b'event: error\ndata: {"message": "Slow down", "code": "rate_limit_exceeded"}\n\n',
    ],
)
def test_an_error_within_the_stream(before: bytes, frame: bytes) -> None:
    monitor, _ = watched(before)
    with pytest.raises(UpstreamLimited, match="Slow down"):
        monitor.feed(frame)


def test_text_that_looks_like_a_mark_is_passed_on() -> None:
    text = chunk({"content": '{"error": "usage": {[DONE]'})
    monitor, passed = watched(HI, text)
    assert passed == HI + text
    assert not monitor.complete


def test_the_end() -> None:
    monitor, _ = watched(HI)
    assert not monitor.complete
    with pytest.raises(UpstreamCut):
        monitor.end()
    monitor.feed(chunk(finish="length"))
    assert monitor.complete
    assert monitor.finish_reason is FinishReason.LENGTH
    assert watched(DONE)[0].complete
    assert watched(chunk(finish="eos"))[0].finish_reason is FinishReason.STOP


def test_an_end_without_its_mark_is_given_one() -> None:
    assert watched(HI, STOP)[0].end() == DONE
    assert watched(HI, STOP, DONE)[0].end() == b""


@pytest.mark.parametrize(
    "data", [HI[:-12] + b"\n\n", b"data: 7\n\n", b'data: ["x"]\n\n', b"data: {\r\n\r\n"]
)
def test_what_is_no_chunk_is_found_after_text_too(data: bytes) -> None:
    monitor, _ = watched(HI)
    with pytest.raises(UpstreamMalformed):
        monitor.feed(data)
    assert monitor.deltas() == [TextDelta("Hi")]


def test_what_precedes_a_chunk_that_is_none_is_passed_on() -> None:
    monitor, passed = watched(HI + b'data: ["x"]\n\n' + STOP + DONE)
    assert passed == HI
    for raising in (monitor.end, lambda: monitor.feed(DONE)):
        with pytest.raises(UpstreamMalformed):
            raising()
    assert monitor.deltas() == [TextDelta("Hi")]


def test_an_end_that_is_written_unusually() -> None:
    odd = STOP.replace(b'"finish_reason": "stop"', b'"finish_reason"  :  "stop"')
    monitor, _ = watched(HI, odd)
    assert not monitor.complete
    monitor.end()
    assert monitor.complete


@pytest.mark.parametrize("together", [True, False])
def test_several_answers_are_complete_when_all_are(together: bool) -> None:
    first, second = HI, chunk({"content": "Ho"}, index=1)
    monitor, _ = watched(*([first + second] if together else [first, first, second]), STOP)
    assert not monitor.complete
    monitor.feed(chunk(finish="stop", index=1))
    assert monitor.complete


@pytest.mark.parametrize(
    "data", [b"data: nonsense\n\n", b'data: {"choices": 3}\n\n', b"data: []\n\n"]
)
def test_what_is_no_chunk(data: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        watched(data)


@pytest.mark.parametrize("before", [b"", HI])
@pytest.mark.parametrize(
    "odd",
    [
        b"data:\n\n",
        b"id: 5\n\n",
        chunk(choices=None),
        chunk(choices=[None]),
        chunk(choices=[{"index": 0, "delta": None, "finish_reason": None}]),
        b'event: vendor.novelty\ndata: {"novel":true}\n\n',
        b'data: {"novel":true}\n\n',
    ],
)
def test_what_clients_cannot_read_is_left_out_and_counted(before: bytes, odd: bytes) -> None:
    monitor, passed = watched(before, HI + odd + HI, odd, STOP)
    assert passed == before + HI + HI + STOP
    assert monitor.ignored == 2


def test_a_chunk_without_choices_is_passed_on() -> None:
    filtered = chunk(choices=[], prompt_filter_results=[])
    monitor, passed = watched(filtered, HI, filtered)
    assert passed == filtered + HI + filtered
    assert monitor.ignored == 0


@pytest.mark.parametrize("more", [[], [None], [{"index": 1, "delta": None}]])
def test_what_a_chunk_says_is_passed_on_without_what_clients_cannot_read(more: list[Any]) -> None:
    end = {"index": 0, "delta": None, "finish_reason": "stop"}
    text = {"index": 0, "delta": {"content": "Hi"}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    _, passed = watched(
        chunk(choices=[text, *more, None]), chunk(choices=[end, *more], usage=usage)
    )
    told = [json.loads(frame.data) for frame in sse.Parser().feed(passed)]
    assert [one["choices"] for one in told] == [[text], [{**end, "delta": {}}]]
    assert told[1]["usage"] == usage
    [told] = [
        json.loads(frame.data)
        for frame in sse.Parser().feed(watched(chunk(choices=None, usage=usage))[1])
    ]
    assert (told["choices"], told["usage"]) == ([], usage)


def test_what_is_too_long_cannot_be_continued() -> None:
    monitor, passed = watched(HI, HI, HI, STOP, keep_bytes=2 * len(HI))
    assert passed == HI * 3 + STOP
    assert monitor.overlong
    with pytest.raises(UpstreamMalformed, match="too long"):
        monitor.deltas()
    monitor.end()
    with pytest.raises(UpstreamCut):
        watched(HI, HI, HI, keep_bytes=2 * len(HI))[0].end()


def test_a_frame_that_never_ends() -> None:
    monitor = Monitor("fake")
    assert monitor.feed(b"x" * sse.MAX_LINE) == b""
    with pytest.raises(UpstreamMalformed, match="too long"):
        monitor.feed(b"x")


def test_the_head_of_the_answer() -> None:
    head = watched(ROLE)[0].head(include_usage=True)
    assert (head.id, head.model, head.created, head.include_usage) == ("x", "gpt", 5, True)
    assert watched()[0].head().id == ""


def test_a_whole_body() -> None:
    body = json.dumps(
        {
            "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        }
    ).encode()
    monitor = BodyMonitor("fake")
    with pytest.raises(UpstreamCut):
        monitor.end()
    assert monitor.feed(body) == body
    monitor.end()
    assert monitor.visible
    assert monitor.usage == Usage(3, 2)
    assert monitor.finish_reason is FinishReason.LENGTH
    assert monitor.deltas()[0] == TextDelta("Hi")
    assert BodyMonitor("fake").feed(b'{"choices": [{"message": {}}]}')


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices": [null]}', b'{"choices": [{}]}'])
def test_a_body_that_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        BodyMonitor("fake").feed(body)


def test_a_body_that_is_an_error() -> None:
    with pytest.raises(UpstreamRejected):
        BodyMonitor("fake").feed(b'{"error": {"type": "invalid_request_error"}}')


NAMES = ModelNames("fake/gpt", "gpt")


def test_the_name_that_was_asked_for_is_told() -> None:
    monitor, passed = watched(ROLE, HI, STOP, usage_chunk(), DONE, names=NAMES, hide_usage=True)
    assert passed == (ROLE + HI + STOP).replace(b'"gpt"', b'"fake/gpt"') + DONE
    assert monitor.head().model == "fake/gpt"
    assert monitor.deltas() == [TextDelta("Hi")]


def test_another_name_is_told_as_it_is() -> None:
    dated = [one.replace(b'"gpt"', b'"gpt-2026"') for one in (ROLE, HI)]
    monitor, passed = watched(*dated, names=NAMES)
    assert passed == b"".join(dated)
    assert monitor.head().model == "gpt-2026"


def test_a_whole_answer_tells_the_name_that_was_asked_for() -> None:
    monitor = BodyMonitor("fake", (), NAMES)
    message = {"role": "assistant", "content": '{"model": "gpt"}'}
    choice = {"message": message, "finish_reason": "stop"}
    body = json.dumps({"model": "gpt", "choices": [choice], "x": {"model": "gpt"}})
    assert monitor.feed(body.encode()) == body.replace('"gpt"', '"fake/gpt"', 1).encode()
    assert monitor.deltas()[-1] == Finished(FinishReason.STOP, Usage(), "gpt")


MARK = {"usage": "estimated;bound=0.5"}


def estimate(reported: Usage | None, deltas: Sequence[Delta]) -> Usage:
    assert reported is None
    return Usage(9, len(deltas), estimated=True, error_bound=0.5)


def prepared(**options: Any) -> Monitor:
    monitor = Monitor("fake", **options)
    monitor.prepare(100_000, estimate)
    return monitor


@pytest.mark.parametrize("end", [b"", DONE])
def test_a_stream_without_the_usage_that_was_asked_for_ends_with_an_estimate(end: bytes) -> None:
    monitor = prepared(names=ModelNames("p/gpt", "gpt"))
    passed = monitor.feed(ROLE + HI) + monitor.feed(HI + STOP + end) + monitor.end()
    *_, told, done = sse.Parser().feed(passed)
    assert done.data == "[DONE]"
    chunk = json.loads(told.data)
    assert (chunk["id"], chunk["model"], chunk["choices"]) == ("x", "p/gpt", [])
    assert (chunk["usage"]["prompt_tokens"], chunk["usage"]["completion_tokens"]) == (9, 2)
    assert chunk["metadata"] == MARK
    assert monitor.usage is not None
    assert monitor.usage.estimated


def test_a_usage_that_is_told_or_not_asked_for_is_not_estimated() -> None:
    for stream, options in ((usage_chunk(), {}), (b"", {"hide_usage": True})):
        monitor = prepared(**options)
        told = HI + STOP + stream + DONE
        assert monitor.feed(told) + monitor.end() == told


def test_a_usage_of_nothing_is_none() -> None:
    nothing = usage_chunk().replace(b'_tokens": ', b'_tokens": -')
    monitor = prepared()
    passed = monitor.feed(HI + nothing + STOP + nothing + DONE) + monitor.end()
    *before, told, done = sse.Parser().feed(passed)
    assert len(before) == 2
    assert json.loads(told.data)["usage"]["prompt_tokens"] == 9
    assert done.data == "[DONE]"
    assert prepared(hide_usage=True).feed(HI + nothing) == HI


def test_a_stream_that_is_too_long_to_keep_has_an_estimate_from_its_start() -> None:
    count = (1 << 18) // len(HI)
    monitor = prepared(keep_bytes=1 << 17)
    passed = b"".join(monitor.feed(HI * 10) for _ in range(count // 10))
    passed += monitor.feed(STOP + DONE) + monitor.end()
    assert monitor.usage is not None
    assert abs(monitor.usage.output_tokens - count) < count // 50
    assert b'"completion_tokens":%d' % monitor.usage.output_tokens in passed


def test_of_a_long_beginning_that_says_nothing_the_bytes_are_counted() -> None:
    monitor = prepared(keep_bytes=1)
    passed = monitor.feed(ROLE + STOP)
    assert monitor.written() == [TextDelta(passed.decode())]


@pytest.mark.parametrize("delta", [b'{"content":5}', b'{"content":"a","tool_calls":"b"}'])
@pytest.mark.parametrize("times", [1, 4])
def test_a_chunk_of_other_types_is_malformed_wherever_it_comes(delta: bytes, times: int) -> None:
    monitor, good = Monitor("fake"), chunk({"content": "a"})
    bad = good.replace(b'{"content": "a"}', delta)
    assert bad != good
    for _ in range(times):
        monitor.feed(good)
    with pytest.raises(UpstreamMalformed):
        monitor.feed(bad)


@pytest.mark.parametrize("index", ["", '"index": null, '])
def test_a_choice_without_its_place_is_the_first(index: str) -> None:
    call = {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    for delta in ({"content": "Hi"}, call):
        odd = chunk(delta).replace(b'"choices": [{"index": 0, ', b'"choices": [{' + index.encode())
        monitor = Monitor("fake")
        for _ in range(4):
            [told] = sse.Parser().feed(monitor.feed(odd))
            assert json.loads(told.data) == json.loads(chunk(delta)[6:])
        assert monitor.ignored == 0


@pytest.mark.parametrize("field", [b'"created":%d', b'"novel":%d', b'"created":5,"x":[%d]'])
def test_a_number_that_clients_cannot_read_is_malformed(field: bytes) -> None:
    monitor, good = Monitor("fake"), chunk({"content": "a"})
    monitor.feed(good)
    bad = good.replace(b'"created": 5', field.replace(b"%d", b"9" * 6_000))
    assert len(bad) > 6_000
    with pytest.raises(UpstreamMalformed):
        monitor.feed(bad)


def test_a_line_is_as_long_as_it_may_be() -> None:
    with pytest.raises(UpstreamMalformed, match="too long"):
        prepared().feed(chunk({"content": "x" * 100_000}))


def test_a_completion_without_usage_has_an_estimate() -> None:
    body = b'{"id":"x", "choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]%s}'
    for usage in (b"", b',"usage":null', b',"usage":{"prompt_tokens":0},"metadata":{"a":"b"}'):
        monitor = BodyMonitor("fake")
        monitor.prepare(10, estimate)
        passed = monitor.feed(body % usage)
        told = json.loads(passed)
        assert passed.startswith(body.partition(b"]%s")[0])
        assert told["usage"]["prompt_tokens"] == 9
        assert told["metadata"] == {**MARK, **({"a": "b"} if b"metadata" in usage else {})}
    monitor = BodyMonitor("fake")
    monitor.prepare(10, estimate)
    reported = body % b',"usage":{"prompt_tokens":3}'
    assert monitor.feed(reported) == reported
    twice = body % b',"id":"y"'
    assert monitor.feed(twice) == twice

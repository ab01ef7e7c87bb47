"""Relayed answers are passed on byte for byte, watched for their end, and can be continued."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.openai_responses.test_stream_rendering import HEAD, events, rendered
from tests.backend.dialects.strategies import Abilities, answers, content_of, splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses import reasoning
from cartrita.dialects.openai_responses.relay import BodyMonitor, Monitor, is_relayable, rewrite
from cartrita.dialects.openai_responses.response_rendering import render
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.deltas import (
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    Malformed,
    UpstreamCut,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.messages import Reasoning
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse

BEGUN = rendered(TextDelta("Hel"))
STOP = Finished(FinishReason.STOP, Usage(3, 2), "model-1")
PLACE = {"output_index": 0, "content_index": 0}


def frame(kind: str, **fields: Any) -> bytes:
    return sse.frame(json.dumps({"type": kind, **fields}), event=kind)


ENDED = {"id": "resp_1", "status": "completed", "output": []}


def created(response_id: str = "resp_1") -> bytes:
    return frame("response.created", response={"id": response_id})


def watched(*pieces: bytes, keep_bytes: int = 1 << 20) -> Monitor:
    monitor = Monitor("fake", keep_bytes=keep_bytes)
    for piece in pieces:
        monitor.feed(piece)
    return monitor


def test_only_the_model_is_rewritten() -> None:
    body = b'{"input": "Hi",  "model":"a/b", "stream":true}'
    assert rewrite(RelayedBody.of(body), model="b") == body.replace(b'"a/b"', b'"b"')
    with pytest.raises(Malformed):
        rewrite(RelayedBody.of(b'{"model":"a","model":"b"}'), model="c")


def with_reasoning(wrapped: str | None, **fields: Any) -> RelayedBody:
    item = {"type": "reasoning", "summary": [], "encrypted_content": wrapped, **fields}
    return RelayedBody.of(json.dumps({"model": "a/b", "input": [item, "\u00fc"]}).encode())


@pytest.mark.parametrize("fields", [{}, {"id": "rs_ours"}])
@pytest.mark.parametrize("item_id", ["rs_theirs", None])
def test_reasoning_that_openai_sealed_goes_back_to_it(
    fields: dict[str, str], item_id: str | None
) -> None:
    part = Reasoning("", encrypted="gAAA", origin="openai_responses", id=item_id)
    body = with_reasoning(reasoning.wrap(part, "rs_ours"), **fields)
    assert is_relayable(body)
    item, other = json.loads(rewrite(body, model="b"))["input"]
    own = {} if item_id is None else {"id": item_id}
    assert item == {"type": "reasoning", "summary": [], "encrypted_content": "gAAA", **own}
    assert other == "\u00fc"


@pytest.mark.parametrize("wrapped", ["gAAA", None])
def test_what_we_did_not_seal_stays_as_it_is(wrapped: str | None) -> None:
    body = with_reasoning(wrapped, id="rs_1")
    assert is_relayable(body)
    assert rewrite(body, model="b") == body.octets.replace(b'"a/b"', b'"b"')


def test_what_openai_did_not_seal_is_not_relayed() -> None:
    part = Reasoning("", signature="S", origin="anthropic_messages")
    for wrapped in (reasoning.wrap(part, "rs_ours"), "cartrita:?"):
        assert not is_relayable(with_reasoning(wrapped))
        escaped = with_reasoning(wrapped).octets.replace(b'"cartrita:', b'"\\u0063artrita:')
        assert not is_relayable(RelayedBody.of(escaped))
    assert is_relayable(RelayedBody.of(b'{"input":"cartrita: \\u0063artrita:"}'))


@given(st.data())
@dialect_examples
def test_every_split_is_passed_on_whole(data: st.DataObject) -> None:
    deltas = data.draw(answers(Abilities()))
    stream = rendered(*deltas)
    monitor = Monitor("fake")
    passed = [monitor.feed(piece) for piece in data.draw(splits(stream))]
    monitor.end()
    finished = deltas[-1]
    assert isinstance(finished, Finished)
    assert b"".join(passed) == stream
    assert (monitor.complete, monitor.finish_reason) == (True, finished.reason)
    assert monitor.usage == finished.usage
    kinds = TextDelta | RefusalDelta | ToolCallDelta | ReasoningDelta
    assert monitor.visible == any(isinstance(delta, kinds) for delta in deltas)
    assert content_of(monitor.deltas())._replace(finished=[]) == content_of(deltas)._replace(
        finished=[]
    )


@pytest.mark.parametrize(
    ("delta", "visible"),
    [
        (TextDelta("a"), True),
        (ToolCallDelta(0, "c", "f", "{}"), True),
        (ToolCallDelta(0, "c", "f"), False),
        (ReasoningDelta("hm"), True),
    ],
)
def test_what_of_an_answer_is_visible(delta: Delta, visible: bool) -> None:
    assert watched(rendered(delta)).visible is visible


@pytest.mark.parametrize(
    ("kind", "visible"),
    [
        ("response.custom_tool_call_input.delta", True),
        ("response.code_interpreter_call_code.delta", True),
        ("response.image_generation_call.partial_image", True),
        ("response.mcp_call_arguments.delta", True),
        ("response.audio.delta", True),
        ("response.output_text.annotation.added", True),
        ("response.of_tomorrow", True),
        ("response.in_progress", False),
        ("response.web_search_call.searching", False),
        ("response.code_interpreter_call.interpreting", False),
        ("response.image_generation_call.generating", False),
        ("keepalive", False),
    ],
)
def test_which_events_show_a_part_of_an_answer(kind: str, visible: bool) -> None:
    begun = rendered(TextDelta("a")).partition(b"event: response.in_progress")[0]
    response = json.loads(begun.partition(b"data: ")[2])["response"]
    event = {"type": kind, "delta": "a", "item_id": "i", "output_index": 0, "response": response}
    monitor = watched(begun)
    assert not monitor.visible
    monitor.feed(f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode())
    assert monitor.visible is visible


def test_a_text_that_speaks_of_ends_is_none() -> None:
    monitor = watched(rendered(TextDelta('response.completed "error"')))
    assert (monitor.visible, monitor.complete, monitor.usage) == (True, False, None)
    with pytest.raises(UpstreamCut):
        monitor.end()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (frame("error", error={"code": "rate_limit_exceeded"}), UpstreamLimited),
        (frame("response.failed", response={"error": {}}), UpstreamOverloaded),
        (b'data: {"error": {"code": "rate_limit_exceeded"}}\n\n', UpstreamLimited),
        (b'data: "response.completed\n\n', UpstreamMalformed),
        (b'data: {"type": "response.output_text.delta", "delta": "lo\n\n', UpstreamMalformed),
        (b"data: []\n\n", UpstreamMalformed),
        (b'event: error\ndata: {"code": "rate_limit_exceeded"}\n\n', UpstreamLimited),
    ],
)
def test_errors_within_a_stream_are_raised(data: bytes, error: type[Exception]) -> None:
    monitor = watched(BEGUN)
    with pytest.raises(error):
        monitor.feed(data)
    assert monitor.deltas() == [TextDelta("Hel")]


@pytest.mark.parametrize("odd", [b": ping\n\n", b"data: [DONE]\n\n", frame("response.novel")])
def test_what_is_not_known_is_passed_on(odd: bytes) -> None:
    monitor = watched(BEGUN)
    assert monitor.feed(odd) == odd
    assert monitor.ignored == 0


@pytest.mark.parametrize(
    "odd",
    [
        b"data:\n\n",
        b"id: 4\n\n",
        b'event: vendor.novelty\ndata: {"novel":true}\n\n',
        frame("response.output_text.delta", delta=None),
        frame("response.function_call_arguments.delta", delta=None),
        frame("response.completed", response=None),
    ],
)
def test_what_clients_cannot_read_is_left_out_and_counted(odd: bytes) -> None:
    monitor, text = watched(BEGUN), frame("response.output_text.delta", **PLACE, delta="Hi")
    assert b"".join(map(monitor.feed, (odd, text, odd + text, odd))) == text + text
    assert monitor.ignored == 3
    assert not monitor.complete


def test_an_end_that_is_none() -> None:
    end = frame("response.completed", response={**ENDED, "status": "in_progress"})
    assert not watched(created(), end).complete


def test_an_end_without_usage() -> None:
    monitor = watched(created(), frame("response.completed", response=ENDED))
    assert (monitor.complete, monitor.usage) == (True, None)


def test_a_relayed_stream_is_continued_with_its_ids_and_numbers() -> None:
    upstream = BEGUN.replace(b"msg_0a0000", b"msg_theirs").replace(b"resp_0a", b"resp_theirs")
    renderer = StreamRenderer.resumed(watched(upstream))
    rest = renderer.feed(TextDelta("lo")) + renderer.feed(STOP)
    found = events(upstream + rest)
    assert {each["item_id"] for each in found if "item_id" in each} == {"msg_theirs"}
    response = found[-1]["response"]
    assert (response["id"], response["created_at"]) == ("resp_theirs", HEAD.created_at)
    assert response["output"][0]["content"][0]["text"] == "Hello"
    assert "".join(each.get("delta", "") for each in found) == "Hello"


def test_text_after_an_item_that_has_ended_is_an_item_of_its_own() -> None:
    whole = rendered(TextDelta("Hello"), STOP)
    cut = whole[: whole.index(b"event: response.completed")]
    renderer = StreamRenderer.resumed(watched(cut))
    found = events(cut + renderer.feed(TextDelta("!")) + renderer.feed(STOP))
    texts = [item["content"][0]["text"] for item in found[-1]["response"]["output"]]
    assert texts == ["Hello", "!"]


def test_a_stream_that_is_too_long_to_keep_can_still_be_ended() -> None:
    more = frame("response.output_text.delta", sequence_number=5, delta="lo", **PLACE)
    monitor = watched(BEGUN, more, keep_bytes=len(BEGUN))
    assert monitor.overlong
    with pytest.raises(UpstreamMalformed):
        monitor.deltas()
    error, failed = sse.Parser().feed(
        StreamRenderer.resumed(monitor).error(UpstreamCut("Cut.", provider="fake"))
    )
    assert json.loads(error.data)["sequence_number"] == 6
    assert json.loads(failed.data)["response"]["id"] == "resp_0a"


@pytest.mark.parametrize("more", [b"", b"data: [DONE]\n\n"])
def test_a_stream_without_numbers_and_ids_is_ended_as_well(more: bytes) -> None:
    monitor = watched(
        frame("response.created", response={}),
        frame("response.output_item.done", output_index=0, item={"type": "message"}),
        more or frame("response.other"),
    )
    renderer = StreamRenderer.resumed(monitor)
    (first, *_) = sse.Parser().feed(renderer.feed(TextDelta("a")))
    assert json.loads(first.data)["sequence_number"] == 3


def test_a_whole_answer_is_watched_at_once() -> None:
    body = render(HEAD, [TextDelta("Hello"), STOP])
    monitor = BodyMonitor("fake")
    with pytest.raises(UpstreamCut):
        monitor.end()
    assert not monitor.visible
    assert monitor.feed(body) == body
    monitor.end()
    assert (monitor.visible, monitor.finish_reason, monitor.usage) == (
        True,
        FinishReason.STOP,
        Usage(3, 2),
    )
    assert monitor.deltas() == [TextDelta("Hello"), STOP]
    assert not monitor.overlong
    with pytest.raises(UpstreamMalformed):
        BodyMonitor("fake").feed(b"{}")


NAMES = ModelNames("p/model-1", "model-1")
TRAP = '"response":{"model":"model-1"} response.completed'


@given(st.data())
@dialect_examples
def test_the_name_that_was_asked_for_is_told_in_each_response(data: st.DataObject) -> None:
    stream = rendered(TextDelta(TRAP), STOP)
    monitor = Monitor("fake", (), NAMES)
    passed = b"".join(monitor.feed(one) for one in data.draw(splits(stream)))
    told = [json.loads(one.data) for one in sse.Parser().feed(passed)]
    sent = [json.loads(one.data) for one in sse.Parser().feed(stream)]
    for event in sent:
        if "response" in event:
            event["response"]["model"] = "p/model-1"
    assert told == sent
    assert len(passed) - len(stream) == 2 * sum("response" in event for event in sent) > 4
    assert monitor.relayed().head.model == "p/model-1"
    assert monitor.deltas()[-1] == STOP


def test_a_whole_answer_tells_the_name_that_was_asked_for() -> None:
    monitor = BodyMonitor("fake", (), NAMES)
    body = render(HEAD, [TextDelta('{"model":"model-1"}'), STOP])
    told = json.loads(monitor.feed(body))
    assert told == {**json.loads(body), "model": "p/model-1"}
    assert monitor.deltas()[-1] == STOP


def estimate(reported: Usage | None, deltas: Sequence[Delta]) -> Usage:
    assert reported is None
    return Usage(9, len(deltas), estimated=True, error_bound=0.5)


def prepared() -> Monitor:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, estimate)
    return monitor


def test_the_last_event_may_be_as_long_as_the_whole_answer() -> None:
    response = {**ENDED, "instructions": "x" * 2**21}
    monitor = prepared()
    monitor.feed(created())
    assert monitor.feed(frame("response.completed", response=response))
    assert monitor.complete
    line = b"data: " + b"x" * sse.MAX_EVENT + b"\n"
    with pytest.raises(UpstreamMalformed):
        prepared().feed(line)


@pytest.mark.parametrize("output", [[], [{"type": "message", "content": []}]])
def test_a_response_without_usage_has_an_estimate(output: list[Any]) -> None:
    response = {**ENDED, "output": output, "usage": None}
    last = frame("response.completed", response=response)
    stream, whole = prepared(), BodyMonitor("fake")
    whole.prepare(1 << 20, estimate)
    _, event = sse.Parser().feed(stream.feed(created() + last))
    assert event.event == "response.completed"
    for told in (
        json.loads(event.data)["response"],
        json.loads(whole.feed(json.dumps(response).encode())),
    ):
        assert (told["id"], told["usage"]["input_tokens"]) == ("resp_1", 9)
        assert told["cartrita"] == {"usage": "estimated;bound=0.5"}
    assert stream.complete
    twice = json.dumps(response).replace("{", '{"id":"resp_1",', 1).encode()
    assert whole.feed(twice) == twice
    odd = frame("response.completed", response={**response, "x": "\ud800"})
    assert b'"input_tokens": 9' in prepared().feed(created() + odd)
    told = frame("response.completed", response={**response, "usage": {"input_tokens": 3}})
    assert watched(created()).feed(told) == told


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 0, "output_tokens": 0}])
def test_an_end_without_output_has_an_estimate_of_what_came_before_it(usage: Any) -> None:
    cut = rendered(TextDelta("Hello"), STOP).partition(b"event: response.completed")[0]
    last = frame("response.completed", response={**ENDED, "id": "resp_0a", "usage": usage})
    monitor = prepared()
    *_, event = sse.Parser().feed(monitor.feed(cut) + monitor.feed(last))
    told = json.loads(event.data)["response"]
    assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (9, 1)
    assert told["cartrita"] == {"usage": "estimated;bound=0.5"}
    assert monitor.usage == Usage(9, 1, estimated=True, error_bound=0.5)

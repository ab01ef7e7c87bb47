"""An answer that is rendered and parsed again says the same, however its bytes were cut."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import Abilities, answers, content_of, splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.relay import BodyMonitor, Monitor
from cartrita.dialects.openai_chat.response_rendering import render
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.openai_chat.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Delta, Finished, FinishReason
from cartrita.kit import sse

ABILITIES = Abilities(
    sealed=("anthropic_messages", "openai_responses", "openai_chat", "openai_chat/other-v1"),
    reasoning_ids=True,
    interleaved_calls=True,
    finish_reasons=(
        FinishReason.STOP,
        FinishReason.LENGTH,
        FinishReason.CONTENT_FILTER,
        FinishReason.ERROR,
    ),
)
ANSWERS = answers(ABILITIES)
HEAD = CompletionHead(
    id="chatcmpl-1",
    model="model-1",
    created=1,
    include_usage=True,
    extra={"conversation_id": "c"},
    finishing={"metadata": {"a": 1}},
)


def streamed(deltas: list[Delta]) -> bytes:
    renderer = StreamRenderer(HEAD)
    return b"".join(renderer.feed(delta) for delta in deltas)


def parsed(pieces: list[bytes]) -> list[Delta]:
    frames, parser = sse.Parser(), StreamParser("fake")
    deltas = [
        delta
        for piece in pieces
        for frame in frames.feed(piece)
        for delta in parser.feed(frame.data, frame.event)
    ]
    assert parser.done
    assert parser.ignored == 0
    return deltas + parser.end()


@dialect_examples
@given(ANSWERS, st.data())
def test_a_stream_survives(deltas: list[Delta], data: st.DataObject) -> None:
    pieces = data.draw(splits(streamed(deltas)))
    assert content_of(parsed(pieces)) == content_of(deltas)


@dialect_examples
@given(ANSWERS)
def test_a_whole_answer_survives(deltas: list[Delta]) -> None:
    assert content_of(parse_completion("fake", render(HEAD, deltas))) == content_of(deltas)


@dialect_examples
@given(ANSWERS, st.data(), st.booleans())
def test_a_relay_changes_nothing(deltas: list[Delta], data: st.DataObject, hide: bool) -> None:
    stream = streamed(deltas)
    monitor = Monitor("fake", hide_usage=hide)
    passed = b"".join(monitor.feed(piece) for piece in data.draw(splits(stream)))
    monitor.end()
    without_usage = [
        frame for frame in stream.split(b"\n\n") if not (hide and b'"choices":[],' in frame)
    ]
    assert passed == b"\n\n".join(without_usage)
    finished = deltas[-1]
    assert isinstance(finished, Finished)
    assert monitor.usage == finished.usage
    assert monitor.finish_reason is finished.reason
    assert monitor.visible is (len(deltas) > 1)
    relayed = [*monitor.deltas(), finished]
    assert content_of(relayed) == content_of(deltas)


@dialect_examples
@given(ANSWERS)
def test_a_relayed_body_changes_nothing(deltas: list[Delta]) -> None:
    body = render(HEAD, deltas)
    monitor = BodyMonitor("fake")
    assert monitor.feed(body) == body
    monitor.end()
    assert content_of(monitor.deltas()) == content_of(deltas)


@dialect_examples
@given(ANSWERS.filter(lambda deltas: len(deltas) > 1), st.data())
def test_a_relay_that_broke_off_is_continued(deltas: list[Delta], data: st.DataObject) -> None:
    before = data.draw(st.integers(1, len(deltas) - 1))
    renderer = StreamRenderer(HEAD)
    monitor = Monitor("fake")
    stream = monitor.feed(b"".join(renderer.feed(delta) for delta in deltas[:before]))
    rest = StreamRenderer.resumed(monitor, include_usage=True)
    stream += b"".join(rest.feed(delta) for delta in deltas[before:])
    assert content_of(parsed([stream])) == content_of(deltas)
    frames = sse.Parser().feed(stream)[:-1]
    assert {msgspec.json.decode(frame.data)["id"] for frame in frames} == {HEAD.id}

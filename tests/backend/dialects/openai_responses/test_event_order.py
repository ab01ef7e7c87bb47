"""A relayed response whose events clients do not expect where they come is a bad answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.openai_responses.test_relay import created, frame
from tests.backend.dialects.openai_responses.test_stream_rendering import rendered
from tests.backend.dialects.strategies import Abilities, answers
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses.relay import Monitor
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit import sse

TEXT: Any = {"type": "output_text", "text": ""}
MESSAGE: Any = {"id": "msg_1", "type": "message", "content": []}
CALL: Any = {"id": "fc_1", "type": "function_call", "call_id": "c", "arguments": ""}


def added(item: Any, place: int = 0) -> bytes:
    return frame("response.output_item.added", output_index=place, item=item)


def done(item: Any, place: int = 0) -> bytes:
    return frame("response.output_item.done", output_index=place, item=item)


def part(of: Any = TEXT) -> bytes:
    return frame("response.content_part.added", output_index=0, content_index=0, part=of)


def text(place: int | None = 0, content: int | None = 0) -> bytes:
    return frame(
        "response.output_text.delta", output_index=place, content_index=content, delta="Hi"
    )


def arguments(place: int = 0) -> bytes:
    return frame("response.function_call_arguments.delta", output_index=place, delta="{}")


def completed(*output: Any, response_id: str = "resp_1") -> bytes:
    response = {"id": response_id, "status": "completed", "output": output, "model": "m"}
    return frame("response.completed", response=response)


@pytest.mark.parametrize(
    "bad",
    [
        [text()],
        [completed()],
        [frame("response.in_progress", response={"id": "resp_1"})],
        [created(), text()],
        [created(), completed(response_id="resp_2")],
        [created(), created("resp_2")],
        [frame("response.created", response={"id": 5})],
        [created(), added(MESSAGE), text()],
        [created(), part()],
        [created(), added(MESSAGE), part(None)],
        [created(), added({**MESSAGE, "content": None}), part()],
        [created(), added(MESSAGE), part({"type": "refusal", "refusal": ""}), text()],
        [created(), added(MESSAGE), part({"type": "output_text"}), text()],
        [created(), added(MESSAGE), part(), text(content=1)],
        [created(), added(MESSAGE), part(), text(content=None)],
        [created(), added(MESSAGE), part(), text(place=1)],
        [created(), added(MESSAGE), part(), text(place=None)],
        [created(), added(MESSAGE), part(), text(), text(), text(place=1)],
        [created(), added(MESSAGE), part(), text(), text(content=-1)],
        [created(), added(MESSAGE), added(MESSAGE)],
        [created(), added({"id": "msg_1"})],
        [created(), added(None)],
        [created(), done(None)],
        [created(), added(MESSAGE), arguments()],
        [created(), added({**CALL, "arguments": None}), arguments()],
        [created(), added(MESSAGE), done({**MESSAGE, "id": "msg_2"})],
        [created(), added(CALL), done({**CALL, "id": "fc_2"})],
        [created(), done(MESSAGE, 0), done(MESSAGE, 1)],
        [created(), added(MESSAGE), completed()],
        [created(), added(CALL), completed({**CALL, "id": "fc_2"})],
        [created(), completed(None)],
    ],
)
def test_events_that_clients_do_not_expect(bad: list[bytes]) -> None:
    *before, last = bad
    monitor = Monitor("fake")
    for each in before:
        assert monitor.feed(each) == each
    with pytest.raises(UpstreamMalformed) as failure:
        monitor.feed(last)
    assert failure.value.retryable


@pytest.mark.parametrize(
    "good",
    [
        [created(), added(MESSAGE), part(), text(), text(), done(MESSAGE), completed()],
        [created(), added(CALL), arguments(), completed(CALL)],
        [created(), added({**CALL, "id": None}), arguments(), done(CALL), completed()],
        [
            created(),
            added({"id": "r", "type": "reasoning"}),
            part(),
            completed({"id": "r", "type": "reasoning"}),
        ],
        [created(), added({**MESSAGE, "content": [TEXT, "odd"]}), text(), completed(MESSAGE)],
        [frame("response.created", response={"output": [{**MESSAGE, "content": [TEXT]}]}), text()],
    ],
)
def test_events_that_clients_expect(good: list[bytes]) -> None:
    monitor = Monitor("fake")
    for each in good:
        assert monitor.feed(each) == each


def test_what_nobody_knows_is_left_out_before_the_beginning() -> None:
    monitor, odd = Monitor("fake"), b'data: {"type":"keepalive"}\n\n'
    assert monitor.feed(odd + created() + odd) == created() + odd
    assert monitor.ignored == 1


@given(st.data())
@dialect_examples
def test_a_stream_that_lacks_its_first_event_is_never_passed_on(data: st.DataObject) -> None:
    stream = rendered(*data.draw(answers(Abilities())))
    first, *rest = sse.Parser().feed(stream)
    assert json.loads(first.data)["type"] == "response.created"
    with pytest.raises(UpstreamMalformed):
        Monitor("fake").feed(b"".join(sse.frame(each.data, event=each.event) for each in rest))

"""A relayed response in another order is mended where that is easy, and else passed on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.openai_responses.test_relay import created, frame
from tests.backend.dialects.openai_responses.test_stream_rendering import rendered
from tests.backend.dialects.strategies import Abilities, answers, content_of
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_responses.relay import Monitor
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.usage import Usage
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


def types(frames: bytes) -> list[str]:
    return [json.loads(each.data)["type"] for each in sse.Parser().feed(frames)]


BEGINS, ADDS, PARTS = (
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
)


@pytest.mark.parametrize(
    ("events", "inserted"),
    [
        ([text()], [BEGINS, ADDS, PARTS]),
        ([completed()], [BEGINS]),
        ([frame("response.in_progress", response={"id": "resp_1"})], [BEGINS]),
        ([arguments()], [BEGINS]),
        ([part()], [BEGINS, ADDS]),
        ([created(), text()], [ADDS, PARTS]),
        ([created(), text(place=7)], [ADDS, PARTS]),
        ([created(), part()], [ADDS]),
        ([created(), added(MESSAGE), text()], [PARTS]),
        ([created(), added({**MESSAGE, "content": None}), text()], [PARTS]),
        ([created(), added(MESSAGE), text(content=2)], [PARTS] * 3),
        ([created(), added(MESSAGE), part(), text(), text(content=1)], [PARTS]),
        ([created(), added(MESSAGE), part(), text(), text(), text(place=1)], [ADDS, PARTS]),
    ],
)
def test_what_is_missing_before_an_event_is_inserted(
    events: list[bytes], inserted: list[str]
) -> None:
    *before, last = events
    monitor = Monitor("fake")
    for each in before:
        assert monitor.feed(each) == each
    told = monitor.feed(last)
    assert told.endswith(last)
    assert types(told) == [*inserted, *types(last)]
    again = last.replace(b"Hi", b"Ho")
    assert monitor.feed(again) == again
    assert monitor.misplaced == (last == arguments())


def test_what_is_inserted_has_the_names_and_numbers_of_the_event() -> None:
    kind, at = "response.output_text.delta", {"output_index": 0, "content_index": 0}
    event = frame(kind, **at, item_id="msg_7", sequence_number=4, delta="Hi")
    begun, item, of, _ = (
        json.loads(e.data) for e in sse.Parser().feed(Monitor("fake").feed(event))
    )
    assert [each["sequence_number"] for each in (begun, item, of)] == [4, 4, 4]
    assert (item["item"]["id"], of["item_id"]) == ("msg_7", "msg_7")
    assert (begun["response"]["status"], begun["response"]["output"]) == ("in_progress", [])


@pytest.mark.parametrize(
    ("events", "field", "name"),
    [
        ([created(), completed(response_id="resp_2")], "response", "resp_1"),
        ([created(), created("resp_2")], "response", "resp_1"),
        ([created(), added(MESSAGE), done({**MESSAGE, "id": "msg_2"})], "item", "msg_1"),
        ([created(), added(CALL), done({**CALL, "id": None})], "item", "fc_1"),
    ],
)
def test_a_response_and_its_items_keep_their_ids(
    events: list[bytes], field: str, name: str
) -> None:
    monitor = Monitor("fake")
    told = b"".join(monitor.feed(each) for each in events)
    assert types(told) == types(b"".join(events))
    assert json.loads(sse.Parser().feed(told)[-1].data)[field]["id"] == name
    assert monitor.misplaced == 0


def test_an_end_gets_the_id_of_the_beginning_and_an_estimate() -> None:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, lambda _, deltas: Usage(3, 2, error_bound=0.5))
    told = [monitor.feed(each) for each in (text(), completed())]
    begun, *_, end = (json.loads(each.data) for each in sse.Parser().feed(b"".join(told)))
    assert end["response"]["id"] == begun["response"]["id"]
    assert end["response"]["usage"]["input_tokens"] == 3


@pytest.mark.parametrize(
    ("events", "misplaced"),
    [
        ([created(), added(MESSAGE), part(None)], 0),
        ([created(), added(MESSAGE), part({"type": "output_text"}), text()], 0),
        ([created(), added(MESSAGE), text(content=None), text(content=None)], 1),
        ([created(), added(MESSAGE), text(content=-1)], 1),
        ([created(), added(MESSAGE), text(content=1_000_000)], 1),
        ([created(), added(MESSAGE), text(place=None)], 1),
        ([created(), text(place=-1)], 1),
        ([created(), added({"id": "r", "type": "reasoning"}), text()], 1),
        ([created(), added(MESSAGE), added(MESSAGE)], 1),
        ([created(), added(MESSAGE), arguments()], 1),
        ([created(), added(CALL), done({**CALL, "call_id": "d"})], 1),
        ([created(), done(MESSAGE, 0), done(MESSAGE, 1)], 0),
        ([created(), added(MESSAGE), completed()], 0),
        ([created(), added(None)], 0),
    ],
)
def test_what_cannot_be_mended_is_passed_on_and_counted(
    events: list[bytes], misplaced: int
) -> None:
    monitor = Monitor("fake")
    for each in events:
        assert monitor.feed(each) == each
    assert monitor.misplaced == misplaced


@pytest.mark.parametrize("bad", [added({"id": "msg_1"}), done(None), completed(None)])
def test_what_is_no_item_is_a_bad_answer(bad: bytes) -> None:
    monitor = Monitor("fake")
    monitor.feed(created())
    with pytest.raises(UpstreamMalformed) as failure:
        monitor.feed(bad)
    assert failure.value.retryable


def test_a_stream_without_an_end_is_a_cut_in_any_order() -> None:
    monitor = Monitor("fake")
    monitor.feed(text() + frame("response.novelty"))
    with pytest.raises(UpstreamCut):
        monitor.end()


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
    assert monitor.misplaced == 0


def test_what_nobody_knows_is_left_out_before_the_beginning() -> None:
    monitor, odd = Monitor("fake"), b'data: {"type":"keepalive"}\n\n'
    assert monitor.feed(odd + created() + odd) == created() + odd
    assert monitor.ignored == 1


@given(st.data())
@dialect_examples
def test_a_stream_that_lacks_its_first_event_says_the_same(data: st.DataObject) -> None:
    deltas = data.draw(answers(Abilities()))
    first, *rest = sse.Parser().feed(rendered(*deltas))
    assert json.loads(first.data)["type"] == "response.created"
    monitor = Monitor("fake")
    for each in rest:
        monitor.feed(sse.frame(each.data, event=each.event))
    monitor.end()
    assert content_of(monitor.deltas())._replace(finished=[]) == content_of(deltas)._replace(
        finished=[]
    )

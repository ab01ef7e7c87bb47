"""A relayed message in another order is mended where that is easy, and else passed on."""

import json
from typing import Any

import pytest
from tests.backend.dialects.anthropic_messages.events import (
    STOP,
    closed,
    ending,
    event,
    opened,
    piece,
    start,
    text_block,
)
from tests.backend.dialects.anthropic_messages.test_relay import frames

from cartrita.dialects.anthropic_messages.relay import Monitor, OpenBlock
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.usage import Usage
from cartrita.kit import sse

TEXT: Any = {"type": "text", "text": ""}


def relayed(*events: str) -> tuple[Monitor, list[Any]]:
    monitor = Monitor("fake")
    told = b"".join(monitor.feed(frames(each)) for each in events)
    return monitor, [json.loads(each.data) for each in sse.Parser().feed(told)]


def decoded(events: list[str]) -> list[Any]:
    return [json.loads(each) for each in events]


HI = piece(0, "text_delta", text="Hi")
BARE = piece(0, "thinking_delta", thinking="Hi")
THOUGHT: Any = {"type": "thinking", "thinking": ""}


@pytest.mark.parametrize(
    ("events", "inserted"),
    [
        ([opened(0, **TEXT)], ["message_start"]),
        ([HI, HI], ["message_start", "content_block_start"]),
        ([ending()], ["message_start"]),
        ([STOP], ["message_start"]),
        ([start(), HI, HI], ["content_block_start"]),
        ([start(), BARE, BARE, closed(0)], ["content_block_start"]),
    ],
)
def test_what_is_missing_before_an_event_is_inserted(
    events: list[str], inserted: list[str]
) -> None:
    monitor, told = relayed(*events)
    rest = [each for each in told if each["type"] not in inserted or each in decoded(events)]
    assert rest == decoded(events)
    assert [each["type"] for each in told if each not in rest] == inserted
    assert monitor.misplaced == 0


@pytest.mark.parametrize(
    ("events", "mended"),
    [
        ([event("message_start", message={"model": "m"})], {"message": {"content": []}}),
        ([start(), opened(0, type="text")], {"content_block": TEXT}),
        ([start(), opened(0, type="thinking", thinking=None)], {"content_block": THOUGHT}),
    ],
)
def test_an_event_gets_what_is_added_to(events: list[str], mended: Any) -> None:
    _, told = relayed(*events)
    ((name, fields),) = mended.items()
    assert told[-1] == {**decoded(events)[-1], name: {**decoded(events)[-1][name], **fields}}


@pytest.mark.parametrize("indexes", [(1, 2), (0, 2), (-1, 0), (5, 3)])
def test_blocks_follow_each_other(indexes: tuple[int, int]) -> None:
    first, second = (text_block(index, "Hi", "Ho") for index in indexes)
    monitor, told = relayed(start(), *first, *second, ending(), STOP)
    assert told == decoded(
        [start(), *text_block(0, "Hi", "Ho"), *text_block(1, "Hi", "Ho"), ending(), STOP]
    )
    assert (monitor.next_index, monitor.open_block, monitor.misplaced) == (2, None, 0)


def test_what_is_inserted_is_part_of_the_answer() -> None:
    monitor = Monitor("fake")
    monitor.prepare(1 << 20, lambda _, deltas: Usage(30, 2, error_bound=0.5))
    told = monitor.feed(frames(piece(3, "text_delta", text="Hi")))
    first, *_ = (json.loads(each.data) for each in sse.Parser().feed(told))
    assert first["message"]["usage"]["input_tokens"] == 30
    assert (monitor.next_index, monitor.open_block) == (1, OpenBlock(0, "text"))
    assert TextDelta("Hi") in monitor.deltas()


@pytest.mark.parametrize(
    "events",
    [[start(), start()], [start(), closed(0)], [start(), *text_block(0, "Hi"), closed(1)]],
)
def test_what_begins_twice_or_ends_without_a_beginning_is_left_out(events: list[str]) -> None:
    monitor, told = relayed(*events)
    assert told == decoded(events)[:-1]
    assert (monitor.ignored, monitor.misplaced) == (1, 0)


@pytest.mark.parametrize(
    "last",
    [
        opened(0, type=5),
        piece(-1, "text_delta", text="Hi"),
        piece(7, "input_json_delta", partial_json="{}"),
    ],
)
def test_what_cannot_be_mended_is_passed_on_and_counted(last: str) -> None:
    events = [start(), *text_block(0, "Hi"), last]
    monitor, told = relayed(*events)
    assert told == decoded(events)
    assert monitor.misplaced == 1


def test_a_block_that_begins_again_stays_where_it_is() -> None:
    events = [start(), *text_block(0, "Hi"), *text_block(0, "Ho"), *text_block(1, "Ha")]
    monitor, told = relayed(*events)
    assert told == decoded(events)
    assert monitor.misplaced == 0


def test_blocks_follow_those_that_the_message_begins_with() -> None:
    begun = event("message_start", message={"content": [TEXT]})
    events = [begun, HI, *text_block(1, "Hi")]
    assert relayed(*events)[1] == decoded(events)


def test_a_stream_without_an_end_is_a_cut_in_any_order() -> None:
    monitor, _ = relayed(event("ping"), HI)
    with pytest.raises(UpstreamCut):
        monitor.end()


def test_what_nobody_knows_is_left_out_before_the_beginning() -> None:
    monitor, ping = Monitor("fake"), frames(event("ping"))
    assert monitor.feed(frames(event("vendor.novelty")) + ping + frames(start())) == ping + frames(
        start()
    )
    assert monitor.ignored == 1


def test_an_event_has_the_name_of_its_type() -> None:
    monitor = Monitor("fake")
    events = [start(), *text_block(0, "Hi"), piece(0, "text_delta", text="\ud83d"), ending(), STOP]
    nameless = b"".join(sse.frame(each) for each in events)
    misnamed = b"".join(sse.frame(each, event="ping") for each in events)
    for stream in (nameless, misnamed):
        monitor = Monitor("fake")
        told = [(one.event, one.data) for one in sse.Parser().feed(monitor.feed(stream))]
        assert told == [(json.loads(each)["type"], each) for each in events]

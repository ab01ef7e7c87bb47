"""Event buffers: exact for every cursor, bounded in size, shared by all readers."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.runlog.event_buffers import EventBuffer, EventBuffers
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ReasoningAppended,
    TextAppended,
    ToolReturned,
)
from cartrita.domain.ids import RunId

RUN, OTHER = RunId(UUID(int=1)), RunId(UUID(int=2))


def event(seq: int, text: str = "x") -> LoggedEvent:
    return LoggedEvent(RUN, seq, TextAppended(text, 0))


def seqs(found: list[LoggedEvent] | None) -> list[int] | None:
    return None if found is None else [item.seq for item in found]


def test_a_new_buffer_knows_nothing() -> None:
    buffer = EventBuffer(1000)
    assert buffer.after(0) is None
    assert buffer.last_seq is None
    buffer.advance_to(4)
    assert buffer.last_seq == 4
    assert buffer.after(4) == []
    assert buffer.after(3) is None


def test_advancing_to_a_known_number_has_no_effect() -> None:
    buffer = EventBuffer(1000)
    buffer.advance_to(0)
    buffer.append([event(1), event(2)])
    buffer.advance_to(1)
    assert seqs(buffer.after(0)) == [1, 2]


def test_advancing_beyond_the_last_number_empties_the_buffer() -> None:
    buffer = EventBuffer(1000)
    buffer.advance_to(0)
    buffer.append([event(1), event(2)])
    buffer.advance_to(7)
    assert buffer.after(2) is None
    assert buffer.after(7) == []
    buffer.append([event(8)])
    assert seqs(buffer.after(7)) == [8]


async def test_advancing_beyond_the_last_number_wakes_readers() -> None:
    """Another reader found later events in the log, perhaps the terminal one."""
    buffer = EventBuffer(1000)
    buffer.advance_to(2)
    waiting = buffer.changed()
    buffer.advance_to(2)
    assert not waiting.done()
    buffer.advance_to(7)
    assert waiting.done()


def test_every_cursor_gets_the_events_after_it() -> None:
    buffer = EventBuffer(10_000)
    buffer.advance_to(3)
    buffer.append([event(4), event(5)])
    buffer.append([event(6)])
    assert [seqs(buffer.after(cursor)) for cursor in (2, 3, 4, 5, 6)] == [
        None,
        [4, 5, 6],
        [5, 6],
        [6],
        [],
    ]


def test_a_cursor_beyond_the_buffer_has_to_read_the_log() -> None:
    """Otherwise its reader would wait for a number that may never come."""
    buffer = EventBuffer(10_000)
    buffer.advance_to(0)
    buffer.append([event(1)])
    assert buffer.after(1) == []
    assert buffer.after(2) is None


def test_known_events_are_skipped() -> None:
    buffer = EventBuffer(10_000)
    buffer.advance_to(0)
    buffer.append([event(1, "first"), event(2)])
    buffer.append([event(1, "second"), event(2), event(3)])
    assert seqs(buffer.after(0)) == [1, 2, 3]
    assert buffer.after(0) == [event(1, "first"), event(2), event(3)]


def test_a_gap_empties_the_buffer() -> None:
    buffer = EventBuffer(10_000)
    buffer.advance_to(0)
    buffer.append([event(1), event(2)])
    buffer.append([event(5), event(6)])
    assert buffer.after(2) is None
    assert seqs(buffer.after(4)) == [5, 6]
    assert buffer.last_seq == 6


def test_a_new_buffer_starts_at_its_first_event() -> None:
    buffer = EventBuffer(10_000)
    buffer.append([event(8)])
    assert buffer.after(6) is None
    assert seqs(buffer.after(7)) == [8]


@pytest.mark.parametrize(
    "appended",
    [
        TextAppended("x" * 1000, 0),
        ReasoningAppended("x" * 1000),
        ToolReturned("c", "n", "x" * 1000, success=True),
    ],
    ids=["text", "reasoning", "tool result"],
)
def test_the_window_is_bounded_for_every_kind_of_event(appended: Event) -> None:
    buffer = EventBuffer(10_000)
    buffer.advance_to(0)
    for n in range(1, 101):
        buffer.append([LoggedEvent(RUN, n, appended)])
    known = buffer.after(buffer.base_seq or 0)
    assert known is not None
    assert 2 <= len(known) <= 10
    assert known[-1].seq == 100
    assert buffer.after((buffer.base_seq or 0) - 1) is None


def test_the_newest_event_is_kept_at_any_size() -> None:
    buffer = EventBuffer(100)
    buffer.advance_to(0)
    buffer.append([event(1), event(2, "x" * 5000)])
    assert seqs(buffer.after(1)) == [2]


@examples
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=12))
def test_buffered_events_always_equal_the_log(pushes: list[tuple[int, int]]) -> None:
    """For any order of arrivals, a buffered answer is exact, in order and without a gap."""
    buffer = EventBuffer(900)
    buffer.advance_to(0)
    for start, length in pushes:
        buffer.append([event(seq) for seq in range(start + 1, start + 1 + length)])
    tip = buffer.last_seq
    assert tip is not None
    for cursor in range(20):
        found = seqs(buffer.after(cursor))
        if found is not None:
            assert found == list(range(cursor + 1, tip + 1))


async def test_many_readers_wait_for_one_change() -> None:
    buffer = EventBuffer(1000)
    buffer.advance_to(0)
    changes = {buffer.changed() for _ in range(5)}
    assert len(changes) == 1
    waiting = changes.pop()
    assert not waiting.done()
    buffer.append([event(1)])
    assert waiting.done()
    assert not buffer.changed().done()


def test_waking_without_readers_is_allowed() -> None:
    EventBuffer(10).wake()


def test_buffers_are_kept_while_owned_or_read() -> None:
    buffers = EventBuffers(1000)
    buffers.publish(RUN, [event(1)])
    with buffers.subscribe(RUN) as buffer:
        assert buffer.last_seq is None, "nobody kept what nobody read"
        buffers.own(RUN, 0)
        buffers.publish(RUN, [event(1)])
        assert seqs(buffer.after(0)) == [1]
    with buffers.subscribe(RUN) as again:
        assert again is buffer, "its owner keeps it"
    buffers.disown(RUN)
    with buffers.subscribe(RUN) as later:
        assert later is not buffer
        assert later.last_seq is None


def test_a_disowned_buffer_is_kept_while_it_is_read() -> None:
    buffers = EventBuffers(1000)
    buffers.own(RUN, 0)
    with buffers.subscribe(RUN) as buffer, buffers.subscribe(RUN) as other:
        assert other is buffer
        buffers.publish(RUN, [event(1)])
        buffers.disown(RUN)
        assert seqs(buffer.after(0)) == [1]
        assert buffers.remote() == {RUN: 1}
    assert buffers.remote() == {}
    buffers.disown(RUN)


def test_remote_runs_are_read_here_and_written_elsewhere() -> None:
    buffers = EventBuffers(1000)
    buffers.own(OTHER, 0)
    with buffers.subscribe(RUN) as buffer, buffers.subscribe(OTHER):
        assert buffers.remote() == {}
        buffer.advance_to(3)
        assert buffers.remote() == {RUN: 3}


async def test_a_drain_wakes_all_readers() -> None:
    buffers = EventBuffers(1000)
    with buffers.subscribe(RUN) as buffer, buffers.subscribe(OTHER) as other:
        waiting = [buffer.changed(), other.changed()]
        buffers.drain()
        assert buffers.draining
        assert all(change.done() for change in waiting)


async def test_a_changed_queue_position_wakes_readers() -> None:
    buffers = EventBuffers(1000)
    with buffers.subscribe(RUN) as buffer, buffers.subscribe(OTHER) as other:
        other.advance_to(0)
        assert buffers.queued() == {RUN: buffer}
        for place, woken in ((2, True), (2, False), (1, True), (None, True)):
            waiting = buffer.changed()
            buffer.set_queue_position(place)
            assert waiting.done() == woken
            assert buffer.queue_position == place

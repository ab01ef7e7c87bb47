"""Windows of committed events: exact for every cursor, bounded, shared by all readers."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.runlog.feeds import Feed, Feeds
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ReasoningAppended,
    TextAppended,
    ToolReturned,
)
from cartrita.kit.ids import RunId

RUN, OTHER = RunId(UUID(int=1)), RunId(UUID(int=2))


def event(seq: int, text: str = "x") -> LoggedEvent:
    return LoggedEvent(RUN, seq, TextAppended(text, 0))


def seqs(found: list[LoggedEvent] | None) -> list[int] | None:
    return None if found is None else [item.seq for item in found]


def test_nothing_is_known_before_a_beginning() -> None:
    feed = Feed(1000)
    assert feed.after(0) is None
    assert feed.tip is None
    feed.begin(4)
    assert feed.tip == 4
    assert feed.after(4) == []
    assert feed.after(3) is None


def test_a_beginning_does_not_undo_what_is_known() -> None:
    feed = Feed(1000)
    feed.begin(0)
    feed.push([event(1), event(2)])
    feed.begin(1)
    assert seqs(feed.after(0)) == [1, 2]


def test_a_beginning_beyond_what_is_known_starts_again_from_there() -> None:
    feed = Feed(1000)
    feed.begin(0)
    feed.push([event(1), event(2)])
    feed.begin(7)
    assert feed.after(2) is None
    assert feed.after(7) == []
    feed.push([event(8)])
    assert seqs(feed.after(7)) == [8]


async def test_a_beginning_beyond_what_is_known_wakes_who_waits() -> None:
    """Another reader found more in the log; perhaps it was the last."""
    feed = Feed(1000)
    feed.begin(2)
    waiting = feed.changed()
    feed.begin(2)
    assert not waiting.done()
    feed.begin(7)
    assert waiting.done()


def test_every_cursor_gets_what_follows_it() -> None:
    feed = Feed(10_000)
    feed.begin(3)
    feed.push([event(4), event(5)])
    feed.push([event(6)])
    assert [seqs(feed.after(cursor)) for cursor in (2, 3, 4, 5, 6)] == [
        None,
        [4, 5, 6],
        [5, 6],
        [6],
        [],
    ]


def test_a_cursor_beyond_what_is_known_is_a_matter_for_the_log() -> None:
    """Or its reader would wait for a seq that may never come."""
    feed = Feed(10_000)
    feed.begin(0)
    feed.push([event(1)])
    assert feed.after(1) == []
    assert feed.after(2) is None


def test_what_is_known_already_is_skipped() -> None:
    feed = Feed(10_000)
    feed.begin(0)
    feed.push([event(1, "first"), event(2)])
    feed.push([event(1, "second"), event(2), event(3)])
    assert seqs(feed.after(0)) == [1, 2, 3]
    assert feed.after(0) == [event(1, "first"), event(2), event(3)]


def test_a_gap_drops_what_came_before_it() -> None:
    feed = Feed(10_000)
    feed.begin(0)
    feed.push([event(1), event(2)])
    feed.push([event(5), event(6)])
    assert feed.after(2) is None
    assert seqs(feed.after(4)) == [5, 6]
    assert feed.tip == 6


def test_a_window_without_a_beginning_starts_at_its_first_event() -> None:
    feed = Feed(10_000)
    feed.push([event(8)])
    assert feed.after(6) is None
    assert seqs(feed.after(7)) == [8]


@pytest.mark.parametrize(
    "said",
    [
        TextAppended("x" * 1000, 0),
        ReasoningAppended("x" * 1000),
        ToolReturned("c", "n", "x" * 1000, success=True),
    ],
    ids=["text", "reasoning", "tool result"],
)
def test_a_window_is_bounded_whatever_fills_it(said: Event) -> None:
    feed = Feed(10_000)
    feed.begin(0)
    for n in range(1, 101):
        feed.push([LoggedEvent(RUN, n, said)])
    known = feed.after(feed.base or 0)
    assert known is not None
    assert 2 <= len(known) <= 10
    assert known[-1].seq == 100
    assert feed.after((feed.base or 0) - 1) is None


def test_the_newest_event_stays_however_large_it_is() -> None:
    feed = Feed(100)
    feed.begin(0)
    feed.push([event(1), event(2, "x" * 5000)])
    assert seqs(feed.after(1)) == [2]


@examples
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=12))
def test_what_is_told_is_always_the_log(pushes: list[tuple[int, int]]) -> None:
    """Whatever arrives, in whatever order: a known answer is exact, in order and without a gap."""
    feed = Feed(900)
    feed.begin(0)
    for start, length in pushes:
        feed.push([event(seq) for seq in range(start + 1, start + 1 + length)])
    tip = feed.tip
    assert tip is not None
    for cursor in range(20):
        found = seqs(feed.after(cursor))
        if found is not None:
            assert found == list(range(cursor + 1, tip + 1))


async def test_many_readers_wait_for_one_change() -> None:
    feed = Feed(1000)
    feed.begin(0)
    changes = {feed.changed() for _ in range(5)}
    assert len(changes) == 1
    waiting = changes.pop()
    assert not waiting.done()
    feed.push([event(1)])
    assert waiting.done()
    assert not feed.changed().done()


def test_waking_needs_nobody_waiting() -> None:
    Feed(10).wake()


def test_feeds_keep_what_is_owned_or_read() -> None:
    feeds = Feeds(1000)
    feeds.publish(RUN, [event(1)])
    with feeds.read(RUN) as feed:
        assert feed.tip is None, "nobody kept what nobody read"
        feeds.own(RUN, 0)
        feeds.publish(RUN, [event(1)])
        assert seqs(feed.after(0)) == [1]
    with feeds.read(RUN) as again:
        assert again is feed, "its owner keeps it"
    feeds.disown(RUN)
    with feeds.read(RUN) as later:
        assert later is not feed
        assert later.tip is None


def test_a_feed_outlives_its_owner_while_it_is_read() -> None:
    feeds = Feeds(1000)
    feeds.own(RUN, 0)
    with feeds.read(RUN) as feed, feeds.read(RUN) as other:
        assert other is feed
        feeds.publish(RUN, [event(1)])
        feeds.disown(RUN)
        assert seqs(feed.after(0)) == [1]
        assert feeds.foreign() == {RUN: 1}
    assert feeds.foreign() == {}
    feeds.disown(RUN)


def test_foreign_are_runs_read_here_and_written_elsewhere_once_something_is_known() -> None:
    feeds = Feeds(1000)
    feeds.own(OTHER, 0)
    with feeds.read(RUN) as feed, feeds.read(OTHER):
        assert feeds.foreign() == {}
        feed.begin(3)
        assert feeds.foreign() == {RUN: 3}


async def test_a_drain_wakes_everybody() -> None:
    feeds = Feeds(1000)
    with feeds.read(RUN) as feed, feeds.read(OTHER) as other:
        waiting = [feed.changed(), other.changed()]
        feeds.drain()
        assert feeds.draining
        assert all(change.done() for change in waiting)


async def test_a_place_in_the_queue_wakes_its_readers_when_it_is_another() -> None:
    feeds = Feeds(1000)
    with feeds.read(RUN) as feed, feeds.read(OTHER) as other:
        other.begin(0)
        assert feeds.waiting() == {RUN: feed}
        for place, woken in ((2, True), (2, False), (1, True), (None, True)):
            waiting = feed.changed()
            feed.wait_at(place)
            assert waiting.done() == woken
            assert feed.place == place

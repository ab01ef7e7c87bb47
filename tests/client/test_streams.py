"""The course of a stream over its connections, without any of them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cartrita_client import (
    CartritaError,
    ChatEvent,
    NotCartrita,
    StreamStalled,
    TimedOut,
    Unreachable,
    kinds,
)
from cartrita_client.generated import table
from cartrita_client.operations import Call
from cartrita_client.retries import RetryPolicy
from cartrita_client.streams import StreamCourse, ToldText

CUT = Unreachable("It broke.")
OPENING = Call(table.STREAM_CHAT, "/api/chat/stream", headers={"Idempotency-Key": "a"}, body=b"{}")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def course(clock: Clock | None = None, opening: Call = OPENING) -> StreamCourse:
    made = StreamCourse(opening, RetryPolicy(5, 1.0), clock or Clock())
    made.next_call()
    return made


def frame(seq: int, event: str, **data: Any) -> bytes:
    told = json.dumps({"event": event, "data": data})
    return f"id: run_1.{seq}\ndata: {told}\n\n".encode()


def token(seq: int, delta: str, position: int | None = None) -> bytes:
    return frame(seq, "token", delta=delta, **({} if position is None else {"position": position}))


def taken(stream: StreamCourse, *frames: bytes) -> list[ChatEvent]:
    return list(stream.take(b"".join(frames)))


def fail(stream: StreamCourse, problem: CartritaError | None, times: int) -> None:
    for _ in range(times):
        stream.broke(problem)
        stream.next_call()


def test_it_begins_again_until_an_id_came_and_then_goes_on_behind_it() -> None:
    stream = course()
    fail(stream, CUT, 1)
    assert stream.next_call() == OPENING
    taken(stream, b"id: run_1.0\n\n")
    resumed = stream.next_call()
    assert (resumed.operation.method, resumed.path) == ("GET", "/api/runs/run_1/events")
    assert resumed.headers == {"Last-Event-ID": "run_1.0"}
    assert (resumed.body, resumed.query) == (None, ())
    taken(stream, token(1, "a", 0))
    assert stream.next_call().headers == {"Last-Event-ID": "run_1.1"}


def test_it_gives_up_after_so_many_attempts_without_an_event() -> None:
    stream = course()
    fail(stream, CUT, 4)
    with pytest.raises(Unreachable):
        stream.broke(CUT)


def test_every_event_starts_the_count_anew() -> None:
    stream = course()
    for seq in range(1, 10):
        fail(stream, CUT, 4)
        taken(stream, token(seq, "a", seq - 1))


def test_what_is_heard_late_starts_the_count_anew_and_silence_does_not() -> None:
    clock = Clock()
    stream = course(clock)
    for _ in range(9):
        clock.now += 60
        taken(stream, b": heartbeat\n\n")
        fail(stream, CUT, 1)
    fail(stream, CUT, 3)
    clock.now += 600
    with pytest.raises(Unreachable):
        stream.broke(CUT)


def test_silence_counts_for_several_attempts() -> None:
    stream = course()
    fail(stream, TimedOut("It is silent."), 1)
    with pytest.raises(StreamStalled):
        stream.broke(TimedOut("It is silent."))


def test_a_server_that_ends_a_stream_early_says_when_to_come_back() -> None:
    stream = course()
    taken(stream, b"retry: 2500\n\n")
    stream.broke(None)
    assert stream.pause >= 2.5
    stream.broke(CUT)
    assert stream.pause < 2.5


@pytest.mark.parametrize("problem", [kinds.NotFound("Gone.", code="run_not_found", status=404)])
def test_what_will_not_pass_is_raised_at_once(problem: CartritaError) -> None:
    stream = course()
    with pytest.raises(kinds.NotFound):
        stream.broke(problem)


def test_a_busy_server_is_asked_again() -> None:
    stream = course()
    busy = kinds.Unavailable("Busy.", code="server_busy", status=503, retry_after=3.0)
    stream.broke(busy)
    assert stream.pause >= 3.0


def test_events_that_were_there_are_not_told_again() -> None:
    stream = course()
    once = [token(1, "a", 0), token(2, "b", 1)]
    assert len(taken(stream, *once)) == 2
    assert taken(stream, *once, token(3, "c", 2))[0].seq == 3
    assert str(stream.text) == "abc"


def test_a_snapshot_takes_the_place_of_what_was_there() -> None:
    stream = course()
    told = ToldText()
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "abcdef"}]
    events = taken(
        stream,
        token(8, "ab", 0),
        frame(4, "snapshot", messages=messages, recovered=False),
        token(5, "g", 6),
    )
    assert [told.new_in(event) for event in events] == ["ab", "cdef", "g"]
    assert (str(stream.text), stream.last_event_id) == ("abcdefg", "run_1.5")


def test_tokens_of_a_server_that_tells_no_positions_follow_each_other() -> None:
    stream, told = course(), ToldText()
    events = taken(stream, token(1, "a"), token(2, "b"))
    assert [told.new_in(event) for event in events] == ["a", "b"]
    assert str(stream.text) == "ab"


def test_an_error_with_nothing_in_it_is_one() -> None:
    stream = course()
    taken(stream, frame(1, "error"))
    assert stream.ended
    assert stream.error is not None


@pytest.mark.parametrize(
    "told", [{"event": "token"}, {"event": "done", "data": 1}, {"event": None}, {}]
)
def test_what_is_no_event_is_one_error(told: Mapping[str, Any]) -> None:
    stream = course()
    with pytest.raises(NotCartrita):
        taken(stream, f"data: {json.dumps(told)}\n\n".encode())


def test_nobody_waits_longer_than_allowed_for_a_stream_that_ended_early() -> None:
    stream = course()
    taken(stream, b"retry: 900000000\n\n")
    stream.broke(None)
    assert stream.pause == RetryPolicy().longest_retry_after

"""What a live session makes of frames, without a socket."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from cartrita_client import NotCartrita, SessionClosed, kinds
from cartrita_client.live_state import LiveState
from cartrita_client.retries import RetryPolicy

RUN = "run_1"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state(clock: Clock | None = None) -> LiveState:
    auth = {"type": "auth", "api_key": "ck_a", "provider": None}
    return LiveState(auth, RetryPolicy(3, 1.0), clock or Clock())


def taken(live: LiveState, *frames: Mapping[str, Any]) -> None:
    for frame in frames:
        live.take(json.dumps(frame))


def token(seq: int, text: str, position: int) -> Mapping[str, Any]:
    data = {"delta": text, "content": text, "position": position}
    return {"run_id": RUN, "seq": seq, "event": "token", "data": data}


def sent(frames: list[str]) -> list[dict[str, Any]]:
    return [json.loads(each) for each in frames]


def test_a_resume_that_is_refused_for_now_is_sent_again_from_the_same_cursor() -> None:
    clock = Clock()
    live = state(clock)
    run = live.follow(RUN, 0)
    list(live.frames_of(run))
    taken(live, token(1, "a", 0), {"type": "pong"})
    refusal = {"error": "Later.", "code": "server_busy", "run_id": RUN, "retry_after": 5}
    taken(live, refusal)
    assert not run.settled
    assert live.due() == []
    clock.now = 20.0
    assert sent(live.due())[0] == {"type": "resume", "after": 1, "run_id": RUN}


def test_a_refused_command_says_so_and_leaves_the_cursor() -> None:
    live = state()
    run = live.follow(RUN, 3)
    taken(live, {"type": "pong"})
    command, frames = live.command(run, {"type": "cancel"})
    assert [each["type"] for each in sent(frames)] == ["cancel", "ping"]
    taken(live, {"error": "Later.", "code": "rate_limited", "run_id": RUN, "retry_after": 5})
    taken(live, {"type": "pong"})
    assert command.handled
    assert isinstance(command.error, kinds.RateLimited)
    assert (run.settled, run.seq) == (False, 3)


def test_a_greeting_says_who_calls_where_runs_are_and_what_was_not_stored() -> None:
    live = state()
    live.say({"message": "Hello.", "client_msg_id": "m-1"})
    followed = live.follow(RUN, 2)
    taken(live, token(3, "a", 0))
    live.command(followed, {"type": "cancel"})
    greeting = [each for each in sent(live.greeting()) if each["type"] != "ping"]
    assert greeting == [
        {"type": "auth", "api_key": "ck_a"},
        {"type": "chat", "message": "Hello.", "client_msg_id": "m-1"},
        {"type": "resume", "after": 3, "run_id": RUN},
        {"type": "cancel", "run_id": RUN},
    ]


def test_what_was_stored_is_not_said_again() -> None:
    live = state()
    run = live.say({"message": "Hello.", "client_msg_id": "m-1"})
    taken(live, {"type": "accepted", "client_msg_id": "m-1", "run_id": RUN, "created": True})
    assert run.run_id == RUN
    assert [each["type"] for each in sent(live.greeting())] == ["auth", "resume", "ping"]


def test_events_that_were_there_are_not_told_again() -> None:
    live = state()
    run = live.follow(RUN, 0)
    taken(live, token(1, "a", 0), token(2, "b", 1), token(1, "a", 0), token(2, "b", 1))
    assert [each.seq for each in run.unread] == [1, 2]
    assert str(run.text) == "ab"


def test_an_event_of_a_newer_server_moves_the_cursor_silently() -> None:
    live = state()
    run = live.follow(RUN, 0)
    taken(live, {"run_id": RUN, "seq": 1, "event": "hologram", "data": {}}, {"type": "newer"})
    assert (list(run.unread), run.seq) == ([], 1)


def test_too_many_failures_in_a_row_are_one_error() -> None:
    live = state()
    assert live.closed(1006) > 0
    assert live.closed(1001) > 0
    with pytest.raises(SessionClosed):
        live.closed(None)


def test_what_comes_between_failures_starts_the_count_anew() -> None:
    live = state()
    live.follow(RUN, 0)
    for seq in range(1, 9):
        live.closed(1006)
        live.closed(1006)
        taken(live, token(seq, "a", seq))


def test_a_draining_server_is_waited_for() -> None:
    live = state()
    taken(live, {"type": "drain", "retry_after": 2.5})
    assert live.closed(1001) >= 2.5


@pytest.mark.parametrize("code", [1007, 1008, 1009])
def test_some_closes_are_final(code: int) -> None:
    live = state()
    taken(live, {"error": "Who are you?", "code": "unauthenticated"})
    with pytest.raises(kinds.Unauthenticated):
        live.closed(code)


def test_a_session_keeps_nothing_of_a_run_that_has_ended() -> None:
    live = state()
    run = live.follow(RUN, 0)
    while_followed = sys.getrefcount(run)
    taken(live, {"run_id": RUN, "seq": 1, "event": "error", "data": {"code": "upstream_error"}})
    assert run.ended
    assert sys.getrefcount(run) < while_followed
    assert not live.wanted


@pytest.mark.parametrize(
    "text", ['{"event":7,"run_id":"run_1"}', '{"event":"token","run_id":"run_1","data":4}']
)
def test_an_event_that_cannot_be_read_breaks_its_run_alone(text: str) -> None:
    live = state()
    run, other = live.follow(RUN, 0), live.follow("run_2", 0)
    live.take(text)
    assert isinstance(run.broken, NotCartrita)
    assert not other.settled


@pytest.mark.parametrize("text", ["{", "nothing"])
def test_what_is_no_frame(text: str) -> None:
    live = state()
    live.follow("x", 0)
    with pytest.raises(NotCartrita):
        live.take(text)

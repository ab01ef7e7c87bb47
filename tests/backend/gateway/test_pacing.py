"""Calls under a limit begin at its pace, and no window of its time has more than twice as many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.limits import Limit
from cartrita.gateway.pacing import Pace

LIMIT = Limit(100, 60)


def most_in_a_window(moments: list[float], seconds: float) -> int:
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] < moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def saturated(pace: Pace, seconds: float, start: float = 0.0) -> list[float]:
    """The moments of calls that begin as soon as they may."""
    now, moments = start, list[float]()
    while now <= start + seconds:
        wait = pace.wait(now)
        if wait:
            now += wait
        else:
            pace.take(now)
            moments.append(now)
    return moments


def test_a_bucket_that_is_full_at_first_gives_twice_the_limit_in_its_time() -> None:
    moments = saturated(Pace(LIMIT), 180)
    assert moments[:100] == pytest.approx([0.0] * 100)
    assert len([one for one in moments if one <= 60]) == 200
    assert len([one for one in moments if 60 < one <= 120]) == pytest.approx(100, abs=1)
    assert most_in_a_window(moments, 60) <= 200


@pytest.mark.parametrize(("burst", "most"), [(0.01, 101), (0.5, 150), (1, 200), (2, 300)])
def test_the_burst_is_what_a_window_may_have_more(burst: float, most: int) -> None:
    moments = saturated(Pace(LIMIT, burst), 200)
    assert most_in_a_window(moments, 60) in (most, most - 1)


@examples
@given(
    requests=st.integers(1, 60),
    seconds=st.sampled_from([1.0, 60.0, 3600.0]),
    steps=st.lists(
        st.tuples(st.floats(0, 1.5), st.sampled_from(["take", "give back", "pause"])), max_size=200
    ),
)
def test_no_window_has_more_than_twice_the_limit(
    requests: int, seconds: float, steps: list[tuple[float, str]]
) -> None:
    limit = Limit(requests, seconds)
    pace, now, paused = Pace(limit), 50.0, 0.0
    used: list[float] = []
    for passed, step in steps:
        now += passed * limit.interval
        if step == "pause":
            paused = now + limit.interval
            pace.pause(paused)
        while not pace.wait(now):
            assert now >= paused
            pace.take(now)
            if step == "give back":
                pace.give_back()
                break
            used.append(now)
    assert most_in_a_window(used, seconds) <= 2 * requests


def test_what_is_not_used_is_there_again() -> None:
    pace = Pace(Limit(1, 10))
    pace.take(5.0)
    assert pace.wait(5.0) == 10.0
    pace.give_back()
    assert pace.wait(5.0) == 0.0


def test_after_a_pause_calls_come_evenly() -> None:
    pace = Pace(LIMIT)
    pace.pause(2.0)
    moments = saturated(pace, 4.0)
    assert moments == pytest.approx([2.0, 2.6, 3.2, 3.8])


def test_a_pause_is_not_ended_by_what_is_given_back() -> None:
    pace = Pace(LIMIT)
    pace.take(0.0)
    pace.pause(2.0)
    pace.give_back()
    assert pace.wait(0.0) == 2.0


def test_without_a_limit_only_pauses_count() -> None:
    pace = Pace(None)
    for _ in range(1000):
        pace.take(1.0)
    assert (pace.wait(1.0), pace.eta(1.0, 1000)) == (0.0, 0.0)
    pace.pause(3.0)
    assert (pace.wait(1.0), pace.eta(1.0, 9), pace.wait(3.0)) == (2.0, 2.0, 0.0)


@pytest.mark.parametrize("taken", [0, 40, 100, 130])
def test_the_time_until_a_place_is_that_at_which_it_comes(taken: int) -> None:
    pace, told = Pace(LIMIT), Pace(LIMIT)
    now = 0.0
    for _ in range(taken):
        now += pace.wait(now)
        pace.take(now)
        told.take(now)
    etas = [told.eta(now, position) for position in range(1, 90)]
    came = [moment - now for moment in saturated(pace, 60, now)][:89]
    assert etas == pytest.approx(came, abs=1e-6)

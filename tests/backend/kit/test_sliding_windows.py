"""Sliding windows never let more through than about their limit, in any stretch of time."""

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.sliding_windows import SlidingWindows, Standing

LIMIT = 10
SECONDS = 60.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def windows(most_keys: int = 100) -> tuple[SlidingWindows, Clock]:
    clock = Clock()
    return SlidingWindows(most_keys=most_keys, monotonic=clock), clock


def take(counted: SlidingWindows, key: str = "a") -> bool:
    return counted.take(key, LIMIT, SECONDS).taken


def test_all_of_the_limit_at_once_and_then_nothing() -> None:
    counted, clock = windows()
    assert [take(counted) for _ in range(12)] == [True] * 10 + [False] * 2
    assert take(counted, "b")
    clock.now += SECONDS - 0.01
    assert not take(counted)


@examples
@given(
    added=st.lists(st.tuples(st.floats(0, 90), st.integers(0, 300)), min_size=1, max_size=5),
    limit=st.integers(1, 50),
)
def test_after_the_time_that_is_told_there_is_room_again(
    added: list[tuple[float, int]], limit: int
) -> None:
    counted, clock = windows()
    for seconds, amount in added:
        clock.now += seconds
        counted.add("a", amount, SECONDS)
    standing = counted.standing("a", limit, SECONDS)
    if standing.remaining:
        assert counted.take("a", limit, SECONDS).taken
        return
    clock.now += standing.reset_s - 0.1
    assert not counted.standing("a", limit, SECONDS).remaining
    clock.now += 0.11 + SECONDS / limit
    assert counted.take("a", limit, SECONDS).taken


def test_the_last_window_weighs_less_and_less() -> None:
    counted, clock = windows()
    assert all(take(counted) for _ in range(LIMIT))
    clock.now += SECONDS * 1.5
    assert [take(counted) for _ in range(6)] == [True] * 5 + [False]
    clock.now += SECONDS * 2
    assert [take(counted) for _ in range(11)] == [True] * 10 + [False]


@given(st.lists(st.floats(0, 40), min_size=1, max_size=200))
@examples
def test_no_window_holds_twice_the_limit(pauses: list[float]) -> None:
    counted, clock = windows()
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        standing = counted.standing("a", LIMIT, SECONDS)
        allowed = take(counted)
        assert allowed == (standing.remaining > 0)
        if allowed:
            taken.append(clock.now)
    for at in taken:
        assert sum(at <= other < at + SECONDS for other in taken) < 2 * LIMIT


@given(st.lists(st.floats(0, 40), min_size=1, max_size=60))
@examples
def test_one_more_is_allowed_when_it_was_told_to_be(pauses: list[float]) -> None:
    counted, clock = windows()
    for pause in pauses:
        clock.now += pause
        if not take(counted):
            clock.now += counted.standing("a", LIMIT, SECONDS).reset_s + 0.01
            assert take(counted)


def test_the_standing_of_keys() -> None:
    counted, clock = windows()
    assert counted.standing("a", LIMIT, SECONDS) == Standing(LIMIT, 0.0)
    take(counted)
    clock.now += 20
    assert counted.standing("a", LIMIT, SECONDS) == Standing(LIMIT - 1, 40.0)
    counted.clear("a")
    counted.clear("never seen")
    assert counted.standing("a", LIMIT, SECONDS) == Standing(LIMIT, 0.0)


def test_memory_is_bounded_and_what_is_used_is_kept() -> None:
    counted, _ = windows(most_keys=100)
    for number in range(10_000):
        take(counted, str(number))
        if number % 50 == 0:
            take(counted, "busy")
        assert len(counted) <= 200
    assert not take(counted, "busy")
    assert counted.standing("busy", LIMIT, SECONDS).remaining == 0
    assert counted.standing("9990", LIMIT, SECONDS).remaining == LIMIT - 1
    assert take(counted, "0")


def test_several_at_once() -> None:
    counted, _ = windows()
    assert counted.take("a", LIMIT, SECONDS, amount=8).taken
    assert not counted.take("a", LIMIT, SECONDS, amount=3).taken
    assert counted.take("a", LIMIT, SECONDS, amount=2).taken

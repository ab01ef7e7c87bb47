"""A screen stands still when it has not changed for a while, and nobody waits too long for that."""

import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import chain, count, repeat
from typing import cast

import pytest

from cartrita.adapters.desktop.host.driver import settling
from cartrita.adapters.desktop.host.driver.camera import Camera
from cartrita.adapters.desktop.host.driver.settling import Settling
from cartrita.adapters.desktop.host.driver.x_server import XServer

_LONG_S = 600.0


class _Clock:
    """Time passes only while something is waited for, so no pause of the machine counts."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    made = _Clock()
    monkeypatch.setattr(settling, "time", made)
    return made


class _Stop(threading.Event):
    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._clock.wait(timeout)
        return self.is_set()


@pytest.fixture
def stop(clock: _Clock) -> _Stop:
    return _Stop(clock)


class _Film:
    """A camera that shows one frame after the other."""

    def __init__(self, frames: Iterable[int]) -> None:
        self._frames = iter(frames)
        self.shown: list[int] = []
        self.seen = b"0"

    def grab(self) -> bytes:
        self.shown.append(next(self._frames))
        return str(self.shown[-1]).encode()


class _Program:
    """One that has read its input after being looked at so often; None does not know the word.

    So does the window manager, after `manager` looks.
    """

    def __init__(self, clock: _Clock, looks: int | None, manager: int | None = None) -> None:
        self._clock = clock
        self._left = looks
        self.manager = manager
        self.asked: list[int] = []

    @contextmanager
    def asking_manager(self) -> Generator[int]:
        yield 0 if self.manager is None else 7

    def manager_told(self, window: int, seconds: float) -> bool:
        assert window == 7
        assert self.asked == [], "the program gets what the manager passes on"
        assert self.manager is not None
        self._clock.wait(seconds)
        self.manager -= 1
        return self.manager < 0

    @contextmanager
    def listening(self) -> Generator[None]:
        yield

    def ask_whether_caught_up(self, number: int) -> bool:
        self.asked.append(number)
        return self._left is not None

    def caught_up(self, number: int, seconds: float) -> bool:
        assert number == self.asked[-1]
        assert self._left is not None
        self._clock.wait(seconds)
        self._left -= 1
        return self._left < 0


def _settling(program: _Program, film: _Film) -> Settling:
    return Settling(cast("XServer", program), cast("Camera", film))


def test_it_stands_still_only_after_its_last_change(clock: _Clock, stop: _Stop) -> None:
    film = _Film(chain(range(20), repeat(20)))
    _settling(_Program(clock, None), film).wait(_LONG_S, stop)
    assert film.shown.count(20) > 1


def test_a_screen_that_changes_late_is_waited_for(clock: _Clock, stop: _Stop) -> None:
    film = _Film(chain(repeat(0, 12), range(1, 5), repeat(5)))
    _settling(_Program(clock, None), film).wait(_LONG_S, stop)
    assert film.shown.count(5) > 1


def test_what_never_stands_still_is_waited_for_as_long_as_is_said(
    clock: _Clock, stop: _Stop
) -> None:
    film = _Film(count())
    _settling(_Program(clock, None), film).wait(7.0, stop)
    assert len(film.shown) > 1
    assert 7.0 <= clock.now < 7.1


@pytest.mark.parametrize("looks", [None, 10**9])
def test_what_is_stopped_is_not_waited_for(looks: int | None, clock: _Clock, stop: _Stop) -> None:
    stop.set()
    film = _Film(count())
    _settling(_Program(clock, looks), film).wait(_LONG_S, stop)
    assert len(film.shown) <= 1


def test_a_window_manager_that_tells_what_it_has_read_is_waited_for_first(
    clock: _Clock, stop: _Stop
) -> None:
    program = _Program(clock, 0, manager=20)
    _settling(program, _Film(repeat(0))).wait(_LONG_S, stop)
    assert (program.manager, len(program.asked)) == (-1, 1)


def test_one_that_hangs_is_not_waited_for_for_ever(clock: _Clock, stop: _Stop) -> None:
    program = _Program(clock, 0, manager=10**9)
    _settling(program, _Film(repeat(0))).wait(_LONG_S, stop)
    assert len(program.asked) == 1
    assert 5.0 < clock.now < 6.0


def test_a_program_that_tells_what_it_has_read_is_believed(clock: _Clock, stop: _Stop) -> None:
    program, film = _Program(clock, 3), _Film(count())
    made = _settling(program, film)
    made.wait_until_read(_LONG_S, stop)
    assert film.shown == []
    made.wait_until_read(_LONG_S, stop)
    assert len(set(program.asked)) == 2, "an answer to the first is none to the second"


def test_one_that_does_not_has_read_all_when_its_screen_stands_still(
    clock: _Clock, stop: _Stop
) -> None:
    film = _Film(chain(repeat(0, 60), range(1, 20), repeat(20)))
    _settling(_Program(clock, None), film).wait_until_read(_LONG_S, stop)
    assert film.shown.count(20) > 1


def test_a_program_that_hangs_is_not_waited_for_longer_than_is_said(
    clock: _Clock, stop: _Stop
) -> None:
    program = _Program(clock, 10**9)
    _settling(program, _Film(repeat(0))).wait(7.0, stop)
    assert len(program.asked) == 1
    assert 7.0 <= clock.now < 7.1

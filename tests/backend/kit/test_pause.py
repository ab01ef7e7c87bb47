"""A pause lets one try again in its time, and all others once that one succeeds."""

from cartrita.kit.pause import Pause


def test_one_tries_again_after_each_pause() -> None:
    now = 0.0
    pause = Pause(10, lambda: now)
    assert pause.over
    pause.hold_others()
    assert pause.over
    assert not pause.end()
    pause.begin()
    now = 9.9
    assert not pause.over
    now = 10
    assert pause.over
    pause.hold_others()
    assert not pause.over
    assert pause.end()
    assert pause.over

"""Recordings hold what was passed on, within bounds."""

from tests.backend.gateway.fakes import DONE, LineMonitor

from cartrita.domain.deltas import Accepted, TextDelta
from cartrita.gateway.recordings import Recording


def test_the_bytes_of_a_relay_are_held_up_to_a_limit() -> None:
    recording = Recording(keep_bytes=6)
    recording.add(b"abc")
    recording.add(b"def")
    assert recording.body == b"abcdef"
    recording.add(b"g")
    recording.add(b"h")
    assert recording.body is None


def test_what_goes_on_in_deltas_has_no_bytes() -> None:
    recording, monitor = Recording(), LineMonitor("p")
    recording.add(monitor.feed(b"abc\n"))
    for delta in (Accepted("p", "m"), TextDelta("d"), DONE):
        recording.add(delta)
    assert recording.body is None
    assert recording.deltas(monitor) == [TextDelta("abc"), TextDelta("d"), DONE]
    assert recording.deltas(None) == [TextDelta("d"), DONE]


def test_an_answer_without_anything_has_neither() -> None:
    assert Recording().body is None
    assert Recording().deltas(None) == []

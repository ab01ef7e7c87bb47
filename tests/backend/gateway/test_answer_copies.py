"""Copies of answers hold what was passed on, within bounds."""

from tests.backend.gateway.fakes import DONE, LineMonitor

from cartrita.domain.deltas import Accepted, TextDelta
from cartrita.gateway.answer_copies import AnswerCopy


def test_the_bytes_of_a_relay_are_held_up_to_a_limit() -> None:
    copy = AnswerCopy(keep_bytes=6)
    copy.add(b"abc")
    copy.add(b"def")
    assert copy.body == b"abcdef"
    copy.add(b"g")
    copy.add(b"h")
    assert copy.body is None


def test_what_goes_on_in_deltas_has_no_bytes() -> None:
    copy, monitor = AnswerCopy(), LineMonitor("p")
    copy.add(monitor.feed(b"abc\n"))
    for delta in (Accepted("p", "m"), TextDelta("d"), DONE):
        copy.add(delta)
    assert copy.body is None
    assert copy.deltas(monitor) == [TextDelta("abc"), TextDelta("d"), DONE]
    assert copy.deltas(None) == [TextDelta("d"), DONE]


def test_an_answer_without_anything_has_neither() -> None:
    assert AnswerCopy().body is None
    assert AnswerCopy().deltas(None) == []

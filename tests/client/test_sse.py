"""Frames are read from bytes, however these are cut."""

import pytest

from cartrita_client import sse
from cartrita_client.sse import Frame, Parser

STREAM = (
    b": hello\nretry: 2789\nid: run_1.0\n\n"
    b'id: run_1.1\ndata: {"a": "\xc3\xa4"}\n\n'
    b": heartbeat\n\n"
    b"id: run_1.2\r\ndata: one\r\ndata:two\r\nevent: x\r\n\r\n"
    b"id: run_1.3\n: for others\n\n"
    b"data: unfinished"
)
FRAMES = [
    Frame(None, "run_1.0", 2.789),
    Frame(b'{"a": "\xc3\xa4"}', "run_1.1"),
    Frame(b"one\ntwo", "run_1.2"),
    Frame(None, "run_1.3"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_come_however_bytes_are_cut(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [frame for piece in pieces for frame in parser.feed(piece)] == FRAMES


def test_a_line_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_FRAME", 100)
    parser = Parser()
    assert list(parser.feed(b"x" * 100)) == []
    with pytest.raises(ValueError, match="does not end"):
        list(parser.feed(b"x"))


def test_an_event_of_lines_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_FRAME", 100)
    parser = Parser()
    assert list(parser.feed(b"data: 0123456789\n" * 11)) == []
    with pytest.raises(ValueError, match="does not end"):
        list(parser.feed(b"data: 0123456789\n"))


def test_many_short_events_are_no_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_FRAME", 100)
    parser = Parser()
    frames = [frame for _ in range(99) for frame in parser.feed(b"data: 0123456789\n\n")]
    assert frames == [Frame(b"0123456789")] * 99

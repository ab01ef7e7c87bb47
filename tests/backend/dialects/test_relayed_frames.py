"""A relayed stream is passed on in whole frames, however it was cut on its way."""

import itertools
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.relayed_frames import RelayedFrames, look_whole, parse
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit import sse

STREAM = (
    b"event: a\ndata: 1\n\ndata: 2\r\n\r\n: ping\n\ndata: 3\r\rdata: 4\n\n"
    b"data: 5\n\rdata: 6\r\n\rdata: 7\r\r\ndata: 8\n\r\ndata: 9\r\n\n"
)


@given(splits(STREAM), st.booleans())
@dialect_examples
def test_every_split_gives_whole_frames_in_order(pieces: list[bytes], ended: bool) -> None:
    frames = RelayedFrames("fake", 1 << 20)
    passed = [frames.whole(piece) for piece in [*pieces, *([] if ended else [b"data: 10"])]]
    assert b"".join(passed) == STREAM
    assert [frame.data for each in passed for frame in parse(each)] == list("123456789")


def test_what_was_passed_on_is_kept_up_to_a_limit() -> None:
    frames = RelayedFrames("fake", 20)
    frames.keep(b"data: 1\n\n")
    assert [frame.data for frame in frames.passed_on()] == ["1"]
    frames.keep(b"data: 12345678\n\n")
    frames.keep(b"data: 1\n\n")
    assert frames.overlong
    with pytest.raises(UpstreamMalformed):
        frames.passed_on()


def test_a_frame_that_never_ends_is_malformed() -> None:
    frames = RelayedFrames("fake", 20, max_frame=10)
    with pytest.raises(UpstreamMalformed):
        frames.whole(b"data: 123456789")


@given(
    st.lists(st.sampled_from([b"data: 1", b": 3456789", b"data: 789", b"", b"x" * 11]), max_size=9),
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
    st.lists(st.integers(0, 99), max_size=9),
)
@dialect_examples
def test_a_line_that_is_too_long_is_found_however_it_was_cut(
    lines: list[bytes], end: bytes, cuts: list[int]
) -> None:
    stream = end.join(lines)
    frames = RelayedFrames("fake", 1 << 20)
    frames.max_line = 10
    places = [0, *sorted(cuts), len(stream)]
    passed = b""
    try:
        for start, stop in itertools.pairwise(places):
            passed += frames.whole(stream[start:stop])
        malformed = False
    except UpstreamMalformed:
        malformed = True
    assert malformed == (b"x" * 11 in lines)
    assert stream.startswith(passed)


def test_a_piece_of_a_frame_that_does_not_end_is_looked_at_alone() -> None:
    frames = RelayedFrames("fake", 1 << 20)
    frames.max_line = sse.MAX_EVENT
    piece = b":\n" * 64
    tracemalloc.start()
    frames.whole(b":\n" * (1 << 21))
    frames.max_line = 1 << 10
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(8):
        assert frames.whole(piece) == b""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 1 << 20  # the frame itself has 4 MiB
    assert len(frames.whole(b":\n\n")) == (1 << 22) + 8 * len(piece) + 3


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_is_no_utf8_is_replaced(size: int) -> None:
    stream = 'data: {"a":"é🙂"}\n\n'.encode() + b'data: {"a":"\xff"}\n\n'
    frames = RelayedFrames("fake", 1 << 20)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    passed = b"".join(frames.whole(piece) for piece in pieces)
    assert passed.decode() == 'data: {"a":"é🙂"}\n\ndata: {"a":"\ufffd"}\n\n'


@pytest.mark.parametrize(
    ("frames", "whole"),
    [
        (b'data: {"a":1}\n\n', True),
        (b'data: {"a": 1}\n\ndata: {"a": 2}\n\n', True),
        (b'event: a\ndata: {"a":1}\n\ndata: {}\n\n', False),
        (b'data: {"a":\n\ndata: {"a":1}\n\n', False),
        (b'data: {"a":1}\n\ndata: [1]\n\n', False),
        (b'id: 1\nevent: a\ndata:{"a":1}\n\n', True),
        (b'data: {"a":1}\nevent: {}\n\n', False),
        (b'data: {"a":\ndata: 1}\n\n', False),
        (b'data: {"a":\r1}\n\n', False),
        (b'data: {"a":1}}\n\n', False),
        (b'data: {"a":1,,}\n\n', False),
        (b'data: {"a":[1}\n\n', False),
        (b'data: {"a":"\\q"}\n\n', False),
        (b'data: {"a":"\t"}\n\n', False),
        (b'data: {"a":%s1}\n\n' % (b"[" * 5000), False),
        (b'data: {"a":1}\n\ndata: {"a":"\0"}\n\n', False),
        (b'event: "a":{}\n\n', False),
        (b"data: {\r\n\r\n", False),
        (b"", False),
    ],
)
def test_what_frames_look_like(frames: bytes, whole: bool) -> None:
    assert look_whole(frames, json.loads, b'"a":') is whole


def pass_numbers(octets: bytes, frame: sse.Frame) -> bytes | None:
    if frame.data == "error":
        raise UpstreamMalformed("no", provider="fake")
    return octets if frame.data.isdigit() else None


def is_plain(octets: bytes) -> bool:
    return octets == b"data: plain\n\n"


def test_of_frames_that_come_together_the_plain_ones_are_not_read() -> None:
    frames = RelayedFrames("fake", 1 << 20)
    stream = b"data: 1\n\ndata: plain\n\ndata: other\n\n"
    assert frames.read(stream, pass_numbers, is_plain) == b"data: 1\n\ndata: plain\n\n"
    assert frames.ignored == 1


def test_frames_without_anything_to_read_are_left_out_and_counted() -> None:
    frames = RelayedFrames("fake", 1 << 20)
    stream = b"\xef\xbb\xbf: hello\n\ndata: 1\n\ndata: \n\nretry: 5\n\n: ping\n\ndata: x\r\r"
    assert (
        frames.read(stream, pass_numbers, is_plain)
        == b"\xef\xbb\xbf: hello\n\ndata: 1\n\n: ping\n\n"
    )
    assert frames.ignored == 3
    frames.end()


def test_an_error_raises_after_what_came_before_it() -> None:
    frames = RelayedFrames("fake", 1 << 20)
    with pytest.raises(UpstreamMalformed):
        frames.read(b"data: error\n\n", pass_numbers, is_plain)
    frames.end()
    stream = b"data: 1\n\ndata: error\n\ndata: 2\n\n"
    assert frames.read(stream, pass_numbers, is_plain) == b"data: 1\n\n"
    for raising in (frames.end, lambda: frames.whole(b"data: 3\n\n")):
        with pytest.raises(UpstreamMalformed):
            raising()


@pytest.mark.parametrize("size", [7, 100])
@pytest.mark.parametrize("line_end", [b"\n", b"\r"])
def test_a_line_has_a_limit_and_a_frame_may_have_many(size: int, line_end: bytes) -> None:
    def feed(stream: bytes) -> bytes:
        frames = RelayedFrames("fake", 1 << 20)
        frames.max_line = 15
        return b"".join(frames.whole(stream[at : at + size]) for at in range(0, len(stream), size))

    stream = b"data: 123456789\ndata: 123456789\n\ndata: 1\n\n".replace(b"\n", line_end)
    assert feed(stream) == stream
    with pytest.raises(UpstreamMalformed):
        feed(b"data: 1\n\ndata: 1234567890\n\n".replace(b"\n", line_end))

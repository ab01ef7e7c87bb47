"""A relayed stream is passed on in whole frames, however it was cut on its way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.relayed_frames import RelayedFrames, look_whole, parse
from cartrita.domain.errors import UpstreamMalformed

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
        (b'event: a\ndata: {"a":1}\n\ndata: {}\n\n', True),
        (b'data: {"a":\n\ndata: {}\n\n', False),
        (b"data: {}\n\ndata: [1]\n\n", False),
        (b"data: {\r\n\r\n", False),
        (b"", False),
    ],
)
def test_what_frames_look_like(frames: bytes, whole: bool) -> None:
    assert look_whole(frames) is whole

"""A relayed stream is passed on in whole frames, however it was cut on its way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import splits
from tests.backend.examples import dialect_examples

from cartrita.dialects.relayed_frames import RelayedFrames, parse
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

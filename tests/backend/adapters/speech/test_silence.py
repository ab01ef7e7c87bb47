"""Whether there is sound in a recording is found by its bytes, in each of its channels."""

import struct
import sys
from array import array
from math import pi, sin
from types import FrameType

import pytest
from tests.backend.adapters.speech.sounds import noise, silence, tone

from cartrita.adapters.speech.samples import samples_reader
from cartrita.adapters.speech.silence import SoundSearch
from cartrita.domain.speech import PcmFormat

RATE = 8_000
ENCODINGS = ("s16", "s24", "s32", "f32", "f64", "s8", "a8", "u8")


def encoded(values: list[int], encoding: str) -> bytes:
    """Samples of 16 bits in an encoding; those of 8 bits are the nearest there are."""
    width = int(encoding[1:]) // 8
    if encoding[0] == "f":
        return array("f" if width == 4 else "d", (one / 32768 for one in values)).tobytes()
    if width > 1:
        return b"".join(bytes(width - 2) + struct.pack("<h", one) for one in values)
    known = samples_reader(encoding)(bytes(range(256)))
    return bytes(min(range(256), key=lambda octet: abs(known[octet] - one)) for one in values)


def sine(amplitude: int, offset: int = 0) -> list[int]:
    return [offset + round(amplitude * sin(2 * pi * 400 * at / RATE)) for at in range(RATE // 5)]


def is_found(data: bytes, encoding: str = "s16", channels: int = 1, step: int = 1000) -> bool:
    search = SoundSearch(PcmFormat(RATE, channels), encoding)
    for at in range(0, len(data), step):
        search.look(data[at : at + step])
    return search.found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("step", [999, 1 << 16])
def test_what_is_as_loud_as_speech_is_found_in_any_encoding(encoding: str, step: int) -> None:
    assert is_found(encoded(sine(600), encoding), encoding, step=step)
    assert not is_found(encoded([0] * RATE, encoding), encoding, step=step)


@pytest.mark.parametrize("encoding", ["s16", "s24", "s32", "f32", "f64"])
def test_where_quiet_ends(encoding: str) -> None:
    """A sine has the power of its amplitude over the root of two: 103 times that is quiet."""
    assert not is_found(encoded(sine(140), encoding), encoding)
    assert is_found(encoded(sine(150), encoding), encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("loud", [0, 5])
def test_one_channel_is_enough(encoding: str, loud: int) -> None:
    frames = [(0,) * loud + (value,) + (0,) * (5 - loud) for value in sine(600)]
    data = encoded([value for frame in frames for value in frame], encoding)
    assert is_found(data, encoding, channels=6)


def test_what_does_not_change_is_no_sound_and_a_click_is_none_either() -> None:
    assert not is_found(encoded([3000] * RATE, "s16"))
    assert not is_found(silence(1) + struct.pack("<h", 1000) + silence(1))


def test_what_is_no_number_is_for_others_to_judge() -> None:
    assert is_found(array("f", [0.0, float("nan"), float("inf")] * 500).tobytes(), "f32")


def test_sound_at_the_end_is_found() -> None:
    assert is_found(silence(60) + tone(0.1, level=0.05), step=1 << 16)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_large_quiet_recording_is_not_looked_at_number_by_number(encoding: str) -> None:
    """Told by the calls that it takes, as time is no measure on a busy machine."""
    piece = encoded([0, 40, -40, 60], encoding) * 8000
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    search = SoundSearch(PcmFormat(48_000, 8), encoding)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for _ in range(10):
            search.look(piece)
    finally:
        sys.setprofile(before)
    assert not search.found
    assert calls < 200


def test_what_is_nearly_loud_for_long_is_for_others_to_judge() -> None:
    """Each stretch of it has to be weighed: so much of that is done, and no more."""
    hiss = noise(1, seed=1, level=0.0045)
    assert not is_found(hiss * 10, step=1 << 16)
    assert is_found(hiss * 300, step=1 << 16)

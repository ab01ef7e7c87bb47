"""Samples of any kind become those of 16 bits, in one channel, at the rate that is wanted."""

import struct
from array import array

import pytest
from tests.backend.adapters.speech.sounds import tone

from cartrita.adapters.speech.loudness import loudness_db
from cartrita.adapters.speech.samples import MonoSamples, pcm_array
from cartrita.domain.speech import PcmFormat


def test_each_encoding_keeps_what_it_can_of_a_value() -> None:
    """Half of the loudest there is, as each encoding writes it."""
    written = {
        "s16": struct.pack("<h", 16384),
        "s8": bytes([192]),
        "s24": b"\0\0\x40",
        "s32": struct.pack("<i", 1 << 30),
        "f32": struct.pack("<f", 0.5),
        "f64": struct.pack("<d", 0.5),
    }
    for encoding, octets in written.items():
        made = MonoSamples(PcmFormat(16_000), 16_000, encoding).feed(octets)
        assert abs(pcm_array(made)[0] - 16384) <= 1, encoding


def test_telephone_samples_are_those_of_the_standard() -> None:
    """The loudest, and the quietest, of both signs."""
    a_law = MonoSamples(PcmFormat(8_000), 8_000, "a8").feed(b"\xaa\x2a\xd5\x55")
    mu_law = MonoSamples(PcmFormat(8_000), 8_000, "u8").feed(b"\x80\x00\xff\x7f")
    assert list(pcm_array(a_law)) == [32256, -32256, 8, -8]
    assert list(pcm_array(mu_law)) == [32124, -32124, 0, 0]


def test_what_is_no_number_is_silent_and_what_is_too_loud_is_cut() -> None:
    floats = struct.pack("<3f", float("nan"), 7.0, float("-inf"))
    made = MonoSamples(PcmFormat(16_000), 16_000, "f32").feed(floats)
    assert list(pcm_array(made)) == [0, 32767, -32767]


def test_channels_are_mixed() -> None:
    stereo = array("h", [100, 300, -100, -300]).tobytes()
    assert list(pcm_array(MonoSamples(PcmFormat(16_000, 2), 16_000).feed(stereo))) == [200, -200]


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_another_rate_has_the_same_sound(rate: int) -> None:
    made = MonoSamples(PcmFormat(rate), 16_000).feed(tone(1.0, rate=rate))
    assert abs(len(made) / 2 - 16_000) < 10
    expected = pcm_array(tone(1.0))
    difference = array("h", (a - b for a, b in zip(pcm_array(made), expected, strict=False)))
    assert loudness_db(difference) < loudness_db(expected) - 15


def test_pieces_give_what_the_whole_gives() -> None:
    whole = tone(0.3, rate=44_100)
    together = MonoSamples(PcmFormat(44_100), 16_000).feed(whole)
    apart = MonoSamples(PcmFormat(44_100), 16_000)
    pieces = b"".join(apart.feed(whole[at : at + 777]) for at in range(0, len(whole), 777))
    assert pieces == together

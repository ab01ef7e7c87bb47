"""WAV files say where their samples are, and those that lie about it are refused."""

import io
import struct
import wave

import pytest
from tests.backend.adapters.speech.sounds import silence, tone, wav

from cartrita.adapters.speech.wav import wav_header, wav_samples
from cartrita.domain.errors import InvalidInput
from cartrita.domain.speech import PcmFormat

EXTENSIBLE = struct.pack("<HHIH14s", 22, 16, 0, 1, bytes(14))


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        wav_samples(data)
    return caught.value.code


def test_samples_are_found() -> None:
    found = wav_samples(wav(tone(0.5)))
    assert (found.audio, found.encoding, found.offset) == (PcmFormat(16_000), "s16", 44)
    assert found.duration == 0.5


@pytest.mark.parametrize(
    ("tag", "bits", "encoding"),
    [(1, 8, "s8"), (1, 24, "s24"), (1, 32, "s32"), (3, 32, "f32"), (3, 64, "f64"), (6, 8, "a8")],
)
def test_other_samples_are_told(tag: int, bits: int, encoding: str) -> None:
    found = wav_samples(wav(bytes(bits // 8 * 800), tag=tag, bits=bits, rate=8000))
    assert (found.encoding, found.duration) == (encoding, 0.1)


def test_the_extensible_form_names_what_it_extends() -> None:
    found = wav_samples(wav(silence(1), tag=0xFFFE, extra=EXTENSIBLE))
    assert (found.encoding, found.duration) == ("s16", 1.0)


def test_other_chunks_are_passed_over_with_their_padding() -> None:
    note = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    assert wav_samples(wav(silence(1), before=note)).offset == 56


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFDB, 0xFFFFFFFF])
def test_a_file_that_was_sent_before_its_length_was_known_has_what_is_there(size: int) -> None:
    assert wav_samples(wav(silence(2), size=size)).duration == 2.0


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert wav_samples(wav(silence(1) + b"\1")).size == 32_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (wav(silence(1), size=32_001), "recording_unreadable"),
        (wav(b"PK\3\4" * 100, size=0xFFFFFFF0), "recording_unreadable"),
        (b"RIFF\xff\xff\0\0WAVE" + b"PK\3\4" * 1000, "recording_unreadable"),
        (wav(silence(1))[:40], "recording_unreadable"),
        (b"RIFF\4\0\0\0WAVE", "recording_unreadable"),
        (b"RIFF\x10\0\0\0WAVEdata\4\0\0\0\0\0\0\0", "recording_unreadable"),
        (b"RIFF\x10\0\0\0WAVEfmt \4\0\0\0\1\0\1\0", "recording_unreadable"),
        (wav(silence(1), before=b"junk\0\0\0\0" * 1000), "recording_unreadable"),
        (wav(b""), "recording_empty"),
        (wav(silence(1), rate=0), "recording_format_unsupported"),
        (wav(silence(1), rate=3_999), "recording_format_unsupported"),
        (wav(silence(1), rate=192_001), "recording_format_unsupported"),
        (wav(silence(1), channels=0), "recording_format_unsupported"),
        (wav(silence(1), channels=32), "recording_format_unsupported"),
        (wav(silence(1), bits=0), "recording_format_unsupported"),
        (wav(silence(1), bits=12), "recording_format_unsupported"),
        (wav(silence(1), tag=2, bits=4), "recording_format_unsupported"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_header_of_ours_is_read_by_others() -> None:
    samples = tone(0.25, rate=22_050)
    with wave.open(io.BytesIO(wav_header(PcmFormat(22_050), len(samples)) + samples)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getsampwidth()) == (22_050, 1, 2)
        assert other.readframes(other.getnframes()) == samples


def test_a_header_without_a_length_is_one_of_those_that_we_read() -> None:
    assert wav_samples(wav_header(PcmFormat(16_000)) + silence(3)).duration == 3.0

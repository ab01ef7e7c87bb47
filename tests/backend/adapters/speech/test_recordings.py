"""Recordings are told by their bytes; without ffmpeg only WAV is decoded."""

import pytest
from tests.backend.adapters.speech.sounds import RATE, noise, silence, tone, wav

from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.errors import Busy, CartritaError
from cartrita.domain.speech import PcmFormat, Recording

LISTENED = PcmFormat(RATE)
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\x08free"


def reader(octets: int = 1 << 20, seconds: float = 60) -> SniffedRecordings:
    return SniffedRecordings(RecordingBounds(octets=octets, seconds=seconds), EngineSeats(1), None)


async def refusal(data: bytes, recordings: SniffedRecordings | None = None) -> str:
    with pytest.raises(CartritaError) as caught:
        await (recordings or reader()).read(data, "said.wav")
    return caught.value.code


async def decoded(recording: Recording) -> bytes:
    return b"".join([piece async for piece in reader().decoded(recording, LISTENED)])


async def test_a_wav_file_tells_all_of_itself() -> None:
    recording = await reader().read(wav(tone(1.5)), "anything.txt")
    assert (recording.media_type, recording.duration) == ("audio/wav", 1.5)
    assert not recording.silent


@pytest.mark.parametrize("level", [0.0, 0.001])
async def test_what_nobody_hears_is_silent(level: float) -> None:
    assert (await reader().read(wav(noise(1, seed=5, level=level)), "")).silent


async def test_one_sound_in_a_long_silence_is_heard() -> None:
    samples = silence(5) + tone(0.1, level=0.05) + silence(5)
    assert not (await reader().read(wav(samples), "")).silent


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"ID3\4\0\0\0\0\0\0" + bytes(64), "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(64), "audio/mpeg"),
        (b"OggS\0\2" + bytes(64), "audio/ogg"),
        (b"fLaC\0\0\0\x22" + bytes(64), "audio/flac"),
        (b"\x1a\x45\xdf\xa3" + bytes(64) + b"\x86\x86A_OPUS", "audio/webm"),
        (b"\0\0\0\x18ftypM4A \0\0\2\0isom" + bytes(64), "audio/mp4"),
        (MP4 + bytes(64), "audio/mp4"),
        (b"\xff\xf1\x50\x80" + bytes(64), "audio/aac"),
    ],
)
async def test_others_are_known_by_their_first_bytes_only(data: bytes, media_type: str) -> None:
    recording = await reader().read(data, "said.wav")
    assert recording == Recording(data=data, media_type=media_type)
    with pytest.raises(CartritaError) as caught:
        await decoded(recording)
    assert caught.value.code == "ffmpeg_missing"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "recording_empty"),
        (wav(silence(1), rate=0), "recording_format_unsupported"),
        (wav(silence(1), channels=32), "recording_format_unsupported"),
        (wav(silence(1), size=1 << 30), "recording_unreadable"),
        (b"This is what was said.", "recording_type_not_accepted"),
        (b"PK\3\4" + bytes(100), "recording_type_not_accepted"),
        (b"%PDF-1.7 " + bytes(100), "recording_type_not_accepted"),
        (bytes(100), "recording_type_not_accepted"),
        (MP4 + bytes(40) + b"hdlr" + bytes(8) + b"vide", "recording_type_not_accepted"),
        (b"\x1a\x45\xdf\xa3" + bytes(64) + b"\x86\x85V_VP8", "recording_type_not_accepted"),
        (b"OggS\0\2" + bytes(20) + b"\x80theora", "recording_type_not_accepted"),
    ],
)
async def test_what_is_no_recording_is_refused(data: bytes, code: str) -> None:
    assert await refusal(data) == code


async def test_length_is_capped_in_bytes_and_in_seconds() -> None:
    data = wav(silence(3))
    assert await refusal(data, reader(octets=len(data) - 1)) == "too_large"
    assert await refusal(data, reader(seconds=2.9)) == "recording_too_long"
    assert (await reader(octets=len(data), seconds=3).read(data, "")).duration == 3.0


async def test_samples_that_are_as_wanted_are_given_as_they_are() -> None:
    samples = tone(3)
    assert await decoded(await reader().read(wav(samples), "")) == samples


async def test_other_samples_are_changed_to_what_is_wanted() -> None:
    recording = await reader().read(wav(tone(1, rate=48_000), rate=48_000), "")
    assert abs(len(await decoded(recording)) - 2 * RATE) < 20


async def test_who_finds_no_seat_in_time_is_told_to_come_again() -> None:
    seats = EngineSeats(1, wait_s=0.01)
    async with seats.one():
        with pytest.raises(Busy):
            async with seats.one():
                raise AssertionError("two have a seat")
    async with seats.one():
        pass


async def test_who_looks_for_sound_in_much_has_a_seat() -> None:
    seats = EngineSeats(1, wait_s=0.01)
    recordings = SniffedRecordings(RecordingBounds(), seats, None)
    async with seats.one():
        assert (await recordings.read(wav(silence(1)), "")).silent
        with pytest.raises(Busy):
            await recordings.read(wav(silence(60)), "")
    assert (await recordings.read(wav(silence(60)), "")).silent

"""With ffmpeg every kind of recording is read, and what is broken or no recording is refused."""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.backend.adapters.speech.programs import (
    FORMATS,
    ffmpeg,
    left_behind,
    made,
    reader,
    spoken,
)
from tests.backend.adapters.speech.sounds import silence, wav

from cartrita.adapters.speech.encoding import FfmpegEncoding
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.errors import Busy, CartritaError
from cartrita.domain.speech import AudioFormat, PcmFormat

pytestmark = pytest.mark.slow

LISTENED = PcmFormat(16_000)
SILENT = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file where temporary ones are put, and no process."""
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    before = left_behind()  # servers of other tests may be running
    yield
    assert left_behind() == before


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return spoken("The weather is nice today, and it will be nice.", tmp_path_factory.mktemp("s"))


async def refusal(data: bytes, *, octets: int = 25 << 20, decoding_s: float = 300) -> str:
    with pytest.raises(CartritaError) as caught:
        await reader(octets=octets, decoding_s=decoding_s).read(data, "said")
    return caught.value.code


@pytest.mark.parametrize("kind", FORMATS)
async def test_each_format_is_read_and_decoded(kind: str, said: bytes, tmp_path: Path) -> None:
    data = made(tmp_path, *FORMATS[kind], source=said)
    original = await reader().read(said, "")
    recording = await reader().read(data, "")
    assert recording.media_type.startswith("audio/")
    assert not recording.silent
    assert recording.duration == pytest.approx(original.duration, abs=0.2)
    samples = b"".join([piece async for piece in reader().decoded(recording, LISTENED)])
    assert LISTENED.seconds(len(samples)) == recording.duration


@pytest.mark.parametrize("kind", FORMATS)
async def test_silence_in_any_format_is_silent(kind: str, tmp_path: Path) -> None:
    data = made(tmp_path, *SILENT, "-t", "2", *FORMATS[kind])
    assert (await reader().read(data, "")).silent


@pytest.mark.parametrize("kind", FORMATS)
async def test_the_first_bytes_alone_are_no_recording(
    kind: str, said: bytes, tmp_path: Path
) -> None:
    data = made(tmp_path, *FORMATS[kind], source=said)
    assert await refusal(data[:64]) in ("recording_unreadable", "recording_format_unsupported")


@pytest.mark.parametrize("kind", ["m4a", "mp4", "flac"])
async def test_what_says_how_long_it_is_may_not_be_cut_off(
    kind: str, said: bytes, tmp_path: Path
) -> None:
    data = made(tmp_path, *FORMATS[kind], source=said)
    assert await refusal(data[: len(data) // 2]) == "recording_unreadable"


async def test_an_index_at_the_beginning_does_not_hide_that_the_rest_is_cut_off(
    said: bytes, tmp_path: Path
) -> None:
    data = made(tmp_path, *FORMATS["m4a"], "-movflags", "+faststart", source=said)
    assert await refusal(data[: len(data) // 2]) == "recording_unreadable"


async def test_a_cover_does_not_make_a_song_a_video(said: bytes, tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    cover.write_bytes(made(tmp_path, "-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-frames:v", "1",
                           "-f", "image2", "-c:v", "png"))  # fmt: skip
    data = made(tmp_path, "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:v", "copy",
                "-disposition:v", "attached_pic", "-f", "mp3", source=said)  # fmt: skip
    recording = await reader().read(data, "")
    assert recording.media_type == "audio/mpeg"
    assert recording.duration is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c:v", "libx264", "-c:a", "aac", "-f", "mp4"),
        ("-c:v", "libvpx", "-c:a", "libopus", "-f", "webm"),
        ("-c:v", "libtheora", "-c:a", "libvorbis", "-f", "ogg"),
    ],
)
async def test_a_video_is_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    data = made(tmp_path, "-f", "lavfi", "-i", "testsrc=s=64x64:d=1", *SILENT, "-t", "1",
                *arguments)  # fmt: skip
    assert await refusal(data) == "recording_type_not_accepted"


@pytest.mark.parametrize("kind", ["opus", "mp3", "flac"])
async def test_a_recording_of_two_hours_is_too_long(kind: str, tmp_path: Path) -> None:
    data = made(tmp_path, *SILENT, "-t", "7200", *FORMATS[kind])
    assert await refusal(data, octets=1 << 30) == "recording_too_long"


async def test_one_that_takes_too_long_to_decode_is_given_up(tmp_path: Path) -> None:
    data = made(tmp_path, *SILENT, "-t", "600", *FORMATS["flac"])
    assert await refusal(data, decoding_s=0.05) == "recording_unreadable"


async def test_an_archive_that_begins_like_a_recording_is_none(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 << 20))
    bomb = path.read_bytes()
    assert await refusal(wav(silence(0.1))[:12] + bomb) == "recording_unreadable"
    assert await refusal(wav(bomb, size=0xFFFFFFF0)) == "recording_unreadable"
    for head in (b"ID3\4\0\0\0\0\0\0", b"OggS\0\2", b"fLaC", b"\x1a\x45\xdf\xa3", b"\xff\xfb\x90"):
        assert await refusal(head + bomb) in (
            "recording_unreadable",
            "recording_type_not_accepted",
            "recording_format_unsupported",
        )


async def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    data = made(tmp_path, "-f", "lavfi", "-i", "anullsrc=r=16000:cl=16c", "-t", "1",
                "-c:a", "pcm_s16le", "-f", "matroska")  # fmt: skip
    assert await refusal(data) == "recording_format_unsupported"


async def test_what_a_recording_names_is_not_opened(tmp_path: Path) -> None:
    """A list of files for ffmpeg's `concat`, and one for HLS, under the name of a recording."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(silence(1)))
    lists = [
        f"ffconcat version 1.0\nfile {secret}\n".encode(),
        f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode(),
    ]
    assert [await refusal(data) for data in lists] == ["recording_type_not_accepted"] * 2
    assert [await refusal(b"ID3\4\0\0\0\0\0\0" + data) for data in lists] == [
        "recording_unreadable"
    ] * 2


async def test_a_reader_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    data = made(tmp_path, *SILENT, "-t", "3000", *FORMATS["flac"])
    reading = reader().decoded(await reader().read(data, ""), LISTENED)
    assert await anext(reading)
    await reading.aclose()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader().read(data, "")


@pytest.mark.parametrize("target", AudioFormat)
async def test_what_is_encoded_is_what_was_given(
    target: AudioFormat, said: bytes, tmp_path: Path
) -> None:
    recording = await reader().read(said, "")
    samples = reader().decoded(recording, LISTENED)
    async with encoding().encoded(samples, LISTENED, target, None) as pieces:
        data = b"".join([piece async for piece in pieces])
    if target is AudioFormat.PCM:
        assert LISTENED.seconds(len(data)) == recording.duration
        return
    again = await reader().read(data, "")
    assert again.duration == pytest.approx(recording.duration, abs=0.2)
    assert not again.silent


async def endless() -> AsyncGenerator[bytes]:
    while True:
        yield silence(1)


def encoding() -> FfmpegEncoding:
    return FfmpegEncoding(ffmpeg(), EngineSeats(1))


async def test_encoding_can_be_left_at_any_time() -> None:
    async with encoding().encoded(endless(), LISTENED, AudioFormat.MP3, None) as pieces:
        assert await anext(pieces)


async def test_one_owner_has_a_share_of_what_encodes() -> None:
    """It is busy for whoever has all of it, and nobody else."""
    made = FfmpegEncoding(ffmpeg(), EngineSeats(2, wait_s=0.01, share=1))
    mp3 = AudioFormat.MP3
    async with made.encoded(endless(), LISTENED, mp3, "ann") as pieces:
        assert await anext(pieces)
        with pytest.raises(Busy):
            async with made.encoded(endless(), LISTENED, mp3, "ann"):
                raise AssertionError("two encode")
        async with made.encoded(endless(), LISTENED, mp3, "bob") as others:
            assert await anext(others)


async def test_as_many_encode_as_there_are_seats_and_wav_needs_none() -> None:
    seats = EngineSeats(1, wait_s=0.01)
    made, own = FfmpegEncoding(ffmpeg(), seats), aclosing(endless())
    async with own as samples, made.encoded(samples, LISTENED, AudioFormat.MP3, None) as pieces:
        assert await anext(pieces)
        with pytest.raises(Busy):
            async with made.encoded(endless(), LISTENED, AudioFormat.OPUS, None):
                raise AssertionError("two encode")
        async with made.encoded(endless(), LISTENED, AudioFormat.WAV, None) as others:
            assert await anext(others)
    async with made.encoded(endless(), LISTENED, AudioFormat.OPUS, None) as pieces:
        assert await anext(pieces)

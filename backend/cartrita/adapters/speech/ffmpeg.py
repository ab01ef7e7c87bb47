"""ffmpeg as a program: what a recording is, its samples, and the encoding of samples of ours."""

from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

import anyio
import msgspec

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.processes.memory_files import memory_file
from cartrita.adapters.processes.programs import found, running
from cartrita.adapters.speech.containers import Container, a_video
from cartrita.domain.errors import Unavailable
from cartrita.domain.recordings import (
    MOST_CHANNELS,
    RATES,
    not_a_recording,
    unreadable_recording,
    unsupported_recording,
)
from cartrita.domain.speech import AudioFormat, PcmFormat
from cartrita.kit.long_work import run_long

_PIECE: Final = 64 << 10
_LONGEST_ANSWER: Final = 1 << 20
_BROKEN: Final = "It is damaged, cut off, or not what its first bytes say."
_QUIET: Final = ("-hide_banner", "-v", "error")
_ONE_THREAD: Final = ("-threads", "1", "-filter_threads", "1")
_ENCODERS: Final = MappingProxyType(
    {
        AudioFormat.MP3: ("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"),
        AudioFormat.OPUS: ("-c:a", "libopus", "-b:a", "32k", "-f", "ogg"),
        AudioFormat.FLAC: ("-c:a", "flac", "-f", "flac"),
        AudioFormat.AAC: ("-c:a", "aac", "-b:a", "64k", "-f", "adts"),
    }
)


class _Disposition(msgspec.Struct):
    attached_pic: int = 0


class _Stream(msgspec.Struct):
    codec_type: str = ""
    sample_rate: str = "0"
    channels: int = 0
    disposition: _Disposition = msgspec.field(default_factory=_Disposition)


class _Format(msgspec.Struct):
    duration: str = ""


class _Probe(msgspec.Struct):
    streams: list[_Stream] = []
    format: _Format = msgspec.field(default_factory=_Format)


class Ffmpeg:
    """The two programs, each run within `bounds`; they see the recording, and no other file."""

    def __init__(self, ffmpeg: Path, ffprobe: Path, bounds: ProcessBounds) -> None:
        self._ffmpeg = ffmpeg
        self._ffprobe = ffprobe
        self._bounds = bounds

    async def announced_duration(self, data: bytes, container: Container) -> float | None:
        """In seconds, if the file tells it. Raises InvalidInput and UnsupportedMedia."""
        probe = await self._probe(data, container)
        if any(
            one.codec_type == "video" and not one.disposition.attached_pic for one in probe.streams
        ):
            raise a_video()
        sound = next((one for one in probe.streams if one.codec_type == "audio"), None)
        if sound is None:
            raise not_a_recording("There is no sound in it")
        _require_form(sound)
        with suppress(ValueError):
            return float(probe.format.duration)
        return None

    async def decoded(
        self, data: bytes, container: Container, audio: PcmFormat, seconds: float
    ) -> AsyncGenerator[bytes]:
        """Its samples, for so many seconds at most. Raises InvalidInput."""
        arguments = (
            *_QUIET, "-nostdin", *_ONE_THREAD, *_input(container),
            "-map", "0:a:0", "-vn", "-sn", "-dn", "-t", f"{seconds:.3f}",
            "-ac", str(audio.channels), "-ar", str(audio.sample_rate), "-f", "s16le", "pipe:1",
        )  # fmt: skip
        any_at_all = False
        with await run_long(len(data), memory_file, data) as file:
            async with running(self._ffmpeg, arguments, bounds=self._bounds, stdin=file) as process:
                async with aclosing(_pieces(process)) as pieces:
                    async for piece in pieces:
                        any_at_all = True
                        yield piece
                status = await process.wait()
        if status or not any_at_all:
            raise unreadable_recording(_BROKEN)

    @asynccontextmanager
    async def encoded(
        self, samples: AsyncIterator[bytes], audio: PcmFormat, target: AudioFormat
    ) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """These samples in a format, as they come. Raises Unavailable."""
        arguments = (
            *_QUIET, *_ONE_THREAD, "-protocol_whitelist", "pipe", "-probesize", "32",
            "-f", "s16le", "-ac", str(audio.channels), "-ar", str(audio.sample_rate),
            "-i", "pipe:0", "-map_metadata", "-1", *_ENCODERS[target],
            "-flush_packets", "1", "pipe:1",
        )  # fmt: skip
        async with (
            running(self._ffmpeg, arguments, bounds=self._bounds, stdin=PIPE) as process,
            _fed(process, samples),
            aclosing(_encoded_pieces(process, target)) as pieces,
        ):
            yield pieces

    async def _probe(self, data: bytes, container: Container) -> _Probe:
        arguments = (
            *_QUIET, "-show_entries",
            "stream=codec_type,sample_rate,channels:stream_disposition=attached_pic:format=duration",
            "-of", "json", *_input(container),
        )  # fmt: skip
        with await run_long(len(data), memory_file, data) as file:
            async with running(
                self._ffprobe, arguments, bounds=self._bounds, stdin=file
            ) as process:
                answer = await _answer(process)
                status = await process.wait()
        if status:
            raise unreadable_recording(_BROKEN)
        try:
            return msgspec.json.decode(answer, type=_Probe, strict=False)
        except msgspec.MsgspecError:
            raise unreadable_recording(_BROKEN) from None


def installed_ffmpeg(bounds: ProcessBounds) -> Ffmpeg | None:
    """Both of its programs, if they are there."""
    ffmpeg, ffprobe = found("ffmpeg"), found("ffprobe")
    return Ffmpeg(ffmpeg, ffprobe, bounds) if ffmpeg and ffprobe else None


def _input(container: Container) -> Sequence[str]:
    """The recording on standard input, which is a file; what it may name besides is not opened."""
    return ("-protocol_whitelist", "file", "-f", container.demuxer, "-i", "file:/dev/stdin")


def _require_form(sound: _Stream) -> None:
    rate = int(sound.sample_rate) if sound.sample_rate.isdecimal() else 0
    if not 1 <= sound.channels <= MOST_CHANNELS or rate not in RATES:
        raise unsupported_recording(
            f"The recording has {sound.channels} channels and {rate} samples a second: send one "
            f"with 1 to {MOST_CHANNELS} channels and {RATES[0]} to {RATES[-1]} samples a second."
        )


async def _answer(process: Process) -> bytes:
    """All that it prints; none of it if that is too much, for it would wait to be read."""
    answer = bytearray()
    async with aclosing(_pieces(process)) as pieces:
        async for piece in pieces:
            answer += piece
            if len(answer) > _LONGEST_ANSWER:
                raise unreadable_recording(_BROKEN)
    return bytes(answer)


async def _pieces(process: Process) -> AsyncGenerator[bytes]:
    assert process.stdout is not None
    while piece := await process.stdout.read(_PIECE):
        yield piece


async def _encoded_pieces(process: Process, target: AudioFormat) -> AsyncGenerator[bytes]:
    async with aclosing(_pieces(process)) as pieces:
        async for piece in pieces:
            yield piece
    if await process.wait():
        raise Unavailable(
            f"ffmpeg does not make {target.value} here: ask for wav.",
            code="speech_format_unavailable",
        )


@asynccontextmanager
async def _fed(process: Process, samples: AsyncIterator[bytes]) -> AsyncGenerator[None]:
    """Writes the samples while the body reads; the body ends it, however it is left."""
    assert process.stdin is not None
    stdin = process.stdin

    async def feed() -> None:
        with suppress(ConnectionError):  # it has ended: its status tells why
            async for piece in samples:
                if stdin.is_closing():  # uvloop raises no ConnectionError then
                    return
                stdin.write(piece)
                await stdin.drain()
        stdin.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()

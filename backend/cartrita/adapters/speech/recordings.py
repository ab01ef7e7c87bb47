"""Reads recordings, with ffmpeg where it is installed: implements RecordingReader."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Final

import msgspec

from cartrita.adapters.speech.containers import WAV, Container, container_of
from cartrita.adapters.speech.ffmpeg import Ffmpeg
from cartrita.adapters.speech.samples import S16, MonoSamples
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.adapters.speech.silence import SoundSearch
from cartrita.adapters.speech.wav import WavSamples, wav_samples
from cartrita.domain.recordings import (
    empty_recording,
    ffmpeg_missing,
    recording_too_large,
    recording_too_long,
    unreadable_recording,
)
from cartrita.domain.speech import PcmFormat, Recording
from cartrita.kit.long_work import run_long

_LISTENED: Final = PcmFormat(16_000)
_PIECE: Final = 64 << 10
_LOOKED_AT_ONCE: Final = 1 << 20
"""In bytes: who looks for sound in more of them has a seat, as it takes a processor for long."""
_LOST_SHARE, _LOST_S = 0.05, 0.5
"""A recording that lacks more than both of these of what it announces was cut off."""


class RecordingBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one recording may be, and how long it may take to decode."""

    octets: int = 25 << 20
    seconds: float = 3600.0
    decoding_s: float = 300.0


class SniffedRecordings:
    """Reads what recordings are by their bytes; all but WAV is known in part without ffmpeg."""

    def __init__(self, bounds: RecordingBounds, seats: EngineSeats, ffmpeg: Ffmpeg | None) -> None:
        self._bounds = bounds
        self._seats = seats
        self._ffmpeg = ffmpeg

    async def read(self, data: bytes, name: str) -> Recording:
        """See RecordingReader."""
        if not data:
            raise empty_recording()
        if len(data) > self._bounds.octets:
            raise recording_too_large(self._bounds.octets)
        container = await run_long(len(data), container_of, data, name)
        if container is WAV:
            return await self._wav(data)
        if self._ffmpeg is None:
            return Recording(data=data, media_type=container.media_type)
        try:
            async with self._seats.one(), asyncio.timeout(self._bounds.decoding_s):
                return await self._decoded_once(self._ffmpeg, data, container)
        except TimeoutError:
            raise unreadable_recording(
                f"It takes longer than {self._bounds.decoding_s:g} seconds to decode."
            ) from None

    async def decoded(self, recording: Recording, audio: PcmFormat) -> AsyncGenerator[bytes]:
        """See RecordingReader. It takes no seat: whoever listens has one."""
        container = await run_long(len(recording.data), container_of, recording.data, "")
        samples = wav_samples(recording.data) if container is WAV else None
        if samples and (self._ffmpeg is None or _is(samples, audio)):
            pieces = _converted(recording.data, samples, audio)
        elif self._ffmpeg is None:
            raise ffmpeg_missing()
        else:
            limit = self._bounds.seconds
            pieces = self._ffmpeg.decoded(recording.data, container, audio, limit)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def _wav(self, data: bytes) -> Recording:
        samples = wav_samples(data)
        if samples.duration > self._bounds.seconds:
            raise recording_too_long(self._bounds.seconds)
        async with AsyncExitStack() as seat:
            if samples.size > _LOOKED_AT_ONCE:
                await seat.enter_async_context(self._seats.one())
            silent = await asyncio.to_thread(_wav_is_silent, data, samples)
        return Recording(
            data=data, media_type=WAV.media_type, duration=samples.duration, silent=silent
        )

    async def _decoded_once(self, ffmpeg: Ffmpeg, data: bytes, container: Container) -> Recording:
        """Decode all of it, and keep nothing but what it is: this is how a broken one shows."""
        announced = await ffmpeg.announced_duration(data, container)
        limit = self._bounds.seconds
        octets, sound = 0, SoundSearch(_LISTENED)
        async with aclosing(ffmpeg.decoded(data, container, _LISTENED, limit + 1)) as pieces:
            async for piece in pieces:
                octets += len(piece)
                sound.look(piece)
                if _LISTENED.seconds(octets) > limit:
                    raise recording_too_long(limit)
        duration = _LISTENED.seconds(octets)
        if container.keeps_length and announced and _is_cut(duration, announced):
            raise unreadable_recording(
                f"It is cut off: {announced:.1f} seconds are announced, and {duration:.1f} there."
            )
        return Recording(
            data=data,
            media_type=container.media_type,
            duration=duration,
            silent=not sound.found,
        )


def _is(samples: WavSamples, audio: PcmFormat) -> bool:
    return samples.audio == audio and samples.encoding == S16


def _is_cut(duration: float, announced: float) -> bool:
    return announced - duration > max(_LOST_S, _LOST_SHARE * announced)


def _wav_pieces(data: bytes, samples: WavSamples) -> Iterator[bytes]:
    step = _PIECE - _PIECE % samples.frame_bytes
    end = samples.offset + samples.size
    for at in range(samples.offset, end, step):
        yield data[at : min(at + step, end)]


def _wav_is_silent(data: bytes, samples: WavSamples) -> bool:
    sound = SoundSearch(samples.audio, samples.encoding)
    for piece in _wav_pieces(data, samples):
        sound.look(piece)
        if sound.found:
            return False
    return True


async def _converted(data: bytes, samples: WavSamples, audio: PcmFormat) -> AsyncGenerator[bytes]:
    """The samples of a WAV file, changed in a thread; those that are right already are not."""
    if _is(samples, audio):
        for piece in _wav_pieces(data, samples):
            yield piece
        return
    mono = MonoSamples(samples.audio, audio.sample_rate, samples.encoding)
    for piece in _wav_pieces(data, samples):
        if made := await asyncio.to_thread(mono.feed, piece):
            yield made

"""Encodes speech that was made here, with ffmpeg where it is needed: implements SpeechEncoder."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from cartrita.adapters.speech.ffmpeg import Ffmpeg
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.adapters.speech.wav import wav_header
from cartrita.domain.errors import Unavailable
from cartrita.domain.speech import AudioFormat, PcmFormat

_OWN: Final = frozenset({AudioFormat.PCM, AudioFormat.WAV})


class FfmpegEncoding:
    """Samples and WAV are made here, all other formats by ffmpeg, which has one of the `seats`.

    It keeps it until the last piece is taken: those seats are no others', who would wait for it.
    """

    def __init__(self, ffmpeg: Ffmpeg | None, seats: EngineSeats) -> None:
        self._ffmpeg = ffmpeg
        self._seats = seats

    @property
    def formats(self) -> frozenset[AudioFormat]:
        """See SpeechEncoder."""
        return _OWN if self._ffmpeg is None else frozenset(AudioFormat)

    @asynccontextmanager
    async def encoded(
        self,
        samples: AsyncIterator[bytes],
        audio: PcmFormat,
        target: AudioFormat,
        owner_id: str | None,
    ) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """See SpeechEncoder. Raises Busy."""
        if target in _OWN:
            head = wav_header(audio) if target is AudioFormat.WAV else b""
            async with aclosing(_headed(head, samples)) as pieces:
                yield pieces
            return
        if self._ffmpeg is None:
            raise Unavailable(
                f"Speech is made as {target.value} by ffmpeg, which is not installed where the "
                "server runs (apt install ffmpeg): ask for wav or pcm.",
                code="ffmpeg_missing",
            )
        async with (
            self._seats.one(owner_id),
            self._ffmpeg.encoded(samples, audio, target) as pieces,
        ):
            yield pieces


async def _headed(head: bytes, samples: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    if head:
        yield head
    async for piece in samples:
        yield piece

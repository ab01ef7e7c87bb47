"""Speaks on this machine, without a key, by programs: implements SpeechSynthesizer."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.processes.memory_files import memory_file
from cartrita.adapters.processes.programs import running
from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.engine_process import EMBEDDED
from cartrita.adapters.speech.samples import MonoSamples
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.adapters.speech.speaking_programs import (
    ESPEAK,
    FLITE,
    PIPER,
    SpeakingProgram,
    espeak,
    flite,
    piper,
)
from cartrita.adapters.speech.texts_in_turn import TextsInTurn
from cartrita.adapters.speech.wav import wav_header, wav_samples
from cartrita.domain.errors import InvalidInput, NotOffered, Unavailable, UpstreamUnreachable
from cartrita.domain.ports.speech import SpeechEncoder
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechModel, SpeechRequest
from cartrita.kit.secret import Secret

_LONGEST_PART, _FIRST_PART = 400, 150
"""In characters: of a longer text the first part is short, as it is spoken before any is heard."""
_LARGEST_PART: Final = 64 << 20
_PIECE: Final = 64 << 10
_MEMORY: Final = 2 << 30
_LABELS: Final = {
    PIPER: "embedded, with your own voice",
    FLITE: "embedded, English, plain voices",
    ESPEAK: "embedded, many languages, robotic",
}
_NEEDS: Final = {
    PIPER: "Install piper where the server runs, and set voice.piper_voice to the .onnx file of a "
    "voice, with its .json beside it.",
    FLITE: "Install it where the server runs: apt install flite.",
    ESPEAK: "Install it where the server runs: apt install espeak-ng.",
}


class EmbeddedSpeech:
    """Implements `Speech` over pieces that are made."""

    def __init__(
        self, audio: AudioFormat, sample_rate: int | None, pieces: AsyncGenerator[bytes]
    ) -> None:
        self.format = audio
        self.sample_rate = sample_rate
        self._pieces = pieces

    def pieces(self) -> AsyncGenerator[bytes]:
        """See `Speech.pieces`."""
        return self._pieces


class EmbeddedSynthesizer:
    """Each part of a text is spoken by a process of its own, within `seconds`.

    A text has `longest` characters at most: its parts take turns with other people's.
    """

    name = EMBEDDED
    has_key = False
    needs_key = False

    def __init__(
        self,
        encoder: SpeechEncoder,
        seats: EngineSeats,
        *,
        seconds: float = 60.0,
        longest: int = LONGEST_SPEECH,
        piper_voice: Path | None = None,
    ) -> None:
        self._encoder = encoder
        self._seats = seats
        self._seconds = seconds
        self._longest = longest
        installed = {PIPER: piper(piper_voice), FLITE: flite(), ESPEAK: espeak()}
        self._programs: dict[str, SpeakingProgram | None] = dict(installed)

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See SpeechSynthesizer: the better ones first."""
        formats = tuple(one for one in AudioFormat if one in self._encoder.formats)
        return tuple(
            SpeechModel(
                name=name,
                needs=None if program else _NEEDS[name],
                live=True,
                label=_LABELS[name],
                voices=program.voices if program else (),
                formats=formats,
                own_model=name == PIPER,
            )
            for name, program in self._programs.items()
        )

    def with_key(self, key: Secret) -> "EmbeddedSynthesizer":
        """See Service: it needs none."""
        return self

    async def test_key(self) -> None:
        """See Service."""

    def may_know(self, voice: str) -> bool:
        """See SpeechSynthesizer: no other than it tells."""
        return False

    @asynccontextmanager
    async def speak(self, request: SpeechRequest) -> AsyncGenerator[EmbeddedSpeech]:
        """See SpeechSynthesizer; the first part has been spoken."""
        name, program = self._program(request.model)
        self._require_text(name, program, request.text)
        voice = _voice(name, program, request.voice)
        target = self._format(name, request.format)
        arguments = program.arguments(voice, request.speed)
        parts = speech_texts.parts(request.text, _LONGEST_PART, _FIRST_PART)
        first = await self._spoken(name, program, arguments, parts[0])
        samples = self._samples(name, program, arguments, first, parts[1:])
        rate = program.audio.sample_rate
        async with aclosing(samples):
            if target is AudioFormat.WAV and len(parts) == 1:
                head = wav_header(program.audio, len(first))
                async with aclosing(_pieces(head + first)) as whole:
                    yield EmbeddedSpeech(target, None, whole)
                return
            encoding = self._encoder.encoded(samples, program.audio, target, request.owner_id)
            async with encoding as pieces:
                yield EmbeddedSpeech(target, rate if target is AudioFormat.PCM else None, pieces)

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[TextsInTurn]:
        """See SpeechSynthesizer; each text is a whole file of its format."""
        name, program = self._program(request.model)
        target = self._format(name, request.format)
        _voice(name, program, request.voice)

        @asynccontextmanager
        async def speak(text: str) -> AsyncGenerator[EmbeddedSpeech]:
            asked = msgspec.structs.replace(request, text=text, format=target)
            async with self.speak(asked) as speech:
                made = b"".join([piece async for piece in speech.pieces()])
            # No program waits while somebody listens, however slowly or for how short a time.
            async with aclosing(_pieces(made)) as pieces:
                yield EmbeddedSpeech(target, rate, pieces)

        rate = program.audio.sample_rate if target is AudioFormat.PCM else None
        yield TextsInTurn(speak, target, rate)

    async def _samples(
        self,
        name: str,
        program: SpeakingProgram,
        arguments: Sequence[str],
        first: bytes,
        parts: Sequence[str],
    ) -> AsyncGenerator[bytes]:
        for piece in _cut(first):
            yield piece
        for part in parts:
            for piece in _cut(await self._spoken(name, program, arguments, part)):
                yield piece

    async def _spoken(
        self, name: str, program: SpeakingProgram, arguments: Sequence[str], text: str
    ) -> bytes:
        """The samples of one part. It has a seat while it is made, not while it is heard."""
        try:
            async with self._seats.one(), asyncio.timeout(self._seconds):
                made = await _output(program, arguments, text, self._seconds)
        except TimeoutError:
            raise UpstreamUnreachable(
                f"{name} has not spoken in {self._seconds:g} seconds.", provider=EMBEDDED
            ) from None
        if not made:
            raise _failed(name)
        if program.bare:
            return made
        try:
            found = wav_samples(made)
        except InvalidInput as error:
            if error.code == "recording_empty":
                return b""
            raise _failed(name) from None
        mono = MonoSamples(found.audio, program.audio.sample_rate, found.encoding)
        return mono.feed(made[found.offset : found.offset + found.size])

    def _program(self, model: str | None) -> tuple[str, SpeakingProgram]:
        """The one to use. Raises NotOffered and Unavailable."""
        usable = [name for name, program in self._programs.items() if program]
        name = model or next(iter(usable), FLITE)
        if name not in self._programs:
            raise NotOffered.of("model", f"choose one of {', '.join(self._programs)}")
        program = self._programs[name]
        if program is None:
            raise Unavailable(
                f"{name} cannot be used here. {_NEEDS[name]}", code="speech_unavailable"
            )
        return name, program

    def _require_text(self, name: str, program: SpeakingProgram, text: str) -> None:
        if len(text) > self._longest:
            told = f"{name} speaks {self._longest:,} characters at once here; send it in parts"
            raise NotOffered.of("text", told)
        if not program.can_say(text):
            raise NotOffered.of("text", f"{name} can say no letter of it")

    def _format(self, name: str, wanted: AudioFormat | None) -> AudioFormat:
        formats = self._encoder.formats
        if wanted is None:
            return AudioFormat.MP3 if AudioFormat.MP3 in formats else AudioFormat.WAV
        if wanted not in formats:
            raise NotOffered.of(
                "format",
                f"{name} speaks {' and '.join(sorted(formats))} here; install ffmpeg where the "
                "server runs for the others (apt install ffmpeg)",
            )
        return wanted


def _voice(name: str, program: SpeakingProgram, wanted: str | None) -> str:
    voices = program.voices
    if wanted is not None and wanted not in voices:
        raise NotOffered.of("voice", f"{name} has {', '.join(voices)}")
    return wanted or voices[0]


def _failed(name: str) -> UpstreamUnreachable:
    return UpstreamUnreachable(f"{name} has spoken nothing.", provider=EMBEDDED)


async def _output(
    program: SpeakingProgram, arguments: Sequence[str], text: str, seconds: float
) -> bytes:
    """What the program writes of a text: nothing if it fails."""
    bounds = ProcessBounds(seconds=seconds, memory_bytes=_MEMORY, file_bytes=_LARGEST_PART)
    # A line break ends what is spoken to a program that is asked line by line.
    said = text.replace("\0", " ").replace("\n", " ").encode()
    with memory_file(said + b"\n") as stdin, memory_file() as stdout:
        async with running(
            program.path,
            arguments,
            bounds=bounds,
            stdin=stdin,
            stdout=stdout,
            readable=program.readable,
        ) as process:
            status = await process.wait()
        stdout.seek(0)
        return b"" if status else stdout.read()


def _cut(audio: bytes) -> Iterator[bytes]:
    for at in range(0, len(audio), _PIECE):
        yield audio[at : at + _PIECE]


async def _pieces(audio: bytes) -> AsyncGenerator[bytes]:
    for piece in _cut(audio):
        yield piece

"""Transcriptions of recordings, by the first engine that can."""

from collections.abc import Sequence

from msgspec.structs import replace

from cartrita.application.voice.engines import Engine, Engines, first_able
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import RecordingReader, Transcriber
from cartrita.domain.principals import Principal
from cartrita.domain.recordings import not_translated
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import Recording, Transcript, TranscriptionOptions
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import TRANSCRIPTION, MeteredRequest


class Transcriptions:
    """Transcribes for callers."""

    def __init__(
        self, engines: Engines[Transcriber], calls: ServiceCalls, reader: RecordingReader
    ) -> None:
        self.engines = engines
        self._calls = calls
        self._reader = reader

    async def transcribe(
        self,
        principal: Principal,
        data: bytes,
        name: str = "",
        options: TranscriptionOptions | None = None,
        transcriber: str | None = None,
    ) -> Transcript:
        """What is said in a recording of this file name; silence has no words.

        `transcriber` is the one that the caller names, as `provider` or `provider/model`. Raises
        what `RecordingReader.read`, `Engines.of` and `ServiceCalls.ask` raise, and
        NotOffered where it is to be translated by what cannot.
        """
        principal.scopes.require_operation(Operation.VOICE)
        asked = options or TranscriptionOptions()
        engines = _able(await self.engines.of(principal, transcriber), asked)
        recording = await self._reader.read(data, name)
        if recording.silent:
            return _silence(recording, engines[0])

        async def transcribed(engine: Engine[Transcriber]) -> Transcript:
            chosen = replace(asked, model=engine.model or asked.model)
            return await self._calls.ask(
                principal,
                engine.service,
                lambda one: one.transcribe(recording, chosen),
                operation=TRANSCRIPTION,
                model=chosen.model or engine.model_name,
                expected=ServiceUse(audio_seconds=recording.duration or 0.0),
                note=_note,
            )

        return await first_able(engines, transcribed)


def _able(
    engines: Sequence[Engine[Transcriber]], asked: TranscriptionOptions
) -> Sequence[Engine[Transcriber]]:
    """Those that can; the others are not called, so that no limit or budget counts them."""
    if not asked.translated:
        return engines
    able = [one for one in engines if one.service.translates(one.model or asked.model)]
    if not able:
        raise not_translated(engines[0].label)
    return able


def _note(request: MeteredRequest, transcript: Transcript) -> None:
    request.use(ServiceUse(audio_seconds=transcript.duration))
    request.got(transcript.text, transcript.model)


def _silence(recording: Recording, engine: Engine[Transcriber]) -> Transcript:
    """The transcript of what nobody needs to be asked about."""
    return Transcript(
        text="",
        duration=recording.duration or 0.0,
        provider=engine.service.name,
        model=engine.model_name or "",
    )

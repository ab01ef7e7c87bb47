"""Transcribes with any server that has OpenAI's audio API, with as much as it tells.

Source: https://platform.openai.com/docs/api-reference/audio. Servers like it (Groq, Ollama, those
of whisper.cpp and faster-whisper) have parts of it: what one of them refuses is not asked again.
"""

import re
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech.openai_server import (
    OPENAI,
    ModelService,
    Task,
    usual_model,
)
from cartrita.adapters.speech.segmented_listening import (
    SegmentedListening,
    hearing_by,
    segmented_listening,
)
from cartrita.adapters.speech.wav import wav_header
from cartrita.dialects.openai_audio import form_rendering, transcript_parsing
from cartrita.dialects.openai_audio.transcription_types import (
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.speech import (
    PcmFormat,
    Recording,
    SpeechModel,
    Transcript,
    TranscriptionOptions,
)
from cartrita.kit.long_work import run_long

_WAV: Final = "audio/wav"
_PATH: Final = "/audio/transcriptions"
_TRANSLATIONS: Final = "/audio/translations"
"""It takes no language, as English is written, and has no times of words."""
_TEXT_ONLY: Final = re.compile(r"(^|/)gpt-(\w+-)*transcribe")
"""OpenAI's own models that answer in `json` only."""
_ABOUT_FORMAT: Final = re.compile(r"response_format|granularit|verbose_json|timestamp", re.I)
_MODELS: Final = (
    SpeechModel(name="whisper-1", label="words with times"),
    SpeechModel(name="gpt-4o-transcribe", label="more accurate, without times"),
    SpeechModel(name="gpt-4o-mini-transcribe", label="cheaper, without times"),
    SpeechModel(name="gpt-transcribe", label="the newest, without times"),
)
_WORDS: Final = "words"
_TIMES: Final = "times"


class OpenAITranscriber(ModelService):
    """Implements `Transcriber`; a transcript may take `patience` seconds.

    Words with times are asked for, else segments, else text.
    """

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See `Transcriber.models`: OpenAI's, or the one that was found at another server."""
        if self.name == OPENAI:
            return _MODELS
        found = self._known.models.get(Task.TRANSCRIPTION)
        return () if found is None else (SpeechModel(name=found),)

    def translates(self, model: str | None) -> bool:
        """See `Transcriber.translates`: its server knows."""
        return True

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        """See `Transcriber.transcribe`."""
        model = options.model or await usual_model(self._server, self._known, Task.TRANSCRIPTION)
        body = await self._answer(recording, model, options)
        return await run_long(
            len(body), transcript_parsing.parse, body, recording, provider=self.name, model=model
        )

    @asynccontextmanager
    async def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AsyncGenerator[SegmentedListening]:
        """See `Transcriber.listen`; each utterance is transcribed when it has ended."""

        async def transcribe(samples: bytes) -> Transcript:
            size = len(samples)
            data = wav_header(audio, size) + samples
            recording = Recording(data=data, media_type=_WAV, duration=audio.seconds(size))
            return await self.transcribe(recording, options)

        async with segmented_listening(audio, hearing_by(transcribe)) as listening:
            yield listening

    async def _answer(
        self, recording: Recording, model: str, options: TranscriptionOptions
    ) -> bytes:
        """The most that this model tells; what it did not take is remembered."""
        refused: list[str] = []
        for asked in self._askings(model, options):
            try:
                body = await self._ask(_form(model, options, asked), recording)
            except UpstreamRejected as error:
                if not asked or not _is_about_format(error):
                    raise
                refused.append(asked)
                continue
            for each in refused:
                self._known.refused.add((model, each))
            return body
        raise AssertionError("text is asked for at last, and answered or raised")

    def _askings(self, model: str, options: TranscriptionOptions) -> Iterator[str]:
        """What may be asked for, the most first; text alone is asked for by the empty word."""
        told = (_TIMES,) if options.translated else (_WORDS, _TIMES)
        for asked in () if _TEXT_ONLY.search(model) else told:
            if (model, asked) not in self._known.refused:
                yield asked
        yield ""

    async def _ask(self, form: TranscriptionForm, recording: Recording) -> bytes:
        data, boundary = recording.data, secrets.token_hex(16)
        body = await run_long(
            len(data), form_rendering.render, form, data, recording.media_type, boundary
        )
        path = _TRANSLATIONS if form.translated else _PATH
        opened = self.answered(path, body.body, body.content_type)
        async with opened as response:
            return await _whole(response)


def _form(model: str, options: TranscriptionOptions, asked: str) -> TranscriptionForm:
    both = (Granularity.WORD, Granularity.SEGMENT)
    return TranscriptionForm(
        model=model,
        language=None if options.translated else options.language,
        prompt=options.prompt,
        temperature=options.temperature,
        translated=options.translated,
        response_format=ResponseFormat.VERBOSE_JSON if asked else ResponseFormat.JSON,
        granularities=both if asked == _WORDS else (),
    )


def _is_about_format(error: UpstreamRejected) -> bool:
    """Whether it is how the transcript is written that was refused, and not the recording."""
    told = f"{error.message} {error.details.get('upstream_param', '')}"
    wordless = error.status == 422 and not error.words  # the lists of FastAPI's own refusals
    return wordless or _ABOUT_FORMAT.search(told) is not None


async def _whole(response: HttpResponse) -> bytes:
    pieces: list[bytes] = []
    while piece := await response.read():
        pieces.append(piece)
    return b"".join(pieces)

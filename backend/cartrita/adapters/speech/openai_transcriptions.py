"""Transcriptions by a server with OpenAI's audio API, with as much as it tells."""

import re
import secrets
from collections.abc import Iterator
from typing import Final

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech.openai_server import KnownOfServer, ModelServer
from cartrita.dialects.openai_audio import form_rendering, transcript_parsing
from cartrita.dialects.openai_audio.transcription_types import (
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.speech import Recording, Transcript, TranscriptionOptions
from cartrita.kit.long_work import run_long

_PATH: Final = "/audio/transcriptions"
_TEXT_ONLY: Final = re.compile(r"(^|/)gpt-(\w+-)*transcribe")
"""OpenAI's own models that answer in `json` only."""
_ABOUT_FORMAT: Final = re.compile(r"response_format|granularit|verbose_json|timestamp", re.I)
_WORDS: Final = "words"
_TIMES: Final = "times"


class OpenAITranscriptions:
    """Asks for words with times, else for segments, else for text, and knows it the next time."""

    def __init__(self, server: ModelServer, known: KnownOfServer, patience: float) -> None:
        self._server = server
        self._known = known
        self._patience = patience

    async def transcribe(
        self, recording: Recording, model: str, options: TranscriptionOptions
    ) -> Transcript:
        """What is said in a recording, by this model. Raises UpstreamError."""
        refused: list[str] = []
        for asked in self._askings(model):
            form = _form(model, options, asked)
            try:
                body = await self._ask(form, recording)
            except UpstreamRejected as error:
                if not asked or not _is_about_format(error):
                    raise
                refused.append(asked)
                continue
            for each in refused:
                self._known.refused.add((model, each))
            return await run_long(
                len(body),
                transcript_parsing.parse,
                body,
                recording,
                provider=self._server.name,
                model=model,
            )
        raise AssertionError("text is asked for at last, and answered or raised")

    def _askings(self, model: str) -> Iterator[str]:
        """What may be asked for, the most first; text alone is asked for by the empty word."""
        for asked in () if _TEXT_ONLY.search(model) else (_WORDS, _TIMES):
            if (model, asked) not in self._known.refused:
                yield asked
        yield ""

    async def _ask(self, form: TranscriptionForm, recording: Recording) -> bytes:
        body = form_rendering.render(
            form, recording.data, recording.media_type, secrets.token_hex(16)
        )
        opened = self._server.post(_PATH, body.body, body.content_type, patience=self._patience)
        async with opened as response:
            return await _whole(response)


def _form(model: str, options: TranscriptionOptions, asked: str) -> TranscriptionForm:
    both = (Granularity.WORD, Granularity.SEGMENT)
    return TranscriptionForm(
        model=model,
        language=options.language,
        prompt=options.prompt,
        temperature=options.temperature,
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

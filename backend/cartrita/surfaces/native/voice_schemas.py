"""Schemas of speech: what was said, what answers it, and what can be used."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from cartrita.application.voice.engines import EMBEDDED
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.domain.speech import SpeechModel, Transcript, least_need
from cartrita.surfaces.native.schemas import ChatResponse


class VoiceWord(BaseModel):
    """One word, and when it was said, in seconds from the beginning."""

    word: str
    start: float
    end: float
    confidence: float | None = Field(description="How sure it is, 0 to 1.")


class VoiceSegment(BaseModel):
    """A stretch of speech, as a subtitle shows it."""

    text: str
    start: float
    end: float


class TranscriptionResponse(BaseModel):
    """What was said; without speech the text is empty."""

    transcription: str
    text: str = Field(description="The same.")
    confidence: float | None = Field(description="0 to 1; null where the transcriber tells none.")
    duration: float = Field(description="Of the recording, in seconds.")
    language: str | None
    words: list[VoiceWord] = Field(description="None where the transcriber tells none.")
    segments: list[VoiceSegment]
    provider: str = Field(description="Which transcribed.", examples=["deepgram"])
    model: str = Field(examples=["nova-3"])

    @classmethod
    def of(cls, transcript: Transcript) -> "TranscriptionResponse":
        return cls(
            transcription=transcript.text,
            text=transcript.text,
            confidence=transcript.confidence,
            duration=transcript.duration,
            language=transcript.language,
            words=public_words(transcript),
            segments=[
                VoiceSegment(text=one.text, start=one.start, end=one.end)
                for one in transcript.segments
            ],
            provider=transcript.provider,
            model=transcript.model,
        )


class SpeechError(BaseModel):
    """Why an answer could not be spoken."""

    code: str
    error: str = Field(description="A sentence.")


class SpokenReply(NamedTuple):
    """A complete answer, and where it can be heard, or why it cannot."""

    answer: ChatResponse
    audio_url: str | None = None
    speech_error: SpeechError | None = None


class VoiceInputResponse(BaseModel):
    """What was said, and the answer to it; silence has none."""

    transcription: str
    confidence: float | None = Field(description="0 to 1; null where the transcriber tells none.")
    duration: float = Field(description="Of the recording, in seconds.")
    language: str | None
    words: list[VoiceWord]
    response: str | None = Field(default=None, description="The answer.")
    conversation_id: str | None = Field(default=None, description="Where both are.")
    message_id: str | None = Field(default=None, description="The message that is the answer.")
    run_id: str | None = Field(default=None, description="The run that answered.")
    audio_url: str | None = Field(default=None, description="Where the spoken answer is.")
    speech_error: SpeechError | None = None
    processing_time: float = Field(description="Seconds.")

    @classmethod
    def of(
        cls, transcript: Transcript, seconds: float, reply: SpokenReply | None = None
    ) -> "VoiceInputResponse":
        answer = None if reply is None else reply.answer
        return cls(
            transcription=transcript.text,
            confidence=transcript.confidence,
            duration=transcript.duration,
            language=transcript.language,
            words=public_words(transcript),
            response=None if answer is None else answer.response,
            conversation_id=None if answer is None else answer.conversation_id,
            message_id=None if answer is None else answer.message_id,
            run_id=None if answer is None else answer.run_id,
            audio_url=None if reply is None else reply.audio_url,
            speech_error=None if reply is None else reply.speech_error,
            processing_time=round(seconds, 3),
        )


class SpokenChatResponse(ChatResponse):
    """A complete answer to what was said."""

    transcription: str
    audio_url: str | None = Field(default=None, description="Where the spoken answer is.")
    speech_error: SpeechError | None = None

    @classmethod
    def of_reply(cls, reply: SpokenReply, transcript: Transcript) -> "SpokenChatResponse":
        return cls(
            **dict(reply.answer),
            transcription=transcript.text,
            audio_url=reply.audio_url,
            speech_error=reply.speech_error,
        )


class EngineModelView(BaseModel):
    """A model that transcribes or speaks."""

    name: str = Field(examples=["nova-3"])
    available: bool
    needs: str | None = Field(description="What to install or to set before it can be used.")
    live: bool = Field(description="Whether `/ws/voice` uses it as it comes.")
    label: str = Field(description="What to expect of it.")
    languages: list[str] = Field(description="Empty where it decides itself.")
    voices: list[str]
    formats: list[str]

    @classmethod
    def of(cls, model: SpeechModel, *, usable: bool) -> "EngineModelView":
        return cls(
            name=model.name,
            available=usable and model.needs is None,
            needs=model.needs,
            live=model.live,
            label=model.label,
            languages=[*model.languages],
            voices=[*model.voices],
            formats=[one.value for one in model.formats],
        )


class EngineView(BaseModel):
    """A provider of speech, with its models: the preferred first."""

    name: str = Field(examples=["deepgram"])
    kind: Literal["remote", "embedded"]
    available: bool
    needs: str | None = Field(description="What to set or install before it can be used.")
    models: list[EngineModelView]

    @classmethod
    def of(
        cls,
        service: Transcriber | SpeechSynthesizer,
        offered: Sequence[SpeechModel],
        *,
        usable: bool,
    ) -> "EngineView":
        models = [EngineModelView.of(one, usable=usable) for one in offered]
        available = usable and (not models or any(one.available for one in models))
        needs = None
        if not usable:
            needs = f"Set {service.name.upper()}_API_KEY, or store a key of your own."
        elif not available:
            needs = least_need(offered)
        return cls(
            name=service.name,
            kind="embedded" if service.name == EMBEDDED else "remote",
            available=available,
            needs=needs,
            models=models,
        )


class VoiceView(BaseModel):
    """What can be used for speech, the preferred first."""

    transcribers: list[EngineView]
    synthesizers: list[EngineView]


def public_words(transcript: Transcript) -> list[VoiceWord]:
    """The words with their times."""
    return [
        VoiceWord(word=one.text, start=one.start, end=one.end, confidence=one.confidence)
        for one in transcript.words
    ]

"""Forms with recordings: their fields, how they are read, and how openapi.json describes them."""

import hashlib
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from pydantic import Field

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.voice.spoken_messages import SaidRecording
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.messages import Message
from cartrita.domain.speech import (
    LONGEST_SPEECH,
    AudioFormat,
    SpeechRequest,
    TranscriptionOptions,
)
from cartrita.kit.long_work import run_long
from cartrita.surfaces.native.chat_requests import MAX_MESSAGE, Id
from cartrita.surfaces.native.request_bodies import RequestModel, validated
from cartrita.surfaces.recorded_forms import received_recording
from cartrita.surfaces.services import SurfaceConfig

F = TypeVar("F", bound="TranscriptionForm")

_ABSENT: Final = frozenset({"", "null", "undefined"})
"""What frontends send in a form for a value that they do not have."""
Language = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Za-z0-9-]{1,35}$",
        description="What is spoken, as `en` or `pt-BR`; else it is recognised, or English.",
    ),
]
Engine = Annotated[Id, Field(description="`provider` or `provider/model`; see `GET /api/voice`.")]
Voice = Annotated[Id, Field(description="In which voice it speaks.")]
Speed = Annotated[float, Field(ge=0.25, le=4, description="1 is its usual one.")]


class TranscriptionForm(RequestModel):
    """A recording to be transcribed."""

    language: Language = None
    transcriber: Engine = None
    prompt: Annotated[
        str | None, Field(max_length=4000, description="Words that are likely to be said.")
    ] = None

    @property
    def options(self) -> TranscriptionOptions:
        """How it is transcribed."""
        return TranscriptionOptions(language=self.language, prompt=self.prompt)


class SpokenMessageForm(TranscriptionForm):
    """A recording to be answered."""

    conversation_id: Annotated[
        Id, Field(description="The conversation to go on with; without it one is made.")
    ] = None
    client_msg_id: Annotated[
        Id, Field(description="Makes this message one, however often it is sent.")
    ] = None
    provider: Annotated[Id, Field(description="The provider of the model that answers.")] = None
    model: Annotated[Id, Field(description="Which answers.")] = None
    agent_override: Annotated[Id, Field(description="The agent that answers.")] = None
    system: Annotated[str | None, Field(max_length=MAX_MESSAGE)] = None
    approval: Annotated[
        ApprovalPolicy | None,
        Field(description="Which calls of tools a person decides on; it can only be tightened."),
    ] = None
    speak: Annotated[bool, Field(description="Whether the answer is spoken, too.")] = False
    synthesizer: Engine = None
    voice: Voice = None
    format: Annotated[
        Literal["mp3", "wav", "opus", "flac", "aac"] | None,
        Field(description="Of the spoken answer; without it mp3 where that can be made, else wav."),
    ] = None
    speed: Speed = 1.0

    def to_command(self, message: Message) -> ChatCommand:
        """The application's command that sends what was said."""
        return ChatCommand(
            message=message,
            conversation_id=self.conversation_id,
            client_msg_id=self.client_msg_id,
            provider=self.provider,
            model=self.model,
            agent=self.agent_override,
            instructions=self.system,
            approval=self.approval,
        )

    def speech_of(self, text: str) -> SpeechRequest:
        """How an answer is spoken."""
        format_ = None if self.format is None else AudioFormat(self.format)
        return SpeechRequest(text=text, voice=self.voice, format=format_, speed=self.speed)


class VoiceInputForm(SpokenMessageForm):
    """A recording to be transcribed, and to be answered unless that is not wanted."""

    respond: Annotated[bool, Field(description="Whether what was said is answered.")] = True


class SpokenChatForm(SpokenMessageForm):
    """A recording to be answered as a message is."""

    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False


class SpeakRequest(RequestModel):
    """A text to be spoken."""

    text: Annotated[
        str, Field(min_length=1, max_length=LONGEST_SPEECH, pattern=r"\S", examples=["Hello!"])
    ]
    voice: Voice = None
    format: Annotated[
        Literal["mp3", "wav", "opus", "pcm", "flac", "aac"] | None,
        Field(description="Without it mp3 where that can be made, else wav."),
    ] = None
    speed: Speed = 1.0
    synthesizer: Engine = None

    @property
    def speech(self) -> SpeechRequest:
        """The application's request for it."""
        format_ = None if self.format is None else AudioFormat(self.format)
        return SpeechRequest(text=self.text, voice=self.voice, format=format_, speed=self.speed)


async def received(
    request: Request, config: SurfaceConfig, model: type[F]
) -> tuple[SaidRecording, F]:
    """The recording in the field `audio` of a form, and the form's other fields.

    Raises InvalidInput, TooLarge, Malformed and UnsupportedMedia.
    """
    form = await received_recording(request, "audio", config.recording_max_bytes)
    given = {name: value for name, value in form.fields if value not in _ABSENT}
    fields = validated(model, given)
    sha256 = await run_long(len(form.data), _sha256, form.data)
    said = SaidRecording(form.data, form.file_name, sha256, fields.options, fields.transcriber)
    return said, fields


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def form_of(model: type[TranscriptionForm]) -> dict[str, Any]:
    """How openapi.json describes a form of this model."""
    described = model.model_json_schema()
    named = described.get("$defs", {})
    schema = {
        "type": "object",
        "required": ["audio"],
        "properties": {
            "audio": {"type": "string", "format": "binary", "description": "What was said."},
            **{name: _field(each, named) for name, each in described["properties"].items()},
        },
    }
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body}


def _field(described: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """A field of a form, in which there is no null: what is absent is left out.

    One of a type with a name of its own, among the `named`, has that one's schema.
    """
    found = {name: value for name, value in described.items() if name not in ("title", "anyOf")}
    kinds = [each for each in described.get("anyOf", []) if each.get("type") != "null"]
    for kind in kinds[:1]:
        values = named[kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
        found = {name: values[name] for name in values if name != "title"} | found
    if found.get("default", ...) is None:
        del found["default"]
    return found

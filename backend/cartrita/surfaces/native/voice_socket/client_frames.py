"""Frames that clients send on `/ws/voice` beside the audio."""

from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.runs import BusyPolicy
from cartrita.surfaces.native.chat_requests import MAX_MESSAGE, Id
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.websocket.client_frames import (
    SHARED_FRAMES,
    FrameModels,
    ResumeFrame,
    Seq,
)


def _empty_to_none(value: object) -> object:
    return None if value == "" else value


class StartFrame(RequestModel):
    """Begins to listen, to audio in the binary frames after it; a second one begins anew."""

    type: Literal["start"]
    encoding: Annotated[
        Literal["linear16"], Field(description="Signed 16-bit little-endian samples.")
    ] = "linear16"
    sample_rate: Annotated[
        int, Field(ge=8000, le=48_000, description="Samples a second.", examples=[16_000])
    ]
    channels: Annotated[int, Field(ge=1, le=2, description="Interleaved.")] = 1
    conversation_id: Annotated[
        Id, Field(description="The conversation to continue; without it one is made.")
    ] = None
    provider: Annotated[Id, Field(description="Who answers; without it the assistant chooses.")] = (
        None
    )
    model: Annotated[Id, Field(description="Which model answers.")] = None
    agent_override: Annotated[Id, Field(description="The agent that answers.")] = None
    system: Annotated[
        str | None, Field(max_length=MAX_MESSAGE), BeforeValidator(_empty_to_none)
    ] = None
    language: Annotated[
        Id, Field(description="What is spoken, as a BCP 47 tag; without it it is found out.")
    ] = None
    transcriber: Annotated[
        Id, Field(description="What writes down what is said: a provider, or provider/model.")
    ] = None
    respond: Annotated[bool, Field(description="Answer each turn.")] = True
    speak: Annotated[bool, Field(description="Speak the answers.")] = True
    synthesizer: Annotated[Id, Field(description="What speaks: a provider, or provider/model.")] = (
        None
    )
    voice: Annotated[Id, Field(description="In which voice.")] = None
    speech_format: Annotated[
        Literal["pcm", "wav", "mp3", "opus"], Field(description="How the speech is encoded.")
    ] = "pcm"
    turns_end: Annotated[
        Literal["with_pause", "when_asked"],
        Field(description="Whether a pause ends a turn, or only `end_turn`, as with a button."),
    ] = "with_pause"
    interim: Annotated[bool, Field(description="Send transcripts that may still change.")] = True
    on_barge_in: Annotated[
        Literal["stop_speaking", "cancel", "ignore"],
        Field(
            description="What happens when somebody speaks while an answer is spoken: it is spoken "
            "no more, or cancelled too, or spoken on."
        ),
    ] = "stop_speaking"
    approval: Annotated[
        ApprovalPolicy | None,
        Field(description="Which calls of tools a person decides on; it can only be tightened."),
    ] = None
    busy: Annotated[
        BusyPolicy | None,
        Field(
            description="What to do with a turn while the last answer is being written; without it"
            " the server's setting counts."
        ),
    ] = None


class EndTurnFrame(RequestModel):
    """Ends a turn at once, as where a button is released."""

    type: Literal["end_turn"]


class StopSpeakingFrame(RequestModel):
    """Has answers be spoken no more that are spoken, or wait to be."""

    type: Literal["stop_speaking"]


class StopFrame(RequestModel):
    """Ends the listening: no more audio comes. What was said before is still answered."""

    type: Literal["stop"]


class VoiceResumeFrame(ResumeFrame):
    """Asks for the rest of a run, and for the rest of its speech once `start` has asked for any."""

    from_sentence: Annotated[
        Seq, Field(description="The first sentence that was not heard whole.")
    ] = 0


FRAMES: Final[FrameModels] = MappingProxyType(
    {
        **SHARED_FRAMES,
        "resume": VoiceResumeFrame,
        "start": StartFrame,
        "end_turn": EndTurnFrame,
        "stop_speaking": StopSpeakingFrame,
        "stop": StopFrame,
    }
)

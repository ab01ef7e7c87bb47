"""What a client asks of a live conversation, and what the server grants to each."""

from enum import StrEnum

import msgspec

from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.runs import BusyPolicy
from cartrita.domain.speech import AudioFormat, PcmFormat


class BargeIn(StrEnum):
    """What happens when somebody speaks while an answer is spoken."""

    STOP_SPEAKING = "stop_speaking"
    CANCEL = "cancel"
    IGNORE = "ignore"


class LiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a client begins to listen with; None leaves it to the server.

    Names are as callers send them. Turns end with a pause, or, where they are not `hands_free`,
    when the client says so.
    """

    audio: PcmFormat
    conversation_id: str | None = None
    provider: str | None = None
    model: str | None = None
    agent: str | None = None
    instructions: str | None = None
    language: str | None = None
    transcriber: str | None = None
    respond: bool = True
    speak: bool = True
    synthesizer: str | None = None
    voice: str | None = None
    format: AudioFormat = AudioFormat.PCM
    interim: bool = True
    hands_free: bool = True
    on_barge_in: BargeIn = BargeIn.STOP_SPEAKING
    approval: ApprovalPolicy | None = None
    busy: BusyPolicy | None = None


class LiveBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of live conversations; times are in seconds.

    A frame of audio has at most `frame_bytes`. Audio waits for the transcriber for at most
    `audio_wait_s`, and `audio_kept_s` of it at most are heard again by a transcriber that takes the
    place of another. Speech is sent at most `ahead_s` before it is heard. When the server is about
    to stop, final words take at most `final_words_s`. Nothing is listened to when no
    audio comes for `audio_idle_s`, or nobody speaks in `silence_s` of it. Sound without words yet
    is a barge-in after `barge_in_s`. A turn has at most `turn_characters`. What is heard and what
    is spoken is paid for in stretches of `metered_s`.
    """

    frame_bytes: int = 64 << 10
    audio_wait_s: float = 10.0
    audio_kept_s: float = 30.0
    audio_idle_s: float = 300.0
    silence_s: float = 300.0
    barge_in_s: float = 0.3
    final_words_s: float = 2.0
    ahead_s: float = 2.0
    turn_characters: int = 32_000
    metered_s: float = 60.0

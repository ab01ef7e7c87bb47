"""Settings of speech: what transcribes recordings, what speaks, and what they may take."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

from cartrita.settings.errors import display_value
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import FilePath, Texts

_ENGINE: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(/\S+)?")


def _require_engines(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _ENGINE.fullmatch(value):
            raise ValueError(f"{display_value(value)} is neither provider nor provider/model")
    return tuple(dict.fromkeys(values))


Engines: TypeAlias = Annotated[Texts, AfterValidator(_require_engines)]


class Voice(Group):
    """Speech: what is said to the assistant, and what it says."""

    transcribers: Annotated[
        Engines,
        Setting(
            "What transcribes, the preferred first: where one cannot be reached, is used up or "
            "cannot do what is asked, the next is asked.",
            value="provider or provider/model, separated by commas",
            example="deepgram/nova-3,embedded",
            default="deepgram and openai where they have a key, then what is installed here",
        ),
    ] = ()
    synthesizers: Annotated[
        Engines,
        Setting(
            "What speaks, the preferred first, in the same way.",
            value="provider or provider/model, separated by commas",
            example="deepgram,embedded/flite",
            default="deepgram and openai where they have a key, then what is installed here",
        ),
    ] = ()
    keep_recordings: Annotated[
        bool,
        Setting("Whether recordings that are answered are kept, as files of their conversation."),
    ] = True
    recording_max_bytes: Annotated[
        int, Field(ge=1024, le=1 << 32), Setting("The largest recording.")
    ] = 25 << 20
    recording_max_s: Annotated[float, Field(ge=1, le=86_400), Setting("The longest recording.")] = (
        3600.0
    )
    transcription_timeout_s: Annotated[
        float, Field(ge=0.1, le=3600), Setting("How long one recording may take to be transcribed.")
    ] = 300.0
    transcription_pace: Annotated[
        float,
        Field(ge=0, le=100),
        Setting(
            "How many seconds an engine of this machine may take for each of a recording, where "
            "that is more than the time above.",
            value="a number from 0 to 100",
        ),
    ] = 2.0
    speech_timeout_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting("How long it may take until speech begins, and between its pieces."),
    ] = 60.0
    unheard_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting(
            "How long a piece of speech may wait for whoever asked for it over HTTP; then the "
            "speech ends and the connection is cut."
        ),
    ] = 60.0
    unheard_pace: Annotated[
        float,
        Field(ge=1, le=100),
        Setting(
            "How many seconds the pieces of one speech may wait in all for each that it lasts, at "
            "15 small letters or 3 other characters a second, beyond the time above; then it ends "
            "in the same way.",
            value="a number from 1 to 100",
        ),
    ] = 2.0
    embedded_text_max: Annotated[
        int,
        Field(ge=100, le=32_000),
        Setting(
            "The longest text that this machine speaks by itself, in characters; a longer one is "
            "left to others, or refused."
        ),
    ] = 10_000
    engines_max: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Setting(
            "The most programs that transcribe, speak or decode on this machine at once, in each "
            "worker.",
            value="a whole number",
            default="as many as there are processors",
        ),
    ] = None
    encoders_max: Annotated[
        int,
        Field(ge=1, le=1024),
        Setting(
            "The most speeches of this machine that ffmpeg encodes at once, in each worker; each "
            "takes some 50 MB for as long as it is listened to."
        ),
    ] = 16
    encoders_per_owner: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Setting(
            "How many of them one owner has at most; whose share is taken waits, or is told that "
            "the server is busy, and nobody else.",
            value="a whole number",
            default="half of them",
        ),
    ] = None
    listeners_max: Annotated[
        int,
        Field(ge=1, le=1024),
        Setting(
            "The most live conversations to which engines of this machine listen at once, in each "
            "worker; each takes some 200 MB. Others are refused at once."
        ),
    ] = 4
    frame_max_bytes: Annotated[
        int, Field(ge=64, le=1 << 20), Setting("The longest frame of audio on /ws/voice.")
    ] = 64 << 10
    frames_per_s: Annotated[
        float,
        Field(ge=1, le=100_000),
        Setting(
            "How many frames a client of /ws/voice may send in a second, counted as those of "
            "/ws/chat are.",
            value="a number from 1 to 100000",
        ),
    ] = 150.0
    audio_wait_s: Annotated[
        float,
        Field(ge=0.1, le=600),
        Setting("How much live audio may wait for what transcribes it; beyond it listening ends."),
    ] = 10.0
    audio_idle_s: Annotated[
        float,
        Field(ge=0.1, le=86_400),
        Setting("How long a live conversation listens although no audio comes."),
    ] = 300.0
    silence_s: Annotated[
        float,
        Field(ge=0.1, le=86_400),
        Setting("How long it listens although nobody speaks."),
    ] = 300.0
    barge_in_ms: Annotated[
        int,
        Field(ge=0, le=10_000),
        Setting("How long sound without words has to last to interrupt an answer that is spoken."),
    ] = 300
    final_words_s: Annotated[
        float,
        Field(ge=0.1, le=60),
        Setting("How long the last words of a turn may take when the server is about to stop."),
    ] = 2.0
    speech_ahead_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting("How far speech is sent ahead of what the listener can have heard."),
    ] = 2.0
    metered_every_s: Annotated[
        float,
        Field(ge=1, le=3600),
        Setting(
            "How much live audio, and how much speech of live answers, is paid for at once: so "
            "much is reserved of budgets ahead, and so much is lost where the server is killed."
        ),
    ] = 60.0
    engine_memory_bytes: Annotated[
        int,
        Field(ge=512 << 20, le=1 << 40),
        Setting("How much memory one engine that transcribes may take, its model included."),
    ] = 4 << 30
    faster_whisper_model: Annotated[
        FilePath | None,
        Setting(
            "The directory of a model for faster-whisper, in the form of CTranslate2.",
            value="a path",
            default="none: faster-whisper is not used",
        ),
    ] = None
    sherpa_onnx_model: Annotated[
        FilePath | None,
        Setting(
            "The directory of a transducer or whisper model for sherpa-onnx.",
            value="a path",
            default="none: sherpa-onnx is not used",
        ),
    ] = None
    piper_voice: Annotated[
        FilePath | None,
        Setting(
            "The .onnx file of a voice for piper, with its .json beside it.",
            value="a path",
            default="none: piper is not used",
        ),
    ] = None

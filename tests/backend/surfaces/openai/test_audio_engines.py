"""What models and voices are called in OpenAI's API, and who is asked for them."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from cartrita.application.voice.engines import Engines
from cartrita.domain.errors import (
    CartritaError,
    InvalidInput,
    NotFound,
    NotOffered,
    TooLarge,
    Unavailable,
)
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.recordings import empty_recording, recording_too_long
from cartrita.domain.speech import SpeechModel
from cartrita.surfaces.openai.audio_engines import ChosenEngine, chosen_engine, in_openai_words
from cartrita.surfaces.openai.audio_voices import spoken_voice

CALLER = cast("Principal", None)


class Known:
    """A service as far as its name and its models go."""

    def __init__(self, name: str, *models: SpeechModel, usable: bool = True) -> None:
        self.name = name
        self.models = models
        self.usable = usable


class KnownEngines:
    def __init__(self, services: Sequence[Known]) -> None:
        self.services = services

    async def usable(self, principal: Principal, service: Known) -> bool:
        return service.usable


def engines(*, key: bool = True) -> Engines[SpeechSynthesizer]:
    services = [
        Known("deepgram", SpeechModel(name="aura-2", voices=("thalia",))),
        Known("openai", SpeechModel(name="tts-1", voices=("alloy",)), usable=key),
        Known("kokoro"),
        Known("embedded", SpeechModel(name="flite", voices=("rms",))),
    ]
    return cast("Any", KnownEngines(services))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("deepgram", "deepgram"),
        ("deepgram/aura-2", "deepgram/aura-2"),
        ("openai/tts-9", "openai/tts-9"),
        ("cartrita", None),
        ("tts-1", "openai/tts-1"),
        ("tts-1-hd-1106", "openai/tts-1-hd-1106"),
        ("whisper-1", "openai/whisper-1"),
        ("gpt-transcribe", "openai/gpt-transcribe"),
        ("gpt-4o-mini-tts-2025-12-15", "openai/gpt-4o-mini-tts-2025-12-15"),
        ("gpt-4o-transcribe-diarize", "openai/gpt-4o-transcribe-diarize"),
        ("flite", "embedded/flite"),
        ("aura-2", "deepgram/aura-2"),
    ],
)
async def test_names_of_models(model: str, name: str | None) -> None:
    assert await chosen_engine(engines(), CALLER, model) == ChosenEngine(name)


@pytest.mark.parametrize("model", ["tts-9", "gpt-4o", "groq/whisper", "aura", "x" * 500])
async def test_names_of_nothing(model: str) -> None:
    with pytest.raises(NotFound) as told:
        await chosen_engine(engines(), CALLER, model)
    assert told.value.code == "model_not_found"


async def test_what_is_usual_takes_the_place_of_openai_without_a_key() -> None:
    chosen = await chosen_engine(engines(key=False), CALLER, "tts-1")
    assert chosen.name is None
    [receipt] = chosen.receipts
    assert (receipt.field, receipt.kind) == ("model", "approximated")


@pytest.mark.parametrize(
    ("engine", "voice", "name"),
    [
        (ChosenEngine("openai/tts-1"), "alloy", "alloy"),
        (ChosenEngine("openai/tts-1"), "voice_1", "voice_1"),
        (ChosenEngine("deepgram"), "thalia", "thalia"),
        (ChosenEngine("deepgram"), "alloy", None),
        (ChosenEngine("deepgram"), "other", "other"),
        (ChosenEngine("kokoro/82m"), "alloy", "alloy"),
        (ChosenEngine(None), "alloy", "alloy"),
    ],
)
def test_voices(engine: ChosenEngine, voice: str, name: str | None) -> None:
    chosen = spoken_voice(engines(), engine, voice)
    assert chosen.name == name
    assert [receipt.field for receipt in chosen.receipts] == ([] if name else ["voice"])


@pytest.mark.parametrize(
    ("error", "message", "fields"),
    [
        (InvalidInput.of("transcriber", "choose one"), "model: choose one", ["model"]),
        (NotOffered.of("format", "no flac"), "response_format: no flac", ["response_format"]),
        (InvalidInput.of("language", "unknown"), "language: unknown", ["language"]),
        (empty_recording(), "The recording is empty.", ["file"]),
    ],
)
def test_fields_have_the_names_of_openai(
    error: InvalidInput, message: str, fields: list[str]
) -> None:
    told = in_openai_words(error)
    assert isinstance(told, InvalidInput)
    assert (told.message, list(told.fields), told.code) == (message, fields, error.code)


def test_a_recording_that_is_too_long_names_its_field() -> None:
    error = recording_too_long(60)
    assert isinstance(error, TooLarge)
    assert in_openai_words(error).details["param"] == "file"


def test_other_errors_are_left_alone() -> None:
    error: CartritaError = Unavailable("Not now.")
    assert in_openai_words(error) is error

"""Voices in requests for speech: clients of OpenAI's must name one, whoever speaks."""

from typing import Final, NamedTuple

from cartrita.application.voice.engines import Engines
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.receipts import Receipt
from cartrita.surfaces.openai.audio_engines import OPENAI, ChosenEngine

_OF_OPENAI: Final = frozenset(
    {
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx",
        "sage", "shimmer", "verse",
    }
)  # fmt: skip


class ChosenVoice(NamedTuple):
    """A voice, or None for the usual one, and what that approximates."""

    name: str | None
    receipts: tuple[Receipt, ...] = ()


def spoken_voice(
    engines: Engines[SpeechSynthesizer], engine: ChosenEngine, voice: str
) -> ChosenVoice:
    """The voice that an engine is asked for: of OpenAI's, others have their usual one.

    An engine that tells no voices may know it; of the usual engines, one has taken the place of
    OpenAI's model, and none knows its voices.
    """
    if voice not in _OF_OPENAI:
        return ChosenVoice(voice)
    if engine.name is not None:
        provider = engine.name.partition("/")[0]
        models = next(one.models for one in engines.services if one.name == provider)
        voices = {each for model in models for each in model.voices}
        if not voices or voice in voices:
            return ChosenVoice(voice)
    elif not engine.receipts:
        return ChosenVoice(voice)
    why = f"{voice} is a voice of {OPENAI}: the usual one of whoever speaks takes its place."
    return ChosenVoice(None, (Receipt("voice", OPENAI, "cartrita", "approximated", why),))

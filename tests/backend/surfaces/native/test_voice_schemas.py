"""What a provider of speech lacks is told by that of its models which needs the least."""

from tests.backend.application.voice.fakes import FakeTranscriber

from cartrita.domain.speech import SpeechModel
from cartrita.surfaces.native.voice_schemas import EngineView

WHISPER = SpeechModel(name="whisper", needs="Choose a model.", own_model=True)
SPHINX = SpeechModel(name="sphinx", needs="Install it.")


def needs(*models: SpeechModel) -> tuple[bool, str | None]:
    view = EngineView.of(FakeTranscriber("embedded"), models, usable=True)
    return view.available, view.needs


def test_what_is_installed_and_works_is_told_before_what_needs_a_model_too() -> None:
    assert needs(WHISPER, SPHINX) == (False, "Install it.")
    assert needs(WHISPER) == (False, "Choose a model.")


def test_one_that_can_be_used_is_enough() -> None:
    assert needs(WHISPER, SpeechModel(name="sphinx")) == (True, None)

"""OpenAI's endpoints for audio: transcriptions and speech."""

from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai.access import authorize
from tests.harness.fake_provider.openai_audio.speech import speak
from tests.harness.fake_provider.openai_audio.transcriptions import (
    TRANSLATIONS,
    transcribe,
    translate,
)
from tests.harness.fake_provider.steps import Steps

_ANSWERS = {
    "/v1/audio/transcriptions": transcribe,
    TRANSLATIONS: translate,
    "/v1/audio/speech": speak,
}


def answer(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    authorize(call)
    if call.path not in _ANSWERS:
        raise errors.no_such_url(call.request.method, call.path)
    if call.request.method != "POST":
        raise errors.wrong_method(call.request.method, call.path)
    return _ANSWERS[call.path](call)


def request_id_header() -> str:
    return "x-request-id"


def refuse_script(message: str) -> errors.OpenAIRefusal:
    return errors.OpenAIRefusal(message, code="invalid_script")

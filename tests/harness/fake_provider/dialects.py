"""Which dialect a request is in."""

from tests.harness.fake_provider.anthropic_messages import endpoints as anthropic_messages
from tests.harness.fake_provider.dialect import Call, Dialect
from tests.harness.fake_provider.oauth import endpoints as oauth
from tests.harness.fake_provider.openai_audio import endpoints as openai_audio
from tests.harness.fake_provider.openai_chat import endpoints as openai_chat
from tests.harness.fake_provider.openai_responses import endpoints as openai_responses

_MESSAGES = "/v1/messages"
_RESPONSES = "/v1/responses"
_MODELS = "/v1/models"
_AUDIO = "/v1/audio/"


def of(call: Call) -> Dialect:
    """By path; of the models by a header, as a host that speaks several dialects tells them."""
    path = call.path
    if path.startswith("/oauth/"):
        return oauth
    if path == _MESSAGES or path.startswith(f"{_MESSAGES}/"):
        return anthropic_messages
    if path.startswith(_MODELS) and call.request.header("anthropic-version"):
        return anthropic_messages
    if path.startswith(_AUDIO):
        return openai_audio
    if path == _RESPONSES or path.startswith(f"{_RESPONSES}/"):
        return openai_responses
    return openai_chat

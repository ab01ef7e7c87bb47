"""What is rendered for a vendor is what its own SDK could have sent, whatever dialect asked."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import Abilities, conversations, requests
from tests.backend.examples import dialect_examples
from tests.harness.fake_provider.anthropic_messages.words import AnthropicWords
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.openai_responses.items import BEYOND_TYPES
from tests.harness.fake_provider.shape_checks import Shapes

from cartrita.dialects.anthropic_messages import request_rendering as anthropic_messages
from cartrita.dialects.anthropic_messages.models import known_options
from cartrita.dialects.openai_chat import request_rendering as openai_chat
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.dialects.openai_responses import request_rendering as openai_responses
from cartrita.domain.requests import ModelRequest, ReasoningOptions, Sampling

ORIGINS = ("openai_chat", "openai_responses", "anthropic_messages")
SAMPLING = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(16, 10**6),
    stop=st.lists(st.sampled_from(["a", "END"]), max_size=2).map(tuple),
    seed=st.none() | st.integers(0, 9),
    presence_penalty=st.none() | st.floats(-2, 2),
    logit_bias=st.none() | st.dictionaries(st.sampled_from("123"), st.integers(-100, 100)),
    logprobs=st.none() | st.integers(0, 20),
    top_k=st.none() | st.integers(0, 100),
)
EFFORTS = st.none() | st.sampled_from(["low", "medium", "high"])
OTHER_EFFORTS = EFFORTS | st.sampled_from(["none", "minimal", "xhigh"])
MODELS = st.sampled_from(
    ["claude-3-5-sonnet", "claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5-5", "other"]
)


@st.composite
def asked(draw: st.DrawFn, target: str) -> ModelRequest:
    """A request of any dialect; what is sealed is not the target's, so that it is left out.

    An effort that the target does not know cannot have been asked for in its own dialect.
    """
    origin = draw(st.sampled_from(ORIGINS))
    sealed = tuple(each for each in ORIGINS if each != target)
    request = draw(requests(origin, conversations(Abilities(sealed=sealed)), SAMPLING))
    effort = draw(EFFORTS if origin == target else OTHER_EFFORTS)
    return msgspec.structs.replace(request, reasoning=ReasoningOptions(effort))


def fields_of(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body)


CHAT = Shapes("openai_chat", OpenAIWords(), {})
RESPONSES = Shapes("openai_responses", OpenAIWords(), {}, BEYOND_TYPES)
MESSAGES = Shapes("anthropic_messages", AnthropicWords(), {})


@given(asked("openai_chat"), st.booleans())
@dialect_examples
def test_chat_completions(request: ModelRequest, stream: bool) -> None:
    options = ServerOptions(limit_field="max_completion_tokens")
    rendered = openai_chat.render(request, options, stream=stream)
    CHAT.check("CompletionCreateParamsNonStreaming", fields_of(rendered.body))


@given(asked("openai_responses"), st.booleans())
@dialect_examples
def test_responses(request: ModelRequest, stream: bool) -> None:
    rendered = openai_responses.render(request, stream=stream)
    RESPONSES.check("ResponseCreateParamsNonStreaming", fields_of(rendered.body))


@given(asked("anthropic_messages"), MODELS, st.booleans())
@dialect_examples
def test_messages(request: ModelRequest, model: str, stream: bool) -> None:
    rendered = anthropic_messages.render(request, known_options(model), stream=stream)
    fields = fields_of(rendered.body)
    for name in ("temperature", "top_p", "top_k"):  # the SDK has them no more
        fields.pop(name, None)
    MESSAGES.check("MessageCreateParamsNonStreaming", fields)

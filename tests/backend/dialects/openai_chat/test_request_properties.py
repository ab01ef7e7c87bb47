"""A request that is rendered and parsed again is the same request."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import Abilities, conversations, requests
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_chat.request_parsing import parse
from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.domain.messages import Message, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ReasoningOptions, Sampling

ABILITIES = Abilities(sealed=("openai_chat", "openai_chat/google-gemini-v1"))
SAMPLING = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 2, width=32),
    top_p=st.none() | st.floats(0, 1, width=32),
    max_tokens=st.none() | st.integers(1, 10**6),
    stop=st.lists(st.text("abc", min_size=1), max_size=4).map(tuple),
    seed=st.none() | st.integers(-(2**63), 2**63 - 1),
    presence_penalty=st.none() | st.floats(-2, 2, width=32),
    frequency_penalty=st.none() | st.floats(-2, 2, width=32),
    logit_bias=st.none() | st.dictionaries(st.text("123", min_size=1), st.integers(-100, 100)),
    logprobs=st.none() | st.integers(0, 20),
)
EFFORTS = st.none() | st.sampled_from(["minimal", "low", "medium", "high"])


def named(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages with the names of the tools at their results, where parsing puts them."""
    names = {
        part.call_id: part.name
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCall)
    }
    return tuple(
        Message(
            message.role,
            tuple(
                msgspec.structs.replace(part, name=names[part.call_id])
                if isinstance(part, ToolResult)
                else part
                for part in message.parts
            ),
        )
        for message in messages
    )


@dialect_examples
@given(requests("openai_chat", conversations(ABILITIES), SAMPLING), EFFORTS, st.booleans())
def test_a_request_survives(request: ModelRequest, effort: str | None, stream: bool) -> None:
    request = msgspec.structs.replace(
        request, reasoning=ReasoningOptions(effort), messages=named(request.messages)
    )
    rendered = render(request, ServerOptions(), stream=stream)
    body = msgspec.json.decode(rendered.body)
    assert parse(body, "owner").request == request
    assert body.get("stream", False) is stream
    assert rendered.receipts == ()

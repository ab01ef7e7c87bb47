"""One tiny call of an endpoint of a provider, for connection tests, in each dialect."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from cartrita.dialects.anthropic_messages import probes as messages_probes
from cartrita.dialects.anthropic_messages import stream_parsing as messages_parsing
from cartrita.dialects.openai_chat import probes as chat_probes
from cartrita.dialects.openai_chat import stream_parsing as chat_parsing
from cartrita.dialects.openai_responses import probes as responses_probes
from cartrita.dialects.openai_responses import stream_parsing as responses_parsing
from cartrita.dialects.stream_parsers import CreateParser, ParseCompletion
from cartrita.domain.deltas import Delta, TextDelta
from cartrita.domain.ports.providers import RelayProvider
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.kit import sse

PROMPT = "Reply with the word OK."
_MAX_BYTES = 1 << 20


class RenderProbe(Protocol):
    """Writes the smallest request of a dialect."""

    def __call__(self, model: str, prompt: str, *, stream: bool) -> bytes: ...


class CheckedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How an endpoint is called, and its answers are read."""

    endpoint: Endpoint
    render_probe: RenderProbe
    create_parser: CreateParser
    parse_completion: ParseCompletion


CHECKED_ENDPOINTS: Mapping[str, CheckedEndpoint] = MappingProxyType(
    {
        "openai_chat": CheckedEndpoint(
            endpoint=Endpoint.CHAT_COMPLETIONS,
            render_probe=chat_probes.render_probe,
            create_parser=chat_parsing.StreamParser,
            parse_completion=chat_parsing.parse_completion,
        ),
        "openai_responses": CheckedEndpoint(
            endpoint=Endpoint.RESPONSES,
            render_probe=responses_probes.render_probe,
            create_parser=responses_parsing.StreamParser,
            parse_completion=responses_parsing.parse_completion,
        ),
        "anthropic_messages": CheckedEndpoint(
            endpoint=Endpoint.MESSAGES,
            render_probe=messages_probes.render_probe,
            create_parser=messages_parsing.StreamParser,
            parse_completion=messages_parsing.parse_completion,
        ),
    }
)
"""The endpoint of each dialect that a comprehensive test calls."""


async def call_endpoint(
    provider: RelayProvider, checked: CheckedEndpoint, model: str, *, streamed: bool
) -> str:
    """What the model said. Raises UpstreamError if that is no whole answer of the dialect."""
    body = checked.render_probe(model, PROMPT, stream=streamed)
    request = RelayRequest(endpoint=checked.endpoint, model=model, body=body)
    received = b""
    async with provider.relay(request) as response:
        while len(received) < _MAX_BYTES and (piece := await response.read()):
            received += piece
    if not streamed:
        return _text(checked.parse_completion(provider.name, received, ()))
    parser = checked.create_parser(provider.name, ())
    frames = sse.Parser(max_line=_MAX_BYTES).feed(received)
    deltas = [delta for frame in frames for delta in parser.feed(frame.data, frame.event)]
    return _text([*deltas, *parser.end()])


def _text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))

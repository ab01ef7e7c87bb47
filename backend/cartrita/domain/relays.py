"""Relays: requests that are passed on to a provider of the same dialect as they came."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.deltas import Delta
from cartrita.domain.usage import Usage

Estimate: TypeAlias = Callable[[Usage | None, Sequence[Delta]], Usage]
"""The whole usage of an answer of these deltas, of which its provider has reported so much."""


class Endpoint(StrEnum):
    """The endpoints of providers that requests can be relayed to."""

    CHAT_COMPLETIONS = "chat_completions"
    RESPONSES = "responses"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"


DIALECTS = {
    Endpoint.CHAT_COMPLETIONS: "openai_chat",
    Endpoint.EMBEDDINGS: "openai_chat",
    Endpoint.RESPONSES: "openai_responses",
    Endpoint.MESSAGES: "anthropic_messages",
    Endpoint.COUNT_TOKENS: "anthropic_messages",
}
"""The dialect of each endpoint: the name of its folder in `cartrita.dialects`."""


CALLERS_HEADERS = frozenset(
    {"anthropic-beta", "anthropic-version", "openai-beta", "x-client-request-id"}
)
"""The headers of callers that providers get: none that is a credential, that chooses whose account
pays, or that is about a request here, as an Idempotency-Key is, which another caller may have."""


class ModelNames(msgspec.Struct, frozen=True):
    """A model's name as its caller asked for it, and as it was sent to its provider instead."""

    asked: str
    sent: str

    def told(self, answered: str) -> str:
        """What a caller is told, where the provider answers with this name."""
        return self.asked if answered == self.sent else answered


class RelayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for one endpoint of a provider.

    `body` is complete: its model is the provider's own name, which `model` repeats for deadlines.
    `headers` are the caller's that may be passed on, with lower-case names; credentials are never
    among them.
    """

    endpoint: Endpoint
    model: str
    body: bytes
    headers: Mapping[str, str] = {}

"""The port of token counting, for where no provider reports a count."""

from typing import Protocol

import msgspec

from cartrita.domain.requests import ModelRequest


class TokenCount(msgspec.Struct, frozen=True):
    """A number of tokens; the true one is within `error_bound` of it, as a fraction of it."""

    tokens: int
    error_bound: float


class TokenCounter(Protocol):
    """Counts tokens as a model would, as nearly as that can be known. Never answers 0."""

    def count_text(self, model: str, text: str) -> TokenCount:
        """The tokens of a text; 0 only for an empty one."""
        ...

    def count_request(self, request: ModelRequest) -> TokenCount:
        """The input tokens of a request; at least 1."""
        ...

"""Small values that both event frames and response bodies hold: written once, encoded by both."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, Part, Reasoning
from cartrita.domain.usage import Usage


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of the prompt and of the answer; `estimated` where the provider did not count."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool

    @classmethod
    def of(cls, usage: Usage) -> "TokenUsage":
        return cls(usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.estimated)


@dataclass(frozen=True, slots=True)
class Source:
    """What a passage of the answer rests on; `index` is the n of its `[n]` mark."""

    title: str
    url: str | None
    snippet: str | None
    index: int

    @classmethod
    def of(cls, citation: Citation) -> "Source":
        return cls(citation.title, citation.url, citation.snippet, citation.index)


def sources(citations: Sequence[Citation]) -> list[Source]:
    """Citations as clients see them."""
    return [Source.of(citation) for citation in citations]


def parts(of: Sequence[Part]) -> list[JsonObject]:
    """Parts as clients see them: a vendor's signature is of no use to them."""
    return [msgspec.to_builtins(_unsigned(part)) for part in of]


def _unsigned(part: Part) -> Part:
    if isinstance(part, Reasoning):
        return msgspec.structs.replace(part, signature=None, origin=None)
    return part

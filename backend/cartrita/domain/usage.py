"""Usage of model calls."""

from typing import Final

import msgspec

MOST_TOKENS: Final = 1 << 53
"""The largest count that is believed: JSON's readers hold it exactly, and the ledger its sums."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one or more model calls used: tokens, and what a provider sells beside them.

    Totals are inclusive: `input_tokens` contains the cache tokens and those of audio and images,
    `output_tokens` the reasoning tokens and the same. Dialects convert from what their vendor
    means. `cache_write_1h_tokens` are those of the cache writes that are kept longer, and cost
    more: an hour at Anthropic, twelve at OpenAI. `estimated` is true where any part was counted by
    us and not reported by the provider; the true number is then within `error_bound` of ours, as a
    fraction of it. `web_searches`, `file_searches`, `code_sessions` and `images` are what the
    provider's own tools did.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0
    estimated: bool = False
    error_bound: float = 0.0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    web_searches: int = 0
    file_searches: int = 0
    code_sessions: int = 0
    images: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def whole(self) -> bool:
        """Whether the tokens of both input and output are there."""
        return bool(self.input_tokens and self.output_tokens)

    @property
    def estimate(self) -> str | None:
        """That it is one, as callers are told: `estimated;bound=0.35`. None where it is exact."""
        return f"estimated;bound={self.error_bound:g}" if self.estimated else None

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.estimated or other.estimated,
            max(self.error_bound, other.error_bound),
            self.audio_input_tokens + other.audio_input_tokens,
            self.audio_output_tokens + other.audio_output_tokens,
            self.image_input_tokens + other.image_input_tokens,
            self.image_output_tokens + other.image_output_tokens,
            self.web_searches + other.web_searches,
            self.file_searches + other.file_searches,
            self.code_sessions + other.code_sessions,
            self.images + other.images,
        )


NOTHING_USED: Final = Usage()


def reported_tokens(count: int | None) -> int:
    """A count as a provider reports it; 0, as of one that reports none, if it cannot be true."""
    return count if count is not None and 0 <= count <= MOST_TOKENS else 0

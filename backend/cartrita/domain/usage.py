"""Token usage of model calls."""

from typing import Final

import msgspec

MOST_TOKENS: Final = 1 << 53
"""The largest count that is believed: JSON's readers hold it exactly, and the ledger its sums."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token counts of one or more model calls.

    Totals are inclusive: `input_tokens` contains the cache tokens, `output_tokens` the reasoning
    tokens. Dialects convert from what their vendor means. `cache_write_1h_tokens` are those of the
    cache writes that are kept for an hour, which cost more. `estimated` is true where any part was
    counted by us and not reported by the provider; the true number is then within `error_bound` of
    ours, as a fraction of it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0
    estimated: bool = False
    error_bound: float = 0.0

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
        )


def reported_tokens(count: int | None) -> int:
    """A count as a provider reports it; 0, as of one that reports none, if it cannot be true."""
    return count if count is not None and 0 <= count <= MOST_TOKENS else 0

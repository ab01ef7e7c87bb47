"""Classes of tokens, which are counted and priced apart: no token is of two."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from cartrita.domain.usage import Usage


class TokenClass(StrEnum):
    """What a token was: `INPUT` and `OUTPUT` are those of none of the other classes."""

    INPUT = "input"
    AUDIO_INPUT = "audio_input"
    IMAGE_INPUT = "image_input"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    OUTPUT = "output"
    REASONING = "reasoning"
    AUDIO_OUTPUT = "audio_output"
    IMAGE_OUTPUT = "image_output"


TokensByClass: TypeAlias = Mapping[TokenClass, int]

Costs: TypeAlias = Mapping[str, Decimal]
"""US dollars by what they were for: a `TokenClass`, or what a provider's own tool did."""


def tokens_by_class(usage: Usage) -> TokensByClass:
    """The tokens of a usage by class, of each class that has any.

    Those of audio and images that came from a cache are among the cached ones.
    """
    longer = min(usage.cache_write_1h_tokens, usage.cache_write_tokens)
    fresh = max(usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens, 0)
    heard = min(usage.audio_input_tokens, fresh)
    seen = min(usage.image_input_tokens, fresh - heard)
    spoken = min(usage.audio_output_tokens, usage.output_tokens)
    drawn = min(usage.image_output_tokens, usage.output_tokens - spoken)
    written = usage.output_tokens - spoken - drawn
    thought = min(usage.reasoning_tokens, written)
    counts = {
        TokenClass.INPUT: fresh - heard - seen,
        TokenClass.AUDIO_INPUT: heard,
        TokenClass.IMAGE_INPUT: seen,
        TokenClass.CACHE_READ: usage.cache_read_tokens,
        TokenClass.CACHE_WRITE: usage.cache_write_tokens - longer,
        TokenClass.CACHE_WRITE_1H: longer,
        TokenClass.OUTPUT: written - thought,
        TokenClass.REASONING: thought,
        TokenClass.AUDIO_OUTPUT: spoken,
        TokenClass.IMAGE_OUTPUT: drawn,
    }
    return {name: count for name, count in counts.items() if count}

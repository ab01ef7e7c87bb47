"""Reads one answer, or one chunk of it: JSON, usage, finish reason, names of models."""

import json
from typing import Final

import msgspec

from cartrita.dialects.openai_chat.types import Chunk, Listing, WireUsage
from cartrita.domain.deltas import FinishReason
from cartrita.domain.usage import Usage
from cartrita.kit.text import storable_text

_decode = msgspec.json.Decoder(Chunk).decode
_decode_listing = msgspec.json.Decoder(Listing).decode

_REASONS: Final = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALL,
    "function_call": FinishReason.TOOL_CALL,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}


def chunk(data: str | bytes) -> Chunk:
    """Decode a chunk or a whole answer. Raises ValueError where it is not one."""
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return _slowly(data)


def _slowly(data: str | bytes) -> Chunk:
    """The fast decoder refuses lone surrogates, which models emit; this one takes them."""
    try:
        return msgspec.convert(json.loads(data), Chunk)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def model_names(body: bytes) -> list[str]:
    """What a list of models names. Raises ValueError where it is none."""
    try:
        return [storable_text(model.id) for model in _decode_listing(body).data or ()]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def finish_reason(word: str) -> FinishReason | None:
    """None for a word of the vendor's own."""
    return _REASONS.get(word)


def usage(wire: WireUsage) -> Usage:
    """Our counts from theirs, whose totals we make inclusive.

    Some vendors count reasoning beside the completion and not in it; then the total is larger than
    prompt and completion together.
    """
    prompt = _count(wire.prompt_tokens)
    completion = _count(wire.completion_tokens)
    output = max(completion, _count(wire.total_tokens) - prompt) if completion else completion
    of_prompt, of_completion = wire.prompt_tokens_details, wire.completion_tokens_details
    cached = _count(of_prompt.cached_tokens if of_prompt else wire.prompt_cache_hit_tokens)
    reasoning = _count(of_completion.reasoning_tokens) if of_completion else 0
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=min(cached, prompt),
        reasoning_tokens=min(reasoning, output),
    )


def _count(value: int | None) -> int:
    return max(value or 0, 0)

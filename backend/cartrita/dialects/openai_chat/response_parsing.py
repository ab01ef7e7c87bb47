"""Parses completions and their chunks, and converts usage and finish reasons."""

from typing import Final

import msgspec

from cartrita.dialects.openai_chat import response_types as wire
from cartrita.domain.deltas import FinishReason
from cartrita.domain.usage import Usage, reported_tokens
from cartrita.kit import surrogate_json
from cartrita.kit.json_answers import refuse_unreadable

_decode_completion = msgspec.json.Decoder(wire.Completion).decode

_FINISH_REASONS: Final = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALL,
    "function_call": FinishReason.TOOL_CALL,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}


def decode_completion(data: str | bytes) -> wire.Completion:
    """Decode a chunk of a stream or a completion. Raises ValueError if it is neither."""
    refuse_unreadable(data)
    try:
        return _decode_completion(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, wire.Completion)


def finish_reason(value: str) -> FinishReason | None:
    """The finish reason; None for a value that is not known."""
    return _FINISH_REASONS.get(value)


def usage(counts: wire.Usage) -> Usage:
    """The usage with inclusive totals.

    Some servers do not count reasoning in the completion tokens; then the total is larger than
    prompt and completion together.
    """
    prompt = reported_tokens(counts.prompt_tokens)
    completion = reported_tokens(counts.completion_tokens)
    output = (
        max(completion, reported_tokens(counts.total_tokens) - prompt) if completion else completion
    )
    of_prompt, of_completion = counts.prompt_tokens_details, counts.completion_tokens_details
    written = reported_tokens(of_prompt.cache_write_tokens) if of_prompt else 0
    cached = min(
        reported_tokens(of_prompt.cached_tokens if of_prompt else counts.prompt_cache_hit_tokens),
        prompt,
    )
    reasoning = reported_tokens(of_completion.reasoning_tokens) if of_completion else 0
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=cached,
        cache_write_tokens=min(written, prompt - cached),
        reasoning_tokens=min(reasoning, output),
    )

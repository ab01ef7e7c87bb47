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
    of_prompt = counts.prompt_tokens_details or wire.TokenDetails(
        cached_tokens=counts.prompt_cache_hit_tokens
    )
    of_completion = counts.completion_tokens_details or wire.TokenDetails()
    cached = min(reported_tokens(of_prompt.cached_tokens), prompt)
    written = min(reported_tokens(of_prompt.cache_write_tokens), prompt - cached)
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(reported_tokens(of_completion.reasoning_tokens), output),
        audio_input_tokens=min(reported_tokens(of_prompt.audio_tokens), prompt),
        audio_output_tokens=min(reported_tokens(of_completion.audio_tokens), output),
        image_input_tokens=min(reported_tokens(of_prompt.image_tokens), prompt),
        image_output_tokens=min(reported_tokens(of_completion.image_tokens), output),
    )

"""Parses completions and their chunks, and converts usage and finish reasons."""

from typing import Final

import msgspec

from cartrita.dialects.openai_chat import response_types as wire
from cartrita.dialects.reported_counts import count_at
from cartrita.domain.deltas import FinishReason
from cartrita.domain.json import JsonValue
from cartrita.domain.usage import Usage
from cartrita.kit import surrogate_json
from cartrita.kit.json_answers import refuse_unreadable

_decode_completion = msgspec.json.Decoder(wire.Completion).decode

_OF_PROMPT: Final = "prompt_tokens_details"
_OF_COMPLETION: Final = "completion_tokens_details"
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


def usage(counts: JsonValue) -> Usage:
    """The usage with inclusive totals; empty as far as nothing is told that can be read.

    Some servers do not count reasoning in the completion tokens; then the total is larger than
    prompt and completion together. DeepSeek reports cached tokens as `prompt_cache_hit_tokens`.
    """
    prompt = _count(counts, "prompt_tokens")
    completion = _count(counts, "completion_tokens")
    output = max(completion, _count(counts, "total_tokens") - prompt) if completion else completion
    hits = count_at(counts, _OF_PROMPT, "cached_tokens")
    cached = min(_count(counts, "prompt_cache_hit_tokens") if hits is None else hits, prompt)
    written = min(_count(counts, _OF_PROMPT, "cache_write_tokens"), prompt - cached)
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(_count(counts, _OF_COMPLETION, "reasoning_tokens"), output),
        audio_input_tokens=min(_count(counts, _OF_PROMPT, "audio_tokens"), prompt),
        audio_output_tokens=min(_count(counts, _OF_COMPLETION, "audio_tokens"), output),
        image_input_tokens=min(_count(counts, _OF_PROMPT, "image_tokens"), prompt),
        image_output_tokens=min(_count(counts, _OF_COMPLETION, "image_tokens"), output),
    )


def _count(counts: JsonValue, *path: str) -> int:
    return count_at(counts, *path) or 0

"""What whole completions and their chunks have in common: the head, usage, finish reason, parts."""

import time
from collections.abc import Iterable
from typing import Final, cast

import msgspec

from cartrita.dialects.openai_chat import DIALECT
from cartrita.domain.deltas import FinishReason
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

_FINISH_REASONS: Final = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALL: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.ERROR: "error",
}


class CompletionHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a completion tells about itself.

    `id` begins with `chatcmpl-`; `created` is in seconds of Unix time; `model` is as the caller
    wrote it. `include_usage` is for streams: it asks for a last chunk with the usage. `extra` are
    more fields of the top level, `finishing` those that only the finish chunk of a stream has.
    `legacy` answers a caller of the old form, who knows one `function_call` and no tool calls.
    """

    id: str
    model: str
    created: int = msgspec.field(default_factory=lambda: int(time.time()))
    include_usage: bool = False
    extra: JsonObject = {}
    finishing: JsonObject = {}
    legacy: bool = False


def finish_reason(head: CompletionHead, reason: FinishReason) -> str:
    """OpenAI's word for the reason."""
    if head.legacy and reason is FinishReason.TOOL_CALL:
        return "function_call"
    return _FINISH_REASONS[reason]


def usage_fields(usage: Usage) -> JsonObject:
    """The usage as OpenAI writes it; `finishing_fields` tells whether it is an estimate."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def finishing_fields(head: CompletionHead, usage: Usage, lost: Iterable[Receipt]) -> JsonObject:
    """The last fields of the head, with what its `metadata` tells of the answer itself.

    That is whether its usage is an estimate, and what of it has no place in a completion.
    """
    told = head.finishing.get("metadata")
    metadata: JsonObject = {**told} if isinstance(told, dict) else {}
    if usage.estimate is not None:
        metadata["usage"] = usage.estimate
    if receipts := list(dict.fromkeys(lost)):
        before = metadata.get("receipts")
        written = cast("list[JsonValue]", msgspec.to_builtins(receipts))
        metadata["receipts"] = [*(before if isinstance(before, list) else ()), *written]
    return {**head.finishing, "metadata": metadata} if metadata else head.finishing


def lost_part(part: Citation | VendorPart) -> Receipt | None:
    """The receipt for a part that has no place in a completion; None for one that has."""
    if isinstance(part, VendorPart):
        if part.origin == DIALECT:
            return None
        source, field, why = part.origin, "content", "Only its vendor knows this part."
    elif part.url is None:
        source, field, why = part.origin or DIALECT, "annotations", "Its source has no address."
    else:
        return None
    return Receipt(field, source, DIALECT, "dropped", why)


def annotation(citation: Citation, run_start: int, length: int) -> JsonObject:
    """The citation as an annotation of the content, which is `length` code points long so far.

    It must have an address. One that does not say which text it supports is of the text from
    `run_start` on.
    """
    cited: JsonObject = {
        "start_index": run_start if citation.start is None else citation.start,
        "end_index": length if citation.end is None else citation.end,
        "title": citation.title,
        "url": citation.url,
    }
    if citation.snippet is not None:
        cited["content"] = citation.snippet
    return {"type": "url_citation", "url_citation": cited}

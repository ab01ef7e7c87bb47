"""The fields of answers as they are written to callers: head, usage, stop reason, citations."""

from typing import Final

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.domain.deltas import Finished, FinishReason
from cartrita.domain.file_places import cited_place
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage

_STOP_REASONS: Final = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALL: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.ERROR: "end_turn",
}
_TOLD: Final = ("pause_turn", "refusal", "model_context_window_exceeded")


class MessageHead(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an answer before it begins.

    `input_tokens` is an estimate for the first event, and for an answer that reports no usage.
    `extra` holds fields of ours, such as `conversation_id`, that the message gets as well, and
    `finishing` those that are known only at its end: in a stream its `message_delta` has them.
    """

    id: str
    model: str
    input_tokens: int = 1
    extra: JsonObject = {}
    finishing: JsonObject = {}


def message_fields(head: MessageHead) -> JsonObject:
    """The message as the first event has it, without content."""
    fields: JsonObject = {
        "id": head.id,
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage_fields(Usage(output_tokens=1), head),
    }
    return {**fields, **head.extra}


def usage_fields(usage: Usage, head: MessageHead) -> JsonObject:
    """The usage; tokens of the cache are counted apart from the input, never all of it as 0.

    `finishing_fields` tells whether it is an estimate.
    """
    written, for_an_hour = usage.cache_write_tokens, usage.cache_write_1h_tokens
    uncached = max(usage.input_tokens - usage.cache_read_tokens - written, 0)
    fields: JsonObject = {
        "input_tokens": uncached if usage.input_tokens else max(head.input_tokens, 1),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }
    if written:
        fields["cache_creation"] = {
            "ephemeral_5m_input_tokens": written - for_an_hour,
            "ephemeral_1h_input_tokens": for_an_hour,
        }
    if usage.reasoning_tokens:
        fields["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.web_searches:
        fields["server_tool_use"] = {"web_search_requests": usage.web_searches}
    return fields


def finishing_fields(head: MessageHead, usage: Usage) -> JsonObject:
    """The last fields of the head; its `metadata` tells too that the usage is an estimate."""
    if usage.estimate is None:
        return head.finishing
    told = head.finishing.get("metadata")
    metadata: JsonObject = {**told} if isinstance(told, dict) else {}
    metadata["usage"] = usage.estimate
    return {**head.finishing, "metadata": metadata}


def stop_fields(finished: Finished, *, refused: bool) -> JsonObject:
    """The stop reason and sequence."""
    return {"stop_reason": _stop_reason(finished, refused), "stop_sequence": finished.stop_sequence}


def _stop_reason(finished: Finished, refused: bool) -> str:
    if finished.vendor_reason in _TOLD:
        return finished.vendor_reason
    if refused:
        return "refusal"
    if finished.stop_sequence is not None and finished.reason is FinishReason.STOP:
        return "stop_sequence"
    return _STOP_REASONS[finished.reason]


def citation_fields(citation: Citation) -> JsonObject | None:
    """The citation as the API writes it; None for one of another dialect without an address.

    Of a stored file it is that of a page. Its `document_index` means nothing: the request need not
    have held the document.
    """
    if citation.origin == DIALECT and citation.vendor:
        return citation.vendor
    place = cited_place(citation)
    if place is not None and place.page is not None:
        return {
            "type": "page_location",
            "file_id": place.file_id,
            "document_index": 0,
            "document_title": place.name,
            "start_page_number": place.page,
            "end_page_number": place.page + 1,
            "cited_text": citation.snippet or "",
        }
    if citation.url is None:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": citation.snippet or "",
        "encrypted_index": "",
    }

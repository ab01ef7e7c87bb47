"""Response objects: what a request said is repeated around the output and its state."""

from typing import Final, Literal, TypeAlias, cast

import msgspec

from cartrita.dialects.openai_error_rendering import fields as error_fields
from cartrita.domain.errors import CartritaError, ErrorKind
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.usage import Usage

Status: TypeAlias = Literal[
    "queued", "in_progress", "requires_action", "completed", "incomplete", "failed", "cancelled"
]
"""The vendor's, and one of ours: a response that `requires_action` waits for people."""

_DEFAULTS: Final[JsonObject] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_ERROR_CODES: Final = {
    ErrorKind.INVALID: "invalid_prompt",
    ErrorKind.UPSTREAM_REJECTED: "invalid_prompt",
    ErrorKind.RATE_LIMITED: "rate_limit_exceeded",
}
"""The codes of errors of responses, which are others than those of error responses."""


class ResponseHead(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a response before its output, and never changes.

    `created_at` is in Unix seconds, `echo` has the request's fields that a response repeats, and
    `extra` has fields of ours beside the vendor's. `include` is the request's.
    """

    id: str
    created_at: int
    model: str
    background: bool = False
    store: bool = True
    previous_response_id: str | None = None
    conversation_id: str | None = None
    metadata: JsonObject = {}
    include: tuple[str, ...] = ()
    echo: JsonObject = {}
    extra: JsonObject = {}


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a response ended; `reason` says why it is incomplete."""

    usage: Usage | None = None
    reason: str | None = None
    error: CartritaError | None = None
    completed_at: int | None = None


def response_object(
    head: ResponseHead,
    status: Status,
    output: list[JsonObject],
    ending: Ending = Ending(),  # noqa: B008 - a frozen value
) -> JsonObject:
    """The whole response object in this state."""
    conversation: JsonValue = None if head.conversation_id is None else {"id": head.conversation_id}
    return {
        "id": head.id,
        "object": "response",
        "created_at": head.created_at,
        "status": status,
        "background": head.background,
        "completed_at": ending.completed_at,
        "error": None if ending.error is None else error_object(ending.error),
        "incomplete_details": None if ending.reason is None else {"reason": ending.reason},
        "model": head.model,
        "output": cast("list[JsonValue]", output),
        "previous_response_id": head.previous_response_id,
        "conversation": conversation,
        "store": head.store,
        "metadata": head.metadata,
        "usage": None if ending.usage is None else usage_object(ending.usage),
        **_DEFAULTS,
        **_echo(head.echo),
        **_extra(head, ending.usage),
    }


def error_object(error: CartritaError) -> JsonObject:
    """The error of a response that failed."""
    code = _ERROR_CODES.get(error.kind, "server_error")
    told = error_fields(error)
    return {"code": code, "message": error.message, "type": told["type"], "param": told["param"]}


def usage_object(usage: Usage) -> JsonObject:
    """Token counts as OpenAI writes them; `cartrita` beside them tells if they are estimates."""
    of_input: JsonObject = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    if longer := usage.cache_write_1h_tokens:
        shorter = usage.cache_write_tokens - longer
        of_writes: JsonObject = {"ttl_30m_tokens": shorter, "ttl_12h_tokens": longer}
        of_input["cache_write_tokens_details"] = of_writes
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": of_input,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _extra(head: ResponseHead, usage: Usage | None) -> JsonObject:
    """The fields of ours; `cartrita` tells too that the usage is an estimate."""
    if usage is None or usage.estimate is None:
        return head.extra
    told = head.extra.get("cartrita")
    before = told if isinstance(told, dict) else {}
    return {**head.extra, "cartrita": {**before, "usage": usage.estimate}}


def _echo(echo: JsonObject) -> JsonObject:
    """The fields to repeat; within `text` and `reasoning` too, what was left out is the default."""
    nested = {
        name: {**cast("JsonObject", _DEFAULTS[name]), **cast("JsonObject", value)}
        for name in ("text", "reasoning")
        if isinstance(value := echo.get(name), dict)
    }
    return {**echo, **nested}

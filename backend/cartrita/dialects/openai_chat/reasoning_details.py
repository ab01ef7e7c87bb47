"""Sealed reasoning in chat completions: the field `reasoning_details`, which OpenRouter began.

OpenAI's API has no field for reasoning, so this is an extension: a list of
`{"type": "reasoning.text", "text", "signature"}` and `{"type": "reasoning.encrypted", "data"}`,
each with `format`, which names the vendor that sealed it, `id` and `index`. A client that sends an
answer's list back keeps the reasoning byte for byte.
Source: https://openrouter.ai/docs/use-cases/reasoning-tokens
"""

from cartrita.dialects.openai_chat import DIALECT
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Reasoning

_FORMATS = {"anthropic_messages": "anthropic-claude-v1", "openai_responses": "openai-responses-v1"}
_ORIGINS = {name: origin for origin, name in _FORMATS.items()}


def origin_of(seal_format: str | None) -> str:
    """The dialect whose seal has this format; one of others is this dialect's own variety."""
    if not seal_format:
        return DIALECT
    return _ORIGINS.get(seal_format, f"{DIALECT}/{seal_format}")


def is_own(reasoning: Reasoning) -> bool:
    """Whether the reasoning came in this dialect, so that it may be sent back in it."""
    return (reasoning.origin or "").partition("/")[0] == DIALECT


def render(reasoning: Reasoning, index: int) -> JsonObject:
    """The entry of `reasoning_details` that a block of reasoning has; `index` is its place."""
    detail: JsonObject = {"type": "reasoning.text", "text": reasoning.text}
    if reasoning.encrypted is not None:
        detail = {"type": "reasoning.encrypted", "data": reasoning.encrypted}
        if reasoning.text:
            detail["text"] = reasoning.text
    if reasoning.signature is not None:
        detail["signature"] = reasoning.signature
    if seal_format := _format_of(reasoning.origin):
        detail["format"] = seal_format
    if reasoning.id is not None:
        detail["id"] = reasoning.id
    detail["index"] = index
    return detail


def _format_of(origin: str | None) -> str:
    return _FORMATS.get(origin or "", (origin or "").partition("/")[2])

"""Renders a model request as the body of a request to a Responses API.

Nothing is stored at the provider unless the vendor's fields say so.
"""

from collections.abc import Iterator
from typing import Final, Literal, cast

import msgspec

from cartrita.dialects.computer_pictures import fitted
from cartrita.dialects.losses import Losses, Rendered, in_callers_words
from cartrita.dialects.openai_responses import DIALECT, content_rendering, tools
from cartrita.dialects.openai_responses.computer_items import (
    PICTURES,
    CallItems,
    has_preview,
    is_own_form,
)
from cartrita.dialects.openai_responses.content_rendering import ContentRendering
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING, LOGPROBS
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Citation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest, ResponseFormat

LEAST_TOKENS: Final = 16
_encode = msgspec.json.Encoder().encode
_EFFORTS: Final = ((1024, "minimal"), (4096, "low"), (16384, "medium"))
"""The effort for a budget of up to so many tokens; a larger one is high."""
_SUMMARIES: Final = ("auto", "concise", "detailed")


class ServerOptions(msgspec.Struct, frozen=True):
    """How one server's API differs from another's.

    `system_role` is the role of instructions in the middle of a conversation: OpenAI's own is
    `developer`, some servers know only the older `system`.
    """

    system_role: Literal["developer", "system"] = "developer"


@in_callers_words
def render(
    request: ModelRequest, options: ServerOptions | None = None, *, stream: bool = True
) -> Rendered:
    """The JSON body of a call, and what it could not carry.

    Raises InvalidInput for an attachment that has not been loaded.
    """
    request = fitted(request, PICTURES)
    losses = Losses(request, DIALECT)
    vendor = _vendor_fields(request, losses)
    body: JsonObject = {
        "model": request.model,
        "input": list(_items(request, options or ServerOptions(), losses)),
        "stream": stream,
        "store": False,
        "instructions": request.instructions_text or None,
        "tools": cast("JsonValue", tools.render_tools(request, losses)) or None,
        "tool_choice": tools.render_choice(request.tool_choice, request.computer),
        "parallel_tool_calls": request.parallel_tool_calls,
        **_sampling(request, losses),
        "text": _merged(_text(request.response_format), vendor.pop("text", None)),
        "reasoning": _merged(_reasoning(request, losses), vendor.pop("reasoning", None)),
        "include": _include(request, vendor.pop("include", None)),
        "user": request.user,
        "truncation": "auto" if has_preview(request.computer) else None,
        **vendor,
    }
    if not body["tools"] and not body.get("prompt"):
        body["tool_choice"] = None
    cached = next((text for text in request.instructions if text.cache is not None), None)
    if cached is not None:
        why = "OpenAI caches prompts by itself."
        losses.approximated("instructions.cache_control", why, cached, "cache_control")
    sent = {name: value for name, value in body.items() if value is not None}
    return Rendered(_encode(sent), losses.receipts)


def _items(request: ModelRequest, options: ServerOptions, losses: Losses) -> Iterator[JsonValue]:
    content = ContentRendering(losses, own=request.origin == DIALECT)
    calls = CallItems(request)
    for message in request.messages:
        match message.role:
            case Role.ASSISTANT:
                yield from _assistant_items(message, calls, losses)
            case Role.TOOL:
                yield from _tool_items(message, content, calls, losses)
            case role:
                name = "user" if role is Role.USER else options.system_role
                if parts := content.input_parts(message.parts):
                    yield {"type": "message", "role": name, "content": parts}


def _assistant_items(message: Message, calls: CallItems, losses: Losses) -> Iterator[JsonValue]:
    said: list[Part] = []
    for part in message.parts:
        if isinstance(part, Text | Refusal | Citation):
            said.append(part)
            continue
        yield from _said(said)
        said = []
        match part:
            case ToolCall():
                if part.cache is not None:
                    why = "OpenAI caches prompts by itself."
                    losses.dropped("messages.cache_control", why, part, "cache_control")
                yield calls.call(part) or call_item(part, calls.arguments(part))
            case Reasoning() if calls.is_alone(part):
                why = "Reasoning before a call is sent back with that only."
                losses.dropped("messages.reasoning", why, part)
            case Reasoning():
                yield from _reasoning_item(part, losses)
            case VendorPart():
                yield from _vendor_item(part, losses)
            case _:
                losses.dropped("messages.attachments", "An assistant's message holds no files.")
    yield from _said(said)


def _said(parts: list[Part]) -> Iterator[JsonValue]:
    if content := content_rendering.output_parts(parts):
        for part in cast("list[JsonObject]", content):
            part.pop("logprobs", None)
        yield {"type": "message", "role": "assistant", "content": content}


def call_item(part: ToolCall, arguments: JsonObject) -> JsonObject:
    """A function call, without an id."""
    return {
        "type": "function_call",
        "call_id": part.call_id,
        "name": part.name,
        "arguments": _encode(arguments).decode(),
    }


def _reasoning_item(part: Reasoning, losses: Losses) -> Iterator[JsonValue]:
    """Reasoning that OpenAI sealed. Servers refuse any other: it would not be stored there."""
    if part.origin != DIALECT or part.encrypted is None:
        why = "Only sealed reasoning of OpenAI's can be sent back."
        losses.dropped("messages.reasoning", why, part)
        return
    summary: list[JsonValue] = [{"type": "summary_text", "text": part.text}] if part.text else []
    item: JsonObject = {"type": "reasoning", "summary": summary}
    if part.id is not None:
        item["id"] = part.id
    yield {**item, "encrypted_content": part.encrypted}


def _vendor_item(part: VendorPart, losses: Losses) -> Iterator[JsonValue]:
    if part.origin == DIALECT:
        yield part.data
    else:
        why = "OpenAI has no such content."
        losses.dropped(f"messages.{part.data.get('type')}", why, part, "type")


def _tool_items(
    message: Message, content: ContentRendering, calls: CallItems, losses: Losses
) -> Iterator[JsonValue]:
    for part in message.parts:
        if isinstance(part, VendorPart):
            yield from _vendor_item(part, losses)
        elif isinstance(part, ToolResult) and (items := calls.output(part)) is not None:
            yield from items
        elif isinstance(part, ToolResult):
            if not part.success:
                why = "OpenAI has no mark for failed calls."
                losses.approximated("messages.is_error", why, part, "is_error")
            yield {
                "type": "function_call_output",
                "call_id": part.call_id,
                "output": content.result(part.content),
            }


def _sampling(request: ModelRequest, losses: Losses) -> JsonObject:
    sampling = request.sampling
    for name in ("stop", "seed", "top_k", "presence_penalty", "frequency_penalty", "logit_bias"):
        if getattr(sampling, name) not in (None, ()):
            losses.dropped(name, "OpenAI's Responses API has no such parameter.")
    limit = sampling.max_tokens
    if limit is not None and limit < LEAST_TOKENS:
        losses.approximated("max_tokens", f"OpenAI takes no limit below {LEAST_TOKENS}.")
        limit = LEAST_TOKENS
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_output_tokens": limit,
        "top_logprobs": sampling.logprobs or None,
    }


def _text(wanted: ResponseFormat) -> JsonObject:
    if wanted.kind == "text":
        return {}
    if wanted.kind == "json":
        return {"format": {"type": "json_object"}}
    schema: JsonObject = {
        "type": "json_schema",
        "name": wanted.name or "answer",
        "schema": wanted.schema or {},
        "description": wanted.description,
        "strict": wanted.strict,
    }
    return {"format": {name: value for name, value in schema.items() if value is not None}}


def _reasoning(request: ModelRequest, losses: Losses) -> JsonObject:
    wanted = request.reasoning
    effort = wanted.effort
    if effort is None and wanted.mode == "disabled":
        effort = "none"
        losses.approximated("reasoning.mode", "It became the effort none.")
    elif effort is None and wanted.budget_tokens is not None:
        budget = wanted.budget_tokens
        effort = next((word for most, word in _EFFORTS if budget <= most), "high")
        losses.approximated("reasoning.budget_tokens", f"It became the effort {effort}.")
    told: JsonObject = {"effort": effort, "summary": _summary(request)}
    return {name: value for name, value in told.items() if value is not None}


def _summary(request: ModelRequest) -> str | None:
    wanted = request.reasoning.summary
    if wanted in _SUMMARIES:
        return wanted
    return "auto" if _thinks(request) and wanted != "omitted" else None


def _thinks(request: ModelRequest) -> bool:
    """Whether the caller's dialect shows reasoning, and takes it back, without being asked to."""
    return request.origin != DIALECT and request.reasoning.mode in ("enabled", "adaptive")


def _include(request: ModelRequest, more: JsonValue) -> JsonValue:
    include: list[JsonValue] = []
    if request.reasoning.encrypted or _thinks(request) or is_own_form(request.computer):
        include.append(ENCRYPTED_REASONING)
    if request.sampling.logprobs is not None:
        include.append(LOGPROBS)
    if isinstance(more, list):
        include.extend(cast("list[JsonValue]", more))
    return include or None


def _vendor_fields(request: ModelRequest, losses: Losses) -> JsonObject:
    if request.vendor is None:
        return {}
    if request.vendor.origin == DIALECT:
        return dict(request.vendor.fields)
    for name in request.vendor.fields:
        losses.dropped(name, "OpenAI's Responses API has no such parameter.")
    return {}


def _merged(ours: JsonObject, more: JsonValue) -> JsonValue:
    if isinstance(more, dict):
        ours = {**ours, **cast("JsonObject", more)}
    return ours or None

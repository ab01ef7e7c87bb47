"""Renders a model request as the body of a chat completion request."""

from collections.abc import Iterator
from typing import Any

import msgspec

from cartrita.dialects.computer_functions import with_functions
from cartrita.dialects.losses import Losses, Rendered, in_callers_words
from cartrita.dialects.openai_chat import DIALECT
from cartrita.dialects.openai_chat import request_types as wire
from cartrita.dialects.openai_chat.message_rendering import MessageRenderer
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.domain.json import JsonObject
from cartrita.domain.requests import ModelRequest, ReasoningOptions, ResponseFormat, Sampling
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

_EFFORTS = ((4_096, "low"), (16_384, "medium"))
"""The largest budget of tokens for an effort; what is above is high."""

_LEAST_TOKENS = 1
"""The lowest limit of output tokens that the API takes."""

_encode = msgspec.json.Encoder().encode


@in_callers_words
def render(request: ModelRequest, options: ServerOptions, *, stream: bool = True) -> Rendered:
    """The JSON body of a call; a streamed one reports its usage.

    Raises InvalidInput for an attachment that cannot be sent in this format.
    """
    losses = Losses(request, DIALECT)
    vendor = _vendor_fields(request, losses)
    tools = list(_tools(request, losses))
    fields: dict[str, Any] = {
        **_sampling(request.sampling, options, losses),
        **(_tool_fields(request) if tools else {}),
    }
    for name in vendor:
        fields.pop(name, None)
    body = _encode(
        wire.Request(
            model=request.model,
            messages=list(MessageRenderer(request, losses).render()),
            stream=stream,
            stream_options=wire.StreamOptions() if stream else None,
            tools=tools or None,
            response_format=_response_format(request.response_format),
            reasoning_effort=_reasoning_effort(request.reasoning, losses),
            user=request.user,
            **fields,
        )
    )
    if vendor:
        body = body[:-1] + b"," + _encode(vendor)[1:]
    return Rendered(body, losses.receipts)


def _vendor_fields(request: ModelRequest, losses: Losses) -> JsonObject:
    """The fields that came in this dialect; those of another are told as lost."""
    if request.vendor is None:
        return {}
    if request.vendor.origin == DIALECT:
        return request.vendor.fields
    for name in request.vendor.fields:
        losses.dropped(name, "Only the API that it came from knows this field.")
    return {}


def _sampling(sampling: Sampling, options: ServerOptions, losses: Losses) -> dict[str, Any]:
    if sampling.top_k is not None:
        losses.dropped("top_k", "Chat completions have no top_k.")
    stop, most = list(sampling.stop), options.most_stops
    if most is not None and len(stop) > most:
        losses.approximated("stop", f"OpenAI takes {most} stop sequences: the first are sent.")
        stop = stop[:most]
    wants_logprobs = sampling.logprobs is not None
    return {
        options.limit_field: _limit(sampling, losses),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop": stop or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "logit_bias": sampling.logit_bias,
        "logprobs": wants_logprobs or None,
        "top_logprobs": sampling.logprobs or None,
    }


def _limit(sampling: Sampling, losses: Losses) -> int | None:
    """The limit of tokens; Anthropic's limit of none, which only fills a cache, becomes one."""
    limit = sampling.max_tokens
    if limit is None or limit >= _LEAST_TOKENS:
        return limit
    losses.approximated("max_tokens", f"OpenAI takes no limit below {_LEAST_TOKENS}.")
    return _LEAST_TOKENS


def _tools(request: ModelRequest, losses: Losses) -> Iterator[wire.Tool | JsonObject]:
    for tool in with_functions(request.tools):
        if isinstance(tool, ToolSpec):
            if tool.cache is not None:
                why = "This API decides by itself what it caches."
                losses.dropped("cache_control", why, tool, "cache_control")
            losses.dropped_tool_fields(tool)
            yield wire.Tool(
                wire.FunctionSpec(tool.name, tool.description, tool.parameters, tool.strict)
            )
        elif tool.origin == DIALECT:
            yield tool.definition
        else:
            why = "Only the vendor that offers this tool runs it."
            losses.dropped(f"tools.{tool.name}", why, tool, "type")


def _tool_fields(request: ModelRequest) -> dict[str, Any]:
    return {
        "tool_choice": _tool_choice(request),
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _tool_choice(request: ModelRequest) -> str | wire.ForcedTool | wire.ForcedCustomTool | None:
    choice = request.tool_choice
    if not isinstance(choice, NamedTool):
        return None if choice == "auto" else choice
    custom = (tool.name for tool in request.tools if isinstance(tool, VendorTool))
    if choice.name in custom:
        return wire.ForcedCustomTool(wire.ToolName(choice.name))
    return wire.ForcedTool(wire.ToolName(choice.name))


def _response_format(wanted: ResponseFormat) -> wire.JsonFormat | wire.SchemaFormat | None:
    if wanted.kind == "json":
        return wire.JsonFormat()
    if wanted.kind == "json_schema":
        return wire.SchemaFormat(
            wire.NamedSchema(
                wanted.name or "answer", wanted.schema or {}, wanted.description, wanted.strict
            )
        )
    return None


def _reasoning_effort(wanted: ReasoningOptions, losses: Losses) -> str | None:
    if wanted.summary is not None or wanted.encrypted:
        losses.dropped("reasoning.summary", "Chat completions send no reasoning.")
    if wanted.effort is not None:
        if wanted.budget_tokens is not None:
            losses.dropped("reasoning.budget_tokens", "The effort is sent instead.")
        return wanted.effort
    if wanted.mode == "disabled":
        losses.dropped("reasoning.mode", "Reasoning cannot be switched off: the model decides.")
        return None
    if wanted.budget_tokens is None:
        return None
    losses.approximated("reasoning.budget_tokens", "The budget is sent as the nearest effort.")
    return next((effort for limit, effort in _EFFORTS if wanted.budget_tokens <= limit), "high")

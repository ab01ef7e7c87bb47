"""Renders a model request as the body of a request to the Messages API."""

from itertools import takewhile
from typing import TypeAlias

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.computer_calls import (
    TOOLSET,
    context_management,
    is_own_form,
    picture_limits,
    tool_entry,
)
from cartrita.dialects.anthropic_messages.message_rendering import (
    cache_control,
    render_messages,
    text_block,
)
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.anthropic_messages.schemas import closed_schema, object_schema
from cartrita.dialects.anthropic_messages.thinking_rendering import Effort, Limits, render_thinking
from cartrita.dialects.computer_functions import function_of
from cartrita.dialects.computer_pictures import fitted
from cartrita.dialects.losses import Losses, Rendered, in_callers_words
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Role, Text
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool, NamedTool, ToolSpec, VendorTool

_DEFAULT_MAX_TOKENS = 4096
_UNKNOWN_FIELDS = (
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
)
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_Sampling: TypeAlias = tuple[float | None, float | None, int | None]


@in_callers_words
def render(request: ModelRequest, options: ModelOptions, *, stream: bool = True) -> Rendered:
    """The JSON body of a call, and what could not be said in it.

    Raises InvalidInput for a file that cannot be sent in this format.
    """
    request = fitted(_hoisted(request), picture_limits(request, options))
    losses = Losses(request, DIALECT)
    limits = _limits(request, options, losses)
    thinking, effort, max_tokens = render_thinking(request, options, limits, losses)
    instruction, schema = _response_format(request, options, losses)
    for field in _UNKNOWN_FIELDS:
        if getattr(request.sampling, field) is not None:
            losses.dropped(field, "The provider has no such field.")
    temperature, top_p, top_k = _sampling(request, options, losses, reasons=_reasons(thinking))
    tools = _tools(request, losses)
    body = wire.Request(
        model=request.model,
        max_tokens=max_tokens,
        messages=render_messages(request, options, losses),
        system=_system(request, instruction),
        stream=stream,
        tools=tools or None,
        tool_choice=_tool_choice(request, options, losses) if tools else None,
        thinking=thinking,
        output_config=_output_config(effort, schema),
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        stop_sequences=_stop_sequences(request, losses) or None,
        metadata=wire.Metadata(request.user) if request.user else None,
        context_management=context_management(request, options),
    )
    return Rendered(_with_vendor_fields(request, body, losses), losses.receipts)


def _hoisted(request: ModelRequest) -> ModelRequest:
    """The request, with instructions that its messages begin with among its instructions."""
    leading = list(takewhile(lambda one: one.role is Role.SYSTEM, request.messages))
    if not leading:
        return request
    texts = [part for message in leading for part in message.parts if isinstance(part, Text)]
    return msgspec.structs.replace(
        request,
        instructions=(*request.instructions, *texts),
        messages=request.messages[len(leading) :],
    )


def _limits(request: ModelRequest, options: ModelOptions, losses: Losses) -> Limits:
    wanted = request.sampling.max_tokens
    most = options.output_tokens
    foreign = request.origin is not None and request.origin != DIALECT
    if wanted is None:
        if foreign and most is None:
            why = f"The provider needs a limit; {_DEFAULT_MAX_TOKENS} is sent."
            losses.approximated("max_tokens", why)
        return Limits(most or _DEFAULT_MAX_TOKENS, given=False)
    if most is not None and wanted > most and foreign:
        losses.approximated("max_tokens", f"The model writes {most} tokens at most.")
        return Limits(most, given=True)
    return Limits(wanted, given=True)


def _reasons(thinking: wire.Thinking | None) -> bool:
    return thinking is not None and thinking.type in ("enabled", "adaptive")


def _sampling(
    request: ModelRequest, options: ModelOptions, losses: Losses, *, reasons: bool
) -> _Sampling:
    """Temperature, top_p and top_k, as far as the API takes them together with the rest."""
    wanted = request.sampling
    if request.origin == DIALECT:
        return wanted.temperature, wanted.top_p, wanted.top_k
    if reasons or not options.sampling:
        why = "A model that reasons takes none." if reasons else "The model takes none."
        for field in ("temperature", "top_p", "top_k"):
            if getattr(wanted, field) is not None and getattr(wanted, field) != 1:
                losses.dropped(field, why)
        return None, None, None
    temperature = wanted.temperature
    if temperature is not None and temperature > 1:
        losses.approximated("temperature", "The highest that the provider takes is 1.")
        temperature = 1.0
    return temperature, wanted.top_p, wanted.top_k


def _stop_sequences(request: ModelRequest, losses: Losses) -> list[str]:
    usable = [sequence for sequence in request.sampling.stop if sequence.strip()]
    if len(usable) < len(request.sampling.stop):
        losses.dropped("stop", "The provider takes no stop sequence of whitespace only.")
    return usable


def _response_format(
    request: ModelRequest, options: ModelOptions, losses: Losses
) -> tuple[str, JsonObject | None]:
    """An instruction, or the schema that the API enforces."""
    wanted = request.response_format
    if wanted.kind == "text":
        return "", None
    if wanted.kind == "json_schema" and wanted.schema is not None and options.json_schema:
        closed = closed_schema(wanted.schema)
        if closed != wanted.schema and request.origin != DIALECT:
            losses.approximated("response_format", "Objects have no properties but those named.")
            return "", closed
        return "", wanted.schema
    losses.approximated("response_format", "The model is asked for JSON; nothing enforces it.")
    instruction = "Answer with one JSON object and nothing else: no explanation, no code fence."
    if wanted.schema is not None:
        instruction += f" It must be valid against this JSON Schema: {_text_of(wanted.schema)}"
    return instruction, None


def _text_of(schema: JsonObject) -> str:
    return _encode(schema).decode()


def _output_config(effort: Effort | None, schema: JsonObject | None) -> JsonObject | None:
    config: JsonObject = {}
    if effort is not None:
        config["effort"] = effort
    if schema is not None:
        config["format"] = {"type": "json_schema", "schema": schema}
    return config or None


def _system(request: ModelRequest, instruction: str) -> str | list[wire.TextBlock] | None:
    parts = [part for part in request.instructions if part.text.strip()]
    if instruction:
        parts.append(Text(instruction))
    if not parts:
        return None
    if len(parts) == 1 and parts[0].cache is None:
        return parts[0].text
    return [text_block(part) for part in parts]


def _tools(request: ModelRequest, losses: Losses) -> list[wire.Tool | JsonObject]:
    tools: list[wire.Tool | JsonObject] = []
    for tool in request.tools:
        if isinstance(tool, ComputerTool):
            tools.append(tool_entry(tool) if is_own_form(tool) else _tool(function_of(tool)))
            continue
        if isinstance(tool, VendorTool):
            if tool.origin == DIALECT:
                tools.append(tool.definition)
            else:
                why = f"The tool {tool.name} is known to its vendor only."
                losses.dropped("tools", why, tool, "type")
            continue
        tools.append(_tool(tool))
        if tool.origin != DIALECT:
            losses.dropped_tool_fields(tool)
    return tools


def _tool(tool: ToolSpec) -> wire.Tool | JsonObject:
    rendered = wire.Tool(
        tool.name,
        object_schema(tool.parameters),
        tool.description or None,
        tool.strict,
        cache_control(tool.cache),
    )
    if tool.origin != DIALECT or not tool.more:
        return rendered
    return {**msgspec.to_builtins(rendered), **tool.more}


def _tool_choice(
    request: ModelRequest, options: ModelOptions, losses: Losses
) -> wire.ToolChoice | None:
    choice, parallel = request.tool_choice, request.parallel_tool_calls
    single = None if parallel is None else not parallel
    forced = choice not in ("auto", "none")
    if forced and not options.forced_tools and request.origin != DIALECT:
        losses.approximated("tool_choice", "The model decides itself whether it calls a tool.")
        choice = "auto"
    if choice == "none":
        return wire.ToolChoice("none")
    if isinstance(choice, NamedTool) and not _is_toolset(choice, request):
        return wire.ToolChoice("tool", choice.name, single)
    if choice == "required" or isinstance(choice, NamedTool):
        return wire.ToolChoice("any", None, single)
    return None if single is None else wire.ToolChoice("auto", None, single)


def _is_toolset(choice: NamedTool, request: ModelRequest) -> bool:
    """Whether no single tool has the name: the members of a toolset have names of their own."""
    computer = request.computer
    return computer is not None and choice.name == computer.name and computer.form == TOOLSET


def _with_vendor_fields(request: ModelRequest, body: wire.Request, losses: Losses) -> bytes:
    """The body with the fields that only the API knows; those of another dialect are dropped."""
    vendor = request.vendor
    if vendor is None or not vendor.fields:
        return _encode(body)
    if vendor.origin != DIALECT:
        for field in vendor.fields:
            losses.dropped(field, "The provider has no such field.")
        return _encode(body)
    fields: JsonObject = dict(vendor.fields)
    more = fields.pop("output_config", None)
    config = {**(more if isinstance(more, dict) else {}), **(body.output_config or {})}
    known: JsonObject = msgspec.to_builtins(body)
    if config:
        known["output_config"] = config
    return _encode({**fields, **known})

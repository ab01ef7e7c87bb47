"""Parses the requests of clients.

What is not known is kept among the vendor's fields; null counts as absent, as at the vendor.
"""

from typing import Final, cast

import msgspec

from cartrita.dialects.openai_refusals import missing, refusal, wrong_type
from cartrita.dialects.openai_responses import DIALECT, item_parsing, json_checks, tools
from cartrita.dialects.openai_responses.item_parsing import Input, ItemReference
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.places import Places
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.kit.text import storable_json

LOGPROBS: Final = "message.output_text.logprobs"
ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"

_READ: Final = {
    *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text"),
    *("temperature", "top_p", "max_output_tokens", "top_logprobs", "reasoning", "user", "include"),
    *("stream", "stream_options", "store", "background", "previous_response_id", "conversation"),
    "metadata",
}
_DEFAULTS: Final[JsonObject] = {"truncation": "disabled", "service_tier": "auto"}
_ECHOED: Final = (
    *("instructions", "tools", "tool_choice", "temperature", "top_p", "text", "reasoning"),
    *("truncation", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "user"),
    *("service_tier", "top_logprobs", "prompt", "prompt_cache_key", "prompt_cache_retention"),
    "safety_identifier",
)


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a client.

    `request` has only what the client sent: stored history and the stored items that `references`
    name are to be put before and between its messages. `leading` are the system's messages at the
    start of a new conversation: they are among the request's instructions, and belong to what is
    stored. `echo` has the fields that the response repeats, as they came.
    """

    request: ModelRequest
    background: bool = False
    previous_response_id: str | None = None
    conversation_id: str | None = None
    metadata: JsonObject = {}
    include: tuple[str, ...] = ()
    references: tuple[ItemReference, ...] = ()
    leading: tuple[Message, ...] = ()
    echo: JsonObject = {}


def parse(body: JsonObject, owner_id: str, *, continued: bool = False) -> Parsed:
    """A request from its JSON body. Raises InvalidInput, with the vendor's `param` as the field.

    `continued` is for input that follows a stored conversation which the body does not name.
    """
    body = cast("JsonObject", storable_json(body))
    include = _include(body)
    previous = json_checks.optional_string(body, "previous_response_id")
    conversation = _conversation(body)
    background = _background(body, previous, conversation)
    continued = continued or previous is not None or conversation is not None
    places = Places()
    content = _input(body, places, continued=continued)
    leading, content = ((), content) if continued else _split_leading(content)
    request = _request(body, owner_id, leading, content, include, places)
    json_checks.boolean(body, "stream")  # which the surface reads
    return Parsed(
        request=request,
        background=background,
        previous_response_id=previous,
        conversation_id=conversation,
        metadata=parse_metadata(body),
        include=include,
        references=content.references,
        leading=leading,
        echo={name: body[name] for name in _ECHOED if body.get(name) is not None},
    )


def parse_metadata(body: JsonObject) -> JsonObject:
    """The metadata: up to 16 texts of 512 characters under names of 64. Raises InvalidInput."""
    metadata = json_checks.optional_object(body, "metadata")
    if len(metadata) > 16:
        problem = "Invalid 'metadata': too many properties. Expected an object with at most 16."
        raise refusal("metadata", problem, "object_above_max_properties")
    for name, value in metadata.items():
        path = f"metadata.{name[:64]}"
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if len(name) > 64 or len(value) > 512:
            problem = f"Invalid '{path}': a name has at most 64 characters, a value 512."
            raise refusal(path, problem, "string_above_max_length")
    return metadata


def _request(
    body: JsonObject,
    owner_id: str,
    leading: tuple[Message, ...],
    content: Input,
    include: tuple[str, ...],
    places: Places,
) -> ModelRequest:
    offered = tools.parse_tools(body.get("tools"))
    for number, tool in enumerate(offered):
        places.add(tool, f"tools[{number}]")
    choice = tools.parse_choice(body.get("tool_choice"), offered)
    said = (json_checks.optional_string(body, "instructions"), *(each.text for each in leading))
    vendor = _vendor_fields(body, include)
    if choice.vendor is not None:
        vendor["tool_choice"] = choice.vendor
    return ModelRequest(
        owner_id=owner_id,
        model=_model(body),
        messages=content.messages,
        instructions=tuple(Text(text) for text in said if text),
        tools=offered,
        tool_choice=choice.choice,
        parallel_tool_calls=json_checks.boolean(body, "parallel_tool_calls"),
        sampling=_sampling(body, include),
        response_format=_format(body),
        reasoning=_reasoning(body, include),
        user=json_checks.optional_string(body, "user"),
        origin=DIALECT,
        vendor=VendorFields(DIALECT, vendor) if vendor else None,
        places=places,
    )


def _model(body: JsonObject) -> str:
    model = json_checks.string(body, "model", "")
    if not model:
        raise missing("model")
    return model


def _input(body: JsonObject, places: Places, *, continued: bool) -> Input:
    value = body.get("input")
    if value is None:
        if not continued and body.get("prompt") is None:
            raise missing("input")
        return Input()
    content = item_parsing.parse_input(value, places)
    if not continued and not content.references:
        item_parsing.check_calls(content.messages)
    return content


def _split_leading(content: Input) -> tuple[tuple[Message, ...], Input]:
    """The system's messages that begin a new conversation, and the input after them."""
    first_reference = min((each.position for each in content.references), default=None)
    count = 0
    for message in content.messages:
        if message.role is not Role.SYSTEM or count == first_reference:
            break
        count += 1
    references = tuple(ItemReference(each.id, each.position - count) for each in content.references)
    return content.messages[:count], Input(content.messages[count:], references)


def _background(body: JsonObject, previous: str | None, conversation: str | None) -> bool:
    if previous is not None and conversation is not None:
        problem = (
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. "
            "Send only one of them."
        )
        raise refusal("previous_response_id", problem, "mutually_exclusive_parameters")
    store = json_checks.boolean(body, "store")
    background = json_checks.boolean(body, "background") or False
    if background and store is False:
        problem = "Background mode requires store to be true."
        raise refusal("background", problem, "invalid_value")
    return background


def _conversation(body: JsonObject) -> str | None:
    value = body.get("conversation")
    if value is None or isinstance(value, str):
        return value
    return json_checks.string(json_checks.as_object(value, "conversation"), "id", "conversation")


def _include(body: JsonObject) -> tuple[str, ...]:
    value = body.get("include")
    if value is None:
        return ()
    names = json_checks.as_list(value, "include")
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise wrong_type(f"include[{number}]", "a string", name)
    return tuple(cast("list[str]", names))


def _sampling(body: JsonObject, include: tuple[str, ...]) -> Sampling:
    logprobs = json_checks.integer(body, "top_logprobs", 0, 20) or None
    return Sampling(
        temperature=json_checks.number(body, "temperature", 2),
        top_p=json_checks.number(body, "top_p", 1),
        max_tokens=json_checks.integer(body, "max_output_tokens", 16),
        logprobs=0 if logprobs is None and LOGPROBS in include else logprobs,
    )


def _format(body: JsonObject) -> ResponseFormat:
    text = json_checks.optional_object(body, "text")
    wanted = json_checks.optional_object(text, "format", "text")
    if not wanted:
        return ResponseFormat()
    kind = json_checks.choice(wanted, "type", "text.format", ("text", "json_object", "json_schema"))
    if kind is None:
        raise missing("text.format.type")
    if kind != "json_schema":
        return ResponseFormat("json" if kind == "json_object" else "text")
    if wanted.get("schema") is None:
        raise missing("text.format.schema")
    strict = wanted.get("strict")
    return ResponseFormat(
        "json_schema",
        name=json_checks.string(wanted, "name", "text.format"),
        schema=json_checks.as_object(wanted["schema"], "text.format.schema"),
        description=json_checks.optional_string(wanted, "description", "text.format"),
        strict=strict if isinstance(strict, bool) else None,
    )


def _reasoning(body: JsonObject, include: tuple[str, ...]) -> ReasoningOptions:
    wanted = json_checks.optional_object(body, "reasoning")
    summary = json_checks.optional_string(wanted, "summary", "reasoning")
    return ReasoningOptions(
        effort=json_checks.optional_string(wanted, "effort", "reasoning"),
        summary=summary or json_checks.optional_string(wanted, "generate_summary", "reasoning"),
        encrypted=ENCRYPTED_REASONING in include,
    )


def _vendor_fields(body: JsonObject, include: tuple[str, ...]) -> JsonObject:
    """What the domain has no place for; what only repeats a default is left out."""
    kept: JsonObject = {
        name: value
        for name, value in body.items()
        if name not in _READ and value is not None and _DEFAULTS.get(name) != value
    }
    nested = (("text", {"format"}), ("reasoning", {"effort", "summary", "generate_summary"}))
    for name, read in nested:
        if rest := _rest(json_checks.optional_object(body, name), read):
            kept[name] = rest
    if more := [name for name in include if name not in (LOGPROBS, ENCRYPTED_REASONING)]:
        kept["include"] = cast("list[JsonValue]", more)
    return kept


def _rest(value: JsonObject, read: set[str]) -> JsonObject:
    return {name: each for name, each in value.items() if name not in read and each is not None}

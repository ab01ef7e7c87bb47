"""Parses input items into messages: an assistant's items that follow each other are one message.

Items of tools that only OpenAI has are kept as they are.
"""

from collections.abc import Iterable
from typing import Final, cast

import msgspec

from cartrita.dialects.openai_refusals import missing, refusal, wrong_type
from cartrita.dialects.openai_responses import (
    DIALECT,
    content_parsing,
    json_checks,
    part_places,
    reasoning,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Message,
    Part,
    Reasoning,
    Role,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.places import Places
from cartrita.kit.json_answers import refuse_unreadable
from cartrita.kit.text import storable_json

_decode_object = msgspec.json.Decoder(JsonObject).decode
_ROLES: Final = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
_VENDOR_ROLES: Final = {
    **dict.fromkeys(
        (
            "file_search_call",
            "computer_call",
            "web_search_call",
            "tool_search_call",
            "image_generation_call",
            "code_interpreter_call",
            "local_shell_call",
            "shell_call",
            "apply_patch_call",
            "mcp_list_tools",
            "mcp_approval_request",
            "mcp_call",
            "custom_tool_call",
            "compaction",
            "compaction_trigger",
            "configuration_update",
            "additional_tools",
            "program",
        ),
        Role.ASSISTANT,
    ),
    **dict.fromkeys(
        (
            "computer_call_output",
            "tool_search_output",
            "local_shell_call_output",
            "shell_call_output",
            "apply_patch_call_output",
            "mcp_approval_response",
            "custom_tool_call_output",
            "program_output",
        ),
        Role.TOOL,
    ),
}
_TYPES: Final = (
    *("message", "function_call", "function_call_output", "reasoning", "item_reference"),
    *_VENDOR_ROLES,
)


class ItemReference(msgspec.Struct, frozen=True):
    """An item that is stored here: it stands before the request's message at `position`."""

    id: str
    position: int


class Input(msgspec.Struct, frozen=True):
    """The input of a request: its messages, and the stored items that belong between them."""

    messages: tuple[Message, ...] = ()
    references: tuple[ItemReference, ...] = ()


def parse_input(value: JsonValue, places: Places) -> Input:
    """The input: text, or a list of items, whose places are added. Raises InvalidInput."""
    path = "input"
    if isinstance(value, str):
        return Input((Message(Role.USER, content_parsing.parse_input(value, path)),))
    if not isinstance(value, list):
        raise wrong_type(path, "one of an array of objects or string", value)
    return parse_items(value, path, places)


def parse_items(items: Iterable[JsonValue], path: str, places: Places | None = None) -> Input:
    """The messages of a list of items, as a conversation's items are created too."""
    messages: list[tuple[Role, list[Part]]] = []
    references: list[ItemReference] = []
    named: set[str] = set()
    joins = False
    for number, value in enumerate(items):
        at = f"{path}[{number}]"
        item = json_checks.as_object(value, at)
        kind = _kind(item, at)
        if kind == "item_reference":
            item_id = json_checks.string(item, "id", at)
            if item_id in named:
                raise _duplicate(item_id)
            named.add(item_id)
            references.append(ItemReference(item_id, len(messages)))
            joins = False
            continue
        role, parts = _parse_item(item, kind, at)
        if places is not None:
            part_places.add(item, parts, at, places)
        if joins and role in (Role.ASSISTANT, Role.TOOL) and messages[-1][0] is role:
            messages[-1][1].extend(parts)
        else:
            messages.append((role, list(parts)))
        joins = True
    return Input(tuple(Message(role, tuple(parts)) for role, parts in messages), tuple(references))


def check_calls(messages: tuple[Message, ...]) -> None:
    """Refuse results without their calls and calls without their results. Raises InvalidInput."""
    calls: dict[str, None] = {}
    results: set[str] = set()
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, ToolCall):
            calls[part.call_id] = None
        elif isinstance(part, ToolResult):
            if part.call_id not in calls:
                raise _unmatched("tool call", "function call output with call_id", part.call_id)
            results.add(part.call_id)
    for call_id in calls:
        if call_id not in results:
            raise _unmatched("tool output", "function call", call_id)


def _unmatched(what: str, of: str, call_id: str) -> Exception:
    return refusal("input", f"No {what} found for {of} {call_id}.")


def _duplicate(item_id: str) -> Exception:
    problem = f"Duplicate item found with id {item_id[:100]}. Remove duplicate items from your "
    return refusal("input", f"{problem}input and try again.")


def _kind(item: JsonObject, path: str) -> str:
    """The type of an item; without one, an item with a role is a message, another a reference."""
    kind = json_checks.choice(item, "type", path, _TYPES)
    if kind is None:
        if "role" not in item and "id" in item:
            return "item_reference"
        return "message"
    return kind


def _parse_item(item: JsonObject, kind: str, path: str) -> tuple[Role, tuple[Part, ...]]:
    match kind:
        case "message":
            return _message(item, path)
        case "function_call":
            return Role.ASSISTANT, (_call(item, path),)
        case "function_call_output":
            call_id = json_checks.string(item, "call_id", path)
            content = content_parsing.parse_result(item.get("output"), f"{path}.output")
            return Role.TOOL, (ToolResult(call_id, content),)
        case "reasoning":
            return Role.ASSISTANT, (_reasoning(item, path),)
        case _:
            return _VENDOR_ROLES[kind], (VendorPart(DIALECT, item),)


def _message(item: JsonObject, path: str) -> tuple[Role, tuple[Part, ...]]:
    name = json_checks.choice(item, "role", path, _ROLES)
    if name is None:
        raise missing(f"{path}.role")
    role = _ROLES[name]
    content, at = item.get("content"), f"{path}.content"
    parse = content_parsing.parse_output if name == "assistant" else content_parsing.parse_input
    return role, parse(content, at)


def _call(item: JsonObject, path: str) -> ToolCall:
    call_id = json_checks.string(item, "call_id", path)
    name = json_checks.string(item, "name", path)
    text = json_checks.string(item, "arguments", path)
    try:
        refuse_unreadable(text)
        arguments = _decode_object(text or "{}")
    except (ValueError, RecursionError):
        problem = f"Invalid '{path}.arguments': expected a string with a JSON object."
        raise refusal(f"{path}.arguments", problem, "invalid_value") from None
    return ToolCall(call_id, name, cast("JsonObject", storable_json(arguments)))


def _reasoning(item: JsonObject, path: str) -> Reasoning:
    item_id = json_checks.optional_string(item, "id", path)
    encrypted = json_checks.optional_string(item, "encrypted_content", path)
    try:
        seal = reasoning.unwrap(encrypted, item_id)
    except ValueError as error:
        problem = f"Invalid '{path}.encrypted_content': {error}."
        raise refusal(f"{path}.encrypted_content", problem, "invalid_value") from None
    texts = [
        json_checks.string(json_checks.as_object(part, at), "text", at)
        for name in ("summary", "content")
        for number, part in enumerate(json_checks.as_list(item.get(name) or [], f"{path}.{name}"))
        for at in (f"{path}.{name}[{number}]",)
    ]
    return Reasoning("\n\n".join(texts), seal.signature, seal.encrypted, seal.origin, seal.id)

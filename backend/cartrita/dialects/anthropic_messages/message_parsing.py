"""Parses the messages of callers, and checks their order as Anthropic does.

The first is the user's, and each tool call has its result in the user's next turn. Messages of one
speaker that follow each other are one turn.
"""

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages.block_parsing import parse_blocks
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import (
    Citation,
    Message,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.places import Places

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_TOP_LEVEL = (
    'Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
    '"system" as the first input message role.'
)


class RawMessage(msgspec.Struct, frozen=True):
    """A message whose content has not been read yet."""

    role: str
    content: JsonValue


def parse_messages(
    raw: list[RawMessage], places: Places, *, continued: bool
) -> tuple[Message, ...]:
    """The messages, whose places are added; results of tools become messages of their own.

    `continued` is for messages that follow a stored conversation: what they refer to may be there.
    Raises InvalidInput.
    """
    if not raw:
        raise InvalidInput.of("messages", "at least one message is required")
    parsed = [_parse(message, index, len(raw), places) for index, message in enumerate(raw)]
    if parsed[0].role is not Role.USER:
        is_system = parsed[0].role is Role.SYSTEM
        problem = _TOP_LEVEL if is_system else 'first message must use the "user" role'
        raise InvalidInput.of("messages.0.role", problem)
    _CallChecks(places, continued=continued).check(parsed)
    return tuple(split for message in parsed for split in _split_results(message))


def _parse(message: RawMessage, index: int, count: int, places: Places) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidInput.of(
            f"messages.{index}.role",
            f"Input should be 'user', 'assistant' or 'system', not {message.role!r}",
        )
    path = f"messages.{index}.content"
    parts = parse_blocks(message.content, message.role, path, places)
    last = index == count - 1 and role is Role.ASSISTANT
    text = parts[-1].text if parts and isinstance(parts[-1], Text) else None
    if not last and (not parts or (len(parts) == 1 and text is not None and not text.strip())):
        raise InvalidInput.of(
            path, "all messages must have non-empty content except for the optional final assistant"
        )
    if last and text and text != text.rstrip():
        raise InvalidInput.of(path, "final assistant content cannot end with trailing whitespace")
    foreign = next((part for part in parts if not isinstance(part, Text | Citation)), None)
    if role is Role.SYSTEM and foreign is not None:
        at = _path(foreign, places, path)
        raise InvalidInput.of(f"{at}.type", "`system` messages can only have `text` blocks")
    return Message(role, () if text == "" else parts)


def _path(part: Part, places: Places, otherwise: str) -> str:
    found = places.find(part)
    return otherwise if found is None else found.path


def _split_results(message: Message) -> list[Message]:
    """The message in its order, with results of tools in messages of the role TOOL."""
    groups: list[tuple[Role, list[Part]]] = []
    for part in message.parts:
        role = Role.TOOL if _result_id(part) is not None else message.role
        if not groups or groups[-1][0] is not role:
            groups.append((role, []))
        groups[-1][1].append(part)
    return [Message(role, tuple(parts)) for role, parts in groups]


class _CallChecks:
    """Matches tool calls and their results."""

    def __init__(self, places: Places, *, continued: bool) -> None:
        self._places = places
        self._continued = continued
        self._calls: dict[str, int] = {}  # of the last assistant turn, by the message they are in
        self._open: dict[str, int] = {}
        self._speaker = Role.USER

    def check(self, messages: list[Message]) -> None:
        for index, message in enumerate(messages):
            if message.role is Role.ASSISTANT and self._speaker is not Role.ASSISTANT:
                self._require_results()
                self._calls.clear()
            if message.role is not Role.SYSTEM:
                self._speaker = message.role
            for part in message.parts:
                self._check_part(part, index)
        self._require_results()

    def _check_part(self, part: Part, index: int) -> None:
        path = _path(part, self._places, f"messages.{index}")
        if (call_id := _call_id(part)) is not None:
            if call_id in self._calls:
                raise InvalidInput.of(f"{path}.id", "`tool_use` ids must be unique")
            self._calls[call_id] = self._open[call_id] = index
        elif (result_id := _result_id(part)) is not None:
            if result_id not in self._open and not (self._continued and not self._calls):
                raise InvalidInput.of(
                    path,
                    f"unexpected `tool_use_id` found in `tool_result` blocks: {result_id}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message.",
                )
            self._open.pop(result_id, None)

    def _require_results(self) -> None:
        if not self._open:
            return
        raise InvalidInput.of(
            f"messages.{next(iter(self._open.values()))}",
            "`tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(self._open)}. Each `tool_use` block must have a corresponding "
            "`tool_result` block in the next message.",
        )


def _call_id(part: Part) -> str | None:
    return part.call_id if isinstance(part, ToolCall) else _vendor_id(part, "tool_use", "id")


def _result_id(part: Part) -> str | None:
    if isinstance(part, ToolResult):
        return part.call_id
    return _vendor_id(part, "tool_result", "tool_use_id")


def _vendor_id(part: Part, kind: str, field: str) -> str | None:
    if not isinstance(part, VendorPart) or part.origin != DIALECT:
        return None
    value = part.data.get(field)
    return value if part.data.get("type") == kind and isinstance(value, str) else None

"""Items that ask a person to approve of a call of this server, in the form of OpenAI's for MCP.

The id of such an item names the run, the approval and the hash of the arguments that were shown, so
that an answer to it can be for nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import filterfalse
from typing import Final, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from cartrita.dialects.openai_refusals import refusal, wrong_type
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Message, Part, VendorPart

REQUEST: Final = "mcp_approval_request"
RESPONSE: Final = "mcp_approval_response"
REQUIRES_ACTION: Final = "requires_action"
"""The status of a response that waits for people, and why the stream of it ends."""
SERVER_LABEL: Final = "cartrita"
_ID: Final = re.compile(r"mcpr_([0-9a-f]{32})([0-9a-f]{32})([0-9a-f]{64})")
_decode = msgspec.json.Decoder(JsonObject).decode
_encode = msgspec.json.Encoder().encode


class ApprovalPlace(msgspec.Struct, frozen=True):
    """What the id of an item names; `arguments_hash` is that of what was shown."""

    run_id: UUID
    approval_id: UUID
    arguments_hash: str

    @property
    def item_id(self) -> str:
        return f"mcpr_{self.run_id.hex}{self.approval_id.hex}{self.arguments_hash}"


class ApprovalAnswer(msgspec.Struct, frozen=True):
    """The answer of a person; it stands in the input at the index `position`."""

    place: ApprovalPlace
    approve: bool
    position: int


def parse_place(item_id: JsonValue) -> ApprovalPlace | None:
    """What an id names; None for an id that this server did not make."""
    match = _ID.fullmatch(item_id) if isinstance(item_id, str) else None
    return None if match is None else ApprovalPlace(UUID(match[1]), UUID(match[2]), match[3])


def request_item(place: ApprovalPlace, name: str, arguments: JsonObject) -> JsonObject:
    """The item that shows a call and asks whether it may be made."""
    return {
        "id": place.item_id,
        "type": REQUEST,
        "server_label": SERVER_LABEL,
        "name": name,
        "arguments": _encode(arguments).decode(),
    }


def is_own(item: JsonObject) -> bool:
    """Whether it asks for an approval of this server, or answers that."""
    named = {REQUEST: "id", RESPONSE: "approval_request_id"}.get(str(item.get("type")))
    return named is not None and parse_place(item.get(named)) is not None


def last_answers(items: JsonValue) -> tuple[ApprovalAnswer, ...]:
    """The answers with which an input ends; those before anything the model said are history.

    Raises InvalidInput for an answer that is neither yes nor no, and for one that is neither the
    last nor history: it would be lost.
    """
    found = list[ApprovalAnswer]()
    listed = cast("list[JsonValue]", items) if isinstance(items, list) else []
    ended = False
    for position in range(len(listed) - 1, -1, -1):
        item = listed[position]
        if not isinstance(item, dict) or _is_said(item):
            break
        place = _answered_place(item)
        if place is None:
            ended = True
        elif ended:
            problem = "An answer to an approval must stand after all other items."
            raise refusal(f"input[{position}]", problem, "invalid_value")
        else:
            found.append(ApprovalAnswer(place, _approves(item, position), position))
    return tuple(reversed(found))


def _answered_place(item: JsonObject) -> ApprovalPlace | None:
    if item.get("type") != RESPONSE:
        return None
    return parse_place(item.get("approval_request_id"))


def _approves(item: JsonObject, position: int) -> bool:
    approve = item.get("approve")
    if not isinstance(approve, bool):
        raise wrong_type(f"input[{position}].approve", "a boolean", approve)
    return approve


def _is_said(item: JsonObject) -> bool:
    """Whether a model made an item, and no caller."""
    kind = str(item.get("type", "message"))
    if kind in ("message", RESPONSE):
        return item.get("role") == "assistant"
    return not kind.endswith("_output")


def shown_calls(items: JsonValue) -> Iterator[tuple[ApprovalPlace, str, JsonObject | None]]:
    """The calls that an input repeats from requests; arguments that are not readable are None."""
    for item in cast("Iterable[JsonValue]", items if isinstance(items, list) else ()):
        if isinstance(item, dict) and item.get("type") == REQUEST:
            place = parse_place(item.get("id"))
            if place is not None:
                yield place, str(item.get("name")), _arguments(item.get("arguments"))


def without_approvals(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without what was asked and answered before, which no model has to know."""
    kept = (replace(one, parts=tuple(filterfalse(_is_own_part, one.parts))) for one in messages)
    return tuple(
        one for one, whole in zip(kept, messages, strict=True) if one.parts or not whole.parts
    )


def _is_own_part(part: Part) -> bool:
    return isinstance(part, VendorPart) and is_own(part.data)


def _arguments(text: JsonValue) -> JsonObject | None:
    try:
        return _decode(text) if isinstance(text, str) else None
    except (msgspec.DecodeError, RecursionError):
        return None

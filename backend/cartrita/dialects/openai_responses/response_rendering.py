"""Renders responses, output items and input items as whole JSON."""

from collections.abc import Iterable, Iterator

import msgspec

from cartrita.dialects.openai_responses import DIALECT, content_rendering, output_items
from cartrita.dialects.openai_responses.output_items import ItemStatus
from cartrita.dialects.openai_responses.response_objects import (
    Ending,
    ResponseHead,
    Status,
    response_object,
)
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
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

_encode = msgspec.json.Encoder().encode


class OwnedMessage(msgspec.Struct, frozen=True):
    """A message, and the id that those of its items follow from.

    That is the id of the response which said it, or else its own. One that is `partial` was cut.
    """

    owner: str
    message: Message
    partial: bool = False


def render(
    head: ResponseHead, deltas: Iterable[Delta], *, completed_at: int | None = None
) -> bytes:
    """The response of a complete answer. `completed_at` is in Unix seconds."""
    renderer = _silent(head)
    for delta in deltas:
        renderer.feed(delta)
    return _encode(renderer.response(completed_at))


def render_state(
    head: ResponseHead,
    status: Status,
    parts: Iterable[Part] = (),
    ending: Ending = Ending(),  # noqa: B008 - a frozen value
) -> bytes:
    """The response in any state, with the parts of its answer so far."""
    last = "completed" if status == "completed" else "incomplete"
    return _encode(response_object(head, status, output_items_of(head, parts, last), ending))


def output_items_of(
    head: ResponseHead, parts: Iterable[Part], last: ItemStatus = "completed"
) -> list[JsonObject]:
    """The parts of an answer as output items, with the ids that they have in its stream.

    `last` is the status of the last item, unless that has an end of its own.

    What a run's own tools did is left out, as in its stream.
    """
    renderer = _silent(head)
    calls = 0
    for part in _for_clients(tuple(parts), last):
        if (delta := _delta(part, calls)) is not None:
            calls += isinstance(delta, ToolCallDelta)
            renderer.feed(delta)
    renderer.close_items(last)
    return renderer.output


def input_items(
    messages: Iterable[OwnedMessage], *, include: tuple[str, ...] = ()
) -> list[JsonObject]:
    """Messages as items, as lists of input and of a conversation's items hold them.

    `include` is as in a request: encrypted reasoning is shown only if it is named.
    """
    return [item for owned in messages for item in _items(owned, include)]


def _silent(head: ResponseHead) -> StreamRenderer:
    return StreamRenderer(head, after=float("inf"))


def _items(owned: OwnedMessage, include: tuple[str, ...]) -> list[JsonObject]:
    owner, message = owned.owner, owned.message
    if message.role is Role.ASSISTANT:
        head = ResponseHead(id=owner, created_at=0, model="", include=include)
        last = "incomplete" if owned.partial else "completed"
        return output_items_of(head, message.parts, last)
    if message.role is Role.TOOL:
        return [
            item
            for index, part in enumerate(message.parts)
            if (item := _result(owner, index, part)) is not None
        ]
    return [
        {
            "id": output_items.item_id("msg", owner, 0),
            "type": "message",
            "status": "completed",
            "role": "user" if message.role is Role.USER else "system",
            "content": list(_content(message.parts)),
        }
    ]


def _result(owner: str, index: int, part: Part) -> JsonObject | None:
    if isinstance(part, VendorPart):
        return part.data if part.origin == DIALECT else None
    if not isinstance(part, ToolResult):
        return None
    output: JsonValue = list(_content(part.content))
    if all(isinstance(each, Text) for each in part.content):
        output = part.text
    item_id = output_items.item_id("fco", owner, index)
    return output_items.result_item(item_id, part.call_id, output)


def _content(parts: Iterable[Part]) -> Iterator[JsonValue]:
    """Input content as it is listed: stored files by their ids."""
    for part in parts:
        match part:
            case Text():
                yield {"type": "input_text", "text": part.text}
            case Attachment(url=None):
                kind = "input_image" if part.media_type.startswith("image/") else "input_file"
                detail: JsonObject = {"detail": part.detail or "auto"}
                told: JsonObject = {"type": kind, "file_id": part.attachment_id}
                yield told | detail if kind == "input_image" else told
            case Attachment():
                yield content_rendering.attachment(part)
            case VendorPart() if part.origin == DIALECT:
                yield part.data
            case _:
                pass


def _for_clients(parts: tuple[Part, ...], last: ItemStatus) -> Iterator[Part]:
    """The parts without the calls of its own tools: it has their results, or was cut before.

    Calls of a caller's tools are the end of an answer, which is then complete.
    """
    results = {part.call_id for part in parts if isinstance(part, ToolResult)}
    for part in parts:
        own = isinstance(part, ToolCall) and (last != "completed" or part.call_id in results)
        if not own:
            yield part


def _delta(part: Part, calls: int) -> Delta | None:
    """A part of an answer as one delta; None for what is no output."""
    match part:
        case Text():
            return TextDelta(part.text)
        case Refusal():
            return RefusalDelta(part.text)
        case Reasoning():
            return ReasoningDelta(part.text, part.signature, part.encrypted, part.origin, part.id)
        case Citation():
            return CitationDelta(part)
        case ToolCall():
            arguments = _encode(part.arguments).decode()
            return ToolCallDelta(calls, part.call_id, part.name, arguments)
        case VendorPart():
            return VendorDelta(part)
        case _:
            return None

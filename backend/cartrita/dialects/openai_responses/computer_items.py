"""The calls of a desktop as OpenAI's own tools have them, and how they are sent back."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from cartrita.dialects.computer_calls import CallForm, FunctionForm, WrittenCall
from cartrita.dialects.computer_functions import Unreadable, call_arguments, call_of, read_call
from cartrita.dialects.computer_pictures import PictureLimits, is_picture
from cartrita.dialects.openai_responses import DIALECT
from cartrita.dialects.openai_responses.computer_actions import read_action
from cartrita.domain.desktop import ComputerCall, SafetyCheck
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
    Part,
    Reasoning,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool

PREVIEW: Final = "computer_use_preview"
_FORMS: Final = ("computer", PREVIEW)
PICTURES: Final = PictureLimits(most=500, many=500, side=10_000, side_of_many=10_000)
"""OpenAI shrinks large pictures itself, and takes so many in a request."""


def is_own_form(tool: ComputerTool | None) -> bool:
    """Whether a desktop is offered as a tool of OpenAI's."""
    return tool is not None and tool.form in _FORMS


def has_preview(tool: ComputerTool | None) -> bool:
    """Whether it is the older of them, which is refused unless the input may be shortened."""
    return tool is not None and tool.form == PREVIEW


def tool_entry(tool: ComputerTool) -> JsonObject:
    """A desktop among the tools of a request."""
    if tool.form != PREVIEW:
        return {"type": tool.form}
    return {
        "type": PREVIEW,
        "display_width": tool.width,
        "display_height": tool.height,
        "environment": "linux",
    }


def call_form(tool: ComputerTool) -> CallForm:
    """How the model writes its calls."""
    return OwnForm(tool) if is_own_form(tool) else FunctionForm(tool)


class OwnForm:
    """Calls of OpenAI's own tools; implements `CallForm`."""

    origin: str | None = DIALECT

    def __init__(self, tool: ComputerTool) -> None:
        self._tool = tool

    def find(self, part: VendorPart) -> WrittenCall | None:
        """See `CallForm`."""
        item = part.data
        if item.get("type") != "computer_call":
            return None
        call_id = item.get("call_id") or item.get("id")
        return WrittenCall(str(call_id or ""), item, partial(_read, item))

    def of_function(self, call_id: str, arguments: JsonObject) -> WrittenCall:
        """See `CallForm`: there is no such function, but a model may take its name for one."""
        return WrittenCall(call_id, {}, partial(read_call, arguments, self._tool))


def _read(item: JsonObject) -> ComputerCall:
    """Raises Unreadable."""
    actions = item.get("actions")
    if not isinstance(actions, list):
        if item.get("action") is None:
            raise Unreadable("This call has no actions.")
        actions = [item.get("action")]
    call = call_of(each for one in actions for each in read_action(one))
    return ComputerCall(call.actions, tuple(_checks(item)))


def _checks(item: JsonObject) -> Iterator[SafetyCheck]:
    """What a person has to look at. One that cannot be read is told as it is, never left out."""
    for check in _pending(item):
        try:
            yield msgspec.convert(check, SafetyCheck)
        except msgspec.ValidationError:
            yield SafetyCheck("", message=msgspec.json.encode(check).decode())


def _pending(item: JsonObject) -> list[JsonValue]:
    """The checks of an item as they came; what is no list of them is one."""
    checks = item.get("pending_safety_checks")
    if isinstance(checks, list):
        return checks
    return [] if checks is None else [checks]


class CallItems:
    """The calls of a request's messages as items, and their results.

    A call of OpenAI's own tool needs a picture as its result, and what was to be checked must have
    been approved by a person. Any other is told as that of a function.
    """

    def __init__(self, request: ModelRequest) -> None:
        self._tool = request.computer
        self._own: set[int] = set()
        self._checks: dict[int, list[JsonValue]] = {}
        self._alone: set[int] = set()
        if is_own_form(self._tool):
            for call, result in _answered(request):
                if _is_whole(call, result):
                    self._own |= {id(call), id(result)}
                    self._checks[id(result)] = _pending(call.vendor)
            self._alone = {id(part) for part in self._without_calls(request)}

    def call(self, part: ToolCall) -> JsonObject | None:
        """The item of a call, as it came; None for that of a function."""
        return part.vendor if id(part) in self._own else None

    def arguments(self, part: ToolCall) -> JsonObject:
        """Those of a call that is one of a function."""
        return call_arguments(part, self._tool)

    def is_alone(self, part: Reasoning) -> bool:
        """Whether what it belongs to is not sent as it came, so that it is refused too."""
        return id(part) in self._alone

    def output(self, part: ToolResult) -> list[JsonValue] | None:
        """The items of a result; None for that of a function."""
        picture = _last_picture(part) if id(part) in self._own else None
        if picture is None:
            return None
        item: JsonObject = {
            "type": "computer_call_output",
            "call_id": part.call_id,
            "output": {"type": "computer_screenshot", "image_url": picture.url},
        }
        if checks := self._checks.get(id(part)):
            item["acknowledged_safety_checks"] = checks
        if not part.text.strip():
            return [item]
        told: JsonObject = {"type": "input_text", "text": f"Of that: {part.text}"}
        return [item, {"type": "message", "role": "user", "content": [told]}]

    def _without_calls(self, request: ModelRequest) -> Iterator[Part]:
        """The reasoning right before calls that are not sent as they came."""
        for message in request.messages:
            before: Part | None = None
            for part in message.parts:
                changed = isinstance(part, ToolCall) and _is_computer_call(part)
                if changed and isinstance(before, Reasoning) and id(part) not in self._own:
                    yield before
                before = part


def _answered(request: ModelRequest) -> Iterator[tuple[ToolCall, ToolResult]]:
    """Each call with its result."""
    waiting: dict[str, ToolCall] = {}
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                waiting[part.call_id] = part
            elif isinstance(part, ToolResult) and part.call_id in waiting:
                yield waiting.pop(part.call_id), part


def _is_computer_call(call: ToolCall) -> bool:
    return call.origin == DIALECT and call.vendor.get("type") == "computer_call"


def _is_whole(call: ToolCall, result: ToolResult) -> bool:
    """Whether a call can be sent back as it came, with its result."""
    checked = result.approved or not _pending(call.vendor)
    return _is_computer_call(call) and checked and _last_picture(result) is not None


def _last_picture(result: ToolResult) -> Attachment | None:
    """The screen after all actions, if it is there to be sent."""
    pictures = (part for part in reversed(result.content) if isinstance(part, Attachment))
    return next((one for one in pictures if is_picture(one) and one.url is not None), None)

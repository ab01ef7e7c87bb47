"""The calls of a desktop as Anthropic's own tools have them, and how they are sent back."""

from functools import partial
from typing import Final

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages.computer_actions import (
    is_member,
    read_member,
    write_member,
)
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.computer_calls import CallForm, FunctionForm, WrittenCall
from cartrita.dialects.computer_functions import Unreadable, call_arguments, call_of
from cartrita.dialects.computer_pictures import PictureLimits
from cartrita.domain.desktop import ComputerCall
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import ToolCall, VendorPart
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import COMPUTER, ComputerTool

TOOLSET: Final = "computer_toolset_20260801"
_TOOLSET_NAME: Final = "computer"
_CLEARING: Final = "context-management-2025-06-27"
BETAS: Final = {
    "computer_20251124": "computer-use-2025-11-24",
    "computer_20250124": "computer-use-2025-01-24",
}
"""The older tools, and what has to be asked for in a header to use them."""


def is_own_form(tool: ComputerTool | None) -> bool:
    """Whether a desktop is offered as a tool of Anthropic's."""
    return tool is not None and (tool.form == TOOLSET or tool.form in BETAS)


def tool_entry(tool: ComputerTool) -> JsonObject:
    """A desktop among the tools of a request."""
    if tool.form == TOOLSET:
        off: JsonObject = {"configs": {"zoom": {"enabled": False}}}
        return {"type": TOOLSET} if tool.zoom else {"type": TOOLSET, **off}
    zoom: JsonObject = {"enable_zoom": True} if tool.zoom else {}
    return {
        "type": tool.form,
        "name": _TOOLSET_NAME,
        "display_width_px": tool.width,
        "display_height_px": tool.height,
        **(zoom if tool.form == "computer_20251124" else {}),
    }


def betas(request: ModelRequest, options: ModelOptions) -> tuple[str, ...]:
    """What a request has to ask for in a header."""
    tool = request.computer
    asked = None if tool is None else BETAS.get(tool.form)
    clearing = context_management(request, options) is not None
    return (*((asked,) if asked else ()), *((_CLEARING,) if clearing else ()))


def context_management(request: ModelRequest, options: ModelOptions) -> JsonObject | None:
    """Has the API leave out old results itself, where reasoning is bound to what was sent."""
    if not options.bound_thinking or not is_own_form(request.computer):
        return None
    return {"edits": [{"type": "clear_tool_uses_20250919"}]}


def picture_limits(request: ModelRequest, options: ModelOptions) -> PictureLimits:
    """What pictures of a desktop the API takes."""
    tool = request.computer
    fine = tool is not None and tool.form == TOOLSET
    return PictureLimits(
        most=100,
        many=20,
        side=2576 if fine else 8000,
        side_of_many=2000,
        patches=4784 if fine else None,
        bound=options.bound_thinking,
    )


def call_form(tool: ComputerTool) -> CallForm:
    """How the model writes its calls."""
    return OwnForm(tool) if is_own_form(tool) else FunctionForm(tool)


class OwnForm:
    """Calls of Anthropic's own tools; implements `CallForm`."""

    origin: str | None = DIALECT

    def __init__(self, tool: ComputerTool) -> None:
        self._tool = tool

    def find(self, part: VendorPart) -> WrittenCall | None:
        """See `CallForm`."""
        block = part.data
        if block.get("type") != "tool_use" or block.get("toolset_name") != _TOOLSET_NAME:
            return None
        name, given = str(block.get("name", "")), _object(block.get("input"))
        read = partial(_read, name, block.get("input"))
        return WrittenCall(str(block.get("id", "")), {**block, "input": given}, read)

    def of_function(self, call_id: str, arguments: JsonObject) -> WrittenCall:
        """See `CallForm`: the older tools are called by one name, with an `action`."""
        block: JsonObject = {
            "type": "tool_use",
            "id": call_id,
            "name": COMPUTER,
            "input": arguments,
        }
        return WrittenCall(call_id, block, partial(_read_older, arguments))


def _read(name: str, given: JsonValue) -> ComputerCall:
    if not isinstance(given, dict):
        raise Unreadable(f"The input of {name[:80]} was no JSON object, or was cut off.")
    return call_of(read_member(name, given))


def _read_older(arguments: JsonObject) -> ComputerCall:
    action = arguments.get("action")
    if not isinstance(action, str):
        raise Unreadable("The input of this call has no `action`.")
    return call_of(read_member(action, arguments))


def _object(given: JsonValue) -> JsonObject:
    """The API takes back nothing but an object; Anthropic advises this one for any other."""
    return given if isinstance(given, dict) else {"INVALID_JSON": given}


def _is_of(block: JsonObject, *, toolset: bool) -> bool:
    """Whether a block is a call of the toolset, or of the older tools, as the API takes it back."""
    if not toolset:
        return "toolset_name" not in block
    return "toolset_name" in block and is_member(str(block.get("name")))


class CallBlocks:
    """The calls of a request's messages as blocks, and which results have to name the toolset."""

    def __init__(self, request: ModelRequest) -> None:
        self._tool = request.computer
        self._of_toolset: set[str] = set()

    def call(self, part: ToolCall) -> JsonObject | None:
        """The block of a call, but for its id; None for one that is a call of a function."""
        if self._tool is None or not is_own_form(self._tool) or part.name != COMPUTER:
            self._of_toolset.discard(part.call_id)
            return None
        block = self._own(part)
        if block is not None and "toolset_name" in block:
            self._of_toolset.add(part.call_id)
        else:
            self._of_toolset.discard(part.call_id)
        return block

    def arguments(self, part: ToolCall) -> JsonObject:
        """Those of a call that is one of a function."""
        return call_arguments(part, self._tool)

    def toolset_name(self, call_id: str) -> str | None:
        """What the result of a call has to repeat."""
        return _TOOLSET_NAME if call_id in self._of_toolset else None

    def _own(self, part: ToolCall) -> JsonObject | None:
        toolset = self._tool is not None and self._tool.form == TOOLSET
        if part.origin == DIALECT and _is_of(part.vendor, toolset=toolset):
            return part.vendor
        if part.malformed:
            return None
        try:
            call = msgspec.convert(part.arguments, ComputerCall)
        except msgspec.ValidationError:
            return None
        member = write_member(call.actions[0]) if len(call.actions) == 1 else None
        if member is None:
            return None
        name, given = member
        if toolset:
            return {
                "type": "tool_use",
                "name": name,
                "input": given,
                "toolset_name": _TOOLSET_NAME,
            }
        older: JsonObject = {"action": name, **given}
        return {"type": "tool_use", "name": COMPUTER, "input": older}

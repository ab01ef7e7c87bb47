"""What Anthropic demands of requests that offer a desktop, beyond the types of their fields.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool
"""

import re
import struct
from collections.abc import Iterator, Sequence
from typing import Final, cast

from tests.harness.fake_provider import media
from tests.harness.fake_provider.anthropic_messages import errors, messages
from tests.harness.fake_provider.shape_checks import Json

TOOLSET: Final = "computer_toolset_20260801"
NAME: Final = "computer"
HALTED: Final = "Not executed: an earlier computer action in this turn failed."
MEMBERS: Final = (
    *("screenshot", "zoom", "cursor_position", "mouse_move", "scroll", "type", "key", "hold_key"),
    *("left_click", "right_click", "middle_click", "double_click", "triple_click", "wait"),
    *("left_click_drag", "left_mouse_down", "left_mouse_up"),
)
_BETAS: Final = {
    "computer_20251124": "computer-use-2025-11-24",
    "computer_20250124": "computer-use-2025-01-24",
}
_CLEARING: Final = "context-management-2025-06-27"
_FINE_GRAINED: Final = "fine-grained-tool-streaming-2025-05-14"
_NAME: Final = re.compile(r"(opus|sonnet|haiku|fable|mythos)-(\d+)(?:-(\d{1,2}))?(?!\d)")
_MANY, _SIDE_OF_MANY, _SIDE, _PATCHES = 20, 2000, 2576, 4784


def check(fields: Json, betas: Sequence[str]) -> None:
    """Raise the Refusal of a request that does not keep the rules of the computer tools."""
    if "context_management" in fields and _CLEARING not in betas:
        raise errors.extra("context_management")
    tools = cast("list[Json]", fields.get("tools") or [])
    kinds = [str(tool.get("type", "custom")) for tool in tools]
    model = cast("str", fields["model"])
    for index, kind in enumerate(kinds):
        _check_kind(kind, index, model, betas)
    if TOOLSET in kinds:
        _check_with_toolset(fields, model, betas)
    _check_images(fields, fine=TOOLSET in kinds)
    _check_calls(fields, offered=TOOLSET in kinds)


def _check_kind(kind: str, index: int, model: str, betas: Sequence[str]) -> None:
    beta = _BETAS.get(kind)
    if beta is not None and beta not in betas:
        raise errors.at(
            f"tools.{index}",
            f"Input tag '{kind}' found using 'type' does not match any of the expected tags",
        )
    if kind not in _taken(model):
        raise errors.AnthropicRefusal(f"'{model}' does not support tool types: {kind}.")


def _taken(model: str) -> "_Kinds":
    found = _NAME.search(model)
    if found is None:
        return _Kinds(TOOLSET, *_BETAS)
    family, version = found[1], (int(found[2]), int(found[3] or 0))
    if version >= (5, 5) or (family in ("fable", "mythos") and version >= (5, 2)):
        return _Kinds(TOOLSET)
    if version >= (5, 0) or (family == "opus" and version >= (4, 8)):
        return _Kinds(TOOLSET, "computer_20251124")
    if version >= (4, 6) or (family == "opus" and version >= (4, 5)):
        return _Kinds("computer_20251124")
    return _Kinds("computer_20250124")


class _Kinds:
    """The types of tools that a model takes: all that are no computer tools, and these."""

    def __init__(self, *computers: str) -> None:
        self._computers = computers

    def __contains__(self, kind: str) -> bool:
        return kind not in (TOOLSET, *_BETAS) or kind in self._computers


def _check_with_toolset(fields: Json, model: str, betas: Sequence[str]) -> None:
    if _FINE_GRAINED in betas:
        raise errors.AnthropicRefusal(
            f"The beta {_FINE_GRAINED} cannot be used together with a toolset."
        )
    chosen = cast("Json", fields.get("tool_choice") or {})
    if chosen.get("type") in ("any", "tool") and _always_thinks(model):
        raise errors.at("tool_choice", f"'{model}' does not support a forced tool choice.")
    thinking = cast("Json", fields.get("thinking") or {})
    if thinking.get("type") == "disabled" and _always_thinks(model):
        raise errors.at("thinking", f"thinking cannot be disabled for '{model}'.")


def _always_thinks(model: str) -> bool:
    found = _NAME.search(model)
    return (
        found is not None and found[1] != "haiku" and (int(found[2]), int(found[3] or 0)) >= (5, 5)
    )


def _check_images(fields: Json, *, fine: bool) -> None:
    sizes = dict(_sizes(fields))
    for path, (width, height) in sizes.items():
        patches = -(-width // 28) * -(-height // 28)
        if fine and (max(width, height) > _SIDE or patches > _PATCHES):
            raise errors.at(path, f"image exceeds the maximum size: {width}x{height} pixels")
        if len(sizes) > _MANY and max(width, height) > _SIDE_OF_MANY:
            raise errors.at(
                path,
                "At least one of the image dimensions exceed max allowed size for many-image "
                f"requests: {_SIDE_OF_MANY} pixels",
            )


def _sizes(value: object, path: str = "messages") -> Iterator[tuple[str, tuple[int, int]]]:
    """The places and sizes of all PNGs in base64."""
    if isinstance(value, list):
        for index, each in enumerate(cast("list[object]", value)):
            yield from _sizes(each, f"{path}.{index}")
    elif isinstance(value, dict):
        fields = cast("Json", value)
        if fields.get("type") == "base64" and fields.get("media_type") == "image/png":
            data = media.decoded(str(fields["data"])) or b""
            if len(data) >= 24:
                yield path, struct.unpack(">II", data[16:24])
            return
        for name, each in fields.items():
            yield from _sizes(each, path if name == "messages" else f"{path}.{name}")


def _check_calls(fields: Json, *, offered: bool) -> None:
    called: dict[str, Json] = {}
    for index, message in enumerate(cast("list[Json]", fields["messages"])):
        failed = False
        for position, block in enumerate(messages.blocks(message)):
            path = f"messages.{index}.content.{position}"
            if block["type"] == "tool_use":
                _check_call(block, path, offered=offered)
                called[cast("str", block["id"])] = block
            elif block["type"] == "tool_result":
                call = called.get(cast("str", block["tool_use_id"]), {})
                _check_result(block, call, path)
                failed = _check_halted(block, path, failed=failed)


def _check_call(block: Json, path: str, *, offered: bool) -> None:
    toolset = block.get("toolset_name")
    if toolset is None:
        return
    if toolset != NAME or not offered:
        raise errors.at(f"{path}.toolset_name", f"no toolset '{toolset}' is among the tools")
    if block["name"] not in MEMBERS:
        raise errors.at(f"{path}.name", f"'{block['name']}' is no member of '{toolset}'")


def _check_result(block: Json, call: Json, path: str) -> None:
    toolset, content = call.get("toolset_name"), block.get("content")
    if block.get("toolset_name") != toolset:
        raise errors.at(
            f"{path}.toolset_name",
            f"must be the `toolset_name` of the `tool_use` block that it answers: {toolset}",
        )
    if block.get("is_error") and not content:
        raise errors.at(f"{path}.content", "content cannot be empty if `is_error` is true")
    if toolset is None or not isinstance(content, list):
        return
    for each in cast("list[Json]", content):
        if each["type"] not in ("text", "image"):
            raise errors.at(path, "results of a toolset hold text and images only")


def _check_halted(block: Json, path: str, *, failed: bool) -> bool:
    """After a failed action of a turn no other is done, and its result says so in these words."""
    if block.get("toolset_name") is None:
        return failed
    if failed and not (block.get("is_error") and _text(block) == HALTED):
        raise errors.at(path, f"the result after a failed action must be the error: {HALTED}")
    return failed or bool(block.get("is_error"))


def _text(block: Json) -> str:
    content = block.get("content")
    if not isinstance(content, list):
        return str(content)
    return "".join(str(each.get("text", "")) for each in cast("list[Json]", content))

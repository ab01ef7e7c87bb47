"""What OpenAI demands of requests that offer a desktop, beyond the types of their fields.

Source: https://developers.openai.com/api/docs/guides/tools-computer-use
"""

import re
from collections.abc import Sequence
from typing import Final, cast

from tests.harness.fake_provider.openai import errors

Json = dict[str, object]
KINDS: Final = ("computer", "computer_use_preview")
CALL: Final = "computer_call"
OUTPUT: Final = "computer_call_output"
_VERSION: Final = re.compile(r"gpt-(\d+)(?:\.(\d+))?")


def check(fields: Json, said: Sequence[Json]) -> None:
    """Raise the Refusal of a request that does not keep the rules of the computer tools."""
    model = cast("str", fields["model"])
    tools = cast("list[Json]", fields.get("tools") or [])
    for index, tool in enumerate(tools):
        if tool["type"] in KINDS:
            _check_kind(cast("str", tool["type"]), index, model)
    preview = any(tool["type"] == "computer_use_preview" for tool in tools)
    if preview and fields.get("truncation") != "auto":
        raise errors.OpenAIRefusal(
            "The computer_use_preview tool requires truncation to be 'auto'.", param="truncation"
        )
    _check_outputs(said)


def _check_kind(kind: str, index: int, model: str) -> None:
    if kind in _taken(model):
        return
    raise errors.OpenAIRefusal(
        f"Tool '{kind}' is not supported with {model}.", param=f"tools[{index}]"
    )


def _taken(model: str) -> Sequence[str]:
    if model.startswith("computer-use-preview"):
        return ("computer_use_preview",)
    found = _VERSION.match(model)
    if found is None:
        return () if re.match(r"o\d|chatgpt-", model) else KINDS
    return ("computer",) if (int(found[1]), int(found[2] or 0)) >= (5, 4) else ()


def _check_outputs(said: Sequence[Json]) -> None:
    calls = {cast("str", item["call_id"]): item for item in said if item["type"] == CALL}
    for item in said:
        if item["type"] == CALL and not (item.get("actions") or item.get("action")):
            raise errors.OpenAIRefusal("A computer call needs actions.", param="input")
        if item["type"] == OUTPUT:
            _check_output(item, calls.get(cast("str", item["call_id"]), {}))


def _check_output(item: Json, call: Json) -> None:
    seen = cast("Json", item["output"])
    if not (seen.get("image_url") or seen.get("file_id")):
        raise errors.OpenAIRefusal(
            "A computer call output needs a screenshot: image_url or file_id.", param="input"
        )
    pending = _ids(call.get("pending_safety_checks"))
    acknowledged = _ids(item.get("acknowledged_safety_checks"))
    if missing := [each for each in pending if each not in acknowledged]:
        raise errors.OpenAIRefusal(
            f"Computer call {item['call_id']} has safety checks that were not acknowledged: "
            f"{', '.join(missing)}.",
            param="input",
        )
    if unknown := [each for each in acknowledged if each not in pending]:
        raise errors.OpenAIRefusal(
            f"Computer call {item['call_id']} has no such safety checks: {', '.join(unknown)}.",
            param="input",
        )


def _ids(checks: object) -> list[str]:
    return [str(each["id"]) for each in cast("list[Json]", checks or [])]

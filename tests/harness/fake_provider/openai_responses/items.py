"""The items that a request may hold as its input: their schemas, and which needs which."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

from tests.harness.fake_provider.content import Turn
from tests.harness.fake_provider.openai import errors, limits, media_checks
from tests.harness.fake_provider.seals import Seal
from tests.harness.fake_provider.shape_checks import Rule

Item = dict[str, object]


_INPUT = ("input_text", "input_image", "input_file")
_OUTPUT = ("output_text", "refusal")
_CALL_ID = limits.text(64)
_ANSWERED = ("function_call", "computer_call")
RULES: dict[str, Rule] = {
    "input[].call_id": _CALL_ID,
    "input[].name": limits.text(128, limits.NAME),
    "input[].content[].file_data": media_checks.file_part,
    "input[].content[].image_url": media_checks.image_url,
    "input[].output[].file_data": media_checks.file_part,
    "input[].output[].image_url": media_checks.image_url,
    "input[].output.image_url": media_checks.image_url,
}
_EITHER = ("ResponseInputTextParam", "ResponseInputImageParam", "ResponseInputFileParam")
_SAID = ("ResponseOutputTextParam", "ResponseOutputRefusalParam")
BEYOND_TYPES: dict[str, Any] = {
    "EasyInputMessageParam": {
        "fields": {
            "content": {
                "any_of": [
                    {"array": {"any_of": [{"ref": name} for name in (*_EITHER, *_SAID)]}},
                    "string",
                ]
            }
        }
    },
    "ResponseInputImageParam": {"required": ["type"]},
    "ResponseOutputTextParam": {"required": ["text", "type"]},
    "FunctionToolParam": {"required": ["name", "type"]},
}
"""What the vendor takes though the types do not say so: some of its parts may be left out."""


def check_parts(value: object) -> None:
    """Raise the Refusal of a part that is not for its role, before anything else is said of it.

    What the assistant said is output, and what others said is input, whatever the types say.
    """
    for index, item in enumerate(cast("list[Any]", value if isinstance(value, list) else [])):
        if not isinstance(item, dict) or item.get("type", "message") != "message":
            continue
        content = item.get("content")
        supported = _OUTPUT if item.get("role") == "assistant" else _INPUT
        for position, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind not in supported:
                path = f"input[{index}].content[{position}].type"
                raise errors.wrong_value(path, kind, supported)


def items(value: object) -> list[Item]:
    """The input as items, a string as a user's message."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return [{"type": "message", **item} for item in cast("list[Item]", value)]


def check_order(said: Sequence[Item], seal: Seal, known: Callable[[str], bool]) -> None:
    """Raise the Refusal of items that lack another; `known` tells ids that this server keeps."""
    for kind in _ANSWERED:
        _check_answered(said, kind)
    for index, item in enumerate(said):
        if item["type"] == "reasoning":
            _check_sealed(item, seal, known)
            _check_followed(said, index)


def _check_answered(said: Sequence[Item], kind: str) -> None:
    """Each call of this kind has its output, and each output its call."""
    words = kind.replace("_", " ")
    calls = [cast("str", item["call_id"]) for item in said if item["type"] == kind]
    answers = [item.get("call_id") for item in said if item["type"] == f"{kind}_output"]
    for call in answers:
        if call not in calls:
            raise errors.OpenAIRefusal(
                f"No tool call found for {words} output with call_id {call}.", param="input"
            )
    for call in calls:
        if call not in answers:
            raise errors.OpenAIRefusal(f"No tool output found for {words} {call}.", param="input")


def _check_sealed(item: Item, seal: Seal, known: Callable[[str], bool]) -> None:
    name, sealed = cast("str", item["id"]), cast("str | None", item.get("encrypted_content"))
    if sealed is None and not known(name):
        raise errors.OpenAIRefusal(
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input.",
            status=404,
            param="input",
        )
    if sealed is not None and not seal.opens(sealed):
        raise errors.OpenAIRefusal(
            f"The encrypted content for item {name} could not be verified.",
            code="invalid_encrypted_content",
        )


def _check_followed(said: Sequence[Item], index: int) -> None:
    after = next((item for item in said[index + 1 :] if item["type"] != "reasoning"), None)
    by_assistant = after is not None and (
        after["type"] in _ANSWERED or after.get("role") == "assistant"
    )
    if not by_assistant:
        raise errors.OpenAIRefusal(
            f"Item '{said[index]['id']}' of type 'reasoning' was provided without its required "
            "following item.",
            param="input",
        )


def text_of(item: Item) -> str:
    """The text of a message, or of a tool's output."""
    said = item.get("content", item.get("output"))
    if isinstance(said, list):
        return "".join(cast("str", part.get("text", "")) for part in cast("list[Item]", said))
    return said if isinstance(said, str) else ""


def turns(said: Sequence[Item]) -> list[Turn]:
    """The conversation as far as it decides what is asked."""
    found: list[Turn] = []
    for item in said:
        if item["type"] == "message":
            role = cast("str", item["role"])
            found.append(Turn(_ROLES.get(role, "other"), text_of(item)))
        elif item["type"] in [f"{kind}_output" for kind in _ANSWERED]:
            found.append(Turn("tool", text_of(item), plain=False))
        elif item["type"] in _ANSWERED:
            found.append(Turn("assistant", "", plain=False))
    return found


_ROLES: dict[str, Literal["user", "assistant", "tool", "other"]] = {
    "user": "user",
    "assistant": "assistant",
}

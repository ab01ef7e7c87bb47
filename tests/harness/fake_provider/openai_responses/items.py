"""The items that a request may hold as its input: their schemas, and which needs which."""

from collections.abc import Callable, Sequence
from typing import Literal, cast

from tests.harness.fake_provider.content import Turn
from tests.harness.fake_provider.openai import errors, json_checks
from tests.harness.fake_provider.openai.media_checks import file_part, image_url
from tests.harness.fake_provider.seals import Seal

Item = dict[str, object]

_TYPE: dict[str, json_checks.Check] = {"type": json_checks.anything}
_STATUS = json_checks.nullable(json_checks.choice("in_progress", "completed", "incomplete"))
_TEXT = json_checks.nullable(json_checks.string())
_OWN: dict[str, json_checks.Check] = {"id": _TEXT, "status": _STATUS}
_INPUT: dict[str, json_checks.Check] = {
    "input_text": json_checks.record(_TYPE | {"text": json_checks.string()}),
    "input_image": json_checks.record(
        _TYPE,
        {
            "detail": json_checks.choice("auto", "low", "high", "original"),
            "file_id": _TEXT,
            "image_url": json_checks.nullable(image_url),
        },
    ),
    "input_file": json_checks.record(
        _TYPE,
        {
            "file_id": _TEXT,
            "file_data": file_part,
            "file_url": json_checks.string(),
            "filename": json_checks.string(),
        },
    ),
}
_OUTPUT: dict[str, json_checks.Check] = {
    "output_text": json_checks.record(
        _TYPE | {"text": json_checks.string()},
        {"annotations": json_checks.array(json_checks.anything), "logprobs": json_checks.anything},
    ),
    "refusal": json_checks.record(_TYPE | {"refusal": json_checks.string()}),
}


def _content(parts: dict[str, json_checks.Check]) -> json_checks.Check:
    return json_checks.either(
        "one of an array of objects or string",
        {str: json_checks.string(), list: json_checks.array(json_checks.tagged(parts))},
    )


def _message(parts: dict[str, json_checks.Check]) -> json_checks.Check:
    required: dict[str, json_checks.Check] = {
        "role": json_checks.anything,
        "content": _content(parts),
    }
    return json_checks.record(required, _TYPE | _OWN | {"phase": _TEXT})


_MESSAGE = json_checks.tagged(
    {
        "user": _message(_INPUT),
        "system": _message(_INPUT),
        "developer": _message(_INPUT),
        "assistant": _message(_OUTPUT),
    },
    tag="role",
)
_SUMMARY = json_checks.tagged(
    {"summary_text": json_checks.record(_TYPE | {"text": json_checks.string()})}
)
_REASONING_TEXT = json_checks.tagged(
    {"reasoning_text": json_checks.record(_TYPE | {"text": json_checks.string()})}
)
_KINDS: dict[str, json_checks.Check] = {
    "message": _MESSAGE,
    "function_call": json_checks.record(
        _TYPE
        | {
            "call_id": json_checks.string(longest=64),
            "name": json_checks.string(longest=128, pattern="[a-zA-Z0-9_-]+"),
            "arguments": json_checks.string(),
        },
        _OWN,
    ),
    "function_call_output": json_checks.record(
        _TYPE | {"call_id": json_checks.string(longest=64), "output": _content(_INPUT)}, _OWN
    ),
    "reasoning": json_checks.record(
        _TYPE | {"id": json_checks.string(), "summary": json_checks.array(_SUMMARY)},
        {
            "encrypted_content": _TEXT,
            "content": json_checks.nullable(json_checks.array(_REASONING_TEXT)),
            "status": _STATUS,
        },
    ),
    "item_reference": json_checks.record(_TYPE | {"id": json_checks.string()}),
}
_TYPED = json_checks.tagged(_KINDS)


def _item(value: object, path: str) -> None:
    fields = json_checks.mapping(value, path)
    if "type" in fields or "role" not in fields:
        _TYPED(value, path)
    else:
        _MESSAGE(value, path)


check = json_checks.either(
    "one of an array of objects or string",
    {str: json_checks.string(), list: json_checks.array(_item)},
)


def items(value: object) -> list[Item]:
    """The input as items, a string as a user's message."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return [{"type": "message", **item} for item in cast("list[Item]", value)]


def check_order(said: Sequence[Item], seal: Seal, known: Callable[[str], bool]) -> None:
    """Raise the Refusal of items that lack another; `known` tells ids that this server keeps."""
    calls = [cast("str", item["call_id"]) for item in said if item["type"] == "function_call"]
    answers = [item["call_id"] for item in said if item["type"] == "function_call_output"]
    for call in answers:
        if call not in calls:
            raise errors.OpenAIRefusal(
                f"No tool call found for function call output with call_id {call}.", param="input"
            )
    for call in calls:
        if call not in answers:
            raise errors.OpenAIRefusal(
                f"No tool output found for function call {call}.", param="input"
            )
    for index, item in enumerate(said):
        if item["type"] == "reasoning":
            _check_sealed(item, seal, known)
            _check_followed(said, index)


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
        after["type"] == "function_call" or after.get("role") == "assistant"
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
        elif item["type"] == "function_call_output":
            found.append(Turn("tool", text_of(item), plain=False))
        elif item["type"] == "function_call":
            found.append(Turn("assistant", "", plain=False))
    return found


_ROLES: dict[str, Literal["user", "assistant", "tool", "other"]] = {
    "user": "user",
    "assistant": "assistant",
}

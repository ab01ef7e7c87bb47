"""The messages of a request: their shapes, and which block may stand where."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.content import Turn
from tests.harness.fake_provider.seals import Seal
from tests.harness.fake_provider.shape_checks import Json

_BY_USER = frozenset({"image", "document", "search_result", "tool_result"})
_BY_ASSISTANT = frozenset({"tool_use", "thinking", "redacted_thinking"})


def check(value: Any, path: str) -> None:
    """Raise the Refusal that the vendor would answer these messages with."""
    messages = cast("list[Json]", value)
    if not messages:
        raise errors.at(path, "at least one message is required")
    if messages[0]["role"] == "system":
        raise errors.at(
            f"{path}.0.role",
            'Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as the first input message role.',
        )
    if messages[0]["role"] != "user":
        raise errors.AnthropicRefusal('messages: first message must use the "user" role')
    for index, message in enumerate(messages):
        _check_content(message, index, final=index == len(messages) - 1)
    _check_prefill(messages[-1])
    _check_calls(messages)


def blocks(message: Json) -> list[Json]:
    """The content as blocks, a string as one of text."""
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return cast("list[Json]", content)


def check_seals(messages: Sequence[Json], seal: Seal) -> None:
    """Raise the Refusal of thinking that this server did not think."""
    for place, block in _placed(messages):
        if block["type"] == "thinking":
            thinking, signature = cast("str", block["thinking"]), cast("str", block["signature"])
            if not seal.signed(thinking, signature):
                raise errors.at(place, "Invalid `signature` in `thinking` block")
        elif block["type"] == "redacted_thinking" and not seal.opens(cast("str", block["data"])):
            raise errors.at(place, "Invalid `data` in `redacted_thinking` block")


def check_thinking_first(messages: Sequence[Json]) -> None:
    """With thinking, an assistant's message whose tools are being answered begins with it."""
    last = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    if not last or last[-1] != len(messages) - 2:
        return
    first = blocks(messages[last[-1]])[0]
    answered = blocks(messages[-1])[0]["type"] == "tool_result"
    if answered and first["type"] not in {"thinking", "redacted_thinking"}:
        raise errors.at(
            f"messages.{last[-1]}.content.0.type",
            f"Expected `thinking` or `redacted_thinking`, but found `{first['type']}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block "
            "(preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
        )


def _placed(messages: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    for index, message in enumerate(messages):
        for position, block in enumerate(blocks(message)):
            yield f"messages.{index}.content.{position}", block


def _check_content(message: Json, index: int, *, final: bool) -> None:
    role, said = cast("str", message["role"]), message["content"]
    if not said and not (final and role == "assistant"):
        raise errors.at(
            f"messages.{index}",
            "all messages must have non-empty content except for the optional final assistant "
            "message",
        )
    if isinstance(said, str):
        return
    foreign = _BY_ASSISTANT if role == "user" else _BY_USER
    for position, block in enumerate(blocks(message)):
        kind = cast("str", block["type"])
        if kind in foreign:
            other = "assistant" if role == "user" else "user"
            raise errors.at(
                f"messages.{index}.content.{position}",
                f"`{kind}` blocks can only be in `{other}` messages",
            )
        if kind == "text" and not block["text"]:
            raise errors.AnthropicRefusal("messages: text content blocks must be non-empty")


def _check_prefill(last: Json) -> None:
    if last["role"] != "assistant" or not last["content"]:
        return
    block = blocks(last)[-1]
    if block["type"] in {"thinking", "redacted_thinking"}:
        raise errors.AnthropicRefusal(
            "messages: The final block in an assistant message cannot be `thinking`."
        )
    said = block.get("text")
    if isinstance(said, str) and said != said.rstrip():
        raise errors.AnthropicRefusal(
            "messages: final assistant content cannot end with trailing whitespace"
        )


def _check_calls(messages: Sequence[Json]) -> None:
    """Every call is answered at once, at the head of the next message, and nothing else is."""
    called: list[str] = []
    seen: set[str] = set()
    for index, message in enumerate(messages):
        answered = _answered(message, index, called)
        if open_calls := [call for call in called if call not in answered]:
            raise _unanswered(index - 1, open_calls)
        called = [
            cast("str", block["id"]) for block in blocks(message) if block["type"] == "tool_use"
        ]
        if len(seen | set(called)) < len(seen) + len(called):
            raise errors.at(f"messages.{index}.content", "`tool_use` ids must be unique")
        seen.update(called)
    if called:
        raise _unanswered(len(messages) - 1, called)


def _answered(message: Json, index: int, called: list[str]) -> set[str]:
    answered: set[str] = set()
    others = False
    for position, block in enumerate(blocks(message)):
        if block["type"] != "tool_result":
            others = True
            continue
        call = cast("str", block["tool_use_id"])
        if call not in called:
            raise errors.at(
                f"messages.{index}.content.{position}",
                f"unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message.",
            )
        if call in answered:
            raise errors.at(
                f"messages.{index}.content.{position}",
                f"each tool_use must have a single result. Found multiple `tool_result` blocks "
                f"with id: {call}",
            )
        if others:
            raise _unanswered(index - 1, [call])
        answered.add(call)
    return answered


def _unanswered(index: int, calls: list[str]) -> errors.AnthropicRefusal:
    return errors.at(
        f"messages.{index}",
        "`tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(calls)}. Each `tool_use` block must have a corresponding `tool_result` block "
        "in the next message.",
    )


def text_of(message: Json) -> str:
    """The text of a message, that of tools' results left out."""
    return "".join(cast("str", b["text"]) for b in blocks(message) if b["type"] == "text")


def turn_of(message: Json) -> Turn:
    """The message as far as it decides what is asked."""
    kinds = {cast("str", block["type"]) for block in blocks(message)}
    if "tool_result" in kinds:
        return Turn("tool", text_of(message), plain=False)
    plain = kinds <= {"text", "thinking", "redacted_thinking"}
    return Turn(_TURNS[cast("str", message["role"])], text_of(message), plain=plain)


_TURNS: dict[str, Literal["user", "assistant", "other"]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "other",
}

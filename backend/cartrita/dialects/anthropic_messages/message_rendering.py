"""Renders the messages of a conversation, in the order and the form that the API takes.

Users and the model take turns, the user first. Results of tools stand before everything else in the
user's turn. Texts without a letter are left out, because the API refuses them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Literal, TypeAlias

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT, file_sources
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.computer_calls import CallBlocks
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.losses import Losses
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
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
from cartrita.domain.requests import ModelRequest

_Speaker: TypeAlias = Literal["user", "assistant", "system"]
_RenderBlocks: TypeAlias = Callable[[Iterable[Part]], Iterator[wire.Block]]
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_CONTINUE = "Continue."


def render_messages(
    request: ModelRequest, options: ModelOptions, losses: Losses
) -> list[wire.InputMessage]:
    """The conversation. Raises InvalidInput for a file that cannot be sent."""
    turns: list[tuple[_Speaker, list[wire.Block]]] = []
    render_blocks = partial(_blocks, calls=CallBlocks(request), losses=losses)
    for message in request.messages:
        speaker, blocks = _turn(message, request, options, render_blocks, losses)
        if not blocks:
            continue
        if speaker == "system" and not (turns and turns[-1][0] == "user"):
            speaker, blocks = "user", list[wire.Block]((_as_user(message.text, losses),))
        if speaker == "user" and turns and turns[-1][0] == "system":
            _settle(turns, request, losses)
        if turns and turns[-1][0] == speaker:
            turns[-1][1].extend(blocks)
        else:
            turns.append((speaker, blocks))
    _complete(turns, request, options, losses)
    if request.computer is not None and request.origin is None:
        _mark_end(turns[-1][1])
    return [
        wire.InputMessage(speaker, _content(_results_first(blocks))) for speaker, blocks in turns
    ]


def cache_control(cache: CacheBreakpoint | None) -> wire.CacheControl | None:
    """The breakpoint; a time that the API does not know is left to it."""
    if cache is None:
        return None
    return wire.CacheControl("ephemeral", "1h" if cache.ttl == "1h" else _five_minutes(cache))


def text_block(part: Text) -> wire.TextBlock:
    """A block of text."""
    return wire.TextBlock(part.text, cache_control(part.cache))


def _five_minutes(cache: CacheBreakpoint) -> Literal["5m"] | None:
    return "5m" if cache.ttl == "5m" else None


def _turn(
    message: Message,
    request: ModelRequest,
    options: ModelOptions,
    render_blocks: _RenderBlocks,
    losses: Losses,
) -> tuple[_Speaker, list[wire.Block]]:
    match message.role:
        case Role.ASSISTANT:
            return "assistant", list(render_blocks(message.parts))
        case Role.SYSTEM if options.system_messages or request.origin == DIALECT:
            return "system", list(render_blocks(message.parts))
        case Role.SYSTEM:
            return "user", [_as_user(message.text, losses)] if message.text.strip() else []
        case _:
            return "user", list(render_blocks(message.parts))


def _settle(
    turns: list[tuple[_Speaker, list[wire.Block]]], request: ModelRequest, losses: Losses
) -> None:
    """Leave instructions to the user who has the word before and after them.

    The API takes them only after a user, and before the model or at the end.
    """
    if request.origin == DIALECT:
        return
    _, blocks = turns.pop()
    texts = [block.text for block in blocks if isinstance(block, wire.TextBlock)]
    turns[-1][1].append(_as_user("\n".join(texts), losses))


def _as_user(instructions: str, losses: Losses) -> wire.TextBlock:
    losses.approximated(
        "messages.role", "Instructions in the middle of a conversation are sent as the user's."
    )
    return wire.TextBlock(f"<system>\n{instructions}\n</system>")


def _blocks(parts: Iterable[Part], calls: CallBlocks, losses: Losses) -> Iterator[wire.Block]:
    """The blocks of one message; the citations of a text become its own."""
    text: wire.TextBlock | None = None
    for part in parts:
        if isinstance(part, Citation):
            text = _cited(text, part)
            continue
        if text is not None:
            yield text
        text = None
        if isinstance(part, Text | Refusal):
            text = _text(part)
        elif (block := _block(part, calls, losses)) is not None:
            yield block
    if text is not None:
        yield text


def _text(part: Text | Refusal) -> wire.TextBlock | None:
    if not part.text.strip():
        return None
    return text_block(part) if isinstance(part, Text) else wire.TextBlock(part.text)


def _cited(text: wire.TextBlock | None, part: Citation) -> wire.TextBlock | None:
    """The text with the citation; one of another dialect is left out, its mark is in the text."""
    if text is None or part.origin != DIALECT or not part.vendor:
        return text
    return wire.TextBlock(text.text, text.cache_control, [*(text.citations or ()), part.vendor])


def _block(
    part: Attachment | ToolCall | ToolResult | Reasoning | VendorPart,
    calls: CallBlocks,
    losses: Losses,
) -> wire.Block | None:
    match part:
        case Attachment():
            return _file(part, losses)
        case ToolCall():
            return _call(part, calls)
        case ToolResult():
            return _result(part, calls, losses)
        case Reasoning():
            return _thinking(part, losses)
        case VendorPart():
            return _vendor_part(part, losses)


def _call(part: ToolCall, calls: CallBlocks) -> wire.Block:
    call_id, cache = _id(part.call_id), cache_control(part.cache)
    own = calls.call(part)
    if own is None:
        return wire.ToolUseBlock(call_id, part.name, calls.arguments(part), cache)
    marked: JsonObject = {} if cache is None else {"cache_control": msgspec.to_builtins(cache)}
    return {**own, "id": call_id, **marked}


def _file(part: Attachment, losses: Losses) -> wire.ImageBlock | wire.DocumentBlock:
    cache = cache_control(part.cache)
    if part.media_type.startswith("image/"):
        if part.detail not in (None, "auto"):
            why = "The model always sees images as they are."
            losses.dropped("messages.content.detail", why, part)
        return wire.ImageBlock(file_sources.image_source(part), cache)
    return wire.DocumentBlock(
        file_sources.document_source(part),
        part.name,
        part.context,
        wire.CitationsConfig(enabled=True) if part.cited else None,
        cache,
    )


def _result(part: ToolResult, calls: CallBlocks, losses: Losses) -> wire.ToolResultBlock:
    cache = cache_control(part.cache)
    content: list[wire.ResultBlock] = []
    for item in part.content:
        match item:
            case Text():
                if item.text.strip():
                    content.append(text_block(item))
            case Attachment():
                content.append(_file(item, losses))
            case VendorPart():
                if (data := _vendor_part(item, losses)) is not None:
                    content.append(data)
    if not part.success and not content:
        content.append(wire.TextBlock("The tool failed."))
    return wire.ToolResultBlock(
        _id(part.call_id),
        _plain(content),
        not part.success,
        cache,
        calls.toolset_name(part.call_id),
    )


def _plain(content: list[wire.ResultBlock]) -> str | list[wire.ResultBlock] | None:
    match content:
        case []:
            return None
        case [wire.TextBlock(cache_control=None) as only]:
            return only.text
        case _:
            return content


def _thinking(part: Reasoning, losses: Losses) -> wire.Block | None:
    if part.origin == DIALECT and part.encrypted is not None:
        return wire.RedactedThinkingBlock(part.encrypted)
    if part.origin == DIALECT and part.signature is not None:
        return wire.ThinkingBlock(part.text, part.signature)
    why = "Only reasoning that the provider signed is sent back."
    losses.dropped("messages.reasoning", why, part)
    return None


def _vendor_part(part: VendorPart, losses: Losses) -> JsonObject | None:
    if part.origin == DIALECT:
        return part.data
    kind = part.data.get("type")
    why = f"A part of the type {kind} is known to its vendor only."
    losses.dropped("messages.content", why, part)
    return None


def _id(call_id: str) -> str:
    """The id in the characters that the API takes, the same for a call and its result."""
    return _NOT_IN_IDS.sub("_", call_id) or "_"


def _results_first(blocks: list[wire.Block]) -> list[wire.Block]:
    return sorted(blocks, key=lambda block: not _is_result(block))


def _is_result(block: wire.Block) -> bool:
    if isinstance(block, dict):
        return block.get("type") == "tool_result"
    return isinstance(block, wire.ToolResultBlock)


def _mark_end(blocks: list[wire.Block]) -> None:
    """Have all so far cached: the pictures of a desktop are many, and each request has them."""
    last = blocks[-1]
    if isinstance(last, wire.TextBlock | wire.ToolResultBlock):
        blocks[-1] = msgspec.structs.replace(last, cache_control=wire.CacheControl("ephemeral"))


def _content(blocks: list[wire.Block]) -> str | list[wire.Block]:
    match blocks:
        case [wire.TextBlock(cache_control=None, citations=None) as only]:
            return only.text
        case _:
            return blocks


def _complete(
    turns: list[tuple[_Speaker, list[wire.Block]]],
    request: ModelRequest,
    options: ModelOptions,
    losses: Losses,
) -> None:
    """Add what the API demands: a user who begins, and an end that the model can answer."""
    if not turns or turns[0][0] != "user":
        if request.messages:
            losses.approximated("messages", "A conversation begins with a user, who is added.")
        turns.insert(0, ("user", [wire.TextBlock(_CONTINUE)]))
    speaker, blocks = turns[-1]
    if speaker != "assistant":
        return
    if not options.prefill and request.origin != DIALECT:
        losses.approximated(
            "messages", "The model cannot continue its own answer and is asked to go on instead."
        )
        turns.append(("user", [wire.TextBlock(_CONTINUE)]))
    elif isinstance(blocks[-1], wire.TextBlock):
        last = blocks[-1]
        blocks[-1] = wire.TextBlock(last.text.rstrip(), last.cache_control, last.citations)

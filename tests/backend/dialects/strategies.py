"""Strategies for requests, answers and split streams, which the tests of all dialects draw from.

What they make is in the form in which every dialect reads it back: no empty parts, no two texts
side by side, instructions not among the messages, each call's result right after it. A dialect says
by `Abilities` what else it can carry.
"""

import base64
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
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
)
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.tools import NamedTool, ToolChoice, ToolSpec
from cartrita.domain.usage import Usage


class Abilities(NamedTuple):
    """What a dialect carries: `sealed` are the origins whose sealed reasoning it takes."""

    refusals: bool = True
    sealed: tuple[str, ...] = ()
    signed: bool = True
    encrypted: bool = True
    reasoning_ids: bool = False
    plain_reasoning: bool = True
    interleaved_calls: bool = False
    citations: bool = True
    system_messages: bool = True
    finish_reasons: tuple[FinishReason, ...] = (
        FinishReason.STOP,
        FinishReason.LENGTH,
        FinishReason.CONTENT_FILTER,
    )


CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00")
WORDS = st.text(CHARACTERS, min_size=1, max_size=12)
IDENTIFIERS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(CHARACTERS, max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(WORDS, JSON, max_size=3)
SECRETS = st.text("ABCDEFabcdef0123456789+/=", min_size=1, max_size=24)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    IDENTIFIERS, st.sampled_from([{"type": "string"}, {"type": "integer"}]), max_size=3
).map(lambda properties: {"type": "object", "properties": properties})
COUNTS = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usage whose parts are within its totals."""
    read, write, fresh = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    reasoning, rest = draw(COUNTS), draw(st.integers(1, 10**6))
    return Usage(
        input_tokens=read + write + fresh,
        output_tokens=reasoning + rest,
        cache_read_tokens=read,
        cache_write_tokens=write,
        reasoning_tokens=reasoning,
    )


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces, none of them empty."""
    cuts = sorted(draw(st.sets(st.integers(1, max(len(text) - 1, 1)), max_size=4)))
    edges = [0, *(cut for cut in cuts if cut < len(text)), len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


@st.composite
def splits(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes of a stream as reads may bring them: cut anywhere, or at every byte."""
    if draw(st.booleans()):
        return [data[at : at + 1] for at in range(len(data))]
    cuts = sorted(draw(st.sets(st.integers(1, max(len(data) - 1, 1)), max_size=8)))
    edges = [0, *cuts, len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


@st.composite
def _reasoning(draw: st.DrawFn, abilities: Abilities) -> list[Delta]:
    """One block of reasoning: sealed where the dialect can."""
    text = draw(WORDS)
    deltas: list[Delta] = [ReasoningDelta(piece) for piece in draw(pieces_of(text))]
    if not abilities.sealed or (abilities.plain_reasoning and draw(st.booleans())):
        return deltas
    origin = draw(st.sampled_from(abilities.sealed))
    block_id = draw(st.none() | IDENTIFIERS) if abilities.reasoning_ids else None
    if abilities.encrypted and (not abilities.signed or draw(st.booleans())):
        return [ReasoningDelta("", None, draw(SECRETS), origin, block_id)]
    return [*deltas, ReasoningDelta("", draw(SECRETS), None, origin, block_id)]


@st.composite
def _texts(draw: st.DrawFn, abilities: Abilities) -> list[Delta]:
    deltas: list[Delta] = []
    length = 0
    for index in range(1, draw(st.integers(1, 3)) + 1):
        text = draw(WORDS)
        deltas += [TextDelta(piece) for piece in draw(pieces_of(text))]
        if abilities.citations and draw(st.booleans()):
            url = f"https://example.com/{index}"
            end = length + len(text)
            citation = Citation(draw(IDENTIFIERS), url, index=index, start=length, end=end)
            deltas.append(CitationDelta(citation))
        length += len(text)
    return _numbered(deltas)


def _numbered(deltas: list[Delta]) -> list[Delta]:
    """The citations counted from 1, as every dialect counts them."""
    count = 0
    numbered: list[Delta] = []
    for delta in deltas:
        if isinstance(delta, CitationDelta):
            count += 1
            delta = CitationDelta(msgspec.structs.replace(delta.citation, index=count))
        numbered.append(delta)
    return numbered


@st.composite
def _calls(draw: st.DrawFn, abilities: Abilities) -> list[Delta]:
    queues: list[list[Delta]] = []
    for index in range(draw(st.integers(1, 3))):
        arguments = msgspec.json.encode(draw(OBJECTS)).decode()
        queue: list[Delta] = [ToolCallDelta(index, f"call_{index}", draw(IDENTIFIERS))]
        queue += [ToolCallDelta(index, arguments=piece) for piece in draw(pieces_of(arguments))]
        queues.append(queue)
    if not abilities.interleaved_calls:
        return [delta for queue in queues for delta in queue]
    begun = [queue.pop(0) for queue in queues]
    mixed: list[Delta] = []
    while waiting := [queue for queue in queues if queue]:
        mixed.append(draw(st.sampled_from(waiting)).pop(0))
    return begun + mixed


@st.composite
def answers(draw: st.DrawFn, abilities: Abilities = Abilities()) -> list[Delta]:  # noqa: B008 - a frozen value
    """A whole answer as deltas, `Finished` at its end."""
    deltas: list[Delta] = []
    for _ in range(draw(st.integers(0, 2))):
        block = draw(_reasoning(abilities))
        if deltas and not _sealed(deltas[-1]):
            break
        deltas += block
    if abilities.refusals and draw(st.integers(0, 4)) == 0:
        deltas += [RefusalDelta(piece) for piece in draw(pieces_of(draw(WORDS)))]
    elif draw(st.booleans()):
        deltas += draw(_texts(abilities))
    reason = draw(st.sampled_from(abilities.finish_reasons))
    if draw(st.booleans()):
        deltas += draw(_calls(abilities))
        reason = FinishReason.TOOL_CALL
    return [*deltas, Finished(reason, draw(usages()), "model-1")]


def _sealed(delta: Delta) -> bool:
    return isinstance(delta, ReasoningDelta) and delta.sealed


class Content(NamedTuple):
    """What an answer says, however it was cut: two answers that say the same are equal here."""

    text: str
    refusal: str
    reasoning: list[tuple[str, str | None, str | None, str | None, str | None]]
    calls: list[tuple[str | None, str | None, str]]
    citations: list[Citation]
    finished: list[Finished]


def content_of(deltas: Iterable[Delta]) -> Content:
    """What the deltas say."""
    known = list(deltas)
    calls: dict[int, tuple[str | None, str | None, str]] = {}
    for delta in known:
        if isinstance(delta, ToolCallDelta):
            call_id, name, arguments = calls.get(delta.index, (None, None, ""))
            calls[delta.index] = (
                call_id or delta.call_id,
                name or delta.name,
                arguments + delta.arguments,
            )
    return Content(
        "".join(delta.text for delta in known if isinstance(delta, TextDelta)),
        "".join(delta.text for delta in known if isinstance(delta, RefusalDelta)),
        list(_blocks(delta for delta in known if isinstance(delta, ReasoningDelta))),
        list(calls.values()),
        [delta.citation for delta in known if isinstance(delta, CitationDelta)],
        [delta for delta in known if isinstance(delta, Finished)],
    )


def _blocks(
    deltas: Iterable[ReasoningDelta],
) -> Iterator[tuple[str, str | None, str | None, str | None, str | None]]:
    text = ""
    for delta in deltas:
        text += delta.text
        if delta.sealed:
            yield text, delta.signature, delta.encrypted, delta.origin, delta.id
            text = ""
    if text:
        yield text, None, None, None, None


PNG = b"\x89PNG\r\n\x1a\n"
IMAGES = st.binary(min_size=1, max_size=12).map(
    lambda data: Attachment(
        "image/png", url=f"data:image/png;base64,{base64.b64encode(PNG + data).decode()}"
    )
)
IMAGE_LINKS = IDENTIFIERS.map(
    lambda name: Attachment("image/png", url=f"https://example.com/{name}.png")
)
PDFS = st.binary(min_size=1, max_size=12).map(
    lambda data: Attachment(
        "application/pdf",
        url=f"data:application/pdf;base64,{base64.b64encode(data).decode()}",
        name="paper.pdf",
    )
)
TOOLS = st.builds(
    ToolSpec,
    name=IDENTIFIERS,
    description=st.text(CHARACTERS, min_size=1, max_size=12),
    parameters=SCHEMAS,
)


def _merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with texts that are side by side as one."""
    merged: list[Part] = []
    for is_text, group in groupby(parts, lambda part: isinstance(part, Text)):
        if is_text:
            merged.append(Text("".join(part.text for part in group if isinstance(part, Text))))
        else:
            merged.extend(group)
    return tuple(merged)


@st.composite
def _user(draw: st.DrawFn, files: st.SearchStrategy[Attachment]) -> Message:
    parts = draw(st.lists(WORDS.map(Text) | files, min_size=1, max_size=3))
    return Message(Role.USER, _merged(parts))


@st.composite
def _turn(draw: st.DrawFn, abilities: Abilities, number: int) -> list[Message]:
    """An answer of the model, and the results of its calls if it made some."""
    parts: list[Part] = []
    if abilities.sealed and draw(st.booleans()):
        origin = draw(st.sampled_from(abilities.sealed))
        if abilities.signed:
            parts.append(Reasoning(draw(WORDS), draw(SECRETS), None, origin))
        if abilities.encrypted and (not abilities.signed or draw(st.booleans())):
            parts.append(Reasoning("", None, draw(SECRETS), origin))
    if abilities.refusals and draw(st.integers(0, 4)) == 0:
        parts.append(Refusal(draw(WORDS)))
    else:
        parts.append(Text(draw(WORDS)))
    calls = [
        ToolCall(f"call_{number}_{index}", draw(IDENTIFIERS), draw(OBJECTS))
        for index in range(draw(st.integers(0, 2)))
    ]
    turn = [Message(Role.ASSISTANT, (*parts, *calls))]
    if calls:
        results = tuple(ToolResult(call.call_id, (Text(draw(WORDS)),)) for call in calls)
        turn.append(Message(Role.TOOL, results))
    return turn


@st.composite
def conversations(
    draw: st.DrawFn,
    abilities: Abilities = Abilities(),  # noqa: B008 - a frozen value
    files: st.SearchStrategy[Attachment] = IMAGES | IMAGE_LINKS | PDFS,
) -> tuple[Message, ...]:
    """Turns of user and model, which end with the user or with results of tools."""
    messages = [draw(_user(files))]
    for number in range(draw(st.integers(0, 2))):
        messages += draw(_turn(abilities, number))
        if abilities.system_messages and draw(st.booleans()):
            messages.append(Message(Role.SYSTEM, (Text(draw(WORDS)),)))
        messages.append(draw(_user(files)))
    return tuple(messages)


@st.composite
def requests(
    draw: st.DrawFn,
    origin: str,
    messages: st.SearchStrategy[tuple[Message, ...]],
    sampling: st.SearchStrategy[Sampling],
) -> ModelRequest:
    """A request in the dialect `origin`; what only some dialects know is left to `sampling`."""
    tools = draw(st.lists(TOOLS, max_size=2, unique_by=lambda tool: tool.name))
    choice: ToolChoice = "auto"
    if tools:
        named = NamedTool(tools[0].name)
        choice = draw(st.sampled_from(["auto", "none", "required", named]))
    instructions = draw(st.none() | WORDS)
    answer_format = ResponseFormat()
    if draw(st.booleans()):
        answer_format = ResponseFormat("json_schema", "answer", draw(SCHEMAS), strict=True)
    return ModelRequest(
        owner_id="owner",
        model=draw(IDENTIFIERS),
        messages=draw(messages),
        instructions=(Text(instructions),) if instructions else (),
        tools=tuple(tools),
        tool_choice=choice,
        sampling=draw(sampling),
        response_format=answer_format,
        user=draw(st.none() | IDENTIFIERS),
        origin=origin,
    )

"""The model `offline/assistant`: answers by fixed rules, which say that it is no language model.

1. If the request ends with tool results, it quotes them.
2. If tools are offered, it calls one: the one that `tool_choice` names; else, unless that is
   `none`, the first whose name is in the user's message (`web_search` or `web search`); else, if a
   call is required, the first one. Arguments satisfy the tool's schema: numbers and quoted texts of
   the message fill them in order, other texts are the message itself.
3. If JSON is requested, it fills the schema in the same way; without a schema, it answers
   `{"offline": true, "answer": ...}`.
4. Otherwise it says what it is and quotes passages that share words with the user's message: first
   of the files in this conversation, then from earlier in it, then from the search. Or it says that
   there are none.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from cartrita.adapters.providers.offline.excerpts import excerpt, shorten, stems
from cartrita.adapters.providers.offline.json_schema.examples import Hints, generate_example
from cartrita.adapters.providers.offline.json_schema.flattening import UnsatisfiableSchema
from cartrita.adapters.providers.offline.request import (
    json_text,
    last_user_text,
    named_files,
    next_call_id,
    trailing_tool_results,
    user_texts,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, Message, ToolResult
from cartrita.domain.models import OFFLINE
from cartrita.domain.ports.search import PassageSearch
from cartrita.domain.requests import ModelRequest
from cartrita.domain.search import QuotablePassage
from cartrita.domain.tools import NamedTool, ToolSpec

INTRODUCTION = "I am Cartrita's offline assistant, not a language model"

_SETUP_HINT = (
    "For real answers, give the server the key of a model provider (for example OPENAI_API_KEY), "
    "or start a model server on this machine, and ask again."
)
_OWN_PHRASES = (
    INTRODUCTION.casefold(),
    "so i cannot answer in words of my own",
    "no passage that i could quote",
    "share words with your message",
    "shares words with your message",
    "give the server the key of a model provider",
)
_EARLIER = "Stored here"
_MAX_PASSAGES = 3
_MAX_FILES = 3
_MAX_QUOTE = 300
_MAX_RESULT = 1_000
_MAX_QUERY = 500
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,9})?(?![\w.]*\w)")
_QUOTED = re.compile(r"[\"“«]([^\"“”«»]{1,200})[\"”»]")
_ALPHANUMERIC = re.compile(r"[^\W_]+")


class TextReply(msgspec.Struct, frozen=True):
    """An answer in text, with its sources."""

    text: str
    citations: tuple[Citation, ...] = ()


class ToolCallReply(msgspec.Struct, frozen=True):
    """A call of a tool."""

    call_id: str
    name: str
    arguments: JsonObject


Reply: TypeAlias = TextReply | ToolCallReply


async def reply(request: ModelRequest, search: PassageSearch) -> Reply:
    """The answer to a request. Raises UpstreamRejected if a schema cannot be filled."""
    results = trailing_tool_results(request.messages)
    tool = None if results else _choose_tool(request)
    if tool is not None:
        return ToolCallReply(next_call_id(request.messages), tool.name, _arguments(tool, request))
    if request.response_format.kind != "text":
        return TextReply(_json_answer(request))
    if results:
        return TextReply(_quote_results(results))
    return await _quote_passages(request, search)


def _quote_results(results: list[ToolResult]) -> str:
    quotes = [_quote_result(result) for result in results]
    return "\n\n".join(
        [*quotes, f"{INTRODUCTION}: I quote what tools say and conclude nothing from it."]
    )


def _quote_result(result: ToolResult) -> str:
    did = "answered" if result.success else "failed"
    text = shorten(result.text, _MAX_RESULT)
    return f"The tool {result.name or 'that was called'} {did}: “{text}”."


def _choose_tool(request: ModelRequest) -> ToolSpec | None:
    choice = request.tool_choice
    if not request.functions or choice == "none":
        return None
    if isinstance(choice, NamedTool):
        named = next((tool for tool in request.functions if tool.name == choice.name), None)
        if named is None:
            raise _rejection(f"tool_choice names {choice.name}, which is not among the tools")
        return named
    words = _normalize(last_user_text(request.messages))
    mentioned = next(
        (t for t in request.functions if f" {_normalize(t.name).strip()} " in words), None
    )
    return mentioned or (request.functions[0] if choice == "required" else None)


def _normalize(text: str) -> str:
    """Lower-case words with a blank around each: `Web-Search!` and `web_search` give the same."""
    return f" {' '.join(_ALPHANUMERIC.findall(text.casefold()))} "


def _arguments(tool: ToolSpec, request: ModelRequest) -> JsonObject:
    value = _fill(tool.parameters, request, f"the parameters of the tool {tool.name}")
    if not isinstance(value, dict):
        raise _rejection(f"the parameters of the tool {tool.name} are not an object")
    return value


def _json_answer(request: ModelRequest) -> str:
    wanted = request.response_format
    value: JsonValue = {"offline": True, "answer": f"{INTRODUCTION}. {_SETUP_HINT}"}
    if wanted.kind == "json_schema":
        value = _fill(wanted.schema or {}, request, "the schema of the answer")
    return json_text(value)


def _fill(schema: JsonObject, request: ModelRequest, what: str) -> JsonValue:
    said = last_user_text(request.messages)
    numbers = tuple(float(one) for one in _NUMBER.findall(said))
    hints = Hints(numbers, tuple(_QUOTED.findall(said)), said.strip() or "offline")
    try:
        return generate_example(schema, hints)
    except UnsatisfiableSchema as problem:
        raise _rejection(f"{what} cannot be filled: {problem}") from None


async def _quote_passages(request: ModelRequest, search: PassageSearch) -> TextReply:
    said = last_user_text(request.messages)
    passages = _select_passages(await _found(request, search), said)
    if not passages:
        return TextReply(
            f"{INTRODUCTION}, so I cannot answer in words of my own. "
            "I searched what is stored here for the words of your message, and found no passage "
            f"that I could quote. {_SETUP_HINT}"
        )
    quotes = [f"[{index}] {_quoted(passage)}" for index, passage in enumerate(passages, 1)]
    text = (
        f"{INTRODUCTION}, so I cannot answer in words of my own. "
        f"I searched what is stored here, and {_told(passages, said)}."
    )
    citations = tuple(
        Citation(passage.title, passage.url, passage.text, index)
        for index, passage in enumerate(passages, 1)
    )
    return TextReply("\n\n".join([text, *quotes, _SETUP_HINT]), citations)


async def _found(request: ModelRequest, search: PassageSearch) -> list[QuotablePassage]:
    """Passages of the files in this conversation, of what was said in it, and of all else."""
    said = last_user_text(request.messages)
    files = named_files(request.messages)[:_MAX_FILES]
    if not said.strip() and not files:
        return []
    stored = await search.passages(request.owner_id, said[:_MAX_QUERY], 2 * _MAX_PASSAGES, files)
    near = [one for one in stored if one.file in files]
    return [
        *near,
        *_earlier_passages(request.messages),
        *(one for one in stored if one not in near),
    ]


def _told(passages: Sequence[QuotablePassage], said: str) -> str:
    words = stems(said)
    if not any(word in one.text.casefold() for one in passages for word in words):
        return "no passage shares words with your message, so this is how the files here begin"
    count = "one passage shares" if len(passages) == 1 else f"{len(passages)} passages share"
    return f"{count} words with your message"


def _quoted(passage: QuotablePassage) -> str:
    where = "" if passage.file is None else f"({passage.title}) "
    return f"{where}“{passage.text}”"


def _earlier_passages(messages: tuple[Message, ...]) -> list[QuotablePassage]:
    """Earlier user messages that share words with the last one, those that share most first."""
    said = user_texts(messages)
    wanted = stems(said[-1]) if said else set[str]()
    shared = [(len(wanted & stems(text)), place, text) for place, text in enumerate(said[:-1])]
    return [
        QuotablePassage(_EARLIER, text) for count, _, text in sorted(shared, reverse=True) if count
    ]


def _select_passages(passages: list[QuotablePassage], said: str) -> list[QuotablePassage]:
    """Shortened and without duplicates; not the question itself, nor this model's own answers."""
    question = " ".join(said.split()).casefold()
    chosen: dict[str, QuotablePassage] = {}
    for passage in passages:
        short = excerpt(passage.text, said, _MAX_QUOTE)
        plain = short.casefold().strip("…")
        if plain not in question and not any(phrase in plain for phrase in _OWN_PHRASES):
            chosen.setdefault(short, replace(passage, text=short))
    return list(chosen.values())[:_MAX_PASSAGES]


def _rejection(problem: str) -> UpstreamRejected:
    return UpstreamRejected(f"The offline model refuses the request: {problem}.", provider=OFFLINE)

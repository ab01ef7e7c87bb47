"""The model `offline/assistant`: answers by fixed rules, which say that it is no language model.

1. If the request ends with tool results, it quotes them.
2. If tools are offered, it calls one: the one that `tool_choice` names; else, unless that is
   `none`, the first whose name is in the user's message (`web_search` or `web search`); else, if a
   call is required, the first one. Arguments satisfy the tool's schema: numbers and quoted texts of
   the message fill them in order, other texts are the message itself.
3. If JSON is requested, it fills the schema in the same way; without a schema, it answers
   `{"offline": true, "answer": ...}`.
4. Otherwise it says what it is and quotes passages that share words with the user's message: first
   from earlier in this conversation, then from the search. Or it says that there are none.
"""

import re
from typing import TypeAlias

import msgspec

from cartrita.adapters.providers.offline.json_schema.examples import Hints, generate_example
from cartrita.adapters.providers.offline.json_schema.flattening import UnsatisfiableSchema
from cartrita.adapters.providers.offline.request import (
    json_text,
    last_user_text,
    next_call_id,
    trailing_tool_results,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, Message, Role, ToolResult
from cartrita.domain.ports.search import PassageSearch
from cartrita.domain.requests import ModelRequest
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
_MAX_PASSAGES = 3
_MAX_QUOTE = 300
_MAX_RESULT = 1_000
_MAX_QUERY = 500
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,9})?(?![\w.]*\w)")
_QUOTED = re.compile(r"[\"“«]([^\"“”«»]{1,200})[\"”»]")
_WORD = re.compile(r"\w{3,}")
_ALPHANUMERIC = re.compile(r"[^\W_]+")
_STOP_WORD_LIST = """
the and for are was were you your yours that this with what when where which who whom why how did
does have has had can could will would shall should may might must not but about from into over then
than them they there here our out all any some tell give please say said something
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())


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
    text = _shorten(result.text, _MAX_RESULT)
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
    found = _earlier_texts(request.messages)
    if said.strip():
        found += await search.passages(request.owner_id, said[:_MAX_QUERY], 2 * _MAX_PASSAGES)
    passages = _select_passages(found, said)
    if not passages:
        return TextReply(
            f"{INTRODUCTION}, so I cannot answer in words of my own. "
            "I searched what is stored here for the words of your message, and found no passage "
            f"that I could quote. {_SETUP_HINT}"
        )
    count = "one passage shares" if len(passages) == 1 else f"{len(passages)} passages share"
    quotes = [f"[{index}] “{passage}”" for index, passage in enumerate(passages, 1)]
    text = (
        f"{INTRODUCTION}, so I cannot answer in words of my own. "
        f"I searched what is stored here, and {count} words with your message."
    )
    citations = tuple(
        Citation("Stored here", snippet=passage, index=index)
        for index, passage in enumerate(passages, 1)
    )
    return TextReply("\n\n".join([text, *quotes, _SETUP_HINT]), citations)


def _earlier_texts(messages: tuple[Message, ...]) -> list[str]:
    """Earlier user messages that share words with the last one, those that share most first."""
    said = [message.text for message in messages if message.role is Role.USER]
    wanted = _stems(said[-1]) if said else set[str]()
    shared = [(len(wanted & _stems(text)), place, text) for place, text in enumerate(said[:-1])]
    return [text for count, _, text in sorted(shared, reverse=True) if count]


def _stems(text: str) -> set[str]:
    """Its words without stop words, cut to six letters so that `remembered` matches `remember`."""
    words = (word.casefold() for word in _WORD.findall(text))
    return {word.rstrip("s")[:6] for word in words if word not in _STOP_WORDS}


def _select_passages(passages: list[str], said: str) -> list[str]:
    """Shortened and without duplicates; not the question itself, nor this model's own answers."""
    question = " ".join(said.split()).casefold()
    chosen: list[str] = []
    for passage in passages:
        short = _shorten(passage, _MAX_QUOTE)
        plain = short.casefold().rstrip("…")
        known = plain in question or any(phrase in plain for phrase in _OWN_PHRASES)
        if not known and short not in chosen:
            chosen.append(short)
    return chosen[:_MAX_PASSAGES]


def _shorten(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _rejection(problem: str) -> UpstreamRejected:
    return UpstreamRejected(
        f"The offline model refuses the request: {problem}.", provider="offline"
    )

"""What the offline assistant answers, by rule and without pretence.

1. Where the request ends with tool results, it quotes them.
2. Where tools are offered, it calls one: the one that `tool_choice` names; else, unless that says
   `none`, the first one whose name stands in the user's message (`web_search` or `web search`);
   else, if a call is required, the first one offered. Arguments fit the tool's schema. Numbers and
   quoted texts in the message fill them in order; other texts are the message itself.
3. Where JSON is asked for, it fills the schema, in the same way; without a schema, it answers
   `{"offline": true, "answer": ...}`.
4. Else it says what it is and quotes passages that share words with the user's message: first from
   earlier in this conversation, then what the search finds. Or it says that there are none.
"""

import re
from typing import TypeAlias

import msgspec

from cartrita.adapters.providers.offline.asking import closing_results, last_words, next_call_id
from cartrita.adapters.providers.offline.merging import Unfillable
from cartrita.adapters.providers.offline.specimens import Material, specimen
from cartrita.adapters.providers.offline.words import json_text
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, Message, Role, ToolResult
from cartrita.domain.ports import PassageSearch
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import NamedTool, ToolSpec

WHO_I_AM = "I am Cartrita's offline assistant, not a language model"

_WHAT_HELPS = (
    "For real answers, give the server the key of a model provider (for example OPENAI_API_KEY), "
    "or start a model server on this machine, and ask again."
)
_OWN_PHRASES = (
    WHO_I_AM.casefold(),
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
_SPELLED = re.compile(r"[^\W_]+")
_COMMON = """
the and for are was were you your yours that this with what when where which who whom why how did
does have has had can could will would shall should may might must not but about from into over then
than them they there here our out all any some tell give please say said something
"""
_COMMON_WORDS = frozenset(_COMMON.split())


class Say(msgspec.Struct, frozen=True):
    """An answer in words, with what it rests on."""

    text: str
    citations: tuple[Citation, ...] = ()


class Call(msgspec.Struct, frozen=True):
    """A tool to call."""

    call_id: str
    name: str
    arguments: JsonObject


Reply: TypeAlias = Say | Call


async def reply(request: ModelRequest, search: PassageSearch) -> Reply:
    """The answer to a request. Raises UpstreamRejected where a schema cannot be filled."""
    results = closing_results(request.messages)
    tool = None if results else _tool(request)
    if tool is not None:
        return Call(next_call_id(request.messages), tool.name, _arguments(tool, request))
    if request.response_format.kind != "text":
        return Say(_json(request))
    if results:
        return Say(_quoted_results(results))
    return await _from_passages(request, search)


def _quoted_results(results: list[ToolResult]) -> str:
    quotes = [_quoted_result(result) for result in results]
    return "\n\n".join(
        [*quotes, f"{WHO_I_AM}: I quote what tools say and conclude nothing from it."]
    )


def _quoted_result(result: ToolResult) -> str:
    did = "answered" if result.success else "failed"
    return (
        f"The tool {result.name or 'that was called'} {did}: “{_short(result.text, _MAX_RESULT)}”."
    )


def _tool(request: ModelRequest) -> ToolSpec | None:
    choice = request.tool_choice
    if not request.tools or choice == "none":
        return None
    if isinstance(choice, NamedTool):
        named = next((tool for tool in request.tools if tool.name == choice.name), None)
        if named is None:
            raise _rejected(f"tool_choice names {choice.name}, which is not among the tools")
        return named
    words = _spelled(last_words(request.messages))
    mentioned = next((t for t in request.tools if f" {_spelled(t.name).strip()} " in words), None)
    return mentioned or (request.tools[0] if choice == "required" else None)


def _spelled(text: str) -> str:
    """Words in lower case between single blanks: `Web-Search!` and `web_search` are alike."""
    return f" {' '.join(_SPELLED.findall(text.casefold()))} "


def _arguments(tool: ToolSpec, request: ModelRequest) -> JsonObject:
    value = _filled(tool.parameters, request, f"the parameters of the tool {tool.name}")
    if not isinstance(value, dict):
        raise _rejected(f"the parameters of the tool {tool.name} are not an object")
    return value


def _json(request: ModelRequest) -> str:
    wanted = request.response_format
    value: JsonValue = {"offline": True, "answer": f"{WHO_I_AM}. {_WHAT_HELPS}"}
    if wanted.kind == "json_schema":
        value = _filled(wanted.schema or {}, request, "the schema of the answer")
    return json_text(value)


def _filled(schema: JsonObject, request: ModelRequest, what: str) -> JsonValue:
    said = last_words(request.messages)
    numbers = tuple(float(one) for one in _NUMBER.findall(said))
    material = Material(numbers, tuple(_QUOTED.findall(said)), said.strip() or "offline")
    try:
        return specimen(schema, material)
    except Unfillable as problem:
        raise _rejected(f"{what} cannot be filled: {problem}") from None


async def _from_passages(request: ModelRequest, search: PassageSearch) -> Say:
    said = last_words(request.messages)
    found = _earlier(request.messages)
    if said.strip():
        found += await search.passages(request.owner_id, said[:_MAX_QUERY], 2 * _MAX_PASSAGES)
    passages = _worth_quoting(found, said)
    if not passages:
        return Say(
            f"{WHO_I_AM}, so I cannot answer in words of my own. "
            "I searched what is stored here for the words of your message, and found no passage "
            f"that I could quote. {_WHAT_HELPS}"
        )
    count = "one passage shares" if len(passages) == 1 else f"{len(passages)} passages share"
    quotes = [f"[{index}] “{passage}”" for index, passage in enumerate(passages, 1)]
    text = (
        f"{WHO_I_AM}, so I cannot answer in words of my own. "
        f"I searched what is stored here, and {count} words with your message."
    )
    citations = tuple(
        Citation("Stored here", snippet=passage, index=index)
        for index, passage in enumerate(passages, 1)
    )
    return Say("\n\n".join([text, *quotes, _WHAT_HELPS]), citations)


def _earlier(messages: tuple[Message, ...]) -> list[str]:
    """What the user said before that shares words with what is said now, the most words first."""
    said = [message.text for message in messages if message.role is Role.USER]
    wanted = _words(said[-1]) if said else set[str]()
    shared = [(len(wanted & _words(text)), place, text) for place, text in enumerate(said[:-1])]
    return [text for count, _, text in sorted(shared, reverse=True) if count]


def _words(text: str) -> set[str]:
    """Its words without the common ones, cut so that `remembered` meets `remember`."""
    words = (word.casefold() for word in _WORD.findall(text))
    return {word.rstrip("s")[:6] for word in words if word not in _COMMON_WORDS}


def _worth_quoting(passages: list[str], said: str) -> list[str]:
    """Short ones, each once; neither the question itself nor our own answers to others."""
    question = " ".join(said.split()).casefold()
    chosen: list[str] = []
    for passage in passages:
        short = _short(passage, _MAX_QUOTE)
        plain = short.casefold().rstrip("…")
        known = plain in question or any(phrase in plain for phrase in _OWN_PHRASES)
        if not known and short not in chosen:
            chosen.append(short)
    return chosen[:_MAX_PASSAGES]


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _rejected(problem: str) -> UpstreamRejected:
    return UpstreamRejected(
        f"The offline model refuses the request: {problem}.", provider="offline"
    )

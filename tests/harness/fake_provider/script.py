"""A script: what to answer a request with, when, and what goes wrong on the way, as data."""

import json
from typing import Annotated, Any, Literal, cast

import msgspec
from tests.harness.fake_provider.faults import Fault

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
_MARK = "[[script "


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One function call; `arguments` given as text is sent as it is, broken JSON included."""

    name: str
    arguments: str | dict[str, Any] = ""
    id: str | None = None

    @property
    def arguments_text(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return msgspec.json.encode(self.arguments).decode()


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The characters `start` to `end` of the text, and what they cite.

    With `url` a page of the web, without it the document or file number `document`.
    """

    start: Count
    end: Count
    cited_text: str = ""
    title: str = ""
    url: str | None = None
    document: Count = 0


class Script(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """How to answer.

    The text is `text`, or the prompt again (`echo`), or `words` drawn from the server's seed and
    the prompt, or from `seed` alone where it is given. With `capable` the prompt is followed by the
    rules of capable.py: functions are called, and JSON is filled with what it says. `tool_calls`
    take the place of drawn words; they are made once, not on top of a tool's result, unless
    `insist`. Reasoning goes before the text, in deltas of the field `reasoning_field`;
    `redacted_reasoning` is sealed and shown to nobody. `refusal` is what the model says in place of
    an answer. The answer calls the model `answered_as`, or as the request did. A continued answer
    says the last `overlap` characters of the text before it again. `cache_read_tokens` and
    `cache_write_tokens` come on top of the counted prompt. `jitter_s` is the most that is added, by
    seeded chance, to each `between_tokens_s`. `usage` false keeps usage back even where it is asked
    for.
    `framing` "close" sends neither a length nor chunks: the body ends with the connection, so that
    a cut without a reset looks like an end. Faults apply in order, each to what the last one made.
    """

    text: str | None = None
    echo: bool = False
    capable: bool = False
    words: Count = 12
    seed: int | None = None
    tokens_per_delta: Annotated[int, msgspec.Meta(ge=1)] = 1
    reasoning: str | None = None
    reasoning_words: Count = 0
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    redacted_reasoning: str | None = None
    refusal: str | None = None
    answered_as: str | None = None
    citations: tuple[Citation, ...] = ()
    overlap: Count = 0
    tool_calls: tuple[ToolCall, ...] = ()
    insist: bool = False
    finish_reason: str | None = None
    usage: bool = True
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    before_headers_s: Seconds = 0.0
    before_first_s: Seconds = 0.0
    between_tokens_s: Seconds = 0.0
    jitter_s: Seconds = 0.0
    framing: Literal["chunked", "close"] = "chunked"
    faults: tuple[Fault, ...] = ()


def directive(*scripts: Script) -> str:
    """Render scripts for a user message: the first request with it meets the first, and so on."""
    return "".join(f"{_MARK}{msgspec.json.encode(script).decode()}]]" for script in scripts)


def directives(text: str) -> list[Script]:
    """Return the scripts written into a message; ValueError says what is wrong with one."""
    found: list[Script] = []
    position = text.find(_MARK)
    while position >= 0:
        value, end = cast(
            "tuple[object, int]", json.JSONDecoder().raw_decode(text, position + len(_MARK))
        )
        if not text.startswith("]]", end):
            raise ValueError("A [[script ...]] directive must end with ]] after its JSON.")
        found.append(msgspec.convert(value, Script))
        position = text.find(_MARK, end)
    return found

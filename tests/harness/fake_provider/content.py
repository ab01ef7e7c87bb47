"""What an answer says, before any dialect puts it on the wire."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.malformed_output import InvalidText
from tests.harness.fake_provider.script import Citation, Script, ToolCall

ARGUMENT_PIECE = 8
_GO_ON = re.compile(r"\b(continue|go on|carry on|resume|left off|cut off|interrupted)\b", re.I)
_SHOWN_RESULTS = "The files of the result of "


class Question(msgspec.Struct, frozen=True):
    """What is asked.

    `prompt` is the text of the last user message. Where the conversation ends with an assistant's
    text, or with one and a user message that asks to go on (`instruction`; `prompt` is then the
    user message before), `held` is that text: an answer that begins with it is continued.
    `after_tool` says that the last message of all is a tool's result.
    """

    prompt: str
    held: str = ""
    instruction: str | None = None
    after_tool: bool = False


class Turn(msgspec.Struct, frozen=True):
    """One message as far as it matters here; `plain` where it is nothing but text."""

    role: Literal["user", "assistant", "tool", "other"]
    text: str
    plain: bool = True


class Ending(msgspec.Struct, frozen=True):
    """The tokens that are said, and why no more: `stop_sequence` is the one that was met."""

    tokens: list[str]
    reason: Literal["stop", "length", "stop_sequence"]
    stop_sequence: str | None = None


def question(turns: Sequence[Turn]) -> Question:
    """Read what is asked off a conversation; a user message that shows results is none of it."""
    turns = [turn for turn in turns if not turn.text.startswith(_SHOWN_RESULTS)]
    asked = [at for at, turn in enumerate(turns) if turn.role == "user"]
    if not asked:
        return Question("", after_tool=bool(turns) and turns[-1].role == "tool")
    prompt, last = turns[asked[-1]].text, turns[-1]
    if last.role == "assistant" and last.plain:
        return Question(prompt, held=last.text)
    if last.role == "user" and len(asked) > 1 and _GO_ON.search(last.text):
        before = turns[-2]
        if before.role == "assistant" and before.plain:
            return Question(turns[asked[-2]].text, before.text, last.text)
    return Question(prompt, after_tool=last.role == "tool")


def answered_prompt(script: Script, asked: Question, seed: int) -> str:
    """The prompt that the answer is for: the instruction where it turns out to be no such thing."""
    if asked.instruction is None:
        return asked.prompt
    whole = _text(script, asked.prompt, seed, 0, asked.after_tool)
    return asked.prompt if whole.startswith(asked.held) else asked.instruction


def text(script: Script, asked: Question, seed: int, choice: int = 0) -> str:
    """The text, or what is left of it after the text that the conversation holds already."""
    whole = _text(script, answered_prompt(script, asked, seed), seed, choice, asked.after_tool)
    if asked.held and whole.startswith(asked.held):
        return whole[max(len(asked.held) - script.overlap, 0) :]
    return whole


def reasoning(script: Script, prompt: str, seed: int) -> str:
    if script.reasoning is not None:
        return script.reasoning
    return words.draw(script.reasoning_words, f"{_key(script, prompt, seed)}:reasoning")


def calls(script: Script, after_tool: bool) -> tuple[ToolCall, ...]:
    return () if after_tool and not script.insist else script.tool_calls


def ending(said: str, max_tokens: int | None, stop: Sequence[str]) -> Ending:
    """Bound a text by the earliest stop sequence, and by a number of tokens."""
    met = min((at, each) for each in (*stop, "") if (at := _place(said, each)) >= 0)
    tokens = words.tokens(said[: met[0]])
    if max_tokens is not None and len(tokens) > max_tokens:
        return Ending(tokens[:max_tokens], "length")
    return Ending(tokens, "stop_sequence", met[1]) if met[1] else Ending(tokens, "stop")


def cited(said: str, citations: Sequence[Citation]) -> list[tuple[str, list[Citation]]]:
    """Cut a text where its citations begin and end; each piece with those of it."""
    ends = {0, len(said)} | {at for each in citations for at in (each.start, each.end)}
    places = sorted(at for at in ends if at <= len(said))
    return [
        (said[start:end], [each for each in citations if (each.start, each.end) == (start, end)])
        for start, end in pairwise(places)
    ]


def argument_pieces(call: ToolCall) -> list[str]:
    said = call.arguments_text
    return [said[at : at + ARGUMENT_PIECE] for at in range(0, len(said), ARGUMENT_PIECE)]


def expected_text(
    script: Script,
    prompt: str,
    seed: int = 0,
    *,
    choice: int = 0,
    after_tool: bool = False,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    odd: str = "",
) -> str:
    """Return the text that a streamed request with this last user message is answered with.

    `odd` is what the reader decodes each delta of an InvalidText fault to. Other faults are not
    considered: where one ends the answer early, what arrived is a prefix of this.
    """
    tokens = ending(_text(script, prompt, seed, choice, after_tool), max_tokens, stop).tokens
    reasoned = words.count(reasoning(script, prompt, seed))
    odds = [fault for fault in script.faults if isinstance(fault, InvalidText)]
    for fault in sorted(odds, key=lambda odd: odd.after_tokens, reverse=True):
        at = max(fault.after_tokens - reasoned, 0)
        if at < len(tokens):
            at -= at % script.tokens_per_delta
        if at <= len(tokens):
            tokens[at:at] = [odd] * len(fault.contents)
    return "".join(tokens)


def expected_reasoning(script: Script, prompt: str, seed: int = 0) -> str:
    """Return the reasoning that precedes the text."""
    return reasoning(script, prompt, seed)


def _text(script: Script, prompt: str, seed: int, choice: int, after_tool: bool) -> str:
    if script.text is not None:
        return script.text
    if script.echo:
        return prompt
    if script.refusal is not None or calls(script, after_tool):
        return ""
    return words.draw(script.words, f"{_key(script, prompt, seed)}:{choice}")


def _key(script: Script, prompt: str, seed: int) -> str:
    return f"{seed}:{prompt}" if script.seed is None else f"script:{script.seed}"


def _place(said: str, stop: str) -> int:
    return said.find(stop) if stop else len(said)

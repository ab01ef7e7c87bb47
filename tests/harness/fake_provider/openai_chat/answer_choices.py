"""One choice of an answer, as its deltas and as a whole."""

from collections.abc import Iterator

import msgspec
from tests.harness.fake_provider import content
from tests.harness.fake_provider.openai import citations, logprobs
from tests.harness.fake_provider.openai_chat.chat_request import ChatRequest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.scripted_content import ScriptedContent, function, functions

Json = dict[str, object]


class Delta(msgspec.Struct, frozen=True):
    """What a chunk adds, the tokens that it carries, and their log probabilities if wanted."""

    delta: Json
    tokens: int = 0
    logprobs: Json | None = None


class AnswerChoice:
    """The choice number `index`; `digest` makes the ids of its calls."""

    def __init__(
        self, script: Script, request: ChatRequest, seed: int, index: int, digest: str
    ) -> None:
        self.index = index
        self._script = script
        self._request = request
        self._digest = digest
        self._content = ScriptedContent(
            script,
            request.asked,
            seed,
            schema=request.schema,
            forced=function(request.forced_tool, "parameters"),
            offered=functions(request.offered, "parameters"),
            max_tokens=request.max_tokens,
            stop=request.stop,
            choice=index,
        )

    @property
    def reasoning_tokens(self) -> int:
        return len(self._content.reasoning)

    @property
    def tokens(self) -> int:
        said = self._content
        spoken = len(said.ending.tokens) + len(said.refusal) + said.argument_tokens
        return spoken + len(said.reasoning)

    @property
    def finish_reason(self) -> str:
        if self._script.finish_reason is not None:
            return self._script.finish_reason
        if self._content.calls:
            return "function_call" if self._request.legacy else "tool_calls"
        return "length" if self._content.ending.reason == "length" else "stop"

    def deltas(self) -> Iterator[Delta]:
        said = self._content
        yield from self._pieces(said.reasoning, self._script.reasoning_field)
        yield from self._pieces(said.ending.tokens, "content")
        yield from self._pieces(said.refusal, "refusal")
        if said.citations:
            yield Delta({"annotations": self._annotations()})
        for position, call in enumerate(said.calls):
            yield from self._call_deltas(call, position)

    def whole(self) -> Json:
        said = self._content
        text = "".join(said.ending.tokens)
        silent = said.calls or said.refusal
        message: Json = {
            "role": "assistant",
            "content": text or (None if silent else ""),
            "refusal": "".join(said.refusal) or None,
            "annotations": self._annotations(),
        }
        if said.reasoning:
            message[self._script.reasoning_field] = "".join(said.reasoning)
        if said.calls and self._request.legacy:
            message["function_call"] = _function(said.calls[0])
        elif said.calls:
            message["tool_calls"] = [self._tool_call(c, at) for at, c in enumerate(said.calls)]
        return {
            "index": self.index,
            "message": message,
            "logprobs": self._logprobs(said.ending.tokens),
            "finish_reason": self.finish_reason,
        }

    def _annotations(self) -> list[Json]:
        return [citations.of_chat(each) for each in self._content.citations]

    def _logprobs(self, tokens: list[str]) -> Json | None:
        top = self._request.top_logprobs
        return None if top is None else {"content": logprobs.of(tokens, top), "refusal": None}

    def _pieces(self, tokens: list[str], field: str) -> Iterator[Delta]:
        size = self._script.tokens_per_delta
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            chances = self._logprobs(piece) if field == "content" else None
            yield Delta({field: "".join(piece)}, len(piece), chances)

    def _call_deltas(self, call: ToolCall, position: int) -> Iterator[Delta]:
        empty: Json = {"name": call.name, "arguments": ""}
        if self._request.legacy:
            yield Delta({"function_call": empty})
        else:
            opening = self._tool_call(call, position) | {"index": position, "function": empty}
            yield Delta({"tool_calls": [opening]})
        for piece in content.argument_pieces(call):
            arguments: Json = {"arguments": piece}
            if self._request.legacy:
                yield Delta({"function_call": arguments}, 1)
            else:
                yield Delta({"tool_calls": [{"index": position, "function": arguments}]}, 1)

    def _tool_call(self, call: ToolCall, position: int) -> Json:
        return {
            "id": call.id or f"call_{self._digest[:20]}{position}",
            "type": "function",
            "function": _function(call),
        }


def _function(call: ToolCall) -> Json:
    return {"name": call.name, "arguments": call.arguments_text}

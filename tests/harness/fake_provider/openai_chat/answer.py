"""The answer to one chat completion: its text, its chunks, and the steps that send it."""

import hashlib
import random
import time
from collections.abc import Iterator, Sequence

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.faults import InvalidText
from tests.harness.fake_provider.openai_chat.chat_request import ChatRequest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.steps import Head, Send, Steps, Wait

Json = dict[str, object]
# Deltas of one choice in order, each with the tokens that it carries.
Deltas = Iterator[tuple[Json, int]]

_DONE = b"data: [DONE]\n\n"
_ARGUMENT_PIECE = 8


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
    tokens = _text_tokens(_text(script, prompt, seed, choice, after_tool), max_tokens, stop)
    reasoned = words.count(_reasoning(script, prompt, seed))
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
    return _reasoning(script, prompt, seed)


def _text(script: Script, prompt: str, seed: int, choice: int, after_tool: bool) -> str:
    if script.text is not None:
        return script.text
    if script.echo:
        return prompt
    if _calls(script, after_tool):
        return ""
    return words.draw(script.words, f"{_key(script, prompt, seed)}:{choice}")


def _reasoning(script: Script, prompt: str, seed: int) -> str:
    if script.reasoning is not None:
        return script.reasoning
    return words.draw(script.reasoning_words, f"{_key(script, prompt, seed)}:reasoning")


def _key(script: Script, prompt: str, seed: int) -> str:
    return f"{seed}:{prompt}" if script.seed is None else f"script:{script.seed}"


def _calls(script: Script, after_tool: bool) -> tuple[ToolCall, ...]:
    return () if after_tool and not script.insist else script.tool_calls


def _text_tokens(text: str, max_tokens: int | None, stop: Sequence[str]) -> list[str]:
    for sequence in stop:
        text = text.partition(sequence)[0] if sequence else text
    return words.tokens(text)[:max_tokens]


class Answer:
    """One request's answer as its script wants it; a Rendering for the faults that bend it."""

    def __init__(self, script: Script, request: ChatRequest, seed: int, number: int) -> None:
        self._script = script
        self._request = request
        self._seed = seed
        self._chance = random.Random(f"{seed}:{number}:jitter")
        self._reasoning = words.tokens(_reasoning(script, request.prompt, seed))
        self._calls = _calls(script, request.after_tool)
        digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
        self._id = f"chatcmpl-{digest[:29]}"
        self._created = int(time.time())

    @property
    def streamed(self) -> bool:
        return self._request.stream

    def steps(self) -> Steps:
        """Everything to do on the socket, faults included."""
        steps = self._streamed() if self.streamed else self._whole()
        for fault in self._script.faults:
            steps = fault.apply(steps, self)
        return steps

    def partial(self, delta: Json, **changes: object) -> bytes:
        if self.streamed:
            choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        else:
            message = {"role": "assistant", "content": None, **delta}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return msgspec.json.encode(self._envelope() | {"choices": [choice]} | changes)

    def frame(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n" if self.streamed else payload

    def _streamed(self) -> Steps:
        yield Wait(self._script.before_headers_s)
        yield Head(200, (("content-type", "text/event-stream; charset=utf-8"),))
        yield Wait(self._script.before_first_s)
        for index in range(self._request.n):
            yield self._chunk({"role": "assistant", "content": "", "refusal": None}, index)
            for delta, tokens in self._deltas(index):
                yield Wait(self._pause())
                yield self._chunk(delta, index, tokens)
            yield self._chunk({}, index, finish=self._finish_reason(index))
        if self._request.include_usage and self._script.usage:
            last = self._envelope() | {"choices": [], "usage": self._usage()}
            yield Send(self.frame(msgspec.json.encode(last)))
        yield Send(_DONE)

    def _whole(self) -> Steps:
        choices = [self._choice(index) for index in range(self._request.n)]
        usage = {"usage": self._usage()} if self._script.usage else {}
        body = msgspec.json.encode(self._envelope() | {"choices": choices} | usage)
        yield Wait(self._script.before_headers_s)
        yield Head(200, (("content-type", "application/json"),), len(body))
        yield Wait(self._script.before_first_s)
        yield Send(body, self._completion_tokens())

    def _pause(self) -> float:
        pause = self._script.between_tokens_s
        if self._script.jitter_s:
            pause += self._chance.uniform(0, self._script.jitter_s)
        return pause

    def _envelope(self) -> Json:
        envelope: Json = {
            "id": self._id,
            "object": "chat.completion.chunk" if self.streamed else "chat.completion",
            "created": self._created,
            "model": self._request.model,
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
        }
        return envelope | ({"usage": None} if self._request.include_usage else {})

    def _chunk(self, delta: Json, index: int, tokens: int = 0, finish: str | None = None) -> Send:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        payload = msgspec.json.encode(self._envelope() | {"choices": [choice]})
        return Send(self.frame(payload), tokens)

    def _deltas(self, index: int) -> Deltas:
        yield from self._pieces(self._reasoning, self._script.reasoning_field)
        yield from self._pieces(self._tokens(index), "content")
        for position, call in enumerate(self._calls):
            yield from self._call_deltas(call, position)

    def _pieces(self, tokens: list[str], field: str) -> Deltas:
        size = self._script.tokens_per_delta
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            yield {field: "".join(piece)}, len(piece)

    def _call_deltas(self, call: ToolCall, position: int) -> Deltas:
        opening = self._call(call, position) | {"index": position}
        opening["function"] = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [opening]}, 0
        for piece in _argument_pieces(call):
            yield {"tool_calls": [{"index": position, "function": {"arguments": piece}}]}, 1

    def _call(self, call: ToolCall, position: int) -> Json:
        return {
            "id": call.id or f"call_{self._id[9:29]}{position}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments_text},
        }

    def _choice(self, index: int) -> Json:
        text = "".join(self._tokens(index))
        message: Json = {
            "role": "assistant",
            "content": text or (None if self._calls else ""),
            "refusal": None,
            "annotations": [],
        }
        if self._reasoning:
            message[self._script.reasoning_field] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = [self._call(c, at) for at, c in enumerate(self._calls)]
        finish = self._finish_reason(index)
        return {"index": index, "message": message, "logprobs": None, "finish_reason": finish}

    def _tokens(self, index: int) -> list[str]:
        text = self._full_text(index)
        return _text_tokens(text, self._request.max_tokens, self._request.stop)

    def _full_text(self, index: int) -> str:
        request = self._request
        return _text(self._script, request.prompt, self._seed, index, request.after_tool)

    def _finish_reason(self, index: int) -> str:
        if self._script.finish_reason is not None:
            return self._script.finish_reason
        if self._calls:
            return "tool_calls"
        whole = _text_tokens(self._full_text(index), None, self._request.stop)
        return "length" if len(self._tokens(index)) < len(whole) else "stop"

    def _completion_tokens(self) -> int:
        arguments = sum(len(_argument_pieces(call)) for call in self._calls)
        spoken = sum(len(self._tokens(index)) for index in range(self._request.n))
        return spoken + (len(self._reasoning) + arguments) * self._request.n

    def _usage(self) -> Json:
        prompt, completion = self._request.prompt_tokens, self._completion_tokens()
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": len(self._reasoning) * self._request.n,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def _argument_pieces(call: ToolCall) -> list[str]:
    text = call.arguments_text
    return [text[at : at + _ARGUMENT_PIECE] for at in range(0, len(text), _ARGUMENT_PIECE)]

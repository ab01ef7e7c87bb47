"""The answer to one chat completion: its text, its chunks, and the steps that send it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from tests.harness.fake_provider import content, words
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai_chat.chat_request import ChatRequest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.scripted_answer import ScriptedAnswer
from tests.harness.fake_provider.steps import Send, Steps

Json = dict[str, object]
# Deltas of one choice in order, each with the tokens that it carries.
Deltas = Iterator[tuple[Json, int]]

_DONE = b"data: [DONE]\n\n"


class Answer(ScriptedAnswer):
    """One request's completion, in choices that differ in their words."""

    def __init__(self, call: Call, script: Script, request: ChatRequest) -> None:
        super().__init__(call, script, streamed=request.stream)
        self._request = request
        self._seed = call.service.seed
        prompt = content.answered_prompt(script, request.asked, self._seed)
        self._reasoning = words.tokens(content.reasoning(script, prompt, self._seed))
        self._calls = content.calls(script, request.asked.after_tool)
        self._id = f"chatcmpl-{self._digest[:29]}"
        self._created = int(time.time())

    def frame(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n" if self.streamed else payload

    def refusal(self, status: int, code: str | None) -> bytes:
        return self._call.refused(errors.answer_to(status), code)

    def failure(self, error: dict[str, Any] | None) -> bytes:
        if error is None:
            return msgspec.json.encode({"error": errors.answer_to(500).error})
        return msgspec.json.encode({"error": error})

    def text(self, text: str) -> bytes:
        return self._partial({"content": text})

    def padded(self, padding: str) -> bytes:
        return self._partial({}, padding=padding)

    def malformed(self, what: Malformed) -> bytes:
        dup = {"index": 0, "delta": {"content": "dup"}, "finish_reason": None}
        payloads: dict[Malformed, Callable[[], bytes]] = {
            "invalid_json": lambda: self._partial({})[:-20],
            "not_an_object": lambda: b'["chunk"]',
            "null_choices": lambda: self._partial({}, choices=None),
            "no_choices": lambda: self._partial({}, choices=[]),
            "null_delta": lambda: self._partial({}, choices=[dup | {"delta": None}]),
            "unknown_event": lambda: b'{"novel":true}',
            "unknown_fields": lambda: self._partial({"mood": "calm"}, x_vendor={"deep": [1]}),
            "duplicate_index": lambda: self._partial({}, choices=[dup, dup]),
            "empty_data": lambda: b"",
        }
        return payloads[what]()

    def _partial(self, delta: Json, **changes: object) -> bytes:
        if self.streamed:
            choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        else:
            message = {"role": "assistant", "content": None, **delta}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return msgspec.json.encode(self._envelope() | {"choices": [choice]} | changes)

    def _events(self) -> Steps:
        for index in range(self._request.n):
            yield self._chunk({"role": "assistant", "content": "", "refusal": None}, index)
            for delta, tokens in self._deltas(index):
                yield self._pause()
                yield self._chunk(delta, index, tokens)
            yield self._chunk({}, index, finish=self._finish_reason(index))
        if self._request.include_usage and self._script.usage:
            last = self._envelope() | {"choices": [], "usage": self._usage()}
            yield Send(self.frame(msgspec.json.encode(last)))
        yield Send(_DONE, terminal=True)

    def _document(self) -> tuple[object, int]:
        choices = [self._choice(index) for index in range(self._request.n)]
        usage = {"usage": self._usage()} if self._script.usage else {}
        return self._envelope() | {"choices": choices} | usage, self._completion_tokens()

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
        opening = self._tool_call(call, position) | {"index": position}
        opening["function"] = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [opening]}, 0
        for piece in content.argument_pieces(call):
            yield {"tool_calls": [{"index": position, "function": {"arguments": piece}}]}, 1

    def _tool_call(self, call: ToolCall, position: int) -> Json:
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
            message["tool_calls"] = [self._tool_call(c, at) for at, c in enumerate(self._calls)]
        finish = self._finish_reason(index)
        return {"index": index, "message": message, "logprobs": None, "finish_reason": finish}

    def _tokens(self, index: int) -> list[str]:
        return self._ending(index).tokens

    def _ending(self, index: int) -> content.Ending:
        said = content.text(self._script, self._request.asked, self._seed, index)
        return content.ending(said, self._request.max_tokens, self._request.stop)

    def _finish_reason(self, index: int) -> str:
        if self._script.finish_reason is not None:
            return self._script.finish_reason
        if self._calls:
            return "tool_calls"
        return "length" if self._ending(index).reason == "length" else "stop"

    def _completion_tokens(self) -> int:
        arguments = sum(len(content.argument_pieces(call)) for call in self._calls)
        spoken = sum(len(self._tokens(index)) for index in range(self._request.n))
        return spoken + (len(self._reasoning) + arguments) * self._request.n

    def _usage(self) -> Json:
        cached = self._script.cache_read_tokens
        prompt = self._request.prompt_tokens + cached + self._script.cache_write_tokens
        completion = self._completion_tokens()
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": len(self._reasoning) * self._request.n,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

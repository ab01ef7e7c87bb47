"""The answer to one chat completion: its text, its chunks, and the steps that send it."""

import time
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import msgspec
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai_chat.answer_choices import AnswerChoice, Delta
from tests.harness.fake_provider.openai_chat.chat_request import ChatRequest
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.scripted_answer import ScriptedAnswer
from tests.harness.fake_provider.steps import Send, Steps

Json = dict[str, object]
_DONE = b"data: [DONE]\n\n"


class Answer(ScriptedAnswer):
    """One request's completion, in choices that differ in their words."""

    def __init__(self, call: Call, script: Script, request: ChatRequest) -> None:
        super().__init__(call, script, streamed=request.stream)
        self._request = request
        self._id = f"chatcmpl-{self._digest[:29]}"
        self._created = int(time.time())
        self._choices = [
            AnswerChoice(script, request, call.service.seed, index, self._digest)
            for index in range(request.n)
        ]

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
            "unbalanced_json": lambda: self.text("half")[:-2] + b"}",
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
        for choice in self._choices:
            opening = Delta({"role": "assistant", "content": "", "refusal": None})
            yield self._chunk(choice, opening)
        # Choices are made at the same time, so their deltas take turns.
        for deltas in zip_longest(*(choice.deltas() for choice in self._choices)):
            for choice, delta in zip(self._choices, deltas, strict=True):
                if delta is not None:
                    yield self._pause()
                    yield self._chunk(choice, delta)
        for choice in self._choices:
            yield self._chunk(choice, Delta({}), choice.finish_reason)
        if self._request.include_usage and self._script.usage:
            last = self._envelope() | {"choices": [], "usage": self._usage()}
            yield Send(self.frame(msgspec.json.encode(last)))
        yield Send(_DONE, terminal=True)

    def _document(self) -> tuple[object, int]:
        choices = [choice.whole() for choice in self._choices]
        usage = {"usage": self._usage()} if self._script.usage else {}
        return self._envelope() | {"choices": choices} | usage, self._completion_tokens

    def _envelope(self) -> Json:
        envelope: Json = {
            "id": self._id,
            "object": "chat.completion.chunk" if self.streamed else "chat.completion",
            "created": self._created,
            "model": self._script.answered_as or self._request.model,
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
        }
        return envelope | ({"usage": None} if self._request.include_usage else {})

    def _chunk(self, choice: AnswerChoice, delta: Delta, finish: str | None = None) -> Send:
        part = {
            "index": choice.index,
            "delta": delta.delta,
            "logprobs": delta.logprobs,
            "finish_reason": finish,
        }
        payload = msgspec.json.encode(self._envelope() | {"choices": [part]})
        return Send(self.frame(payload), delta.tokens)

    @property
    def _completion_tokens(self) -> int:
        return sum(choice.tokens for choice in self._choices)

    def _usage(self) -> Json:
        cached = self._script.cache_read_tokens
        prompt = self._request.prompt_tokens + cached + self._script.cache_write_tokens
        completion = self._completion_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": sum(c.reasoning_tokens for c in self._choices),
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

"""The answer to one request for a message: its blocks, its events, and the steps that send it."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from tests.harness.fake_provider import content
from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.anthropic_messages.answer_blocks import AnswerBlocks, Block
from tests.harness.fake_provider.anthropic_messages.message_request import MessageRequest
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.scripted_answer import ScriptedAnswer
from tests.harness.fake_provider.steps import Send, Steps, Wait

Json = dict[str, object]
_PING: Json = {"type": "ping"}


class Answer(ScriptedAnswer):
    """One request's message."""

    def __init__(self, call: Call, script: Script, request: MessageRequest) -> None:
        super().__init__(call, script, streamed=request.stream)
        self._request = request
        self.id = f"msg_01{self._digest[:22]}"
        self._blocks = AnswerBlocks(call.service, script, request, self._digest)
        self._open = 0

    @property
    def content(self) -> list[Json]:
        """All of its blocks."""
        return [block.whole for block in self._blocks]

    def frame(self, payload: bytes) -> bytes:
        if not self.streamed:
            return payload
        kind = payload.partition(b'{"type":"')[2].partition(b'"')[0] or b"content_block_delta"
        return b"event: " + kind + b"\ndata: " + payload + b"\n\n"

    def refusal(self, status: int, code: str | None) -> bytes:
        return self._call.refused(errors.answer_to(status), code)

    def failure(self, error: dict[str, Any] | None) -> bytes:
        said = errors.answer_to(529).error if error is None else error
        return msgspec.json.encode(
            {"type": "error", "error": said, "request_id": self._call.request_id}
        )

    def text(self, text: str) -> bytes:
        if self.streamed:
            return self._delta({"type": "text_delta", "text": text})
        return msgspec.json.encode(self._message([{"type": "text", "text": text}]))

    def padded(self, padding: str) -> bytes:
        if self.streamed:
            return msgspec.json.encode(_PING | {"padding": padding})
        return msgspec.json.encode(self._message([]) | {"padding": padding})

    def malformed(self, what: Malformed) -> bytes:
        dup: Json = {"type": "text", "text": "dup"}
        null: Json = {"delta": None} if self.streamed else {"content": None}
        payloads: dict[Malformed, Callable[[], bytes]] = {
            "invalid_json": lambda: self.text("half")[:-20],
            "unbalanced_json": lambda: self.text("half")[:-2] + b"}",
            "not_an_object": lambda: b'["event"]',
            "null_choices": lambda: self._changed(null),
            "no_choices": lambda: self._changed({"content": []}),
            "null_delta": lambda: self._changed(null),
            "unknown_event": lambda: b'{"novel":true}',
            "unknown_fields": lambda: self._changed({"x_vendor": {"deep": [1]}}),
            "duplicate_index": lambda: self._start(self._open, dup),
            "empty_data": lambda: b"",
        }
        return payloads[what]()

    def _changed(self, changes: Json) -> bytes:
        if self.streamed:
            event: Json = {"type": "content_block_delta", "index": self._open}
            empty: Json = {"type": "text_delta", "text": ""}
            return msgspec.json.encode(event | {"delta": empty} | changes)
        return msgspec.json.encode(self._message([]) | changes)

    def _start(self, index: int, block: Json) -> bytes:
        return msgspec.json.encode(
            {"type": "content_block_start", "index": index, "content_block": block}
        )

    def _delta(self, delta: Json) -> bytes:
        return msgspec.json.encode(
            {"type": "content_block_delta", "index": self._open, "delta": delta}
        )

    def _events(self) -> Steps:
        message = self._message([]) | {"stop_reason": None, "stop_sequence": None}
        if self._script.usage:
            message["usage"] = self._usage(output=1)
        yield self._event({"type": "message_start", "message": message})
        for index, block in enumerate(self._blocks):
            yield from self._block(index, block)
        yield self._event(self._last())
        yield Send(self.frame(b'{"type":"message_stop"}'), terminal=True)

    def _block(self, index: int, block: Block) -> Iterator[Send | Wait]:
        self._open = index
        yield Send(self.frame(self._start(index, block.start)))
        if index == 0:
            yield self._event(_PING)
        for delta, tokens in block.deltas:
            if tokens:
                yield self._pause()
            yield Send(self.frame(self._delta(delta)), tokens)
        yield self._event({"type": "content_block_stop", "index": index})

    def _last(self) -> Json:
        delta: Json = {name: self._ended[name] for name in ("stop_reason", "stop_sequence")}
        if "stop_details" in self._ended:
            delta["stop_details"] = self._ended["stop_details"]
        event: Json = {"type": "message_delta", "delta": delta}
        return event | ({"usage": self._usage()} if self._script.usage else {})

    def _document(self) -> tuple[object, int]:
        return self._message(self.content), self._blocks.tokens

    def _event(self, event: Json) -> Send:
        return Send(self.frame(msgspec.json.encode(event)))

    def _message(self, blocks: list[Json]) -> Json:
        message: Json = {
            "model": self._script.answered_as or self._request.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": blocks,
            **self._ended,
        }
        return message | ({"usage": self._usage()} if self._script.usage else {})

    @property
    def _ended(self) -> Json:
        reason, sequence = self._stop()
        ended: Json = {"stop_reason": reason, "stop_sequence": sequence}
        if self._script.refusal is not None:
            explanation = self._script.refusal
            details = {"type": "refusal", "category": None, "explanation": explanation}
            ended["stop_details"] = details
        return ended

    def _stop(self) -> tuple[str, str | None]:
        if self._script.finish_reason is not None:
            return self._script.finish_reason, None
        if self._script.refusal is not None:
            return "refusal", None
        if self._blocks.calls:
            return "tool_use", None
        ending: content.Ending = self._blocks.ending
        reasons = {"stop": "end_turn", "length": "max_tokens", "stop_sequence": "stop_sequence"}
        return reasons[ending.reason], ending.stop_sequence

    def _usage(self, output: int | None = None) -> Json:
        written = self._script.cache_write_tokens
        usage: Json = {
            "input_tokens": self._request.input_tokens,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": self._script.cache_read_tokens,
            "output_tokens": self._blocks.tokens if output is None else output,
        }
        if output is not None or not self.streamed:
            usage["cache_creation"] = {
                "ephemeral_5m_input_tokens": written,
                "ephemeral_1h_input_tokens": 0,
            }
            usage["service_tier"] = "standard"
        if output is None and self._request.thinks:
            usage["output_tokens_details"] = {"thinking_tokens": self._blocks.thinking_tokens}
        return usage

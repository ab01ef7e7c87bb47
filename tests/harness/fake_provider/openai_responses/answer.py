"""The answer to one request for a response: its events, and the whole that they add up to."""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai_responses.answer_items import AnswerItems, Item
from tests.harness.fake_provider.openai_responses.response_request import ResponseRequest
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.scripted_answer import ScriptedAnswer
from tests.harness.fake_provider.steps import Send, Steps, Wait

Json = dict[str, object]
_ENDS = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}
_INCOMPLETE = {"length": "max_output_tokens", "max_output_tokens": "max_output_tokens",
               "content_filter": "content_filter"}  # fmt: skip


class Answer(ScriptedAnswer):
    """One request's response."""

    def __init__(self, call: Call, script: Script, request: ResponseRequest) -> None:
        super().__init__(call, script, streamed=request.stream)
        self._request = request
        self.id = f"resp_{self._digest[:48]}"
        self._items = AnswerItems(call.service, script, request, self._digest)
        self._created = int(time.time())
        self._sequence = -1
        self._open: Json = {"item_id": f"msg_{self._digest[:32]}", "output_index": 0}

    @property
    def output(self) -> list[Json]:
        return [item.done for item in self._items]

    def response(self) -> Json:
        """The whole response."""
        reason = self._script.finish_reason or self._items.ending.reason
        status = "incomplete" if reason in _INCOMPLETE else "completed"
        whole: Json = self._envelope("failed" if reason == "failed" else status)
        whole["output"] = self.output
        if status == "incomplete":
            whole["incomplete_details"] = {"reason": _INCOMPLETE[reason]}
        if reason == "failed":
            message = errors.answer_to(500).message
            whole["error"] = {"code": "server_error", "message": message}
        if self._script.usage:
            whole["usage"] = self._usage()
        return whole

    def frame(self, payload: bytes) -> bytes:
        if not self.streamed:
            return payload
        kind = payload.partition(b'{"type":"')[2].partition(b'"')[0]
        return b"event: " + (kind or b"message") + b"\ndata: " + payload + b"\n\n"

    def refusal(self, status: int, code: str | None) -> bytes:
        return self._call.refused(errors.answer_to(status), code)

    def failure(self, error: dict[str, Any] | None) -> bytes:
        said: dict[str, Any] = dict(errors.answer_to(500).error) if error is None else error
        if not self.streamed:
            return msgspec.json.encode({"error": said})
        event = {"code": "server_error", "message": "", "param": None} | {
            name: said[name] for name in ("code", "message", "param") if said.get(name) is not None
        }
        return self._numbered({"type": "error", **event})

    def text(self, text: str) -> bytes:
        if self.streamed:
            return self._delta({"delta": text})
        part = {"type": "output_text", "text": text, "annotations": []}
        item: Json = {
            "id": self._open["item_id"],
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        return msgspec.json.encode(self.response() | {"output": [item]})

    def padded(self, padding: str) -> bytes:
        return self._changed({"padding": padding})

    def malformed(self, what: Malformed) -> bytes:
        null: Json = {"delta": None} if self.streamed else {"output": None}
        payloads: dict[Malformed, Callable[[], bytes]] = {
            "invalid_json": lambda: self._changed({})[:-20],
            "unbalanced_json": lambda: self.text("half")[:-2] + b"}",
            "not_an_object": lambda: b'["event"]',
            "null_choices": lambda: self._changed(null),
            "no_choices": lambda: self._changed({"output": []}),
            "null_delta": lambda: self._changed(null),
            "unknown_event": lambda: b'{"novel":true}',
            "unknown_fields": lambda: self._changed({"x_vendor": {"deep": [1]}}),
            "duplicate_index": self._added_again,
            "empty_data": lambda: b"",
        }
        return payloads[what]()

    def _changed(self, changes: Json) -> bytes:
        if self.streamed:
            return self._delta({"delta": ""} | changes)
        return msgspec.json.encode(self.response() | changes)

    def _added_again(self) -> bytes:
        item = next(iter(self._items)).added
        event: Json = {"type": "response.output_item.added", "output_index": 0, "item": item}
        return self._numbered(event)

    def _delta(self, changes: Json) -> bytes:
        event: Json = {"type": "response.output_text.delta", **self._open, "content_index": 0}
        return self._numbered(event | {"logprobs": []} | changes)

    def _events(self) -> Steps:
        for kind in ("response.created", "response.in_progress"):
            yield self._event({"type": kind, "response": self._envelope("in_progress")})
        for index, item in enumerate(self._items):
            yield from self._item(index, item)
        whole = self.response()
        kind = _ENDS[cast("str", whole["status"])]
        last = self._event({"type": kind, "response": whole})
        yield Send(last.data, terminal=True)

    def _item(self, index: int, item: Item) -> Iterator[Send | Wait]:
        where: Json = {"output_index": index}
        self._open = {"item_id": item.added["id"], **where}
        yield self._event({"type": "response.output_item.added", **where, "item": item.added})
        for event, tokens in item.events:
            if tokens:
                yield self._pause()
            if event["type"] == "@silent":
                yield Send(b"", tokens)
            else:
                yield self._event({"type": event["type"], **where, **event}, tokens)
        yield self._event({"type": "response.output_item.done", **where, "item": item.done})

    def _document(self) -> tuple[object, int]:
        return self.response(), self._items.tokens

    def _event(self, event: Json, tokens: int = 0) -> Send:
        return Send(self.frame(self._numbered(event)), tokens)

    def _numbered(self, event: Json) -> bytes:
        self._sequence += 1
        return msgspec.json.encode(event | {"sequence_number": self._sequence})

    def _envelope(self, status: str) -> Json:
        asked = self._request.fields
        echoed = {name: asked.get(name, default) for name, default in _ECHOED.items()}
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._script.answered_as or self._request.model,
            "output": [],
            "usage": None,
            **echoed,
        }

    def _usage(self) -> Json:
        read, written = self._script.cache_read_tokens, self._script.cache_write_tokens
        prompt = self._request.input_tokens + read + written
        completion = self._items.tokens
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": self._items.reasoning_tokens},
            "total_tokens": prompt + completion,
        }


_ECHOED: Json = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}

"""Renders the deltas of an answer as the named events of a streamed message.

An event of plain text, of which there are most, is put together from bytes.
"""

from collections.abc import Callable
from typing import Final, Self

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT, error_rendering, foreign_seals
from cartrita.dialects.anthropic_messages.answer_fields import (
    MessageHead,
    citation_fields,
    finishing_fields,
    message_fields,
    stop_fields,
    usage_fields,
)
from cartrita.dialects.anthropic_messages.delta_order import DeltaOrder
from cartrita.dialects.anthropic_messages.relay import Monitor
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.errors import CartritaError, UpstreamMalformed
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Reasoning

_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_encode = msgspec.json.Encoder().encode


class StreamRenderer:
    """Renders one answer; `feed` it each delta."""

    def __init__(self, head: MessageHead) -> None:
        self._head = head
        self._order = DeltaOrder()
        self._begun = False
        self._next_index = 0
        self._open = ""  # the type of the open block
        self._piece = b""  # what a piece of the open block begins with
        self._cited = False
        self._early: list[JsonObject] = []  # citations that came before the text
        self._call = -1
        self._refused = False
        self._renderers: dict[type, Callable[..., bytes]] = {
            Accepted: self._accept,
            TextDelta: self._say,
            RefusalDelta: self._refuse,
            ReasoningDelta: self._reason,
            ToolCallDelta: self._call_tool,
            CitationDelta: self._cite,
            VendorDelta: self._pass_on,
            Finished: self._finish,
        }

    @classmethod
    def resumed(cls, monitor: Monitor, head: MessageHead) -> Self:
        """The renderer of the rest of an answer, the beginning of which was relayed."""
        renderer = cls(head)
        renderer._begun = monitor.begun
        renderer._next_index = monitor.next_index
        block = monitor.open_block
        if block is not None:
            renderer._open = block.type
            renderer._piece = _piece_of(block.index)
            renderer._next_index = block.index + 1
        return renderer

    def feed(self, delta: Delta) -> bytes:
        """The events of the delta; the last bytes of the stream come with `Finished`."""
        if type(delta) is TextDelta and self._begun and self._order.is_free:
            return self._say(delta)
        if isinstance(delta, Finished):
            return self._render(self._order.end()) + self._render([delta])
        return self._render(self._order.feed(delta))

    def error(self, error: CartritaError) -> bytes:
        """The error as the last event of the stream."""
        return _event("error", error_rendering.fields(error))

    def _render(self, deltas: list[Delta]) -> bytes:
        if not deltas:
            return b""
        events = b"".join([self._renderers[type(delta)](delta) for delta in deltas])
        if self._begun:
            return events
        self._begun = True
        return _event("message_start", {"message": message_fields(self._head)}) + events

    def _accept(self, _delta: Accepted) -> bytes:
        return b""

    def _say(self, delta: TextDelta | RefusalDelta) -> bytes:
        if not delta.text:
            return b""
        before = b""
        if self._open != "text" or self._cited:
            before = self._start("text", {"type": "text", "text": ""})
            before += b"".join(map(self._citation, self._early))
            self._early = []
        return b'%s"text_delta","text":%s}}\n\n' % (before + self._piece, _encode(delta.text))

    def _refuse(self, delta: RefusalDelta) -> bytes:
        self._refused = True
        return self._say(delta)

    def _reason(self, delta: ReasoningDelta) -> bytes:
        if delta.encrypted is not None and delta.origin == DIALECT:
            block: JsonObject = {"type": "redacted_thinking", "data": delta.encrypted}
            return self._start("redacted_thinking", block) + self._stop()
        if not (delta.text or delta.sealed):
            return b""
        events = b""
        if self._open != "thinking":
            block = {"type": "thinking", "thinking": "", "signature": ""}
            events = self._start("thinking", block)
        if delta.text:
            events += self._delta("thinking_delta", "thinking", delta.text)
        return events + self._seal(delta) if delta.sealed else events

    def _seal(self, delta: ReasoningDelta) -> bytes:
        """End the block of reasoning with its signature."""
        sealed = Reasoning("", delta.signature, delta.encrypted, delta.origin, delta.id)
        signature = foreign_seals.signature_of(sealed)
        self._open = ""
        return self._delta("signature_delta", "signature", signature) + self._stop_event()

    def _call_tool(self, delta: ToolCallDelta) -> bytes:
        events = b""
        if self._open != "tool_use" or self._call != delta.index:
            self._call = delta.index
            call_id = delta.call_id or f"toolu_{self._head.id}_{delta.index}"
            block: JsonObject = {"type": "tool_use", "id": call_id, "name": delta.name, "input": {}}
            events = self._start("tool_use", block)
        if not delta.arguments:
            return events
        return events + self._delta("input_json_delta", "partial_json", delta.arguments)

    def _cite(self, delta: CitationDelta) -> bytes:
        fields = citation_fields(delta.citation)
        if fields is None:
            return b""
        if self._open != "text":
            self._early.append(fields)
            return b""
        self._cited = True
        return self._citation(fields)

    def _citation(self, fields: JsonObject) -> bytes:
        return self._piece + b'"citations_delta","citation":%s}}\n\n' % _encode(fields)

    def _pass_on(self, delta: VendorDelta) -> bytes:
        if delta.part.origin != DIALECT:
            return b""
        return self._start("", delta.part.data) + self._stop()

    def _finish(self, delta: Finished) -> bytes:
        if delta.reason is FinishReason.ERROR:
            problem = UpstreamMalformed(
                "The provider ended its answer with an error.", provider=self._head.model
            )
            return self._stop() + self.error(problem)
        end: JsonObject = {
            "delta": stop_fields(delta, refused=self._refused),
            "usage": usage_fields(delta.usage, self._head),
            **finishing_fields(self._head, delta.usage),
        }
        return self._stop() + _event("message_delta", end) + _STOP

    def _start(self, kind: str, block: JsonObject) -> bytes:
        """End the open block, and begin another."""
        stop = self._stop()
        index = self._next_index
        self._next_index += 1
        self._open = kind or "vendor"
        self._cited = False
        self._piece = _piece_of(index)
        return stop + _event("content_block_start", {"index": index, "content_block": block})

    def _delta(self, kind: str, name: str, value: str) -> bytes:
        return b'%s"%s","%s":%s}}\n\n' % (
            self._piece,
            kind.encode(),
            name.encode(),
            _encode(value),
        )

    def _stop(self) -> bytes:
        """End the open block. Reasoning without a seal gets one that says so."""
        if not self._open:
            return b""
        if self._open == "thinking":
            return self._seal(ReasoningDelta(""))
        self._open = ""
        return self._stop_event()

    def _stop_event(self) -> bytes:
        return _event("content_block_stop", {"index": self._next_index - 1})


def _event(name: str, fields: JsonObject) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), _encode({"type": name, **fields}))


def _piece_of(index: int) -> bytes:
    return (
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":%d,"delta":{"type":' % index
    )

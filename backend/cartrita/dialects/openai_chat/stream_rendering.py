"""Renders the deltas of an answer as the chunks of a streamed completion.

Reasoning goes out as `reasoning_content`, as DeepSeek began it, and sealed blocks of it as
`reasoning_details` once they are whole. All entries of lists have an `index`, without which
OpenAI's SDK cannot put the chunks together. A chunk of plain text, of which there are most, is put
together from bytes.
"""

from collections.abc import Callable
from typing import Self

import msgspec
from msgspec.structs import replace

from cartrita.dialects import openai_error_rendering
from cartrita.dialects.openai_chat import reasoning_details
from cartrita.dialects.openai_chat.answer_fields import (
    CompletionHead,
    annotation,
    finish_reason,
    finishing_fields,
    lost_part,
    usage_fields,
)
from cartrita.dialects.openai_chat.relay import Monitor
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.errors import CartritaError
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Reasoning
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.kit import sse

DONE = b"data: [DONE]\n\n"
"""The end of a stream."""

_encode = msgspec.json.Encoder().encode


def usage_chunk(head: CompletionHead, usage: Usage) -> bytes:
    """The chunk that tells the usage, and nothing else."""
    start = _start(head)
    return b'%s[],"usage":%s}\n\n' % (start, _encode(usage_fields(usage)))


class StreamRenderer:
    """Renders one answer; `feed` it each delta.

    Several answers on one stream have an `index` each and are not `alone`: their caller sums up the
    usage, and sends it and `DONE` after the last of them.
    """

    def __init__(self, head: CompletionHead, *, index: int = 0, alone: bool = True) -> None:
        self._head = head
        self._alone = alone
        self._before = b'%s[{"index":%d,"delta":' % (_start(head), index)
        self._after = b'}],"usage":null}\n\n' if head.include_usage else b"}]}\n\n"
        self._text_before = self._before + b'{"content":'
        self._text_after = b'},"logprobs":null,"finish_reason":null' + self._after
        self._begun = False
        self._reasoning: list[str] = []  # the text of the open block
        self._blocks = 0
        self._calls: dict[int, int] = {}  # the index on the wire by that of the delta
        self._length = 0
        self._run_start = 0
        self._cited = False
        self._citations = 0
        self._lost: list[Receipt] = []
        self._renderers: dict[type, Callable[..., bytes]] = {
            Accepted: _nothing,
            RefusalDelta: self._refusal,
            ReasoningDelta: self._reasoned,
            ToolCallDelta: self._called,
            CitationDelta: self._cite,
            VendorDelta: self._vendor,
            Finished: self._finish,
        }

    @classmethod
    def resumed(
        cls,
        monitor: Monitor,
        *,
        include_usage: bool = False,
        finishing: JsonObject | None = None,
    ) -> Self:
        """The renderer of the rest of an answer, the beginning of which was relayed.

        `finishing` are fields of the finish chunk, which may be filled in until it is rendered.
        Raises UpstreamError if the beginning was too long to keep.
        """
        head = monitor.head(include_usage=include_usage)
        renderer = cls(head if finishing is None else replace(head, finishing=finishing))
        for delta in monitor.deltas():
            renderer.feed(delta)
        renderer._begun = True
        return renderer

    def feed(self, delta: Delta) -> bytes:
        """The chunks of the delta; the last bytes of the stream come with `Finished`."""
        if isinstance(delta, TextDelta):
            rendered = self._said(delta)
        else:
            rendered = self._renderers[type(delta)](delta)
        if self._begun or not rendered:
            return rendered
        self._begun = True
        return self._chunk({"role": "assistant", "content": "", "refusal": None}) + rendered

    def error(self, error: CartritaError) -> bytes:
        """The error as the last frame of the stream."""
        return sse.frame(_encode({"error": openai_error_rendering.fields(error)}))

    def _chunk(
        self, delta: JsonObject, *, finish: bytes = b"null", logprobs: bytes = b"null"
    ) -> bytes:
        return b'%s%s,"logprobs":%s,"finish_reason":%s%s' % (
            self._before,
            _encode(delta),
            logprobs,
            finish,
            self._after,
        )

    def _said(self, delta: TextDelta) -> bytes:
        if self._cited:
            self._run_start, self._cited = self._length, False
        self._length += len(delta.text)
        if self._reasoning:
            self._reasoning.clear()
        if delta.logprobs:
            logprobs = _encode({"content": delta.logprobs, "refusal": None})
            return self._chunk({"content": delta.text}, logprobs=logprobs)
        return self._text_before + _encode(delta.text) + self._text_after

    def _refusal(self, delta: RefusalDelta) -> bytes:
        self._reasoning.clear()
        return self._chunk({"refusal": delta.text})

    def _reasoned(self, delta: ReasoningDelta) -> bytes:
        self._reasoning.append(delta.text)
        fields: JsonObject = {}
        if delta.text:
            fields["reasoning_content"] = delta.text
        if delta.sealed:
            text = "".join(self._reasoning)
            block = Reasoning(text, delta.signature, delta.encrypted, delta.origin, delta.id)
            fields["reasoning_details"] = [reasoning_details.render(block, self._blocks)]
            self._blocks += 1
            self._reasoning.clear()
        return self._chunk(fields) if fields else b""

    def _called(self, delta: ToolCallDelta) -> bytes:
        self._reasoning.clear()
        if self._head.legacy:
            return self._called_function(delta)
        is_new = delta.index not in self._calls
        call: JsonObject = {"index": self._calls.setdefault(delta.index, len(self._calls))}
        if delta.call_id is not None:
            call["id"] = delta.call_id
        if is_new:
            call["type"] = "function"
        function: JsonObject = {"arguments": delta.arguments}
        if delta.name is not None:
            function = {"name": delta.name, **function}
        call["function"] = function
        return self._chunk({"tool_calls": [call]})

    def _called_function(self, delta: ToolCallDelta) -> bytes:
        """A part of the one call that callers of the old form can read."""
        if self._calls.setdefault(delta.index, len(self._calls)):
            return b""
        call: JsonObject = {"arguments": delta.arguments}
        if delta.name is not None:
            call = {"name": delta.name, **call}
        return self._chunk({"function_call": call})

    def _cite(self, delta: CitationDelta) -> bytes:
        self._cited = True
        if (lost := lost_part(delta.citation)) is not None:
            self._lost.append(lost)
            return b""
        cited = annotation(delta.citation, self._run_start, self._length)
        index, self._citations = self._citations, self._citations + 1
        return self._chunk({"annotations": [{"index": index, **cited}]})

    def _vendor(self, delta: VendorDelta) -> bytes:
        """A call of a custom tool; parts of other vendors have no place in a completion."""
        self._reasoning.clear()
        if (lost := lost_part(delta.part)) is not None:
            self._lost.append(lost)
            return b""
        index = len(self._calls)
        self._calls[-1 - index] = index
        return self._chunk({"tool_calls": [{"index": index, **delta.part.data}]})

    def _finish(self, delta: Finished) -> bytes:
        chunk = self._chunk({}, finish=_encode(finish_reason(self._head, delta.reason)))
        if finishing := finishing_fields(self._head, delta.usage, self._lost):
            chunk = chunk[:-3] + b"," + _encode(finishing)[1:] + b"\n\n"
        if not self._alone:
            return chunk
        usage = usage_chunk(self._head, delta.usage) if self._head.include_usage else b""
        return chunk + usage + DONE


def _nothing(delta: Accepted) -> bytes:
    """What is told before the answer begins has no place in it."""
    return b""


def _start(head: CompletionHead) -> bytes:
    """The bytes of a chunk up to its choices."""
    fields = _encode(
        {
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
            "system_fingerprint": None,
            **head.extra,
        }
    )
    return b'data: %s,"choices":' % fields[:-1]

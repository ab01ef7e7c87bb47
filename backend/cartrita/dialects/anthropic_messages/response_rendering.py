"""Renders the deltas of an answer as one whole message."""

from collections.abc import Iterable

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT, foreign_seals
from cartrita.dialects.anthropic_messages.answer_fields import (
    MessageHead,
    citation_fields,
    finishing_fields,
    message_fields,
    stop_fields,
    usage_fields,
)
from cartrita.dialects.anthropic_messages.delta_order import DeltaOrder
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
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Reasoning
from cartrita.kit.json_answers import refuse_unreadable

_decode_object = msgspec.json.Decoder(JsonObject).decode


def render(head: MessageHead, deltas: Iterable[Delta]) -> bytes:
    """The JSON of the message that the deltas, `Finished` among them, add up to."""
    order, content = DeltaOrder(), _Content(head)
    end = head.finishing
    for delta in deltas:
        if isinstance(delta, Finished):
            end = {
                **stop_fields(delta, refused=content.refused),
                "usage": usage_fields(delta.usage, head),
                **finishing_fields(head, delta.usage),
            }
            continue
        for ordered in order.feed(delta):
            content.add(ordered)
    for ordered in order.end():
        content.add(ordered)
    blocks: list[JsonValue] = [*content.blocks()]
    return msgspec.json.encode({**message_fields(head), "content": blocks, **end})


class _Content:
    """The blocks of an answer, in order."""

    def __init__(self, head: MessageHead) -> None:
        self._head = head
        self._blocks: list[JsonObject] = []
        self._pieces: list[str] = []
        self._field = ""  # the field of the last block that the pieces add up to
        self._citations: list[JsonValue] = []
        self._early: list[JsonValue] = []  # those that came before the text
        self._call = -1
        self.refused = False

    def add(self, delta: Delta) -> None:
        match delta:
            case TextDelta() | RefusalDelta():
                self._say(delta)
            case ReasoningDelta():
                self._reason(delta)
            case ToolCallDelta():
                self._call_tool(delta)
            case CitationDelta():
                self._cite(delta)
            case VendorDelta():
                self._pass_on(delta)
            case Accepted() | Finished():
                pass

    def blocks(self) -> list[JsonObject]:
        """All of them, complete."""
        self._end()
        return self._blocks

    def _say(self, delta: TextDelta | RefusalDelta) -> None:
        self.refused = self.refused or isinstance(delta, RefusalDelta)
        if not delta.text:
            return
        if self._field != "text" or "citations" in self._blocks[-1]:
            self._start({"type": "text", "text": ""}, "text")
        self._pieces.append(delta.text)

    def _reason(self, delta: ReasoningDelta) -> None:
        if delta.encrypted is not None and delta.origin == DIALECT:
            self._start({"type": "redacted_thinking", "data": delta.encrypted}, "")
            return
        if not (delta.text or delta.sealed):
            return
        if self._field != "thinking":
            unsealed = foreign_seals.signature_of(Reasoning(""))
            self._start({"type": "thinking", "thinking": "", "signature": unsealed}, "thinking")
        self._pieces.append(delta.text)
        if delta.sealed:
            sealed = Reasoning("", delta.signature, delta.encrypted, delta.origin, delta.id)
            self._blocks[-1]["signature"] = foreign_seals.signature_of(sealed)
            self._end()

    def _call_tool(self, delta: ToolCallDelta) -> None:
        if self._field != "input" or self._call != delta.index:
            self._call = delta.index
            call_id = delta.call_id or f"toolu_{self._head.id}_{delta.index}"
            self._start({"type": "tool_use", "id": call_id, "name": delta.name}, "input")
        self._pieces.append(delta.arguments)

    def _cite(self, delta: CitationDelta) -> None:
        fields = citation_fields(delta.citation)
        if fields is None:
            return
        if self._field != "text":
            self._early.append(fields)
            return
        self._citations.append(fields)
        self._blocks[-1]["citations"] = self._citations

    def _pass_on(self, delta: VendorDelta) -> None:
        if delta.part.origin == DIALECT:
            self._start(delta.part.data, "")

    def _start(self, block: JsonObject, field: str) -> None:
        self._end()
        self._blocks.append(block)
        self._field = field
        self._citations = []

    def _end(self) -> None:
        """Complete the last block."""
        text = "".join(self._pieces)
        if self._field == "input":
            self._blocks[-1]["input"] = _arguments(text)
        elif self._field:
            self._blocks[-1][self._field] = text
        if self._field == "text" and self._early:
            self._blocks[-1]["citations"] = [*self._early, *self._citations]
            self._early = []
        self._pieces.clear()
        self._field = ""


def _arguments(text: str) -> JsonObject:
    """The arguments of a call; those that are not JSON, as a cut answer leaves them, as text."""
    if not text:
        return {}
    try:
        refuse_unreadable(text)
        return _decode_object(text)
    except (ValueError, RecursionError):
        return {"arguments": text}
